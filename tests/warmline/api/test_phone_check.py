"""A counselor has their own phone rung before taking calls: really rung, and no call at all."""

from typing import Any

import pytest

from tests.people import CALLER, COUNSELOR
from tests.serving import Service

Headers = dict[str, str]
CHECK = "/v1/me/phone-check"


@pytest.fixture
async def me(service: Service) -> Headers:
    counselor = await service.people.counselor(available=False)
    return await service.sign_in("counselor", counselor=counselor)


async def ask(service: Service, method: str, path: str, who: Headers) -> tuple[int, dict[str, Any]]:
    async with service.client.request(method, path, headers=who) as response:
        return response.status, await response.json()


async def checked(service: Service, me: Headers, *, after_seconds: float = 5) -> dict[str, Any]:
    """What the desk says of the phone some time after it was rung."""
    await service.let_pass(after_seconds)
    _, told = await ask(service, "GET", "/v1/me", me)
    check: dict[str, Any] = told["phone_check"]
    return check


async def test_a_phone_that_is_answered_and_presses_1_is_reached_and_nothing_is_counted(
    service: Service, me: Headers
) -> None:
    assert (await ask(service, "GET", "/v1/me", me))[1]["phone_check"] is None
    await service.script(COUNSELOR, answers="yes", after_seconds=18, presses="1")

    status, begun = await ask(service, "POST", CHECK, me)

    assert (status, begun["phone_check"]["state"]) == (202, "ringing")
    for _ in range(3):  # nobody takes the leg of no call for a stray
        assert (await checked(service, me, after_seconds=5.5))["state"] == "ringing"
    assert (await checked(service, me))["state"] == "reached"
    await service.let_pass(60)  # it was let go: nobody holds the phone any more
    async with service.client.get("/sim/handsets") as response:
        (phone,) = [one for one in await response.json() if one["number"] == COUNSELOR]
    assert (phone["state"], phone["heard"]) == ("idle", ["phone_check"])
    for table in ("orders", "calls", "timeline", "news"):
        assert await service.house.pool.fetchval(f"SELECT count(*) FROM {table}") == 0, table
    _, later = await ask(service, "GET", "/v1/me", me)
    assert (later["activity"], later["offer"], later["last_offer"]) == ("offline", None, None)


@pytest.mark.parametrize(
    ("phone", "reason"),
    [
        ({"answers": "yes"}, "not_accepted"),
        ({"answers": "no_answer"}, "no_answer"),
        ({"answers": "busy"}, "busy"),
        ({"answers": "off"}, "switched_off"),
        ({"answers": "unknown"}, "invalid_number"),
        ({"answers": "fault"}, "fault"),
    ],
    ids=str,
)
async def test_a_phone_that_is_not_reached_says_why(
    service: Service, me: Headers, phone: dict[str, str], reason: str
) -> None:
    await service.script(COUNSELOR, **phone)
    await ask(service, "POST", CHECK, me)
    for _ in range(6):
        found = await checked(service, me, after_seconds=10)

    assert (found["state"], found["reason"]) == ("not_reached", reason)


async def test_no_phone_is_rung_where_a_call_may_ring_it(service: Service, me: Headers) -> None:
    await service.house.pool.execute(
        "UPDATE counselors SET presence = 'available', lease_until = $1",
        service.house.clock.now().replace(year=2100),
    )
    status, told = await ask(service, "POST", CHECK, me)
    assert (status, told["code"]) == (409, "not_now")

    await service.script(CALLER, answers="yes", talks_for_seconds=600)
    await service.script(COUNSELOR, answers="yes", presses="1")
    counselor = await service.house.pool.fetchval("SELECT id FROM counselors")
    order = await service.people.order(await service.people.caller(), counselor)
    await service.place_call(order, CALLER)
    await service.let_pass(5)
    await service.house.pool.execute("UPDATE counselors SET presence = 'break'")
    status, told = await ask(service, "POST", CHECK, me)
    assert (status, told["code"]) == (409, "not_now")
    assert (await service.people.see_call(order)).state == "bridged"


async def test_a_phone_is_rung_once_at_a_time_and_not_again_and_again(
    service: Service, me: Headers
) -> None:
    await service.script(COUNSELOR, answers="no_answer")
    assert (await ask(service, "POST", CHECK, me))[0] == 202
    assert (await ask(service, "POST", CHECK, me))[1]["code"] == "not_now"
    await service.script(COUNSELOR, answers="busy")
    for _ in range(2):
        await service.let_pass(70)
        assert (await ask(service, "POST", CHECK, me))[0] == 202
    await service.let_pass(70)
    status, told = await ask(service, "POST", CHECK, me)
    assert (status, told["code"]) == (429, "rate_limited")


async def test_a_check_is_told_for_a_quarter_of_an_hour(service: Service, me: Headers) -> None:
    await service.script(COUNSELOR, answers="yes", presses="1")
    await ask(service, "POST", CHECK, me)

    assert (await checked(service, me, after_seconds=600))["state"] == "reached"
    assert await checked(service, me, after_seconds=400) is None
