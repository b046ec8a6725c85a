"""Twilio's time: moved by hand, or the machine's own for a measurement."""

import asyncio
import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Protocol

Action = Callable[[], None]


@dataclass(slots=True)
class Timer:
    """Something that will happen unless it is cancelled."""

    action: Action | None

    def cancel(self) -> None:
        """Never let it happen."""
        self.action = None

    def fire(self) -> None:
        """Let it happen, once."""
        action, self.action = self.action, None
        if action is not None:
            action()


class Clock(Protocol):
    """What time it is, and what happens when."""

    def now(self) -> datetime:
        """The present, in UTC."""
        ...

    def after(self, seconds: float, action: Action) -> Timer:
        """Let it happen that much later; never before the caller has returned."""
        ...


@dataclass(slots=True)
class VirtualClock:
    """Time that stands still until it is moved."""

    _now: datetime
    soon: int = 0
    """How many actions of this very instant have not happened yet."""

    _due: list[tuple[datetime, int, Timer]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    def now(self) -> datetime:
        """The present."""
        return self._now

    def after(self, seconds: float, action: Action) -> Timer:
        """Let it happen that much later; of this instant, as soon as the loop comes round."""
        timer = Timer(action)
        if seconds <= 0:
            self.soon += 1
            asyncio.get_running_loop().call_soon(self._fire_soon, timer)
        else:
            due = self._now + timedelta(seconds=seconds)
            heapq.heappush(self._due, (due, next(self._numbers), timer))
        return timer

    def step(self, until: datetime) -> bool:
        """Go to the next moment at which something happens, and let it; False: there is none."""
        while self._due and self._due[0][2].action is None:
            heapq.heappop(self._due)
        if not self._due or self._due[0][0] > until:
            self._now = max(self._now, until)
            return False
        self._now, _, timer = heapq.heappop(self._due)
        timer.fire()
        return True

    def _fire_soon(self, timer: Timer) -> None:
        self.soon -= 1
        timer.fire()


@dataclass(frozen=True, slots=True)
class RunningClock:
    """The machine's time, moved ahead by a fixed span."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        """The present."""
        return datetime.now(UTC) + self.ahead

    def after(self, seconds: float, action: Action) -> Timer:
        """Let it happen that much later."""
        timer = Timer(action)
        asyncio.get_running_loop().call_later(max(seconds, 0), timer.fire)
        return timer
