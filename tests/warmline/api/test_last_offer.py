"""What became of the call that rang last: told after a reload, or a moment without a network."""

from typing import Any

import pytest

from tests.people import CALLER, COUNSELOR
from tests.serving import Service

Headers = dict[str, str]


@pytest.fixture
async def me(service: Service) -> Headers:
    counselor = await service.people.counselor()
    return await service.sign_in("counselor", counselor=counselor)


async def ask(service: Service, method: str, path: str, who: Headers) -> dict[str, Any]:
    async with service.client.request(method, path, headers=who) as response:
        told: dict[str, Any] = await response.json()
        return told


async def rung(service: Service, **counselor: object) -> str:
    """A caller is on the line, and the counselor's phone does what it was taught."""
    await service.script(CALLER, answers="yes", talks_for_seconds=60)
    await service.script(COUNSELOR, **counselor)
    found = await service.house.pool.fetchval("SELECT id FROM counselors")
    order = await service.people.order(await service.people.caller(), found)
    _, call = await service.place_call(order, CALLER)
    await service.let_pass(3)
    return str(call["id"])


@pytest.mark.parametrize(
    ("phone", "became"),
    [
        ({"answers": "no_answer"}, "missed"),
        ({"answers": "yes"}, "missed"),
        ({"answers": "busy"}, "missed"),
        ({"answers": "rejects"}, "declined"),
        ({"answers": "off"}, "missed"),
        ({"answers": "fault"}, "fault"),
        ({"answers": "unknown"}, "fault"),
    ],
    ids=str,
)
async def test_a_call_that_was_not_taken_is_told_for_ten_minutes(
    service: Service, me: Headers, phone: dict[str, str], became: str
) -> None:
    assert (await ask(service, "GET", "/v1/me", me))["last_offer"] is None
    call = await rung(service, **phone)
    for _ in range(6):
        await service.let_pass(30)

    last = (await ask(service, "GET", "/v1/me", me))["last_offer"]
    assert (last["call"], last["program"], last["became"]) == (call, "psych-listening", became)
    assert last["offered_at"] <= last["ended_at"]

    await service.let_pass(600)
    assert (await ask(service, "GET", "/v1/me", me))["last_offer"] is None


async def test_a_call_that_its_caller_gave_up_is_no_miss(service: Service, me: Headers) -> None:
    call = await rung(service, answers="no_answer")
    ringing = await ask(service, "GET", "/v1/me", me)
    assert (ringing["offer"]["call"], ringing["last_offer"]) == (call, None)

    path = f"/v1/orders/{ringing['offer']['order']}/calls/current"
    await ask(service, "DELETE", path, service.device(CALLER))

    assert (await ask(service, "GET", "/v1/me", me))["last_offer"]["became"] == "withdrawn"
    day = await ask(service, "GET", "/v1/me/day", me)
    assert (day["missed"], day["withdrawn"], day["calls"][0]["became"]) == (0, 1, "withdrawn")


async def test_a_call_that_was_taken_is_told_once_it_is_over(service: Service, me: Headers) -> None:
    call = await rung(service, answers="yes", presses="1")
    assert (await ask(service, "GET", "/v1/me", me))["last_offer"] is None

    await service.let_pass(90)

    last = (await ask(service, "GET", "/v1/me", me))["last_offer"]
    assert (last["call"], last["became"]) == (call, "connected")


async def test_a_console_that_shows_a_call_is_on_record_once_for_staff_alone(
    service: Service, me: Headers
) -> None:
    call = await rung(service, answers="no_answer")
    stranger = await service.people.counselor("+8613900000002")
    other = await service.sign_in("counselor", counselor=stranger)

    async def sees(who: Headers, visible: bool) -> int:
        path, body = f"/v1/calls/{call}/seen", {"visible": visible}
        async with service.client.post(path, json=body, headers=who) as response:
            return response.status

    assert await sees(other, True) == 404
    assert [await sees(me, visible) for visible in (False, True, True)] == [204] * 3

    lines = await service.house.pool.fetch(
        "SELECT data::text, visible FROM timeline WHERE kind = 'offer_seen' ORDER BY seq"
    )
    assert ["true" in line["data"] for line in lines] == [False, True]
    assert {tuple(line["visible"]) for line in lines} == {("staff",)}
    for _ in range(6):
        await service.let_pass(30)
    assert await sees(me, True) == 404
