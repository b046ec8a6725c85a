"""A carrier that answers at once: it takes every order, and its phones do their part in no time.

It stands where the handsets process would, speaks the same protocol, and pushes one report per
request, as a carrier's webhooks come. When each order arrived is what most measurements are about.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any

from aiohttp import web

from dialer.carriers import (
    KeyPressed,
    LegAnswered,
    LegBridged,
    LegEnded,
    LegRinging,
    News,
    ReleaseSide,
    Report,
)
from dialer.carriers.simulated.client import NEWS_PATH
from dialer.carriers.simulated.wire import write_report
from terms.ids import CallId, LegId
from warmline.bench.driver import Driver, Post

_TAKEN = 200
_AGAIN_SECONDS = 0.05
_NORMAL_CLEARING = 16
_OK = {"done": True}


class Phones(StrEnum):
    """What phones do when they are rung."""

    WAIT = "wait"  # nothing is heard of them before `pick_up`
    RING = "ring"  # they ring, and are not answered before `pick_up`
    ANSWER = "answer"


class Exchange:
    """Legs that stand, news that waits, and when what was ordered. `clock` is the service's time.

    `bridged_at` tells the carrier's time of a call's bridging; `talks` says whether calls go on
    once bridged or are hung up by the caller.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.service = ""
        self.talks = False
        self.phones = Phones.ANSWER
        self.told = 0
        self.told_at = clock()
        self.rung_at: dict[LegId, datetime] = {}
        self.hung_up_at: dict[CallId, datetime] = {}
        self.bridged: set[CallId] = set()
        self.bridged_at: Callable[[CallId], datetime] = lambda call: clock()
        self._clock = clock
        self._driver: Driver | None = None
        self._standing: dict[LegId, bool] = {}
        self._held: list[tuple[LegId, bool]] = []
        self._rows: dict[CallId, deque[Report]] = {}

    def use(self, driver: Driver) -> None:
        """Push news with this driver from now on."""
        self._driver = driver

    @property
    def is_quiet(self) -> bool:
        """Whether all news is acknowledged."""
        return not self._rows

    @property
    def standing(self) -> int:
        """How many legs there are."""
        return len(self._standing)

    @property
    def held(self) -> int:
        """How many phones ring and are not answered before `pick_up`."""
        return len(self._held)

    def pick_up(self) -> None:
        """Every phone that rings is answered now; `phones` says what those rung later do."""
        held, self._held = self._held, []
        for leg, was_heard in held:
            if leg in self._standing:
                self._come(leg, was_heard)

    # -- what the service asks ---------------------------------------------------------------

    def routes(self) -> list[web.RouteDef]:
        """The handsets process's side of the protocol, as much of it as a carrier needs."""
        return [
            web.post("/orders", self._take_orders),
            web.get("/live-legs", self._show_legs),
            web.route("*", "/{other:receivers|clock}", self._agree),
        ]

    async def _take_orders(self, request: web.Request) -> web.Response:
        orders = json.loads(await request.read())["orders"]
        now = self._clock()
        for order in orders:
            self._obey(order, now)
        return web.json_response({"outcomes": [_OK] * len(orders)})

    async def _show_legs(self, _request: web.Request) -> web.Response:
        legs = [
            {"leg": leg, "answered": answered, "bridged": leg.partition("/")[0] in self.bridged}
            for leg, answered in self._standing.items()
        ]
        return web.json_response({"legs": legs})

    async def _agree(self, _request: web.Request) -> web.Response:
        return web.json_response({})

    def _obey(self, order: dict[str, Any], now: datetime) -> None:
        match order["order"]:
            case "ring":
                self._ring(LegId(order["leg"]), now)
            case "bridge":
                self._bridge(CallId(order["call"]), [LegId(leg) for leg in order["legs"]])
            case "part":  # the talk is over; a farewell may follow
                self.hung_up_at.setdefault(CallId(order["leg"].partition("/")[0]), now)
            case "hang_up":
                self._hang_up(LegId(order["leg"]), now)

    # -- what the phones do ------------------------------------------------------------------

    def _ring(self, leg: LegId, now: datetime) -> None:
        self.rung_at[leg] = now
        self._standing[leg] = False
        match self.phones:
            case Phones.WAIT:
                self._held.append((leg, False))
            case Phones.RING:
                self._tell(LegRinging(leg=leg, at=now))
                self._held.append((leg, True))
            case Phones.ANSWER:
                self._come(leg, was_heard=False)

    def _come(self, leg: LegId, was_heard: bool) -> None:
        now = self._clock()
        self._standing[leg] = True
        if not was_heard:
            self._tell(LegRinging(leg=leg, at=now))
        self._tell(LegAnswered(leg=leg, at=now))
        if "/counselor/" in leg:
            self._tell(KeyPressed(leg=leg, at=now, digit="1"))

    def _bridge(self, call: CallId, legs: list[LegId]) -> None:
        if call in self.bridged:
            return
        self.bridged.add(call)
        at = self.bridged_at(call)
        for leg in legs:
            self._tell(LegBridged(leg=leg, at=at))
        if not self.talks:
            caller = next(leg for leg in legs if "/caller/" in leg)
            self._end(caller, ReleaseSide.PARTY)

    def _hang_up(self, leg: LegId, now: datetime) -> None:
        self.hung_up_at.setdefault(CallId(leg.partition("/")[0]), now)
        self._end(leg, ReleaseSide.PLATFORM)

    def _end(self, leg: LegId, by: ReleaseSide) -> None:
        if self._standing.pop(leg, None) is not None:
            self._tell(LegEnded(leg=leg, at=self._clock(), by=by, q850=_NORMAL_CLEARING))

    # -- news, one report per request, a call's in their order -------------------------------

    def _tell(self, news: News) -> None:
        call = CallId(news.leg.partition("/")[0])
        report = Report(id=f"{news.leg}/{type(news).__name__}", news=news)
        row = self._rows.get(call)
        if row is None:
            self._rows[call] = deque((report,))
            self._push(call)
        else:
            row.append(report)

    def _push(self, call: CallId) -> None:
        assert self._driver is not None
        body = json.dumps({"reports": [write_report(self._rows[call][0])]}).encode()
        url = self.service + NEWS_PATH
        self._driver.put(Post(url, body, lambda status, told: self._pushed(call, status, told)))

    def _pushed(self, call: CallId, status: int, told: bytes) -> None:
        if status != _TAKEN or not json.loads(told)["acknowledged"]:
            asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self._push, call)
            return
        self.told += 1
        self.told_at = self._clock()
        row = self._rows[call]
        row.popleft()
        if row:
            self._push(call)
        else:
            del self._rows[call]
