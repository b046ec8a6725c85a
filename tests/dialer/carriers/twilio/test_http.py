"""The HTTP under the SDK: it gives up in time, sends nothing twice and says nothing aloud."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from dialer.carriers import CarrierRefused, CarrierUnknown, CarrierUnreachable
from dialer.carriers.twilio.access import Access
from dialer.carriers.twilio.api import Api, Gone
from dialer.carriers.twilio.http import OnceHttp
from tests.dialer.carriers.twilio.lines import CALLER, OURS, SID

ACCOUNT, TOKEN = "AC" + "4" * 32, "a-token-nobody-may-see"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Far:
    """Whoever answers as Twilio, and how often it was asked."""

    url: str = ""
    asked: list[web.Request] = field(default_factory=list)


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[Far]:
    far = Far()

    async def take(request: web.Request) -> web.StreamResponse:
        far.asked.append(request)
        return await answer(request)

    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    far.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield far
    finally:
        await runner.cleanup()


def problem(status: int, code: int) -> Answer:
    async def answer(_request: web.Request) -> web.StreamResponse:
        body = {"status": status, "code": code, "message": f"about {CALLER}", "more_info": ""}
        return web.json_response(body, status=status)

    return answer


async def ring(far_url: str, seconds: float = 5.0) -> None:
    api = Api(
        Access(account_sid=ACCOUNT, auth_token=TOKEN, api_url=far_url), OnceHttp(far_url, seconds)
    )
    try:
        await api.place(to=CALLER, from_=OURS, url="https://warmline.example/x")
    finally:
        await api.close()


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_failure_of_theirs_is_unknown_and_never_sent_again(status: int) -> None:
    async with answering(problem(status, status)) as far:
        with pytest.raises(CarrierUnknown) as fault:
            await ring(far.url)

    assert not isinstance(fault.value, CarrierUnreachable)
    assert len(far.asked) == 1


async def test_html_instead_of_an_answer_is_unknown() -> None:
    async def html(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=502, text="<html>Bad gateway</html>", content_type="text/html")

    async with answering(html) as far:
        with pytest.raises(CarrierUnknown):
            await ring(far.url)

    assert len(far.asked) == 1


@pytest.mark.parametrize("body", ["", "{}", "not json"])
async def test_an_acceptance_that_does_not_say_which_call_is_unknown(body: str) -> None:
    async def empty(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=201, text=body, content_type="application/json")

    async with answering(empty) as far:
        with pytest.raises(CarrierUnknown):
            await ring(far.url)


async def test_silence_is_given_up_on() -> None:
    async def silent(_request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with answering(silent) as far:
        with pytest.raises(CarrierUnknown):
            async with asyncio.timeout(3):
                await ring(far.url, seconds=0.2)

    assert len(far.asked) == 1


async def test_nobody_there_means_that_nothing_was_sent() -> None:
    async with answering(problem(500, 0)) as far:
        pass

    with pytest.raises(CarrierUnreachable):
        await ring(far.url)


@pytest.mark.parametrize(("status", "code"), [(429, 20429), (401, 20003), (403, 20003)])
async def test_what_was_turned_away_at_the_door_may_be_sent_again(status: int, code: int) -> None:
    async with answering(problem(status, code)) as far:
        with pytest.raises(CarrierUnreachable):
            await ring(far.url)


@pytest.mark.parametrize(
    ("status", "code", "q850"),
    [(400, 21211, 1), (400, 21217, 1), (400, 10004, 34), (429, 10004, 34), (400, 21210, None)],
)
async def test_a_refusal_is_named_by_its_code(status: int, code: int, q850: int | None) -> None:
    async with answering(problem(status, code)) as far:
        with pytest.raises(CarrierRefused) as refused:
            await ring(far.url)

    assert (refused.value.code, refused.value.q850) == (str(code), q850)


async def test_a_call_that_is_not_in_progress_is_gone() -> None:
    async with answering(problem(400, 21220)) as far:
        api = Api(Access(account_sid=ACCOUNT, auth_token=TOKEN, api_url=far.url))
        with pytest.raises(Gone):
            await api.change(SID, status="completed")
        await api.close()


async def test_neither_a_number_nor_the_token_is_in_a_fault_or_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with answering(problem(400, 21211)) as far:
        with pytest.raises(CarrierRefused) as refused:
            await ring(far.url)
        api = Api(Access(account_sid=ACCOUNT, auth_token=TOKEN, api_url=far.url))
        with pytest.raises(CarrierUnknown) as unknown:
            await api.calls_to(CALLER)
        await api.close()

    said = f"{refused.value!r} {unknown.value!r} {unknown.value.__cause__!r} {caplog.text}"
    assert CALLER.removeprefix("+") not in said
    assert TOKEN not in said


async def test_the_sdks_own_variables_move_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    async with answering(problem(400, 21211)) as far:
        with pytest.raises(CarrierRefused):
            await ring(far.url)
        api = Api(Access(account_sid=ACCOUNT, auth_token=TOKEN))
        assert api._client.region is None
        await api.close()


def test_an_access_shows_no_secret() -> None:
    access = Access(
        account_sid=ACCOUNT, auth_token=TOKEN, api_key="SK" + "5" * 32, api_secret="hidden-too"
    )

    assert TOKEN not in repr(access)
    assert "hidden-too" not in repr(access)
    assert (access.user, access.password) == ("SK" + "5" * 32, "hidden-too")
