"""Gives events on as news: one call's in order, calls side by side, each until it is stored."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from dialer.carriers import Receive
from dialer.carriers.twilio.book import Book
from dialer.carriers.twilio.events import Event
from dialer.carriers.twilio.line import Line
from dialer.carriers.twilio.release import release_of
from dialer.carriers.twilio.telling import observe, reports

_RETRY_SECONDS = 0.2
_LEFT_BY_OTHERS = timedelta(seconds=15)
"""What another process has not told for so long is told by whoever looks."""

log = logging.getLogger(__name__)

Heard = Callable[[Line, Event], None]
"""What is done about an event, after it was told."""


class Hearing:
    """Events wait in the book; those of this process wait here, too, and are told at once."""

    def __init__(self, book: Book, heard: Heard) -> None:
        self._book = book
        self._heard = heard
        self._receive: Receive | None = None
        self._lanes: dict[str, deque[Event]] = {}
        self._drains: dict[str, asyncio.Task[None]] = {}
        self._waiting: set[str] = set()

    @property
    def untold(self) -> int:
        """How many events wait here."""
        return sum(map(len, self._lanes.values()))

    def start(self, receive: Receive) -> None:
        """Tell what waits, and whatever comes."""
        self._receive = receive
        for lane in self._lanes:
            self._begin(lane)

    async def stop(self) -> None:
        """Tell nothing more; what waits goes on waiting."""
        self._receive = None
        drains = list(self._drains.values())
        for drain in drains:
            drain.cancel()
        await asyncio.gather(*drains, return_exceptions=True)
        self._drains.clear()

    async def take(self, event: Event) -> None:
        """Keep an event and tell it after all else of its call. A repeat is left alone."""
        if await self._book.add_event(event):
            self._queue(event)

    async def catch_up(self, now: datetime, *, all_of_them: bool = False) -> None:
        """Tell what was kept and not told: by a process that died, or by ours before it did."""
        before = now + timedelta(days=1) if all_of_them else now - _LEFT_BY_OTHERS
        for event in await self._book.untold(before):
            if event.key not in self._waiting:
                self._queue(event)

    def _queue(self, event: Event) -> None:
        lane = (event.leg or event.sid).partition("/")[0]
        self._waiting.add(event.key)
        self._lanes.setdefault(lane, deque()).append(event)
        self._begin(lane)

    def _begin(self, lane: str) -> None:
        if self._receive is not None and lane not in self._drains:
            self._drains[lane] = asyncio.create_task(self._drain(lane, self._receive))

    async def _drain(self, lane: str, receive: Receive) -> None:
        waiting = self._lanes[lane]
        while waiting:
            event = waiting[0]
            try:
                await self._tell(event, receive)
            except Exception:
                log.exception("event %s was not told; it will be told again", event.key)
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            waiting.popleft()
            self._waiting.discard(event.key)
        del self._lanes[lane], self._drains[lane]

    async def _tell(self, event: Event, receive: Receive) -> None:
        """The line is changed first: whoever tells the event again finds it as it is now."""
        line = None
        if event.leg is not None:
            line = await self._book.change(event.leg, lambda known: observe(known, event))
        if line is None:
            await self._book.told(event, None)
            return
        for report in reports(line, event):
            await receive(report)
        release = release_of(line)
        await self._book.told(event, None if release is None else release.name)
        self._heard(line, event)
