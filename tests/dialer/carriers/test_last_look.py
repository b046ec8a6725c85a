"""An order that is another's by now does not leave us, however late we learn that."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
import uvloop
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from dialer.carriers import CarrierUnreachable
from dialer.carriers.asterisk.ari import Ari
from dialer.carriers.last_look import Body, NotOurs, last_look, only_while
from dialer.carriers.simulated.address import Address
from dialer.carriers.simulated.client import SimulatedCarrier
from dialer.carriers.simulated.wire import JsonObject
from terms.ids import LegId


@dataclass
class Far:
    """Whoever is asked: what it was asked, and a gate that keeps its answers back."""

    url: str = ""
    asked: list[JsonObject] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def until_asked(self, times: int) -> None:
        """Wait until so many requests were read."""
        async with asyncio.timeout(5):
            while len(self.asked) < times:  # noqa: ASYNC110 - read by the server
                await asyncio.sleep(0.005)

    @property
    def orders(self) -> list[object]:
        """All orders, as they came."""
        return [order for body in self.asked for order in _list(body["orders"])]


def _list(found: object) -> list[object]:
    assert isinstance(found, list)
    return found


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    async with _answering() as one:
        yield one


@asynccontextmanager
async def _answering() -> AsyncIterator[Far]:
    far = Far()

    async def take(request: web.Request) -> web.Response:
        if request.method != "POST":
            return web.json_response({})
        body = await request.json()
        far.asked.append(body)
        await far.gate.wait()
        return web.json_response({"outcomes": [{"done": True}] * len(body.get("orders", []))})

    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    far.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield far
    finally:
        far.gate.set()
        await runner.cleanup()


@dataclass
class Turn:
    """Whose turn it is."""

    is_ours: bool = True

    def __call__(self) -> bool:
        return self.is_ours


def test_within_two_conditions_both_must_hold() -> None:
    outer, inner = Turn(), Turn()
    assert last_look()()
    with only_while(outer), only_while(inner):
        holds = last_look()
        assert holds()
        outer.is_ours = False
        assert not holds()
        outer.is_ours, inner.is_ours = True, False
        assert not holds()
    assert last_look()()


async def test_a_body_that_is_not_ours_to_send_reaches_nobody_and_the_next_one_does(
    far: Far,
) -> None:
    far.gate.set()
    async with aiohttp.ClientSession(far.url) as client:
        withheld, sent = Body(b'{"n": 1}', lambda: False), Body(b'{"n": 2}', lambda: True)
        with pytest.raises(aiohttp.ClientError):
            async with client.post("/", data=withheld):
                pass
        async with client.post("/", data=sent) as response:
            assert response.status == 200

    assert (withheld.is_withheld, sent.is_withheld) == (True, False)
    assert far.asked == [{"n": 2}]


def test_between_the_look_and_the_machine_lies_no_turn_of_the_loop() -> None:
    """As it is served."""
    left: list[int] = []

    class Watched(Body):
        async def write_with_length(
            self, writer: AbstractStreamWriter, content_length: int | None
        ) -> None:
            await super().write_with_length(writer, content_length)
            transport = getattr(writer, "transport", None)
            left.append(transport.get_write_buffer_size() if transport else -1)

    async def post() -> None:
        async with _answering() as far, aiohttp.ClientSession(far.url) as client:
            far.gate.set()
            async with client.post("/", data=Watched(b"{}", lambda: True)):
                pass

    uvloop.run(post())

    assert left == [0]


@asynccontextmanager
async def _a_carrier(far: Far) -> AsyncIterator[SimulatedCarrier]:
    async def locate() -> Address:
        host, _, port = far.url.removeprefix("http://").partition(":")
        return Address(host=host, port=int(port), pid=0)

    async def receive(_report: object) -> None:
        raise AssertionError("nothing is told")

    carrier = SimulatedCarrier(locate, "token", "http://127.0.0.1:9/news")
    await carrier.open(receive)
    try:
        yield carrier
    finally:
        far.gate.set()
        await carrier.close()


async def _hang_up(carrier: SimulatedCarrier, leg: str, turn: Turn) -> None:
    with only_while(turn):
        await carrier.hang_up(LegId(leg))


async def test_what_waited_for_others_on_their_way_is_not_sent_once_it_is_anothers(
    far: Far,
) -> None:
    """A process freezes while the carrier answers slowly: much waits behind what is on its way."""
    async with _a_carrier(far) as carrier:
        first: list[asyncio.Task[None]] = []
        for n in range(4):
            first.append(asyncio.create_task(_hang_up(carrier, f"first/{n}/1", Turn())))
            await far.until_asked(n + 1)
        turns = [Turn(), Turn(), Turn()]
        waiting = [
            asyncio.create_task(_hang_up(carrier, f"waiting/{n}/1", turn))
            for n, turn in enumerate(turns)
        ]
        await asyncio.sleep(0)
        turns[1].is_ours = False
        far.gate.set()
        told = await asyncio.gather(*first, *waiting, return_exceptions=True)

    assert [type(one) for one in told[4:]] == [type(None), NotOurs, type(None)]
    assert issubclass(NotOurs, CarrierUnreachable)  # never sent: it may be given again
    assert [order for order in far.orders if "waiting/1" in str(order)] == []
    assert len(far.orders) == 6


async def test_what_becomes_anothers_while_its_request_is_made_holds_up_none_of_the_others(
    far: Far,
) -> None:
    looks: list[bool] = []

    class Fleeting(Turn):
        def __call__(self) -> bool:
            looks.append(len(looks) < 1)  # ours when the request is put together, and then no more
            return looks[-1]

    far.gate.set()
    async with _a_carrier(far) as carrier:
        await _hang_up(carrier, "one/caller/1", Turn())
        far.gate.clear()
        blockers = [asyncio.create_task(_hang_up(carrier, f"b/{n}/1", Turn())) for n in range(4)]
        await far.until_asked(2)
        both = asyncio.gather(
            _hang_up(carrier, "two/caller/1", Turn()),
            _hang_up(carrier, "three/caller/1", Fleeting()),
            return_exceptions=True,
        )
        await asyncio.sleep(0)
        far.gate.set()
        told = await both
        await asyncio.gather(*blockers)

    assert [type(one) for one in told] == [type(None), NotOurs]
    assert [order for order in far.orders if "three/" in str(order)] == []


@pytest.mark.parametrize("body", [None, {"endpoint": "PJSIP/1"}])
async def test_asterisk_is_asked_for_nothing_that_is_anothers(
    far: Far, body: dict[str, object] | None
) -> None:
    far.gate.set()
    turn = Turn()
    ari = Ari(far.url, "user", "word", "warmline")
    try:
        with only_while(turn):
            turn.is_ours = False
            with pytest.raises(NotOurs):
                await ari.ask("POST", "channels", body=body)
            assert await ari.ask("GET", "channels") == {}
            turn.is_ours = True
            await ari.ask("POST", "channels", body={"endpoint": "PJSIP/2"})
    finally:
        await ari.close()

    assert far.asked == [{"endpoint": "PJSIP/2"}]


async def test_a_channel_is_not_asked_for_that_became_anothers_while_the_request_was_made(
    far: Far,
) -> None:
    looks = iter([True, False])
    ari = Ari(far.url, "user", "word", "warmline")
    try:
        with only_while(lambda: next(looks)), pytest.raises(NotOurs):
            await ari.ask("POST", "channels", body={"endpoint": "PJSIP/1"})
    finally:
        await ari.close()

    assert far.asked == []
