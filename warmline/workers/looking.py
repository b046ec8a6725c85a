"""The shape of every worker: look when woken, when something is due, and once a second."""

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress
from datetime import datetime, timedelta

import asyncpg
import structlog

from warmline.clock import Clock

_log = structlog.get_logger()

SWEEP = timedelta(seconds=1)
BREATH = timedelta(milliseconds=50)
"""What is due and could not be done, for somebody else holds it, is not looked for sooner."""

_AFTER_A_FAULT_SECONDS = 0.5
_AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class Looker(ABC):
    """A loop that survives a database that goes away, and stops between two looks."""

    name: str

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._wake = asyncio.Event()
        self._next_at: datetime | None = None
        self._stopping = False
        self._resting = False
        self._task: asyncio.Task[None] | None = None

    @property
    def next_at(self) -> datetime | None:
        """When this worker knows of something to do."""
        return self._next_at

    @property
    def is_resting(self) -> bool:
        """Whether it has looked since it was last woken, and waits."""
        return self._resting and not self._wake.is_set()

    @abstractmethod
    async def look(self) -> datetime | None:
        """Do what is due; answer when the next thing is, or None for the next sweep."""

    def start(self) -> None:
        """Begin looking."""
        self._task = asyncio.create_task(self._look_again_and_again(), name=self.name)

    async def stop(self) -> None:
        """Finish the look in hand, then stop: what is left, others find."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            with suppress(asyncio.CancelledError):
                await self._task

    def wake(self, at: datetime | None = None) -> None:
        """Look at `at`, or now."""
        if at is None or at <= self.clock.now():
            self._wake.set()
        elif self._next_at is None or at < self._next_at:
            self._next_at = at
            self._wake.set()

    async def _look_again_and_again(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                self._next_at = self._not_at_once(await self.look())
            except _AWAY as fault:
                _log.warning("worker_cannot_look", worker=self.name, fault=type(fault).__name__)
                await asyncio.sleep(_AFTER_A_FAULT_SECONDS)
                continue
            except Exception:
                _log.exception("worker_fault", worker=self.name)
                await asyncio.sleep(_AFTER_A_FAULT_SECONDS)
                continue
            await self._rest()

    def _not_at_once(self, at: datetime | None) -> datetime | None:
        """A look that left something due must not be followed by the next without a breath."""
        return None if at is None else max(at, self.clock.now() + BREATH)

    async def _rest(self) -> None:
        sweep_at = self.clock.now() + SWEEP
        until = sweep_at if self._next_at is None else min(self._next_at, sweep_at)
        self._resting = True
        try:
            await self.clock.wait_until(until, self._wake)
        finally:
            self._resting = False
