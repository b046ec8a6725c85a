"""Everything that is in a database, to see whether anything changed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncpg import Pool, Record

END_WHO_WAITS = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'"""
"""As if the database went away under whoever waits for a lock; answers how many that were.

To be asked outside of a transaction: within one, PostgreSQL shows for ever what it showed first.
"""

CANCEL_WHO_WAITS = END_WHO_WAITS.replace("pg_terminate_backend", "pg_cancel_backend")
"""As a limit on statements does to whoever waits for a row that somebody holds for ever."""

Contents = dict[str, list[str]]


async def contents(pool: "Pool[Record]") -> Contents:
    """Every row of every table, as text."""
    async with pool.acquire() as connection:
        names = await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
        )
        return {
            row["tablename"]: [
                found["line"]
                for found in await connection.fetch(
                    f"SELECT t::text AS line FROM {row['tablename']} t ORDER BY line"
                )
            ]
            for row in names
        }


@asynccontextmanager
async def unchanged(pool: "Pool[Record]", *, but: str = "") -> AsyncIterator[None]:
    """What happens within changes not a single row, except in the table `but`."""
    before = await contents(pool)
    yield
    after = await contents(pool)
    for table in before:
        assert table == but or after[table] == before[table], table
