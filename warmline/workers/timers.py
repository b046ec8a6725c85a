"""Timers: fired when they are due, by whichever process takes them first."""

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from dialer.events import TimerKind
from dialer.store.due import (
    DueTimer,
    drop_timer,
    lease_timers,
    next_timer_at,
    put_off_while_asked,
)
from warmline.clock import Clock
from warmline.desk.desk import Desk
from warmline.desk.stale import tell_stale
from warmline.metrics import Metrics
from warmline.workers.hearing import HEARING_SECONDS, SILENCES
from warmline.workers.hold import SHARED, Hold
from warmline.workers.looking import SWEEP, Looker

if TYPE_CHECKING:
    from asyncpg import Pool

    from warmline.desk.store import Record

_log = structlog.get_logger()

_LEASE = timedelta(seconds=1)
"""Short, so that what a dead process held fires late by a second at most. Firing twice is harmless:
the second time the call no longer holds the timer."""

_ASKED_WITHIN = timedelta(seconds=15)
"""An order that the carrier could not be given for so long holds no timer of its call up."""

_LOOKS_AGAIN = timedelta(seconds=0.25)
"""How soon a timer is looked at again that waits for an order of its call. After a restart what a
dead process had in hand is carried out meanwhile, and the timer is to fire within a second."""

_AT_ONCE = 16
_MOST_IN_HAND = 200
_A_MOMENT_SECONDS = 0.005  # the loop's own alarm may ring a millisecond early


class TimerWorker(Looker):
    """Takes due timers and lets the desk decide what each means."""

    name = "timers"

    def __init__(
        self,
        pool: "Pool[Record]",
        desk: Desk,
        clock: Clock,
        metrics: Metrics,
        hold: Hold = SHARED,
    ) -> None:
        super().__init__(clock)
        self._hold = hold
        self._pool = pool
        self._desk = desk
        self._metrics = metrics
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._firing: dict[DueTimer, asyncio.Task[None]] = {}
        self._was_away = False
        self._hears_until = 0.0

    def start(self) -> None:
        """Begin looking; first hear what was told while nobody was there."""
        self._was_away = True
        super().start()

    async def look(self) -> datetime | None:
        """Fire all that is due, and whatever falls due while one of them waits for a lock."""
        while True:
            self._wake.clear()
            try:
                next_at = await self._take_due()
            except BaseException:
                self._was_away = True  # while the database is down, no news is taken either
                raise
            if not self._firing:
                return next_at
            self._next_at = self._not_at_once(next_at)
            await self._rest_between(self._next_at)

    async def _rest_between(self, next_at: datetime | None) -> None:
        sweep_at = self.clock.now() + SWEEP
        await self.clock.wait_until(min(next_at or sweep_at, sweep_at), self._wake)

    async def _take_due(self) -> datetime | None:
        """Begin firing all that is due; answer when the next is."""
        while (room := _MOST_IN_HAND - len(self._firing)) > 0:
            now = self.clock.now()
            async with self._pool.acquire() as connection:
                held = self._held_back()
                until = now + _LEASE
                due = await lease_timers(connection, now, until=until, held=held, limit=room)
                if not due:
                    return await next_timer_at(connection, held=held)
            for one in due:
                if one not in self._firing:
                    self._begin(one)
        return None

    def _begin(self, due: DueTimer) -> None:
        task = asyncio.create_task(self._fire(due))
        self._firing[due] = task
        task.add_done_callback(lambda _: self._fired(due))

    def _fired(self, due: DueTimer) -> None:
        del self._firing[due]
        if not self._firing or len(self._firing) == _MOST_IN_HAND - 1:
            self._wake.set()

    def _held_back(self) -> frozenset[TimerKind]:
        """What may not fire yet, for news that says otherwise may be on its way."""
        loop = asyncio.get_running_loop()
        if self._was_away:
            self._was_away = False
            self._hears_until = loop.time() + HEARING_SECONDS
            loop.call_later(HEARING_SECONDS + _A_MOMENT_SECONDS, self.wake)
        hears = self._hold.hears and loop.time() >= self._hears_until
        return frozenset() if hears else SILENCES

    async def _fire(self, due: DueTimer) -> None:
        async with self._room:
            try:
                if await self._may_be_answered(due):
                    return  # its lease lapses soon, and it comes again
                late = (self.clock.now() - due.timer.due_at).total_seconds()
                self._metrics.timer_lateness.observe(max(late, 0))
                await self._decide(due)
            except Exception as fault:
                # One timer that cannot fire must not hold up the others; its lease lapses soon.
                _log.error("timer_not_fired", call=due.call, kind=due.timer.kind, exc_info=fault)

    async def _may_be_answered(self, due: DueTimer) -> bool:
        """Whether what it did not hear of waits with us: the answer, or the asking itself."""
        if due.timer.kind not in SILENCES:
            return False
        if self._hold.awaits(due.call):
            return True
        now = self.clock.now()
        async with self._pool.acquire() as connection:
            is_asked = await put_off_while_asked(
                connection, due, now=now, since=now - _ASKED_WITHIN, until=now + _LOOKS_AGAIN
            )
        if is_asked:
            self.wake()
        return is_asked

    async def _decide(self, due: DueTimer) -> None:
        if due.order is not None:
            await self._desk.fire(due, due.order)
            return
        async with self._pool.acquire() as connection:
            await drop_timer(connection, due)
        tell_stale(due, None, self.clock.now())
