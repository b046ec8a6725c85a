"""The simulated carrier as the service sees it: orders over HTTP, news pushed to a route of ours.

Orders given while others are on their way travel together in one request, so that a burst costs few
round trips; each has its own outcome.
"""

import asyncio
import hmac
import json
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from dialer.carriers import (
    CarrierRefused,
    CarrierUnknown,
    CarrierUnreachable,
    LiveLeg,
    Receive,
    Report,
)
from dialer.carriers.last_look import Body, Holds, NotOurs, last_look
from dialer.carriers.simulated.address import Address
from dialer.carriers.simulated.orders import Order
from dialer.carriers.simulated.verbs import Verbs
from dialer.carriers.simulated.wire import (
    ASKED_BY,
    JsonObject,
    WireFault,
    read_list,
    read_live_leg,
    read_report,
    write_order,
)

NEWS_PATH = "/carrier/simulated/news"
_RENEW_SECONDS = 5.0
_RETRY_SECONDS = 0.5
_POSTS_AT_ONCE = 4
_ORDERS_PER_POST = 50
_TIMEOUT = aiohttp.ClientTimeout(total=2)

Locate = Callable[[], Awaitable[Address]]
"""Finds the handsets process (`process.ensure_running`), again after it could not be reached."""

log = logging.getLogger(__name__)


class SimulatedCarrier(Verbs):
    """A `Carrier` over the handsets process.

    `receives_at` is the full URL of our own `NEWS_PATH`, where news is pushed while this is open.
    """

    def __init__(self, locate: Locate, token: str, receives_at: str) -> None:
        self.token = token
        self.receive: Receive | None = None
        self._locate = locate
        self.receives_at = receives_at
        self._address: Address | None = None
        self._session: aiohttp.ClientSession | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._orders: deque[_Waiting] = deque()
        self._posts: set[asyncio.Task[None]] = set()
        self._renewed = asyncio.Event()

    @property
    def is_listening(self) -> bool:
        """Whether the handsets process knows where to push news to."""
        return self._renewed.is_set()

    async def open(self, receive: Receive) -> None:
        """Take news; returns once the handsets know of us. Raises CarrierUnreachable after 2 s.

        Even then it goes on trying in the background until `close`.
        """
        self.receive = receive
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=_POSTS_AT_ONCE + 2, keepalive_timeout=15),
            headers={"Authorization": f"Bearer {self.token}", ASKED_BY: self.receives_at},
            timeout=_TIMEOUT,
        )
        self._renewing = asyncio.create_task(self._renew_for_ever())
        try:
            await asyncio.wait_for(self._renewed.wait(), 2)
        except TimeoutError as late:
            raise CarrierUnreachable("the handsets process does not answer") from late

    async def close(self) -> None:
        """Take no more news; the handsets keep it for whoever opens next."""
        self.receive = None
        if self._renewing is not None:
            self._renewing.cancel()
            with suppress(asyncio.CancelledError):
                await self._renewing
        if self._posts:
            await asyncio.wait(self._posts)
        if self._session is not None:
            with suppress(CarrierUnknown):
                await self._ask("DELETE", "/receivers", {"url": self.receives_at})
            await self._session.close()
            self._session = None

    async def obey(self, order: Order) -> None:
        """Send the order with others that wait; its own outcome comes back."""
        outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._orders.append(_Waiting(order, last_look(), outcome))
        self._post_waiting()
        await outcome

    async def live_legs(self) -> tuple[LiveLeg, ...]:
        """Every leg that exists now; raises CarrierUnknown."""
        found = await self._ask("GET", "/live-legs", None)
        try:
            return tuple(read_live_leg(leg) for leg in read_list(found, "legs"))
        except WireFault as fault:
            raise CarrierUnknown(str(fault)) from fault

    def _post_waiting(self) -> None:
        while self._orders and len(self._posts) < _POSTS_AT_ONCE:
            count = min(len(self._orders), _ORDERS_PER_POST)
            batch = [self._orders.popleft() for _ in range(count)]
            task = asyncio.create_task(self._post_what_is_ours(batch))
            self._posts.add(task)
            task.add_done_callback(self._posted)

    def _posted(self, task: asyncio.Task[None]) -> None:
        self._posts.discard(task)
        self._post_waiting()

    async def _post_what_is_ours(self, batch: list["_Waiting"]) -> None:
        """One order that is another's to give by now holds up none of the others."""
        while batch:
            for one in batch:
                if not one.holds():
                    _fail(one.outcome, NotOurs())
            batch = [one for one in batch if not one.outcome.done()]
            try:
                return await self._post(batch)
            except NotOurs:
                continue

    async def _post(self, batch: list["_Waiting"]) -> None:
        """Raises NotOurs as long as nothing of it was sent."""
        if not batch:
            return
        body: JsonObject = {"orders": [write_order(one.order) for one in batch]}

        def ours() -> bool:
            return all(one.holds() for one in batch)

        try:
            outcomes = read_list(await self._ask("POST", "/orders", body, ours), "outcomes")
            if len(outcomes) != len(batch):
                raise WireFault("another number of outcomes than orders")
        except NotOurs:
            raise
        except (CarrierUnknown, WireFault) as fault:
            unreachable = isinstance(fault, CarrierUnreachable)
            kind = CarrierUnreachable if unreachable else CarrierUnknown
            for one in batch:
                _fail(one.outcome, kind(str(fault)))
            return
        for one, found in zip(batch, outcomes, strict=True):
            _settle(one.outcome, found)

    async def _ask(
        self, method: str, path: str, body: JsonObject | None, holds: Holds = lambda: True
    ) -> object:
        """One request; raises CarrierUnreachable (never sent; NotOurs, too) or CarrierUnknown."""
        if self._session is None:
            raise CarrierUnreachable("the carrier is not open")
        try:
            if self._address is None:
                self._address = await self._locate()
            url = self._address.url + path
        except Exception as fault:
            raise CarrierUnreachable("the handsets process is nowhere") from fault
        data = None if body is None else Body(json.dumps(body).encode(), holds)
        try:
            async with self._session.request(method, url, data=data) as response:
                if response.status == 204:
                    return None
                if response.status != 200:
                    raise CarrierUnknown(f"status {response.status}")
                return await response.json()
        except aiohttp.ClientConnectorError as fault:
            self._address = None
            raise CarrierUnreachable("nobody listens at the handsets' address") from fault
        except (aiohttp.ClientError, TimeoutError, ValueError) as fault:
            if data is not None and data.is_withheld:
                raise NotOurs from fault
            raise CarrierUnknown(type(fault).__name__) from fault

    async def _renew_for_ever(self) -> None:
        while True:
            try:
                await self._ask("PUT", "/receivers", {"url": self.receives_at})
                self._renewed.set()
                pause = _RENEW_SECONDS
            except CarrierUnknown as unknown:
                log.warning("the handsets did not renew our lease: %s", unknown)
                self._renewed.clear()
                pause = _RETRY_SECONDS
            await asyncio.sleep(pause)


def receive_routes(carrier: SimulatedCarrier) -> list[web.RouteDef]:
    """The route that takes pushed news, to be mounted at the service's root.

    It checks the shared token by itself, gives each report to the carrier's `receive`, and
    acknowledges exactly those that returned normally. Legs of one call are told in order: after a
    report that could not be stored, the later ones of that call wait for the next push.
    """

    async def take_news(request: web.Request) -> web.Response:
        expected = f"Bearer {carrier.token}".encode()
        shown = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(shown, expected):
            raise web.HTTPUnauthorized(text="the shared token is missing")
        if (receive := carrier.receive) is None:
            return web.Response(status=503, text="not open")  # starting, or on our way out
        try:
            found = read_list(await request.json(), "reports")
        except ValueError as fault:
            raise web.HTTPUnprocessableEntity(text=str(fault)) from fault
        rows = await asyncio.gather(*(_store(row, receive) for row in _by_call(found)))
        return web.json_response({"acknowledged": [id for row in rows for id in row]})

    return [web.post(NEWS_PATH, take_news)]


def _by_call(found: Sequence[object]) -> list[list[Report]]:
    rows: dict[str, list[Report]] = defaultdict(list)
    for item in found:
        try:
            report = read_report(item)
        except WireFault as fault:
            log.error("a report cannot be read and is not acknowledged: %s", fault)
            continue
        rows[report.news.leg.partition("/")[0]].append(report)
    return list(rows.values())


async def _store(reports: list[Report], receive: Receive) -> list[str]:
    acknowledged: list[str] = []
    for report in reports:
        try:
            await receive(report)
        except Exception:
            log.exception("report %s was not stored; it will be told again", report.id)
            break
        acknowledged.append(report.id)
    return acknowledged


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """An order that waits for its post, and whether it may still go then."""

    order: Order
    holds: Holds
    outcome: asyncio.Future[None]


def _fail(outcome: asyncio.Future[None], fault: Exception) -> None:
    if not outcome.done():  # else whoever gave the order has stopped waiting
        outcome.set_exception(fault)


def _settle(outcome: asyncio.Future[None], found: object) -> None:
    if outcome.done():  # whoever gave the order has stopped waiting
        return
    if not isinstance(found, dict):
        outcome.set_exception(CarrierUnknown("an outcome that cannot be read"))
    elif found.get("done") is True:
        outcome.set_result(None)
    elif isinstance(code := found.get("refused"), str):
        q850, sip = found.get("q850"), found.get("sip")
        outcome.set_exception(CarrierRefused(code, q850=q850, sip=sip))
    else:
        outcome.set_exception(CarrierUnknown("no answer"))
