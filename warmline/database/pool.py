"""The way to the database: an address, a pool, and one sentence when there is none."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import asyncpg

from warmline.database.embedded import EmbeddedDatabase
from warmline.database.migrate import check_server, migrate, shipped
from warmline.exits import Unusable
from warmline.settings import Settings

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

CONNECTIONS = 20
"""What one process takes of the database at most."""

_CONNECT_SECONDS = 10
_COMMAND_SECONDS = 30
_UNREACHABLE = (
    OSError,
    ValueError,  # an address that cannot be read
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
)
_HOUSE = secrets.token_hex(6)
_SERVER_SETTINGS = {
    "timezone": "UTC",
    # A transaction left open by a stuck process would hold its locks, and the live feed, for ever.
    "idle_in_transaction_session_timeout": "15s",
}


def _server_settings() -> dict[str, str]:
    """Named after the process, not its parent: what it had in hand is free once its connections
    are gone."""
    return {"application_name": f"warmline-{_HOUSE}-{os.getpid()}", **_SERVER_SETTINGS}


class DatabaseUnreachable(Unusable):
    """Nothing answers at the database's address, or it lets us not in."""


@asynccontextmanager
async def database_url(settings: Settings) -> AsyncIterator[str]:
    """The database's address for as long as it is needed; starts the embedded server if need be.

    Raises Unusable.
    """
    if settings.database_url is not None:
        yield settings.database_url
        return
    embedded = EmbeddedDatabase(settings.prepare_data_dir())
    starting = asyncio.create_task(asyncio.to_thread(embedded.start))
    try:
        yield await asyncio.shield(starting)
    finally:
        await asyncio.shield(_leave(embedded, starting))


async def _leave(embedded: EmbeddedDatabase, starting: asyncio.Task[str]) -> None:
    """A thread cannot be cancelled: a server that is being started is stopped once it runs."""
    await asyncio.gather(starting, return_exceptions=True)
    await asyncio.to_thread(embedded.leave)


async def open_pool(url: str, *, size: int = CONNECTIONS) -> "Pool[Record]":
    """A pool of at most `size` connections; the caller closes it. Raises Unusable."""
    try:
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=size,
            timeout=_CONNECT_SECONDS,
            command_timeout=_COMMAND_SECONDS,
            server_settings=_server_settings(),
            reset=_nothing_to_reset,
        )
    except _UNREACHABLE as failed:
        raise DatabaseUnreachable(_sentence(url, failed)) from failed
    async with pool.acquire() as connection:
        check_server(connection)
    return pool


async def _nothing_to_reset(connection: "Connection[Record]") -> None:
    """Nobody leaves a setting, a cursor or a lock behind on a connection they give back.

    asyncpg by itself rolls an open transaction back and removes listeners. Asking the server to
    forget the rest costs a round trip every time: one in eight of all.
    """


@asynccontextmanager
async def connected(url: str) -> "AsyncIterator[Connection[Record]]":
    """One connection, closed in the end. Raises Unusable."""
    try:
        connection = await asyncpg.connect(
            url, timeout=_CONNECT_SECONDS, server_settings=_server_settings()
        )
    except _UNREACHABLE as failed:
        raise DatabaseUnreachable(_sentence(url, failed)) from failed
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def migrated_pool(settings: Settings) -> "AsyncIterator[Pool[Record]]":
    """A pool on the installation's database, migrated before it is handed out. Raises Unusable."""
    async with database_url(settings) as url:
        async with connected(url) as connection:
            await migrate(connection, shipped())
        pool = await open_pool(url)
        try:
            yield pool
        finally:
            await pool.close()


def _sentence(url: str, failed: Exception) -> str:
    """Names host and database; the address itself may hold a password."""
    parts = urlsplit(url)
    if isinstance(failed, OSError) and failed.errno:
        why = os.strerror(failed.errno).lower()
    else:
        why = str(failed).partition("\n")[0] or "it did not answer in time"
    return (
        f"The database {parts.path.lstrip('/') or '?'} at {parts.hostname or 'its socket'} cannot "
        f"be used ({why}): start it or mend WARMLINE_DATABASE_URL."
    )
