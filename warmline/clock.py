"""What time it is, and waiting for a time. Nothing else in the house asks the machine."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

_LONGEST_NAP_SECONDS = 30.0  # the machine's clock may be set while we sleep

_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # elsewhere that one sleeps not


def machine_now() -> datetime:
    """The machine's clock, as the world around us has it: no simulation moves it."""
    return datetime.now(UTC)


def since_boot() -> float:
    """Seconds that no setting of a clock moves; a machine that slept has them counted."""
    return time.clock_gettime(_SINCE_BOOT)


class Clock(Protocol):
    """The time, as workers see it. Always UTC-aware."""

    def now(self) -> datetime:
        """The present instant."""
        ...

    async def wait_until(self, instant: datetime | None, wake: asyncio.Event) -> None:
        """Return once `instant` is reached or `wake` is set, whichever is first.

        None waits for `wake` alone. `wake` is left as it is: its owner clears it.
        """
        ...


class _MovableClock:
    """Waiters that look again whenever somebody moves the clock."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    def now(self) -> datetime:
        raise NotImplementedError

    async def wait_until(self, instant: datetime | None, wake: asyncio.Event) -> None:
        """Return once `instant` is reached or `wake` is set."""
        while not wake.is_set() and (instant is None or self.now() < instant):
            moved: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            woken = asyncio.ensure_future(wake.wait())
            self._waiters.add(moved)
            try:
                await asyncio.wait(
                    (moved, woken),
                    timeout=self._nap_seconds(instant),
                    return_when=asyncio.FIRST_COMPLETED,
                )
            finally:
                self._waiters.discard(moved)
                moved.cancel()
                woken.cancel()

    def _nap_seconds(self, instant: datetime | None) -> float | None:
        raise NotImplementedError

    def _tell_waiters(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)


class SystemClock(_MovableClock):
    """The machine's clock, plus an offset that only the simulated carrier's page may move."""

    def __init__(
        self,
        offset: timedelta = timedelta(),
        machine: Callable[[], datetime] = machine_now,
    ) -> None:
        super().__init__()
        self._machine = machine
        self._offset = offset

    @property
    def offset(self) -> timedelta:
        """How far this clock is ahead of the machine's."""
        return self._offset

    def now(self) -> datetime:
        """The present instant."""
        return self._machine() + self._offset

    def advance(self, seconds: float) -> None:
        """Jump ahead; everybody who waits looks at the time again."""
        self.set_offset(self._offset + timedelta(seconds=seconds))

    def set_offset(self, offset: timedelta) -> None:
        """Take over the offset that another process has set."""
        self._offset = offset
        self._tell_waiters()

    def _nap_seconds(self, instant: datetime | None) -> float | None:
        if instant is None:
            return None
        return min((instant - self.now()).total_seconds(), _LONGEST_NAP_SECONDS)


class VirtualClock(_MovableClock):
    """A clock that stands still until a test moves it."""

    def __init__(self, start: datetime) -> None:
        super().__init__()
        self._now = start

    def now(self) -> datetime:
        """The instant it was last moved to."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move ahead by `seconds`."""
        self.move_to(self._now + timedelta(seconds=seconds))

    def move_to(self, instant: datetime) -> None:
        """Move to `instant`; going back is a mistake of the test.

        Raises ValueError when `instant` has passed.
        """
        if instant < self._now:
            raise ValueError("a virtual clock does not go back")
        self._now = instant
        self._tell_waiters()

    def _nap_seconds(self, instant: datetime | None) -> float | None:
        return None
