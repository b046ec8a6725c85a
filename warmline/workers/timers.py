"""Timers: fired when they are due, by whichever process takes them first."""

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from dialer.events import TimerKind
from dialer.store.calls import whose_call
from dialer.store.due import DueTimer, lease_timers, next_timer_at
from warmline.clock import Clock
from warmline.desk.desk import Desk
from warmline.metrics import Metrics
from warmline.workers.hearing import HEARING_SECONDS, SILENCES
from warmline.workers.looking import Looker

if TYPE_CHECKING:
    from asyncpg import Pool

    from warmline.desk.store import Record

_log = structlog.get_logger()

_LEASE = timedelta(seconds=1)
"""Short, so that what a dead process held fires late by a second at most. Firing twice is harmless:
the second time the call no longer holds the timer."""

_AT_ONCE = 16
_A_MOMENT_SECONDS = 0.005  # the loop's own alarm may ring a millisecond early


class TimerWorker(Looker):
    """Takes due timers and lets the desk decide what each means."""

    name = "timers"

    def __init__(self, pool: "Pool[Record]", desk: Desk, clock: Clock, metrics: Metrics) -> None:
        super().__init__(clock)
        self._pool = pool
        self._desk = desk
        self._metrics = metrics
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._was_away = False
        self._hears_until = 0.0

    def start(self) -> None:
        """Begin looking; first hear what was told while nobody was there."""
        self._was_away = True
        super().start()

    async def look(self) -> datetime | None:
        """Fire all that is due."""
        try:
            return await self._fire_all()
        except BaseException:
            self._was_away = True  # while the database is down, no news is taken either
            raise

    async def _fire_all(self) -> datetime | None:
        while True:
            now = self.clock.now()
            async with self._pool.acquire() as connection:
                held = self._held_back()
                due = await lease_timers(connection, now, until=now + _LEASE, held=held)
                if not due:
                    return await next_timer_at(connection, held=held)
            async with asyncio.TaskGroup() as group:
                for one in due:
                    group.create_task(self._fire(one))

    def _held_back(self) -> frozenset[TimerKind]:
        """What may not fire yet, for news that says otherwise may be on its way."""
        loop = asyncio.get_running_loop()
        if self._was_away:
            self._was_away = False
            self._hears_until = loop.time() + HEARING_SECONDS
            loop.call_later(HEARING_SECONDS + _A_MOMENT_SECONDS, self.wake)
        return SILENCES if loop.time() < self._hears_until else frozenset()

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
