"""How an order ends when Asterisk does not do as it is told. A small web server plays Asterisk."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import ClientTimeout, web

from dialer.carriers import CarrierRefused, CarrierUnknown, CarrierUnreachable, Report
from dialer.carriers.asterisk import ari as ari_module
from dialer.carriers.asterisk.ari import Ari, NotDone
from dialer.carriers.asterisk.carrier import Address, AsteriskCarrier
from terms.ids import LegId
from terms.phone import PhoneNumber

LEG = LegId("c1/caller/1")
ANN = PhoneNumber("+8613800000001")
Play = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]


@pytest.fixture
async def play() -> AsyncIterator[Play]:
    """Listen as Asterisk does, and answer every request so; gives the URL."""
    runners: list[web.AppRunner] = []

    async def begin(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> str:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    yield begin
    for runner in runners:
        await runner.cleanup()


def with_status(status: int) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response({"message": "so it is"}, status=status)

    return answer


@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (400, CarrierRefused),
        (404, CarrierRefused),
        (409, CarrierRefused),
        (422, CarrierRefused),
        (401, CarrierUnreachable),
        (403, CarrierUnreachable),
        (500, NotDone),
        (503, CarrierUnknown),
    ],
)
async def test_a_status_is_an_outcome(play: Play, status: int, raised: type[Exception]) -> None:
    ari = Ari(await play(with_status(status)), "warmline", "secret", "warmline")

    with pytest.raises(raised) as outcome:
        await ari.ask("POST", "channels", "c1~caller~1")
    await ari.close()

    assert type(outcome.value) is raised


async def test_nobody_listening_is_an_order_never_sent() -> None:
    ari = Ari("http://127.0.0.1:1", "warmline", "secret", "warmline")

    with pytest.raises(CarrierUnreachable):
        await ari.ask("GET", "channels")
    with pytest.raises(CarrierUnreachable):
        async with ari.events():
            pass
    await ari.close()


async def test_an_answer_that_does_not_come_is_unknown_and_the_order_is_sent_once(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ari_module, "_TIMEOUT", ClientTimeout(total=0.2))
    asked: list[str] = []

    async def silent(request: web.Request) -> web.StreamResponse:
        asked.append(request.method)
        await asyncio.sleep(5)
        return web.Response()

    ari = Ari(await play(silent), "warmline", "secret", "warmline")

    with pytest.raises(CarrierUnknown) as outcome:
        await ari.ask("POST", "channels")
    await ari.close()

    assert type(outcome.value) is CarrierUnknown
    assert asked == ["POST"]


async def test_a_path_is_one_segment_whatever_is_in_it(play: Play) -> None:
    paths: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        paths.append(request.raw_path)
        return web.Response(status=204)

    ari = Ari(await play(answer), "warmline", "secret", "warmline")
    await ari.ask("DELETE", "channels", "../applications?x")
    await ari.close()

    assert paths == ["/ari/channels/..%2Fapplications%3Fx"]


async def test_a_carrier_that_is_not_open_sends_nothing() -> None:
    carrier = AsteriskCarrier(
        Address(url="http://127.0.0.1:1", user="w", password="p", prompts="/nowhere")
    )

    with pytest.raises(CarrierUnreachable):
        await carrier.ring(LEG, ANN, shows="4008001111", ring_seconds=20)


async def test_an_asterisk_that_is_away_is_said_to_be_at_opening() -> None:
    async def receive(report: Report) -> None:
        raise AssertionError(report)

    carrier = AsteriskCarrier(
        Address(url="http://127.0.0.1:1", user="w", password="p", prompts="/nowhere")
    )

    with pytest.raises(CarrierUnreachable):
        await carrier.open(receive)

    assert not carrier.is_listening
    await carrier.close()


async def test_nonsense_from_asterisk_makes_nobody_deaf_for_good(play: Play) -> None:
    connections = 0
    again = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal connections
        if not request.path.endswith("/events"):
            return web.json_response([])
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        connections += 1
        if connections > 1:
            again.set()
        await socket.send_str("{nonsense")
        await socket.receive()
        return socket

    async def receive(report: Report) -> None:
        raise AssertionError(report)

    url = await play(answer)
    carrier = AsteriskCarrier(Address(url=url, user="w", password="p", prompts="/nowhere"))
    await carrier.open(receive)

    await asyncio.wait_for(again.wait(), 5)

    await carrier.close()
