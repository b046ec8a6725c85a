"""What a counselor's console needs: drafts that outlive a tab, the whole of "me", and the day."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from terms.ids import OrderId
from tests.people import CALLER, COUNSELOR
from tests.scenarios.test_family_doctor import EXPERT, other_program
from tests.serving import Service, a_service

Headers = dict[str, str]


@pytest.fixture
async def me(service: Service) -> Headers:
    counselor = await service.people.counselor()
    return await service.sign_in("counselor", counselor=counselor)


async def ask(
    service: Service, method: str, path: str, who: Headers, **request: Any
) -> tuple[int, dict[str, Any]]:
    async with service.client.request(method, path, headers=who, **request) as response:
        return response.status, await response.json()


async def order_for(service: Service, number: str = CALLER) -> OrderId:
    counselor = await service.house.pool.fetchrow("SELECT id FROM counselors ORDER BY id LIMIT 1")
    assert counselor is not None
    return await service.people.order(await service.people.caller(number), counselor["id"])


OTHER_CALLER = "+8613800000002"


async def talking(service: Service, *, seconds: int = 600) -> str:
    """A call whose two people talk."""
    await service.script(CALLER, answers="yes", talks_for_seconds=seconds)
    await service.script(COUNSELOR, answers="yes", presses="1")
    _, call = await service.place_call(await order_for(service), CALLER)
    await service.let_pass(30)
    return str(call["id"])


async def test_what_is_typed_is_kept_from_the_first_word_to_the_handing_in(
    service: Service, me: Headers
) -> None:
    call = await talking(service, seconds=60)
    path = f"/v1/calls/{call}/notes"
    status, empty = await ask(service, "GET", path, me)
    assert (status, empty["version"], empty["summary"]) == (200, 0, "")

    risk = {"thoughts": "yes", "plan": "no", "means": "unsaid", "alone": "no", "level": "low"}
    typed = {"summary": "cannot sl", "topics": ["work_stress"], "risk": risk, "version": 0}
    assert (await ask(service, "PUT", path, me, json=typed))[0] == 200
    assert (await ask(service, "PUT", path, me, json=typed))[1]["version"] == 1  # the same again
    await service.let_pass(120)  # the talk is over, the draft is not
    _, kept = await ask(service, "GET", path, me)
    assert (kept["summary"], kept["risk"], kept["version"]) == ("cannot sl", risk, 1)
    assert kept["written_at"] is None

    notes = {"summary": "cannot sleep", "disposition": "relieved"}
    assert (await ask(service, "POST", f"/v1/calls/{call}/wrap-up", me, json=notes))[0] == 200
    _, after = await ask(service, "GET", path, me)
    assert (after["summary"], after["version"], bool(after["written_at"])) == ("", 0, True)
    status, refused = await ask(service, "PUT", path, me, json={"version": 0})
    assert (status, refused["code"]) == (409, "not_now")


async def test_of_two_tabs_the_one_that_is_behind_is_told_so(service: Service, me: Headers) -> None:
    path = f"/v1/calls/{await talking(service)}/notes"
    assert (await ask(service, "PUT", path, me, json={"summary": "a", "version": 0}))[0] == 200

    status, told = await ask(service, "PUT", path, me, json={"summary": "b", "version": 0})

    assert (status, told["code"]) == (409, "changed_meanwhile")
    assert (await ask(service, "GET", path, me))[1]["summary"] == "a"


async def test_nobody_elses_notes_are_there_and_none_is_stored_readably(
    service: Service, me: Headers
) -> None:
    other = await service.people.counselor("+8613900000002")
    stranger = await service.sign_in("counselor", counselor=other)
    path = f"/v1/calls/{await talking(service)}/notes"
    await ask(service, "PUT", path, me, json={"summary": "very private", "version": 0})

    assert (await ask(service, "GET", path, stranger))[0] == 404
    assert (await ask(service, "PUT", path, stranger, json={"version": 1}))[0] == 404
    stored = await service.house.pool.fetchval("SELECT d::text FROM note_drafts AS d")
    assert "private" not in stored
    assert b"private".hex() not in stored


async def test_me_tells_the_offer_the_phones_and_what_is_owed(
    service: Service, me: Headers
) -> None:
    await service.script(CALLER, answers="yes", talks_for_seconds=60)
    await service.script(COUNSELOR, answers="yes", after_seconds=10, presses="1")
    _, call = await service.place_call(await order_for(service), CALLER)
    await service.let_pass(5)

    _, ringing = await ask(service, "GET", "/v1/me", me)
    assert ringing["phone"] == "+86139****0001"
    assert ringing["offer"]["ring_until"] > ringing["offer"]["offered_at"]
    phones = {leg["role"]: leg["state"] for leg in ringing["call"]["legs"]}
    assert phones == {"caller": "answered", "counselor": "ringing"}

    await service.let_pass(20)
    _, on_call = await ask(service, "GET", "/v1/me", me)
    assert {leg["state"] for leg in on_call["call"]["legs"]} == {"talking"}
    assert not on_call["call"]["can_extend"]

    await service.let_pass(120)
    (owed,) = (await ask(service, "GET", "/v1/me", me))[1]["wrap_ups"]
    assert (owed["call"], owed["program"]) == (call["id"], "psych-listening")
    assert owed["talked_seconds"] == 60


@pytest.mark.rule("X09")
async def test_both_are_told_the_time_left_which_stands_still_while_one_is_rung_again(
    service: Service, me: Headers
) -> None:
    await service.script(CALLER, answers="yes", talks_for_seconds=40, ends_by="drop")
    await service.script(COUNSELOR, answers="yes", presses="1")
    order = await order_for(service)
    await service.place_call(order, CALLER)
    await service.let_pass(30)
    path, mine = f"/v1/orders/{order}", service.device(CALLER)
    assert (await ask(service, "GET", path, mine))[1]["call"]["left_seconds"] is None
    await service.script(CALLER, answers="no_answer")

    told = set()
    for _ in range(2):
        await service.let_pass(30)
        _, caller = await ask(service, "GET", path, mine)
        _, counselor = await ask(service, "GET", "/v1/me", me)
        assert (caller["call"]["state"], counselor["call"]["state"]) == ("parted", "parted")
        told |= {caller["call"]["left_seconds"], counselor["call"]["left_seconds"]}

    assert told == {1500 - 40}


@pytest.mark.rule("X33")
async def test_where_the_program_leaves_it_to_them_the_counselor_gives_more_time_even_at_the_end(
    database_url: str, tmp_path: Path
) -> None:
    expert = other_program(EXPERT, ('cap_kind = "hard"', 'cap_kind = "soft"'))
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs" / "expert.toml").write_text(expert, encoding="utf-8")
    async with a_service(database_url, tmp_path, programs=tmp_path / "programs") as service:
        doctor = await service.people.counselor(program=EXPERT)
        me = await service.sign_in("counselor", counselor=doctor)
        order = await service.people.order(await service.people.caller(), program=EXPERT)
        await service.script(CALLER, answers="yes", talks_for_seconds=3000)
        await service.script(COUNSELOR, answers="yes", presses="1")
        _, call = await service.place_call(order, CALLER)
        await service.let_pass(60)
        extend = f"/v1/calls/{call['id']}/extend"

        before = (await ask(service, "GET", "/v1/me", me))[1]["call"]
        status, longer = await ask(service, "POST", extend, me)
        assert (status, before["can_extend"], longer["can_extend"]) == (200, True, True)
        gained = datetime.fromisoformat(longer["ends_at"]) - datetime.fromisoformat(
            before["ends_at"]
        )
        assert (gained.total_seconds(), longer["extended_seconds"]) == (300, 300)

        await service.let_pass(1200)  # the time is up, and both go on talking
        over = (await ask(service, "GET", "/v1/me", me))[1]["call"]
        assert (over["state"], over["ends_at"], over["can_extend"]) == ("bridged", None, True)
        assert over["over_since"] == longer["ends_at"]
        assert (before["over_since"], longer["over_since"]) == (None, None)
        _, again = await ask(service, "POST", extend, me, json={"seconds": 600})
        assert (again["extended_seconds"], again["ends_at"] is None) == (900, False)
        assert again["over_since"] is None


async def test_the_day_tells_every_call_that_rang_and_what_it_came_to(
    service: Service, me: Headers
) -> None:
    taken = await talking(service, seconds=60)
    await service.let_pass(120)
    await ask(
        service,
        "POST",
        f"/v1/calls/{taken}/wrap-up",
        me,
        json={"summary": "x", "disposition": "relieved"},
    )
    await ask(service, "PUT", "/v1/me/presence", me, json={"state": "available"})
    await service.script(OTHER_CALLER, answers="yes", talks_for_seconds=60)
    await service.script(COUNSELOR, answers="rejects")
    order = await order_for(service, OTHER_CALLER)
    assert (await service.place_call(order, OTHER_CALLER))[0] == 202
    await service.let_pass(60)

    _, day = await ask(service, "GET", "/v1/me/day", me)

    assert (day["offered"], day["connected"], day["declined"], day["missed"]) == (2, 1, 1, 0)
    assert day["talked_seconds"] == 60
    assert [line["became"] for line in day["calls"]] == ["declined", "connected"]
    assert [line["notes"] for line in day["calls"]] == ["none", "written"]
    _, yesterday = await ask(service, "GET", "/v1/me/day?on=2020-12-31", me)
    assert yesterday["calls"] == []
    for unclear in ("0", "today", "2030-1-1", "2030-02-30"):
        assert (await ask(service, "GET", f"/v1/me/day?on={unclear}", me))[0] == 422, unclear


async def test_every_answer_tells_the_services_time(service: Service) -> None:
    async with service.client.get("/v1/programs") as response:
        before = response.headers["Warmline-Now"]
    await service.let_pass(3600)
    async with service.client.get("/v1/nowhere") as response:
        after = response.headers["Warmline-Now"]

    assert before.endswith("Z")
    assert (before[11:13], after[11:13]) == ("04", "05")
