"""Those who watch over live calls: what they see, and whom they call back after a crisis (X55)."""

import pytest

from tests.people import CALLER, COUNSELOR, DOCTOR
from tests.serving import Service
from tests.warmline.api.everybody import NUMBERS, OTHER_COUNSELOR, Everybody, everybody
from tests.warmline.api.test_live import listen, told

ANOTHER, YET_ANOTHER = "+8613800000011", "+8613800000012"
SAID = "she is at her sister's and will see her doctor tomorrow"


async def in_crisis(service: Service) -> Everybody:
    """The caller's talk turned into a crisis."""
    all_ = await everybody(service)
    status, _ = await all_.ask("counselor", "POST", "/v1/calls/{call}/crisis")
    assert status == 200
    return all_


async def hang_up(service: Service, number: str = CALLER) -> None:
    async with service.client.post(f"/sim/handsets/{number}/hangup") as response:
        assert response.status == 204
    await service.let_pass(1)


async def due(all_: Everybody, who: str = "supervisor", state: str = "open") -> list[object]:
    status, page = await all_.ask(who, "GET", f"/v1/follow-ups?state={state}")
    assert status == 200, page
    assert isinstance(page["items"], list)
    return page["items"]


# --- what is going on -----------------------------------------------------------------------------


@pytest.mark.rule("X55")
@pytest.mark.parametrize("who", ["supervisor", "support", "operator"])
async def test_whoever_watches_begins_with_every_live_call_and_danger_stands_first(
    service: Service, who: str
) -> None:
    all_ = await everybody(service)
    other = await service.house.pool.fetchval(
        "SELECT id FROM counselors WHERE id <> $1", all_.counselor
    )
    endangered = await service.people.order(await service.people.caller(ANOTHER), other)
    await service.script(ANOTHER, answers="yes")
    await service.script(OTHER_COUNSELOR, answers="yes", presses="1")
    await service.place_call(endangered, ANOTHER)
    await service.let_pass(3)
    call = (await service.people.see_call(endangered)).id
    before = await told(await listen(all_, who))
    assert [one["id"] for one in before["calls"]] == [all_.call, call]

    await all_.ask("other_counselor", "POST", f"/v1/calls/{call}/crisis")
    now = await told(await listen(all_, who))

    assert [(one["id"], one["crisis"]) for one in now["calls"]] == [
        (call, True),
        (all_.call, False),
    ]
    assert {one["state"] for one in now["calls"]} == {"bridged"}
    assert {one["program"] for one in now["calls"]} == {"psych-listening"}
    assert now["calls_total"] == 2
    present = {one["id"]: (one["activity"], one["call"]) for one in now["counselors"]}
    assert present == {all_.counselor: ("engaged", all_.call), other: ("engaged", call)}
    assert not any(number in str(now) for number in NUMBERS)


async def test_whoever_watches_sees_who_waits_and_since_when(service: Service) -> None:
    all_ = await everybody(service, talking=False)
    for number in (ANOTHER, YET_ANOTHER):
        caller = await service.people.caller(number)
        order = await service.people.order(caller, program=DOCTOR)
        status, call = await service.place_call(order, number)
        assert (status, call["state"]) == (202, "queued")
        await service.let_pass(30)

    snapshot = await told(await listen(all_, "supervisor"))

    (queue,) = snapshot["queues"]
    first = min(one["started_at"] for one in snapshot["calls"])
    assert (queue["program"], queue["waiting"], queue["in_crisis"]) == (DOCTOR, 2, 0)
    assert queue["longest_since"] == first
    free = {one["activity"] for one in snapshot["counselors"]}
    assert free == {"free"}


async def test_nobody_else_is_told_of_other_peoples_calls(service: Service) -> None:
    all_ = await everybody(service)

    for who in ("steward", "insurer", "other_counselor", "stranger", "caller"):
        assert "calls" not in await told(await listen(all_, who)), who


@pytest.mark.rule("X55")
async def test_a_supervisor_hears_of_a_crisis_at_once_and_it_stands_out(service: Service) -> None:
    all_ = await everybody(service)
    feeds = {who: await listen(all_, who) for who in ("supervisor", "counselor")}
    for feed in feeds.values():
        await told(feed)

    await all_.ask("counselor", "POST", "/v1/calls/{call}/crisis")

    event = await told(feeds["supervisor"])
    assert (event["kind"], event["call"], event["priority"]) == ("crisis_raised", all_.call, "high")
    await hang_up(service, CALLER)
    ordinary = await told(feeds["supervisor"])
    assert "priority" not in ordinary


# --- calling back ---------------------------------------------------------------------------------


@pytest.mark.rule("X55")
async def test_after_a_crisis_somebody_has_to_call_back_and_says_how_the_person_was_found(
    service: Service,
) -> None:
    all_ = await in_crisis(service)
    assert await due(all_) == []
    await hang_up(service)

    (task,) = await due(all_)
    assert isinstance(task, dict)
    assert (task["call"], task["order"], task["state"]) == (all_.call, all_.order, "open")
    assert task["handed_over"] is False
    assert await due(all_, "support") == [task]
    snapshot = await told(await listen(all_, "supervisor"))
    assert snapshot["follow_ups_open"] == 1

    status, closed = await all_.ask(
        "supervisor",
        "POST",
        f"/v1/follow-ups/{task['id']}/close",
        json={"outcome": "confirmed_safe", "note": SAID},
    )

    assert (status, closed["state"], closed["outcome"]) == (200, "closed", "confirmed_safe")
    assert closed["note"] == SAID
    assert await due(all_) == []
    assert await due(all_, state="closed") == [closed]
    kept = await service.house.pool.fetchval("SELECT note_sealed FROM follow_ups")
    assert SAID.encode() not in kept
    assert (await service.people.timeline(all_.order))[-1] == "follow_up.closed"
    said = await service.house.pool.fetchval("SELECT string_agg(data::text, '') FROM timeline")
    assert SAID not in said


@pytest.mark.rule("X55")
async def test_a_crisis_that_is_only_seen_after_the_call_is_followed_up_as_well_and_once(
    service: Service,
) -> None:
    all_ = await everybody(service)
    await hang_up(service)
    assert await due(all_) == []

    for _ in range(2):
        status, _ = await all_.ask("counselor", "POST", "/v1/calls/{call}/crisis")
        assert status == 200

    await service.let_pass(3600)
    assert len(await due(all_)) == 1
    assert (await service.people.timeline(all_.order)).count("follow_up.opened") == 1


async def test_an_ordinary_call_is_not_followed_up(service: Service) -> None:
    all_ = await everybody(service)
    await hang_up(service)
    await service.let_pass(3600)

    assert await due(all_) == []


async def test_what_was_found_is_not_written_over(service: Service) -> None:
    all_ = await in_crisis(service)
    await hang_up(service)
    (task,) = await due(all_)
    assert isinstance(task, dict)
    path = f"/v1/follow-ups/{task['id']}/close"
    await all_.ask("support", "POST", path, json={"outcome": "unknown"})

    status, refusal = await all_.ask("support", "POST", path, json={"outcome": "handed_over"})

    assert (status, refusal["code"]) == (409, "not_now")
    (closed,) = await due(all_, state="closed")
    assert isinstance(closed, dict)
    assert closed["outcome"] == "unknown"


@pytest.mark.parametrize(
    "who", ["caller", "app", "counselor", "steward", "operator", "insurer", "anyone"]
)
async def test_nobody_else_reads_or_closes_a_follow_up(service: Service, who: str) -> None:
    all_ = await everybody(service, talking=False)
    expected = 401 if who == "anyone" else 403

    assert (await all_.ask(who, "GET", "/v1/follow-ups"))[0] == expected
    body = {"outcome": "unknown"}
    assert (await all_.ask(who, "POST", "/v1/follow-ups/x/close", json=body))[0] == expected


async def test_follow_ups_come_in_pages_the_most_pressing_first(service: Service) -> None:
    all_ = await in_crisis(service)
    await hang_up(service)
    await service.script(ANOTHER, answers="yes")
    await service.script(COUNSELOR, answers="yes", presses="1")
    await service.let_pass(600)
    order = await service.people.order(await service.people.caller(ANOTHER), all_.counselor)
    status, second = await service.place_call(order, ANOTHER)
    assert status == 202, second
    await service.let_pass(3)
    await all_.ask("counselor", "POST", f"/v1/calls/{second['id']}/crisis")
    await hang_up(service, ANOTHER)

    _, first_page = await all_.ask("support", "GET", "/v1/follow-ups?limit=1")
    cursor = first_page["next_cursor"]
    _, last_page = await all_.ask("support", "GET", f"/v1/follow-ups?limit=1&cursor={cursor}")

    pages = [first_page, last_page]
    calls = [item["call"] for page in pages for item in page["items"]]  # type: ignore[attr-defined]
    assert calls == [all_.call, second["id"]]
    assert last_page["next_cursor"] is None
