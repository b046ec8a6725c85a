"""What an endpoint's function is handed besides its input: who asks, when, and the database."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar, cast

import asyncpg
import structlog
from aiohttp import web

from terms.ids import TenantId
from warmline.bus import RateLimits
from warmline.clock import Clock, machine_now
from warmline.http.address import Network, address_of
from warmline.http.cookies import Cookie
from warmline.http.model import Model
from warmline.http.problems import Unavailable
from warmline.http.who import Principal, TokenKinds
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record
    from asyncpg.pool import PoolConnectionProxy

T = TypeVar("T")

_log = structlog.get_logger(__name__)

ACQUIRE_SECONDS = 5
"""How long a request waits for a connection before it is told to come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What the whole HTTP side stands on. Made once, when the process starts."""

    pool: "Pool[Record]"
    clock: Clock
    tenant: TenantId
    tokens: TokenKinds
    limits: RateLimits
    seal: AesSeal
    public_url: str
    machine_now: Callable[[], datetime] = machine_now
    """The time that authenticators of one-time codes go by: no simulation moves it."""

    is_behind: Callable[[], bool] = lambda: False
    """Whether calls under way wait for this process: no other is begun meanwhile."""

    trusted_proxies: tuple[Network, ...] = ()
    """Networks whose X-Forwarded-For and X-Forwarded-Proto are believed."""


FRAME = web.AppKey("frame", Frame)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request. `tenant` follows from the principal, else from the settings."""

    request: web.Request
    frame: Frame
    operation: str
    tenant: TenantId
    now: datetime
    who: Principal | None

    @property
    def address(self) -> str:
        """Where the request came from: the connection tells, or proxies that are trusted."""
        return address_of(
            self.request.remote,
            self.request.headers.getall("X-Forwarded-For", ()),
            self.frame.trusted_proxies,
        )

    @property
    def principal(self) -> str:
        """The principal's name, `anyone` for a request that needs none."""
        return "anyone" if self.who is None else self.who.label

    def part(self, key: web.AppKey[T]) -> T:
        """Something the process put into the application: `asked.part(DESK)`."""
        return self.request.app[key]

    @asynccontextmanager
    async def borrow(self) -> "AsyncIterator[Connection[Record]]":
        """A connection of one's own. Raises Unavailable when there is none to be had."""
        async with borrowed(self.frame.pool) as connection:
            yield connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting(Asked):
    """One request that changes something, inside its transaction.

    Take every lock and write every row on `connection`. Raising rolls all of it back. Returning a
    `Refused` keeps what was written and refuses all the same (a wrong code that has to be
    counted). The function may be run a second time after a deadlock, so it does nothing outside
    the transaction; what must follow the commit goes into `after_commit`.
    """

    connection: "Connection[Record]"
    _afterwards: list[Callable[[], None]] = field(default_factory=list, init=False)

    def after_commit(self, wake: Callable[[], None]) -> None:
        """Call `wake` once the transaction is committed: publish, set an event.

        Nothing may depend on it, for the process can die before.
        """
        self._afterwards.append(wake)

    def committed(self) -> None:
        """Run what was put off; the frame calls this. What was done stays done if one fails."""
        for wake in self._afterwards:
            try:
                wake()
            except Exception:
                _log.exception("after_commit_failed", operation=self.operation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer with a status chosen among the declared ones.

    `headers` and `cookie` (a token for a page of ours) are sent once: an answer that is kept under
    an Idempotency-Key is given again without them.
    """

    status: int
    body: Model | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cookie: Cookie | None = None


@asynccontextmanager
async def borrowed(pool: "Pool[Record]") -> "AsyncIterator[Connection[Record]]":
    """A connection of the pool; when the database is away the reader is told so.

    asyncpg reports a lost connection in several ways that carry no SQLSTATE; whether the
    connection is closed afterwards is what tells them from mistakes of ours.
    """
    try:
        # The stubs do not know that the proxy is used as the connection it stands for.
        connection = cast("Connection[Record]", await pool.acquire(timeout=ACQUIRE_SECONDS))
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as away:
        raise Unavailable from away
    try:
        yield connection
    except (asyncpg.InterfaceError, OSError, TimeoutError) as error:
        if _is_lost(connection):
            raise Unavailable from error
        raise
    except asyncpg.InternalClientError as error:
        # The server said good-bye in the middle of something; asyncpg cannot go on with it.
        connection.terminate()
        raise Unavailable from error
    finally:
        await pool.release(cast("PoolConnectionProxy[Record]", connection))


def _is_lost(connection: "Connection[Record]") -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:  # the pool took it back, because it had died
        return True
