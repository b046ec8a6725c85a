"""The simulated handsets, worked by hand, by a script or by a test. Only with that carrier.

From this machine alone, unless the operator has opened it: whoever may work the phones could answer
calls that are meant for others.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from dialer.carriers import CarrierUnreachable, Receive, Report
from dialer.carriers.simulated.control import RemoteHands
from dialer.carriers.simulated.faults import parse_faults
from dialer.carriers.simulated.handset import NotPossible
from dialer.carriers.simulated.script import ScriptFault, parse_digits, parse_script
from dialer.carriers.simulated.wire import write_view
from dialer.store.due import next_order_at, next_timer_at
from terms.phone import PhoneNumber
from warmline.api.this_machine import only_this_machine
from warmline.clock import SystemClock
from warmline.http.problems import (
    BadInput,
    InputFault,
    Problem,
    ProblemCode,
    UnsupportedMediaType,
)
from warmline.notices.store import list_messages
from warmline.seal import AesSeal
from warmline.settings import Settings
from warmline.sim_clock import kept_offset, move_ahead
from warmline.workers.crew import Crew
from warmline.workers.patience import Patience

if TYPE_CHECKING:
    from asyncpg import Pool, Record

_log = structlog.get_logger()

_LONGEST_ADVANCE_SECONDS = 90 * 86400
_LOOK_AT_CLOCK_SECONDS = 1.0
_STANDSTILL_SECONDS, _MOST_SECONDS = 5.0, 60.0
_MOMENT_SECONDS = 0.005
_AHEAD = timedelta(milliseconds=100)  # two machines' clocks differ by less
_LONGEST_STEP = timedelta(hours=1)


@dataclass(slots=True)
class Simulation:
    """The world beside us: its phones, and a clock that can be moved for all of it at once."""

    settings: Settings
    pool: "Pool[Record]"
    seal: AesSeal
    clock: SystemClock
    hands: RemoteHands
    crew: Crew
    _following: asyncio.Task[None] | None = None
    _moving: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def begin(self) -> None:
        """Take over the offset of an earlier run, and follow what other processes do to it."""
        await self._follow_once()
        self._following = asyncio.create_task(self._follow())

    async def end(self) -> None:
        """Stop following the clock."""
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following

    def in_time(self, receive: Receive) -> Receive:
        """News from later than our now: another process moved the clock, and we follow first."""

        async def follow_and_receive(report: Report) -> None:
            if report.news.at - self.clock.now() > _AHEAD:
                await self._follow_once()
            await receive(report)

        return follow_and_receive

    async def advance(self, seconds: float) -> None:
        """Let `seconds` pass for everybody, stopping at each instant at which something is due."""
        async with self._moving:
            await self._follow_once()  # another process may have moved it a moment ago
            await self._until_quiet()
            until = self.clock.now() + timedelta(seconds=seconds)
            while (left := until - self.clock.now()) > timedelta():
                following = await self._next_due()
                step = min(left, _LONGEST_STEP)
                if following is not None:
                    step = min(step, max(following - self.clock.now(), timedelta()))
                await self._move(step)
                await self._until_quiet()
                if following is None and step == left:
                    break

    async def _next_due(self) -> datetime | None:
        now = self.clock.now()
        async with self.pool.acquire() as connection:
            times = [await next_timer_at(connection), await next_order_at(connection)]
        times += [await self.hands.next_due(), self.crew.lapser.next_at, self.crew.seater.next_at]
        times += [worker.next_at for worker in self.crew.joined]
        ahead = [at for at in times if at is not None and at > now]
        return min(ahead, default=None)

    async def _move(self, step: timedelta) -> None:
        async with self.pool.acquire() as connection:
            offset = await move_ahead(connection, self.settings.tenant, step)
        self.clock.set_offset(offset)
        await self.hands.move_clock(offset.total_seconds())
        self.crew.wake_all()

    async def _until_quiet(self) -> None:
        """Until everything due by now has happened and been heard of, however slow the machine is.

        What stands still is not waited for, nor what never ends: the clock moves on, and says so.
        """
        loop, patience = asyncio.get_running_loop(), Patience(_STANDSTILL_SECONDS, _MOST_SECONDS)
        quiet = 0
        while quiet < 2:
            await asyncio.sleep(_MOMENT_SECONDS)
            await self.crew.obeyer.idle()
            under_way = await self._under_way()
            quiet = 0 if under_way else quiet + 1
            if under_way and patience.is_over(under_way, loop.time()):
                _log.warning("clock_moves_on_before_all_is_done", under_way=under_way)
                return

    async def _under_way(self) -> tuple[str, ...]:
        """What is being done, or is due and not done yet; nothing when all is quiet."""
        if at_work := self.crew.at_work:
            return at_work
        now = self.clock.now()
        async with self.pool.acquire() as connection:
            times = [await next_timer_at(connection), await next_order_at(connection)]
        due = tuple(at.isoformat() for at in times if at is not None and at <= now)
        waiting = await self.hands.news_waiting()
        return (*due, f"{waiting} news") if waiting else due

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_AT_CLOCK_SECONDS)
            try:
                await self._follow_once()
            except Exception as fault:
                _log.warning("clock_not_followed", fault=type(fault).__name__)

    async def _follow_once(self) -> None:
        async with self.pool.acquire() as connection:
            offset = await kept_offset(connection, self.settings.tenant)
        if offset > self.clock.offset:
            self.clock.set_offset(offset)
            self.crew.wake_all()
            with suppress(CarrierUnreachable):
                await self.hands.move_clock(offset.total_seconds())


SIMULATION = web.AppKey("simulation", Simulation)

simulation_routes = web.RouteTableDef()


def _guarded(handler: Handler) -> Handler:
    """From loopback only, unless opened; what a phone cannot do now is a 409 with its word."""

    async def guard(request: web.Request) -> web.StreamResponse:
        simulation = request.app[SIMULATION]
        if not simulation.settings.sim_open:
            only_this_machine(request, "The simulated handsets answer to this machine alone.")
        try:
            return await handler(request)
        except NotPossible as why:
            raise Problem(
                ProblemCode.NOT_POSSIBLE, f"The phone cannot do that now: {why}."
            ) from why
        except ScriptFault as fault:
            raise BadInput(InputFault(place="body", pointer="", detail=str(fault))) from fault
        except CarrierUnreachable as away:
            raise Problem(ProblemCode.UNAVAILABLE, "The handsets do not answer.") from away

    return guard


def _number(request: web.Request) -> PhoneNumber:
    try:
        return PhoneNumber(request.match_info["number"])
    except ValueError:
        detail = "must be a phone number"
        raise BadInput(InputFault(place="path", pointer="/number", detail=detail)) from None


async def _object(request: web.Request) -> dict[str, object]:
    if request.content_type != "application/json":  # a page of others may send any other kind
        raise UnsupportedMediaType
    try:
        found = await request.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BadInput(InputFault(place="body", pointer="", detail="must be a JSON object"))
    return found


@simulation_routes.get("/sim/handsets")
@_guarded
async def list_handsets(request: web.Request) -> web.Response:
    """Every phone the world has heard of."""
    views = await request.app[SIMULATION].hands.handsets()
    return web.json_response([write_view(view) for view in views])


@simulation_routes.put("/sim/handsets/{number}")
@_guarded
async def script_handset(request: web.Request) -> web.Response:
    """Teach a phone what it does by itself."""
    script = parse_script(await _object(request))
    await request.app[SIMULATION].hands.script(_number(request), script)
    return web.Response(status=204)


@simulation_routes.post("/sim/handsets/{number}/dial")
@_guarded
async def dial(request: web.Request) -> web.Response:
    """Dial a service number from the phone."""
    body = await _object(request)
    to, shows = body.get("to"), body.get("shows")
    if not isinstance(to, str) or not (shows is None or isinstance(shows, str)):
        raise ScriptFault("dial needs `to`, a number as text, and perhaps `withhold` or `shows`")
    await request.app[SIMULATION].hands.dial(
        _number(request),
        to,
        withhold=body.get("withhold") is True,
        shows=None if shows is None else PhoneNumber(shows),
    )
    return web.Response(status=204)


def _by_hand(name: str, act: Callable[[RemoteHands, PhoneNumber], Awaitable[None]]) -> None:
    @_guarded
    async def handle(request: web.Request) -> web.Response:
        await act(request.app[SIMULATION].hands, _number(request))
        return web.Response(status=204)

    simulation_routes.post(f"/sim/handsets/{{number}}/{name}")(handle)


_by_hand("answer", RemoteHands.answer)
_by_hand("hangup", RemoteHands.hang_up)
_by_hand("drop", RemoteHands.drop)
_by_hand("plug-out", RemoteHands.plug_out)
_by_hand("fall-silent", RemoteHands.fall_silent)
_by_hand("speak", RemoteHands.speak)


@simulation_routes.post("/sim/handsets/{number}/press")
@_guarded
async def press(request: web.Request) -> web.Response:
    """Press keys on the phone."""
    digits = parse_digits((await _object(request)).get("digits"))
    await request.app[SIMULATION].hands.press(_number(request), digits)
    return web.Response(status=204)


@simulation_routes.put("/sim/faults")
@_guarded
async def set_faults(request: web.Request) -> web.Response:
    """Make the carrier as bad as told."""
    await request.app[SIMULATION].hands.set_faults(parse_faults(await _object(request)))
    return web.Response(status=204)


@simulation_routes.get("/sim/messages")
@_guarded
async def list_sent(request: web.Request) -> web.Response:
    """SMS and status pushes that were sent, newest first."""
    simulation = request.app[SIMULATION]
    async with simulation.pool.acquire() as connection:
        sent = await list_messages(connection, simulation.seal, simulation.settings.tenant)
    return web.json_response(
        [
            {
                "id": message.id,
                "kind": message.kind,
                "to": message.to,
                "template": message.template,
                "text": message.text,
                "at": message.at.isoformat(),
            }
            for message in sent
        ]
    )


@simulation_routes.post("/sim/clock")
@_guarded
async def move_clock(request: web.Request) -> web.Response:
    """Let time pass, and everything due in it happen."""
    seconds = (await _object(request)).get("advance_seconds")
    if (
        isinstance(seconds, bool)
        or not isinstance(seconds, int | float)
        or not 0 <= seconds <= _LONGEST_ADVANCE_SECONDS
    ):
        raise ScriptFault(f"advance_seconds is a number up to {_LONGEST_ADVANCE_SECONDS}")
    simulation = request.app[SIMULATION]
    await simulation.advance(seconds)
    return web.json_response({"now": simulation.clock.now().isoformat()})
