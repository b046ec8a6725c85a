"""What follows when somebody's sign-in is over: a counselor who left must not look available."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from warmline.people import store
from warmline.people.store import TokenEnd

if TYPE_CHECKING:
    from asyncpg import Connection, Record


class Leaving(Protocol):
    """Told in the transaction that ends the sign-ins, so that both happen or neither."""

    async def __call__(
        self, connection: "Connection[Record]", ended: Sequence[TokenEnd], now: datetime
    ) -> None:
        """End the presence of every counselor whose `last` sign-in this was."""
        ...


LEAVING: web.AppKey[Leaving] = web.AppKey("leaving", Leaving)


async def end_expired(connection: "Connection[Record]", leaving: Leaving, now: datetime) -> int:
    """Remove the sign-ins that ran out and tell `leaving`; how many people they were.

    Call it inside a transaction, every minute or so.
    """
    ended = await store.end_expired_tokens(connection, now)
    if ended:
        await leaving(connection, ended, now)
    return len(ended)
