"""Gives events on as news: one call's in order, calls side by side, each until it is stored."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from dialer.carriers import Receive
from dialer.carriers.last_look import apart
from dialer.carriers.twilio.backlog import Backlog
from dialer.carriers.twilio.book import Book
from dialer.carriers.twilio.events import Event
from dialer.carriers.twilio.line import Line
from dialer.carriers.twilio.names import call_of_leg
from dialer.carriers.twilio.telling import observe, reports

_RETRY_SECONDS = 0.2
_WRITES_EVERY_SECONDS = 0.25
_LEFT_BY_OTHERS = timedelta(seconds=15)
"""What another process has not told for so long is told by whoever looks."""

log = logging.getLogger(__name__)

Heard = Callable[[Line, Event], None]
"""What is done about an event, after it was told."""


@dataclass(frozen=True, slots=True)
class _Untold:
    event: Event
    line: Line | None


class Hearing:
    """Events wait in the book; those of this process wait here, too, and are told at once."""

    def __init__(self, book: Book, heard: Heard, backlog: Backlog) -> None:
        self._book = book
        self._backlog = backlog
        self._heard = heard
        self._receive: Receive | None = None
        self._lanes: dict[str, deque[_Untold]] = {}
        self._drains: dict[str, asyncio.Task[None]] = {}
        self._waiting: set[str] = set()
        self._told: set[str] = set()
        self._writing: asyncio.Task[None] | None = None

    @property
    def untold(self) -> int:
        """How many events wait here."""
        return sum(map(len, self._lanes.values()))

    def start(self, receive: Receive) -> None:
        """Tell what waits, and whatever comes."""
        self._receive = receive
        self._writing = asyncio.create_task(self._write_for_ever())
        for lane in self._lanes:
            self._begin(lane)

    async def stop(self) -> None:
        """Tell nothing more; what waits goes on waiting."""
        self._receive = None
        tasks = list(self._drains.values())
        if self._writing is not None:
            tasks.append(self._writing)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._drains.clear()
        self._writing = None
        with suppress(Exception):  # whoever opens next tells them again
            await self._write_told()

    async def take(self, event: Event) -> None:
        """Keep an event, and with it what it makes of its line, and tell it after all else of its
        call. A repeat is left alone.
        """
        line, is_new = None, False
        if event.leg is not None:
            line, is_new = await self._book.change(
                event.leg, lambda known: observe(known, event), lambda _: event
            )
        if line is None:
            is_new = await self._book.add_event(event)
        if is_new:
            self.tell(event, line)

    def tell(self, event: Event, line: Line | None) -> None:
        """Tell an event that is kept, with its line as the event made it, or else that is still to
        be found. An event without a leg tells nothing.
        """
        if event.leg is not None:
            self._queue(event, line)

    async def catch_up(self, now: datetime, *, all_of_them: bool = False) -> None:
        """Tell what was kept and not told: by a process that died, or by ours before it did."""
        before = now + timedelta(days=1) if all_of_them else now - _LEFT_BY_OTHERS
        for event in await self._book.untold(before):
            if event.key not in self._waiting:
                self._queue(event, None)

    def _queue(self, event: Event, line: Line | None) -> None:
        lane = (event.leg or event.sid).partition("/")[0]
        self._waiting.add(event.key)
        self._backlog.add(event.key, call_of_leg(event.leg))
        self._lanes.setdefault(lane, deque()).append(_Untold(event, line))
        self._begin(lane)

    def _begin(self, lane: str) -> None:
        if self._receive is not None and lane not in self._drains:
            drain = self._drain(lane, self._receive)
            self._drains[lane] = asyncio.create_task(drain, context=apart())

    async def _drain(self, lane: str, receive: Receive) -> None:
        waiting = self._lanes[lane]
        while waiting:
            event, line = waiting[0].event, waiting[0].line
            try:
                await self._tell(event, line, receive)
            except Exception:
                log.exception("event %s was not told; it will be told again", event.key)
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            waiting.popleft()
            self._backlog.drop(event.key)
            self._told.add(event.key)
        del self._lanes[lane], self._drains[lane]

    async def _tell(self, event: Event, line: Line | None, receive: Receive) -> None:
        """The line is changed first: what the news gives rise to finds it as it is by then."""
        if line is None and event.leg is not None:
            line, _ = await self._book.change(event.leg, lambda known: observe(known, event))
        if line is None:
            return
        for report in reports(line, event):
            await receive(report)
        self._heard(line, event)

    # --- what is told is written down a little later, many at once -----------------------------

    async def _write_for_ever(self) -> None:
        while True:
            await asyncio.sleep(_WRITES_EVERY_SECONDS)
            with suppress(Exception):  # they are written with the next, or told again
                await self._write_told()

    async def _write_told(self) -> None:
        keys = list(self._told)
        if keys:
            await self._book.told(keys)
            self._told.difference_update(keys)
            self._waiting.difference_update(keys)
