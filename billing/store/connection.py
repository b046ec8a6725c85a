"""What the functions of this package talk to."""

from typing import TYPE_CHECKING, TypeAlias

from terms.change import Change, together

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    Record: TypeAlias = asyncpg.Record
    Connection: TypeAlias = asyncpg.Connection[Record] | PoolConnectionProxy[Record]


async def carry_out(connection: "Connection", *changes: Change) -> "Record":
    """Carry out changes as one statement; their answers, by name."""
    statement, arguments = together(changes)
    row = await connection.fetchrow(statement, *arguments)
    assert row is not None
    return row
