"""Putting away what has run out, of every tenant: leases, sign-ins, kept answers, old marks."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from billing.store.lapsing import forget_old_faults
from routing.store.counselors import lapse_leases
from routing.store.rates import forget_old_marks
from terms.ids import TenantId
from warmline.clock import Clock
from warmline.http import idempotency
from warmline.notices.queue import prune_job_log
from warmline.people.leaving import Leaving, end_expired
from warmline.tenants import known_tenants
from warmline.workdays import seed_calendar
from warmline.workers.looking import Looker

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

_log = structlog.get_logger()

_EVERY = timedelta(seconds=5)
_RARELY = timedelta(hours=1)

Chore = Callable[["Connection[Record]", datetime], Awaitable[object]]
ChoreOfTenant = Callable[["Connection[Record]", TenantId, datetime], Awaitable[object]]


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
        self._has_calendar: set[TenantId] = set()
        self._for_each: tuple[ChoreOfTenant, ...] = (lapse_leases, self._calendar)
        self._for_all: tuple[tuple[timedelta, Chore], ...] = (
            (_EVERY, self._sign_ins),
            (_RARELY, idempotency.forget_old),
            (_RARELY, forget_old_marks),
            (_RARELY, forget_old_faults),
            (_RARELY, self._job_log),
        )
        self._done_at: dict[Chore | None, datetime] = {}

    async def look(self) -> datetime | None:
        """Whatever is due."""
        now = self.clock.now()
        if self._is_due(None, _EVERY, now):
            await self._do_for_each(now)
        for every, chore in self._for_all:
            if self._is_due(chore, every, now):
                async with self._pool.acquire() as connection, connection.transaction():
                    await chore(connection, now)  # type: ignore[arg-type]
        return now + _EVERY

    def _is_due(self, chore: Chore | None, every: timedelta, now: datetime) -> bool:
        """Also notes that it is done now: one that fails waits for its next turn."""
        done_at = self._done_at.get(chore)
        if done_at is not None and now - done_at < every:
            return False
        self._done_at[chore] = now
        return True

    async def _do_for_each(self, now: datetime) -> None:
        """No transaction spans two tenants, and no tenant's fault keeps another's house untidy."""
        async with self._pool.acquire() as connection:
            tenants = await known_tenants(connection, self._tenant)
        for tenant in tenants:
            try:
                await self._do_for(tenant, now)
            except Exception as fault:
                _log.error("chores_not_done", tenant=tenant, exc_info=fault)

    async def _do_for(self, tenant: TenantId, now: datetime) -> None:
        async with self._pool.acquire() as connection:
            for chore in self._for_each:
                async with connection.transaction():
                    await chore(connection, tenant, now)  # type: ignore[arg-type]

    async def _calendar(
        self, connection: "Connection[Record]", tenant: TenantId, now: datetime
    ) -> None:
        """A tenant that is new here keeps the same holidays as all others."""
        if tenant not in self._has_calendar:
            await seed_calendar(connection, tenant)
            self._has_calendar.add(tenant)

    async def _sign_ins(self, connection: "Connection[Record]", now: datetime) -> None:
        await end_expired(connection, self._leaving, now)

    async def _job_log(self, connection: "Connection[Record]", now: datetime) -> None:
        await prune_job_log(connection)
