"""A break that the service decided: for which offers, told until the counselor is back."""

from typing import Any

import pytest

from terms.ids import CounselorId
from tests.people import COUNSELOR, LISTENING
from tests.serving import Service

Headers = dict[str, str]
Desk = dict[str, Any]


@pytest.fixture
async def counselor(service: Service) -> CounselorId:
    return await service.people.counselor()


@pytest.fixture
async def me(service: Service, counselor: CounselorId) -> Headers:
    return await service.sign_in("counselor", counselor=counselor)


async def ask(service: Service, method: str, path: str, who: Headers, **body: object) -> Desk:
    async with service.client.request(method, path, headers=who, json=body or None) as response:
        assert response.status < 400, await response.text()
        told: Desk = await response.json()
        return told


async def rung(service: Service, counselor: CounselorId, caller: str) -> str:
    """A caller of their own rings the counselor; the call's id."""
    await service.script(caller, answers="yes", talks_for_seconds=60)
    order = await service.people.order(await service.people.caller(caller), counselor)
    status, call = await service.place_call(order, caller)
    assert status == 202, call
    await service.let_pass(3)
    return str(call["id"])


async def declined(
    service: Service, me: Headers, counselor: CounselorId, caller: str, how: str
) -> str:
    await service.script(COUNSELOR, answers="rejects" if how == "phone" else "no_answer")
    call = await rung(service, counselor, caller)
    if how == "console":
        await ask(service, "POST", f"/v1/calls/{call}/decline", me)
    await service.let_pass(62)  # the pause after a declined offer is over
    return call


@pytest.mark.parametrize("how", ["console", "phone"])
async def test_three_declined_offers_in_a_row_end_in_a_break_whose_reason_the_desk_tells(
    service: Service, counselor: CounselorId, me: Headers, how: str
) -> None:
    calls = []
    for place in range(1, 4):
        desk = await ask(service, "GET", "/v1/me", me)
        assert (desk["activity"], desk["sent_away"]) == ("free", None)
        calls.append(
            await declined(service, me, counselor, f"+861380000000{place}", how),
        )

    desk = await ask(service, "GET", "/v1/me", me)

    assert (desk["presence"], desk["activity"]) == ("break", "break")
    away = desk["sent_away"]
    assert [(one["call"], one["program"], one["why"]) for one in away["offers"]] == [
        (call, LISTENING, "declined") for call in calls
    ]
    times = [one["at"] for one in away["offers"]]
    assert times == sorted(times)
    assert times[-1] == away["since"]

    kept = await ask(service, "PUT", "/v1/me/presence", me, state="break")
    assert kept["sent_away"] == away
    back = await ask(service, "PUT", "/v1/me/presence", me, state="available")
    assert (back["activity"], back["sent_away"]) == ("free", None)
    again = await declined(service, me, counselor, "+8613800000004", how)
    desk = await ask(service, "GET", "/v1/me", me)
    assert (desk["activity"], desk["last_offer"]["call"]) == ("free", again)


async def test_three_missed_offers_in_a_row_end_in_a_break_whose_reason_the_desk_tells(
    service: Service, counselor: CounselorId, me: Headers
) -> None:
    calls = []
    for place, answers in enumerate(("no_answer", "fault"), 1):
        await service.script(COUNSELOR, answers=answers)
        calls.append(await rung(service, counselor, f"+861380000000{place}"))
        for _ in range(6):
            await service.let_pass(30)

    away = (await ask(service, "GET", "/v1/me", me))["sent_away"]

    # A call that its counselor missed rings them once more.
    assert {one["call"] for one in away["offers"]} == set(calls)
    assert [one["why"] for one in away["offers"]] == ["missed", "missed", "fault"]


async def test_who_takes_the_call_that_rings_on_after_the_break_began_is_told_of_both(
    service: Service, counselor: CounselorId, me: Headers
) -> None:
    await service.script(COUNSELOR, answers="no_answer")
    await rung(service, counselor, "+8613800000001")
    for _ in range(6):
        await service.let_pass(30)
    last = await rung(service, counselor, "+8613800000002")
    await service.script(COUNSELOR, answers="yes", after_seconds=9, presses="1")  # the next ring
    while (desk := await ask(service, "GET", "/v1/me", me))["sent_away"] is None:
        await service.let_pass(5)
    away = desk["sent_away"]
    await service.let_pass(15)

    desk = await ask(service, "GET", "/v1/me", me)

    assert (desk["activity"], desk["presence"], desk["call"]["id"]) == ("engaged", "break", last)
    assert desk["call"]["state"] == "bridged"
    assert (len(away["offers"]), desk["sent_away"]) == (3, away)


async def test_a_break_that_was_chosen_has_no_reason_to_be_told(
    service: Service, counselor: CounselorId, me: Headers
) -> None:
    await declined(service, me, counselor, "+8613800000001", "console")

    desk = await ask(service, "PUT", "/v1/me/presence", me, state="break")

    assert (desk["activity"], desk["sent_away"]) == ("break", None)


@pytest.mark.parametrize("chosen", ["break", "offline"])
async def test_after_a_call_that_failed_a_counselor_is_what_they_chose_to_be(
    service: Service, counselor: CounselorId, me: Headers, chosen: str
) -> None:
    await service.script(COUNSELOR, answers="no_answer")
    await rung(service, counselor, "+8613800000001")
    assert (await ask(service, "GET", "/v1/me", me))["activity"] == "engaged"
    await ask(service, "PUT", "/v1/me/presence", me, state=chosen)

    for _ in range(6):
        await service.let_pass(30)

    desk = await ask(service, "GET", "/v1/me", me)
    assert (desk["presence"], desk["activity"], desk["sent_away"]) == (chosen, chosen, None)
