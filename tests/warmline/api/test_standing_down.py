"""Whoever is let in no longer takes no more calls, and hears no more of those of others."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType

from terms.ids import CounselorId, OrderId
from tests.people import CALLER, COUNSELOR
from tests.serving import Service
from warmline.live import socket
from warmline.live.socket import CloseCode

Headers = dict[str, str]
SOON_SECONDS = 2


@dataclass(frozen=True, slots=True)
class OnDuty:
    """A counselor who takes calls, by an account that an operator opened."""

    service: Service
    operator: Headers
    counselor: CounselorId
    account: str
    login: Mapping[str, str]
    headers: Headers

    async def signs_in(self) -> Headers:
        """Once more, in another browser."""
        return await signed_in(self.service, self.login)

    async def ask(self, method: str, path: str, who: Headers, body: object = None) -> Any:
        async with self.service.client.request(method, path, headers=who, json=body) as response:
            return await response.json()

    async def is_rung(self) -> OrderId:
        """A caller asks for them, and their phone rings."""
        people = self.service.people
        order = await people.order(await people.caller(), self.counselor)
        await self.service.script(CALLER, answers="yes", talks_for_seconds=600)
        await self.service.place_call(order, CALLER)
        await self.service.let_pass(3)
        return order

    async def presence(self) -> str:
        return str(await self.service.house.pool.fetchval("SELECT presence FROM counselors"))


@pytest.fixture
async def on_duty(service: Service) -> OnDuty:
    operator = await service.sign_in("operator")
    counselor = await service.people.counselor()
    new = {"email": "li@example.test", "roles": ["counselor"], "counselor": counselor}
    async with service.client.post("/v1/staff/members", json=new, headers=operator) as response:
        login = await response.json()
    known = {"email": login["email"], "password": login["password"]}
    account, headers = f"/v1/staff/members/{login['id']}", await signed_in(service, known)
    return OnDuty(service, operator, counselor, account, known, headers)


async def signed_in(service: Service, login: Mapping[str, str]) -> Headers:
    async with service.client.post("/v1/sessions", json=login) as response:
        return {"Authorization": f"Bearer {(await response.json())['token']}"}


@asynccontextmanager
async def a_console(service: Service, who: Headers) -> AsyncIterator[ClientWebSocketResponse]:
    async with service.client.ws_connect("/v1/live", headers=who) as live:
        assert (await live.receive_json(timeout=10))["type"] == "snapshot"
        yield live


async def closed(live: ClientWebSocketResponse) -> int | None:
    async with asyncio.timeout(SOON_SECONDS):
        while (await live.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED):
            pass
    return live.close_code


@pytest.fixture(autouse=True)
def _nobody_looks_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "HEARTBEAT_SECONDS", 600.0)


async def test_who_is_suspended_is_signed_out_offline_and_rung_no_longer(on_duty: OnDuty) -> None:
    service = on_duty.service
    await service.script(COUNSELOR, answers="no_answer")
    order = await on_duty.is_rung()
    assert (await on_duty.ask("GET", "/v1/me", on_duty.headers))["offer"] is not None

    async with a_console(service, on_duty.headers) as console:
        await on_duty.ask("POST", f"{on_duty.account}/suspend", on_duty.operator)
        assert await closed(console) == CloseCode.UNAUTHENTICATED

    assert await on_duty.presence() == "offline"
    call = await service.people.see_call(order)
    assert (call.state, call.counselor) == ("ended", None)
    await service.let_pass(60)
    status, refused = await service.place_call(order, CALLER)
    assert (status, refused["code"]) == (409, "counselor_offline")


async def test_who_signs_out_hears_no_more_in_any_window_and_their_other_sign_in_goes_on(
    on_duty: OnDuty,
) -> None:
    service, elsewhere = on_duty.service, await on_duty.signs_in()
    async with (
        a_console(service, on_duty.headers) as window,
        a_console(service, on_duty.headers) as second_window,
        a_console(service, elsewhere) as another_browser,
    ):
        async with service.client.delete("/v1/sessions/current", headers=on_duty.headers) as gone:
            assert gone.status == 204
        assert await closed(window) == CloseCode.UNAUTHENTICATED
        assert await closed(second_window) == CloseCode.UNAUTHENTICATED
        assert (await another_browser.receive_json(timeout=SOON_SECONDS))["type"] == "beat"


async def test_a_talk_of_somebody_who_is_suspended_goes_on(on_duty: OnDuty) -> None:
    service = on_duty.service
    await service.script(COUNSELOR, answers="yes", presses="1")
    order = await on_duty.is_rung()
    assert (await service.people.see_call(order)).state == "bridged"

    await on_duty.ask("POST", f"{on_duty.account}/suspend", on_duty.operator)

    await service.let_pass(30)
    assert (await service.people.see_call(order)).state == "bridged"
    assert await on_duty.presence() == "offline"


async def test_who_is_no_counselor_any_more_is_rung_no_longer_and_keeps_the_account(
    on_duty: OnDuty,
) -> None:
    service = on_duty.service
    await service.script(COUNSELOR, answers="no_answer")
    order = await on_duty.is_rung()

    async with a_console(service, on_duty.headers) as console:
        await on_duty.ask("PUT", on_duty.account, on_duty.operator, {"roles": ["steward"]})
        assert await closed(console) == CloseCode.TRY_AGAIN_LATER

    assert await on_duty.presence() == "offline"
    assert (await service.people.see_call(order)).state == "ended"
    signed_in = await on_duty.ask("GET", "/v1/sessions/current", on_duty.headers)
    assert signed_in["roles"] == ["steward"]


async def test_duties_that_stay_the_same_disturb_nobody(on_duty: OnDuty) -> None:
    service = on_duty.service
    await service.script(COUNSELOR, answers="no_answer")
    order = await on_duty.is_rung()
    duties = {"roles": ["counselor", "steward"], "counselor": on_duty.counselor}

    await on_duty.ask("PUT", on_duty.account, on_duty.operator, duties)

    assert await on_duty.presence() == "available"
    assert (await service.people.see_call(order)).state.startswith("ringing")


async def test_who_watches_over_less_than_before_hears_no_more_of_the_rest(
    on_duty: OnDuty,
) -> None:
    service = on_duty.service
    watching = await service.sign_in("supervisor", "steward")
    who = (await on_duty.ask("GET", "/v1/sessions/current", watching))["id"]

    async with service.client.ws_connect("/v1/live", headers=watching) as live:
        assert "calls" in await live.receive_json(timeout=10)
        path = f"/v1/staff/members/{who}"
        await on_duty.ask("PUT", path, on_duty.operator, {"roles": ["steward"]})
        assert await closed(live) == CloseCode.TRY_AGAIN_LATER

    async with service.client.ws_connect("/v1/live", headers=watching) as live:
        assert "calls" not in await live.receive_json(timeout=10)
