"""How news leaves the handsets process: pushed to one live receiver, until that one has stored it.

News of one call goes out in order and one batch at a time; calls do not wait for each other. What
is not acknowledged is told again after a pause, to whichever receiver is next: at least once.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable

import aiohttp

from dialer.carriers import Report
from dialer.carriers.simulated.wire import WireFault, read_list, write_report

LEASE_SECONDS = 15.0
_PAUSE_SECONDS = (0.1, 0.2, 0.4)
_POSTS_AT_ONCE = 8
_CALLS_PER_POST = 32
_REPORTS_PER_CALL = 8
_MOST_WAITING = 200_000
_POST_TIMEOUT = aiohttp.ClientTimeout(total=10)

log = logging.getLogger(__name__)


class Receivers:
    """The processes that take news, each as long as it renews its lease. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}
        self._changed = asyncio.Event()

    def renew(self, url: str) -> None:
        """Count `url` in for the next `LEASE_SECONDS`."""
        self._until[url] = self._clock() + LEASE_SECONDS
        self._changed.set()

    def forget(self, url: str) -> None:
        """Count `url` out until it renews: it said good-bye, or nobody listens there."""
        self._until.pop(url, None)

    def live(self) -> list[str]:
        """Every receiver whose lease holds, the one to serve next first."""
        now = self._clock()
        self._until = {url: until for url, until in self._until.items() if until > now}
        return list(self._until)

    async def next(self) -> str:
        """The receiver whose turn it is; waits while there is none."""
        while not (live := self.live()):
            self._changed.clear()
            await self._changed.wait()
        self._until[live[0]] = self._until.pop(live[0])
        return live[0]


class Delivery:
    """Reports on their way to the receivers. `token` is shown to them."""

    def __init__(self, receivers: Receivers, token: str) -> None:
        self.dropped = 0
        self.waiting = 0
        self._receivers = receivers
        self._headers = {"Authorization": f"Bearer {token}"}
        self._session: aiohttp.ClientSession | None = None
        self._by_call: dict[str, deque[Report]] = {}
        self._failures: dict[str, int] = {}
        self._calls_to_tell: asyncio.Queue[str] = asyncio.Queue()
        self._posts: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to push."""
        connector = aiohttp.TCPConnector(limit=_POSTS_AT_ONCE, keepalive_timeout=10)
        self._session = aiohttp.ClientSession(
            connector=connector, headers=self._headers, timeout=_POST_TIMEOUT
        )
        self._posts = [
            asyncio.create_task(self._post_for_ever(self._session)) for _ in range(_POSTS_AT_ONCE)
        ]

    async def stop(self) -> None:
        """Stop pushing; what waits is lost with the process."""
        for task in self._posts:
            task.cancel()
        await asyncio.gather(*self._posts, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def put(self, reports: Iterable[Report]) -> None:
        """Take reports for delivery; while 200,000 wait, new ones are dropped and counted."""
        for report in reports:
            if self.waiting >= _MOST_WAITING:
                self.dropped += 1
                continue
            self.waiting += 1
            call = report.news.leg.partition("/")[0]
            row = self._by_call.get(call)
            if row is None:
                self._by_call[call] = deque((report,))
                self._calls_to_tell.put_nowait(call)
            else:
                row.append(report)

    async def _post_for_ever(self, session: aiohttp.ClientSession) -> None:
        while True:
            calls = [await self._calls_to_tell.get()]
            while len(calls) < _CALLS_PER_POST and not self._calls_to_tell.empty():
                calls.append(self._calls_to_tell.get_nowait())
            batch = {call: list(self._by_call[call])[:_REPORTS_PER_CALL] for call in calls}
            acknowledged = await self._post(session, [r for row in batch.values() for r in row])
            for call, told in batch.items():
                self._settle(call, told, acknowledged)

    async def _post(self, session: aiohttp.ClientSession, reports: list[Report]) -> set[str]:
        url = await self._receivers.next()
        body = {"reports": [write_report(report) for report in reports]}
        try:
            async with session.post(url, json=body, allow_redirects=False) as response:
                if response.status != 200:
                    log.warning("news refused by its receiver: status %s", response.status)
                    return set()
                found = await response.json()
                return {str(id) for id in read_list(found, "acknowledged")}
        except aiohttp.ClientConnectorError:
            self._receivers.forget(url)
            return set()
        except (aiohttp.ClientError, TimeoutError, ValueError, WireFault):
            return set()

    def _settle(self, call: str, told: list[Report], acknowledged: set[str]) -> None:
        row = self._by_call[call]
        for _ in told:
            row.popleft()
        again = [report for report in told if report.id not in acknowledged]
        row.extendleft(reversed(again))
        self.waiting -= len(told) - len(again)
        if again:
            failures = self._failures[call] = self._failures.get(call, 0) + 1
            pause = _PAUSE_SECONDS[min(failures, len(_PAUSE_SECONDS)) - 1]
            loop = asyncio.get_running_loop()
            loop.call_later(pause, self._calls_to_tell.put_nowait, call)
            return
        self._failures.pop(call, None)
        if row:
            self._calls_to_tell.put_nowait(call)
        else:
            del self._by_call[call]
