"""The handsets process as HTTP: what may be asked of it, by whom, and how it says no."""

import hmac
import json
from asyncio import Event
from dataclasses import asdict
from datetime import datetime
from ipaddress import ip_address
from os import getpid

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from yarl import URL

from dialer.carriers import CarrierUnknown
from dialer.carriers.simulated.delivery import LEASE_SECONDS
from dialer.carriers.simulated.exchange import Exchange, Hand
from dialer.carriers.simulated.faults import parse_faults
from dialer.carriers.simulated.handset import NotPossible
from dialer.carriers.simulated.script import parse_digits, parse_script
from dialer.carriers.simulated.wire import (
    ASKED_BY,
    WIRE_VERSION,
    JsonObject,
    WireFault,
    read_list,
    read_order,
    write_live_leg,
    write_view,
)
from dialer.carriers.simulated.world import World
from terms.phone import PhoneNumber

EXCHANGE = web.AppKey("exchange", Exchange)
ENDED = web.AppKey("ended", Event)
OPEN_TO_NETWORK = web.AppKey("open_to_network", bool)
routes = web.RouteTableDef()


def handsets_app(
    exchange: Exchange, token: str, ended: Event, *, open_to_network: bool = False
) -> web.Application:
    """The application; `ended` is set when somebody with the token wants the process to stop.

    News goes to addresses of this machine only, unless `open_to_network`.
    """
    app = web.Application(middlewares=[_only_with(token), _refusals])
    app[EXCHANGE] = exchange
    app[ENDED] = ended
    app[OPEN_TO_NETWORK] = open_to_network
    app.add_routes(routes)
    return app


def is_loopback(host: str) -> bool:
    """Whether `host` can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@routes.post("/orders")
async def obey(request: web.Request) -> web.Response:
    """Obey each order of `{"orders": [...]}` in turn; one that cannot be read stops none.

    Who asked is noted in the log.
    """
    exchange = request.app[EXCHANGE]
    outcomes: list[JsonObject] = []
    by = request.headers.get(ASKED_BY)
    for found in read_list(await request.json(), "orders"):
        try:
            outcomes.append(exchange.order(read_order(found), by=by))
        except WireFault as fault:
            outcomes.append({"refused": f"unreadable: {fault}", "q850": None, "sip": None})
    return web.json_response({"outcomes": outcomes})


@routes.get("/live-legs")
async def live_legs(request: web.Request) -> web.Response:
    """Every leg that exists now; 503 when a fault hides them."""
    try:
        legs = request.app[EXCHANGE].live_legs()
    except CarrierUnknown as unknown:
        raise web.HTTPServiceUnavailable(text="no answer") from unknown
    return web.json_response({"legs": [write_live_leg(leg) for leg in legs]})


@routes.put("/receivers")
async def renew_receiver(request: web.Request) -> web.Response:
    """Push news to `url` from now on, until its lease runs out."""
    url = _text(await _fields(request), "url")
    host = URL(url).host
    if host is None or not (request.app[OPEN_TO_NETWORK] or is_loopback(host)):
        raise ValueError("news only goes to an address of this machine")
    request.app[EXCHANGE].receivers.renew(url)
    return web.json_response({"lease_seconds": LEASE_SECONDS})


@routes.delete("/receivers")
async def forget_receiver(request: web.Request) -> web.Response:
    """Push no more news to `url`."""
    request.app[EXCHANGE].receivers.forget(_text(await _fields(request), "url"))
    return web.Response(status=204)


@routes.get("/handsets")
async def list_handsets(request: web.Request) -> web.Response:
    """Every phone the world has heard of."""
    exchange = request.app[EXCHANGE]
    exchange.catch_up()
    views = [write_view(view) for view in exchange.world.handsets()]
    return web.json_response({"handsets": views})


@routes.get("/handsets/{number}")
async def show_handset(request: web.Request) -> web.Response:
    """One phone."""
    exchange = request.app[EXCHANGE]
    exchange.catch_up()
    return web.json_response(write_view(exchange.world.handset(_number(request))))


@routes.put("/handsets/{number}")
async def script_handset(request: web.Request) -> web.Response:
    """Teach a phone a behaviour."""
    number, script = _number(request), parse_script(await _fields(request))
    return _by_hand(request, "script", lambda world, _: world.script(number, script))


@routes.post("/handsets/{number}/answer")
async def pick_up(request: web.Request) -> web.Response:
    """Take the ringing call."""
    number = _number(request)
    return _by_hand(request, "answer", lambda world, now: world.pick_up(number, now))


@routes.post("/handsets/{number}/hangup")
async def put_down(request: web.Request) -> web.Response:
    """Hang up, or reject a ringing call."""
    number = _number(request)
    return _by_hand(request, "hangup", lambda world, now: world.put_down(number, now))


@routes.post("/handsets/{number}/drop")
async def drop(request: web.Request) -> web.Response:
    """Lose the line."""
    number = _number(request)
    return _by_hand(request, "drop", lambda world, now: world.drop(number, now))


@routes.post("/handsets/{number}/plug-out")
async def plug_out(request: web.Request) -> web.Response:
    """Let the phone die without a word."""
    number = _number(request)
    return _by_hand(request, "plug-out", lambda world, now: world.plug_out(number, now))


@routes.post("/handsets/{number}/fall-silent")
async def fall_silent(request: web.Request) -> web.Response:
    """Carry no audio for now."""
    number = _number(request)
    return _by_hand(request, "fall-silent", lambda world, now: world.fall_silent(number, now))


@routes.post("/handsets/{number}/speak")
async def speak(request: web.Request) -> web.Response:
    """Carry audio again."""
    number = _number(request)
    return _by_hand(request, "speak", lambda world, now: world.speak(number, now))


@routes.post("/handsets/{number}/press")
async def press(request: web.Request) -> web.Response:
    """Press keys."""
    number, digits = _number(request), parse_digits((await _fields(request)).get("digits"))
    return _by_hand(request, "press", lambda world, now: world.press(number, digits, now))


@routes.post("/handsets/{number}/dial")
async def dial(request: web.Request) -> web.Response:
    """Dial a service number."""
    number, fields = _number(request), await _fields(request)
    to = PhoneNumber(_text(fields, "to")).digits
    shows, withhold = fields.get("shows"), fields.get("withhold", False)
    if shows is not None:
        shows = PhoneNumber(_text(fields, "shows")).digits
    if not isinstance(withhold, bool):
        raise ValueError("withhold must be true or false")

    def hand(world: World, now: datetime) -> None:
        world.dial(number, to, now, withhold=withhold, shows=shows)

    return _by_hand(request, "dial", hand)


@routes.put("/faults")
async def set_faults(request: web.Request) -> web.Response:
    """Make the carrier as bad as told; knobs not named are off."""
    faults = parse_faults(await _fields(request))
    request.app[EXCHANGE].world.set_faults(faults)
    return web.json_response(asdict(faults))


@routes.get("/faults")
async def show_faults(request: web.Request) -> web.Response:
    """How bad the carrier is now."""
    return web.json_response(asdict(request.app[EXCHANGE].world.faults))


@routes.put("/clock")
async def move_clock(request: web.Request) -> web.Response:
    """Set how many seconds the world is ahead of the machine; everything due has then happened."""
    offset = (await _fields(request)).get("offset_seconds")
    if isinstance(offset, bool) or not isinstance(offset, int | float) or abs(offset) > 1e9:
        raise ValueError("offset_seconds must be a number of seconds")
    request.app[EXCHANGE].move_clock(float(offset))
    return _clock(request)


@routes.get("/clock")
async def show_clock(request: web.Request) -> web.Response:
    """The world's present."""
    return _clock(request)


@routes.get("/events")
async def show_events(request: web.Request) -> web.Response:
    """The log after event `after`: orders with their outcome, reports, hands. No numbers in it."""
    events = request.app[EXCHANGE].events_after(int(request.query.get("after", "0")))
    return web.json_response({"events": events})


@routes.get("/health")
async def health(request: web.Request) -> web.Response:
    """That we live, as which process, and how much news waits."""
    exchange = request.app[EXCHANGE]
    due = exchange.world.next_due()
    return web.json_response(
        {
            "simulated": True,
            "next_due": None if due is None else due.isoformat(),
            "wire_version": WIRE_VERSION,
            "pid": getpid(),
            "legs": len(exchange.world.standing_legs()),
            "receivers": len(exchange.receivers.live()),
            "news_waiting": exchange.delivery.waiting,
            "news_dropped": exchange.delivery.dropped,
        }
    )


@routes.post("/stop")
async def stop(request: web.Request) -> web.Response:
    """End the process; every call in the world ends with it."""
    request.app[ENDED].set()
    return web.Response(status=204)


def _only_with(token: str) -> Middleware:
    """Let nobody in who does not show the token."""
    expected = f"Bearer {token}".encode()

    @web.middleware
    async def only_with_token(request: web.Request, handler: Handler) -> web.StreamResponse:
        shown = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(shown, expected):
            return web.json_response({"detail": "the shared token is missing"}, status=401)
        return await handler(request)

    return only_with_token


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except NotPossible as refusal:
        return web.json_response({"code": refusal.code}, status=409)
    except ValueError as fault:  # ScriptFault, WireFault, unreadable JSON, not a phone number
        return web.json_response({"detail": str(fault)}, status=422)


def _by_hand(request: web.Request, what: str, hand: Hand) -> web.Response:
    exchange = request.app[EXCHANGE]
    exchange.hand(what, hand)
    return web.json_response(write_view(exchange.world.handset(_number(request))))


def _clock(request: web.Request) -> web.Response:
    exchange = request.app[EXCHANGE]
    now = exchange.now().isoformat()
    return web.json_response({"now": now, "offset_seconds": exchange.offset_seconds})


def _number(request: web.Request) -> str:
    return PhoneNumber(request.match_info["number"]).digits


async def _fields(request: web.Request) -> JsonObject:
    found = json.loads(await request.read() or b"{}")
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _text(fields: JsonObject, name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a text")
    return value
