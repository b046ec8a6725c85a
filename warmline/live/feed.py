"""Reading the timeline once per process, in order and without a hole, for all who listen.

Numbers are given out when a line is written, not when it is committed, so 7 can become visible
before 6. Whoever simply read on from 7 would never see 6. Decision: lines are delivered strictly
by number, and a missing number holds back what follows it until it is known to be dead.

A number is taken while its transaction holds the table's RowExclusiveLock, and that lock goes only
after the commit is visible. So when 7 is visible and 6 is not, the owner of 6 is either among the
transactions that hold the lock *now*, or has ended. Once every one of those has ended, a fresh look
either shows 6 or proves that it was rolled back. Nothing has to be locked, no transaction that does
not write the timeline (an import, a backup) can hold the feed back, and without a hole nothing
waits at all. A writer that is stuck does hold it back, until the database ends its transaction
(`idle_in_transaction_session_timeout`).

Therefore `seq` only ever grows on a connection, and one number is all a client needs to resume.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import repeat, takewhile
from typing import TYPE_CHECKING

import asyncpg
import structlog

from warmline.bus import Bus, News
from warmline.http.asked import borrowed
from warmline.http.problems import Unavailable
from warmline.live import TIMELINE, Entry, store

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

_BATCH = 500
_BACKLOG = 1_000
_SWEEP_SECONDS = 1.0
_HOLD_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05)
_AWAY_SECONDS = 0.25

_AWAY = (Unavailable, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)

_log = structlog.get_logger(__name__)


class TooSlow(Exception):
    """The listener's backlog is full: it has to come back and resume."""


class Closing(Exception):
    """The process is shutting down."""


class Listener:
    """What one listener has not taken yet, bounded. `start` is where its stream begins."""

    def __init__(self, start: int, backlog: int) -> None:
        self.start = start
        self._backlog = backlog
        self._waiting: deque[Entry] = deque()
        self._news = asyncio.Event()
        self._end: Exception | None = None
        self._ended = asyncio.Event()

    def put(self, entry: Entry) -> None:
        """Add a line; a full backlog ends the listener."""
        if len(self._waiting) >= self._backlog:
            self.end(TooSlow())
        elif self._end is None:
            self._waiting.append(entry)
            self._news.set()

    def end(self, why: Exception) -> None:
        """Let `take` and `ended` raise `why`."""
        if self._end is None:
            self._end = why
            self._waiting.clear()
        self._news.set()
        self._ended.set()

    async def take(self) -> Sequence[Entry]:
        """Everything that waits, at least one line. Raises TooSlow or Closing."""
        await self._news.wait()
        if self._end is not None:
            raise self._end
        taken = tuple(self._waiting)
        self._waiting.clear()
        self._news.clear()
        return taken

    async def ended(self) -> None:
        """Wait for the end. Raises TooSlow or Closing."""
        await self._ended.wait()
        if self._end is not None:
            raise self._end


class Feed:
    """The one reader of the timeline in this process. `run` it as a task."""

    def __init__(
        self,
        pool: "Pool[Record]",
        bus: Bus,
        *,
        backlog: int = _BACKLOG,
        sweep_seconds: float = _SWEEP_SECONDS,
    ) -> None:
        self._pool = pool
        self._bus = bus
        self._backlog = backlog
        self._sweep_seconds = sweep_seconds
        self._listeners: set[Listener] = set()
        self._interested = 0
        self._wanted = asyncio.Event()
        self._wake = asyncio.Event()
        self._high = 0  # every line up to here is decided, and delivered to those who listened
        self._positioned = asyncio.Event()
        self._closing = False

    async def run(self) -> None:
        """Read and deliver whenever anybody listens, for ever."""
        async with self._bus.subscribe(TIMELINE) as news:
            waker = asyncio.create_task(self._be_woken(news))
            try:
                while True:
                    await self._wanted.wait()
                    await self._follow_until_away()
            finally:
                waker.cancel()
                self.close()

    def close(self) -> None:
        """End every listener: the process is going away."""
        self._closing = True
        self._positioned.set()
        for listener in self._listeners:
            listener.end(Closing())

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[Listener]:
        """Every line from now on. Those up to `start` are decided and can be read at leisure.

        Waits while the database is away. Raises Closing.
        """
        self._interested += 1
        self._wanted.set()
        listener = None
        try:
            await self._positioned.wait()
            if self._closing:
                raise Closing
            listener = Listener(self._high, self._backlog)
            self._listeners.add(listener)
            yield listener
        finally:
            self._interested -= 1
            self._listeners.discard(listener)

    async def _be_woken(self, news: AsyncIterator[News]) -> None:
        async for _ in news:
            self._wake.set()

    async def _follow_until_away(self) -> None:
        """Follow the timeline; an absent database only makes it late."""
        try:
            await self._follow()
        except _AWAY as away:
            _log.warning("feed_away", error=type(away).__name__)
            await asyncio.sleep(_AWAY_SECONDS)

    async def _follow(self) -> None:
        if not self._positioned.is_set():
            self._high = await self._horizon()
            self._positioned.set()
        while self._interested:
            self._wake.clear()
            async with borrowed(self._pool) as connection:
                while await self._deliver_some(connection):
                    pass
            await self._nap()
        self._positioned.clear()
        self._wanted.clear()

    async def _nap(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._sweep_seconds):
                await self._wake.wait()

    async def _horizon(self) -> int:
        """A number up to which every line is decided."""
        async with borrowed(self._pool) as connection:
            newest = await store.newest_seq(connection)
            owners = await store.open_writers(connection)
            for pause in _pauses():
                if not owners:
                    return newest
                await asyncio.sleep(pause)
                owners &= await store.open_writers(connection)
        raise AssertionError("the pauses never end")

    async def _deliver_some(self, connection: "Connection[Record]") -> bool:
        """Deliver a batch; whether there may be more."""
        entries = await store.entries_after(connection, self._high, _BATCH)
        self._deliver_up_to_hole(entries)
        if entries and entries[-1].seq > self._high:
            await self._settle(connection, entries[-1].seq)
        return len(entries) == _BATCH

    async def _settle(self, connection: "Connection[Record]", top: int) -> None:
        """Deliver everything up to `top`, waiting for the owners of what is missing."""
        owners = await store.open_writers(connection)
        for pause in _pauses():
            # The look comes after the list of owners: what ended in between is seen by it.
            entries = await store.entries_after(connection, self._high, _BATCH)
            entries = tuple(entry for entry in entries if entry.seq <= top)
            if owners:
                self._deliver_up_to_hole(entries)
            else:
                self._deliver(entries)
                self._high = max(self._high, top)
            if self._high >= top:
                return
            await asyncio.sleep(pause)
            owners &= await store.open_writers(connection)

    def _deliver_up_to_hole(self, entries: Sequence[Entry]) -> None:
        whole = takewhile(lambda pair: pair[1].seq == pair[0], enumerate(entries, self._high + 1))
        self._deliver([entry for _, entry in whole])

    def _deliver(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._high = entry.seq
            for listener in self._listeners:
                listener.put(entry)


def _pauses() -> Iterator[float]:
    yield from _HOLD_SECONDS
    yield from repeat(_HOLD_SECONDS[-1])
