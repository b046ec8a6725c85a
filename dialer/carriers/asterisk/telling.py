"""Gives news on until it is stored, one call's in order, calls side by side."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from dialer.carriers import Receive, Report
from dialer.carriers.last_look import apart

_RETRY_SECONDS = 0.2

Stored = Callable[[], None]
"""Called once a report is stored."""

log = logging.getLogger(__name__)


class Teller:
    """News waits here while nobody takes it; it is lost with the process."""

    def __init__(self) -> None:
        self._receive: Receive | None = None
        self._lanes: dict[str, deque[tuple[Report, Stored | None]]] = {}
        self._drains: dict[str, asyncio.Task[None]] = {}

    @property
    def untold(self) -> int:
        """How many reports wait."""
        return sum(len(lane) for lane in self._lanes.values())

    def start(self, receive: Receive) -> None:
        """Tell what waits, and whatever comes."""
        self._receive = receive
        for call in self._lanes:
            self._begin(call)

    async def stop(self) -> None:
        """Tell nothing more; what waits goes on waiting."""
        self._receive = None
        drains = list(self._drains.values())
        for drain in drains:
            drain.cancel()
        await asyncio.gather(*drains, return_exceptions=True)
        self._drains.clear()

    def tell(self, report: Report, stored: Stored | None = None) -> None:
        """Tell this after all else of its call."""
        call = report.news.leg.partition("/")[0]
        self._lanes.setdefault(call, deque()).append((report, stored))
        self._begin(call)

    def _begin(self, call: str) -> None:
        if self._receive is not None and call not in self._drains:
            drain = self._drain(call, self._receive)
            self._drains[call] = asyncio.create_task(drain, context=apart())

    async def _drain(self, call: str, receive: Receive) -> None:
        lane = self._lanes[call]
        while lane:
            report, stored = lane[0]
            try:
                await receive(report)
            except Exception:
                log.exception("report %s was not stored; it will be told again", report.id)
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            lane.popleft()
            if stored is not None:
                stored()
        del self._lanes[call], self._drains[call]
