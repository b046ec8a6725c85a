"""Everything that is in the database, to be compared with what was there before."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncpg import Pool, Record

Dump = dict[str, list[str]]


async def dump(pool: "Pool[Record]", *, but: frozenset[str] = frozenset()) -> Dump:
    """Every row of every table as text, except of the tables in `but`."""
    tables = await pool.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    )
    return {
        table: [
            row["line"]
            for row in await pool.fetch(f'SELECT t::text AS line FROM "{table}" t ORDER BY 1')
        ]
        for (table,) in tables
        if table not in but
    }


def changes(before: Dump, after: Dump) -> dict[str, tuple[set[str], set[str]]]:
    """Per table: the rows that went, and the rows that came."""
    return {
        table: (set(before[table]) - set(after[table]), set(after[table]) - set(before[table]))
        for table in before
        if before[table] != after[table]
    }
