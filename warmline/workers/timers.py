"""Timers: fired when they are due, by whichever process takes them first."""

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from dialer.store.calls import whose_call
from dialer.store.due import DueTimer, lease_timers, next_timer_at
from warmline.clock import Clock
from warmline.desk.desk import Desk
from warmline.metrics import Metrics
from warmline.workers.looking import Looker

if TYPE_CHECKING:
    from asyncpg import Pool

    from warmline.desk.store import Record

_log = structlog.get_logger()

_LEASE = timedelta(seconds=1)
"""Short, so that what a dead process held fires late by a second at most. Firing twice is harmless:
the second time the call no longer holds the timer."""

_AT_ONCE = 16


class TimerWorker(Looker):
    """Takes due timers and lets the desk decide what each means."""

    name = "timers"

    def __init__(self, pool: "Pool[Record]", desk: Desk, clock: Clock, metrics: Metrics) -> None:
        super().__init__(clock)
        self._pool = pool
        self._desk = desk
        self._metrics = metrics
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def look(self) -> datetime | None:
        """Fire all that is due."""
        while True:
            now = self.clock.now()
            async with self._pool.acquire() as connection:
                due = await lease_timers(connection, now, until=now + _LEASE)
                if not due:
                    return await next_timer_at(connection)
            async with asyncio.TaskGroup() as group:
                for one in due:
                    group.create_task(self._fire(one))

    async def _fire(self, due: DueTimer) -> None:
        async with self._room:
            late = (self.clock.now() - due.timer.due_at).total_seconds()
            self._metrics.timer_lateness.observe(max(late, 0))
            async with self._pool.acquire() as connection:
                whose = await whose_call(connection, due.call)
            if whose is None:
                return
            try:
                await self._desk.fire(due, whose[1])
            except Exception as fault:
                # One timer that cannot fire must not hold up the others; its lease lapses soon.
                _log.error("timer_not_fired", call=due.call, kind=due.timer.kind, exc_info=fault)
