"""Holding a carrier that talks to one process at a time.

Whoever holds it has a row in the database and a deadline of its own, which ends sooner than the
row's lease and is asked before each order: a process that was frozen and wakes finds its time over
before it does anything.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import asyncpg
import structlog

from terms.ids import TenantId
from warmline.carriers.store import CHANNEL, give_turn_up, take_turn
from warmline.clock import Clock, since_boot
from warmline.workers.looking import Looker

if TYPE_CHECKING:
    from asyncpg import Pool, Record
    from asyncpg.pool import PoolConnectionProxy

    Lent = PoolConnectionProxy[Record]

_log = structlog.get_logger()

LEASE_SECONDS = 3.0
RENEW_EVERY = timedelta(milliseconds=750)
_MARGIN_SECONDS = 0.5
"""Our own deadline is this much sooner: an order takes a moment to arrive."""

_ANSWER_SECONDS = 1.0
"""A database that takes longer is asked again on another connection."""


class Follows(Protocol):
    """What is done when the turn comes and goes. Neither may take long."""

    def taken(self, fencing: int) -> None:
        """It is ours, and was not a moment ago."""
        ...

    def lost(self) -> None:
        """Another has it."""
        ...

    def kept(self) -> None:
        """It is still ours."""
        ...

    def called(self) -> None:
        """Orders of others wait for whoever has it."""
        ...


class Lease(Looker):
    """Takes the carrier when nobody has it, and keeps it."""

    name = "holding"

    def __init__(
        self,
        pool: "Pool[Record]",
        tenant: TenantId,
        clock: Clock,
        *,
        carrier: str,
        holder: str,
        follows: Follows,
        seconds_now: Callable[[], float] = since_boot,
        database_now: Callable[[], datetime] | None = None,
    ) -> None:
        """`seconds_now` and `database_now` are for tests with a clock of their own."""
        super().__init__(clock)
        self.is_others = False
        self._pool = pool
        self._tenant = tenant
        self._carrier = carrier
        self._holder = holder
        self._follows = follows
        self._seconds_now = seconds_now
        self._database_now = database_now
        self._fencing: int | None = None
        self._deadline = 0.0
        self._connection: Lent | None = None

    @property
    def is_held(self) -> bool:
        """Whether it is certainly ours at this moment, whatever happened since we last looked."""
        return self._fencing is not None and self._seconds_now() < self._deadline

    async def look(self) -> datetime | None:
        """Take or keep it, and tell what that changed."""
        asked_at = self._seconds_now()
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                fencing = await self._take(await self._connected())
        except BaseException:
            await self._drop()
            raise
        if fencing is None:
            self._is_others()
        else:
            self._deadline = asked_at + LEASE_SECONDS - _MARGIN_SECONDS
            self._is_ours(fencing)
        return self.clock.now() + RENEW_EVERY

    async def stop(self) -> None:
        """Let others have it at once."""
        await super().stop()
        held, self._fencing = self._fencing is not None, None
        if held:
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    await self._give_up(await self._connected())
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as fault:
                _log.warning("carrier_not_given_up", fault=type(fault).__name__)  # it lapses
        await self._drop()

    async def _take(self, connection: "Lent") -> int | None:
        return await take_turn(
            connection,
            self._tenant,
            carrier=self._carrier,
            holder=self._holder,
            seconds=LEASE_SECONDS,
            now=self._now_there(),
        )

    async def _give_up(self, connection: "Lent") -> None:
        now = self._now_there()
        await give_turn_up(connection, carrier=self._carrier, holder=self._holder, now=now)

    def _now_there(self) -> datetime | None:
        return None if self._database_now is None else self._database_now()

    def _is_ours(self, fencing: int) -> None:
        self.is_others = False
        if fencing == self._fencing:
            self._follows.kept()
            return
        self._fencing = fencing
        _log.info("carrier_taken", carrier=self._carrier, fencing=fencing)
        self._follows.taken(fencing)

    def _is_others(self) -> None:
        if self._fencing is not None:
            _log.error("carrier_lost", carrier=self._carrier, fencing=self._fencing)
            self._fencing = None
            self._follows.lost()
        elif not self.is_others:
            _log.info("standing_by", carrier=self._carrier)
        self.is_others = True

    # --- a connection of its own: no request may keep us from renewing -------------------------

    async def _connected(self) -> "Lent":
        if self._connection is None:
            self._connection = await self._pool.acquire()
            await self._connection.add_listener(CHANNEL, self._heard_bell)
        return self._connection

    async def _drop(self) -> None:
        """What was asked last may still be on its way: nobody is lent this connection again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
            with suppress(Exception):
                await self._pool.release(connection)

    def _heard_bell(self, *_: object) -> None:
        if self.is_held:
            self._follows.called()
        else:
            self.wake()
