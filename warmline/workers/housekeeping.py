"""Putting away what has run out: leases, sign-ins, kept answers, old marks."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from routing.store.counselors import lapse_leases
from routing.store.rates import forget_old_marks
from terms.ids import TenantId
from warmline.clock import Clock
from warmline.http import idempotency
from warmline.people.leaving import Leaving, end_expired
from warmline.workers.looking import Looker

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

_EVERY = timedelta(seconds=5)
_RARELY = timedelta(hours=1)

Chore = Callable[["Connection[Record]", datetime], Awaitable[object]]


class Housekeeper(Looker):
    """Does each chore at its own pace, each in a transaction of its own."""

    name = "housekeeping"

    def __init__(
        self, pool: "Pool[Record]", tenant: TenantId, leaving: Leaving, clock: Clock
    ) -> None:
        super().__init__(clock)
        self._pool = pool
        self._tenant = tenant
        self._leaving = leaving
        self._chores: tuple[tuple[timedelta, Chore], ...] = (
            (_EVERY, self._leases),
            (_EVERY, self._sign_ins),
            (_RARELY, idempotency.forget_old),
            (_RARELY, forget_old_marks),
        )
        self._done_at: dict[Chore, datetime] = {}

    async def look(self) -> datetime | None:
        """Whatever is due."""
        now = self.clock.now()
        for every, chore in self._chores:
            done_at = self._done_at.get(chore)
            if done_at is None or now - done_at >= every:
                self._done_at[chore] = now
                async with self._pool.acquire() as connection, connection.transaction():
                    await chore(connection, now)  # type: ignore[arg-type]
        return now + _EVERY

    async def _leases(self, connection: "Connection[Record]", now: datetime) -> None:
        await lapse_leases(connection, self._tenant, now)

    async def _sign_ins(self, connection: "Connection[Record]", now: datetime) -> None:
        await end_expired(connection, self._leaving, now)
