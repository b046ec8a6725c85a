"""The kind of database connection these functions take."""

from typing import TYPE_CHECKING, TypeAlias

import asyncpg

from terms.change import Change, together

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Record: TypeAlias = asyncpg.Record
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]


async def carry_out(connection: "Connection", *changes: Change) -> "Record":
    """Carry out changes as one statement; their answers, by name."""
    statement, arguments = together(changes)
    row = await connection.fetchrow(statement, *arguments)
    assert row is not None
    return row
