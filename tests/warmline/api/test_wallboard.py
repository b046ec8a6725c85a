"""The wallboard's figures, each set against calls that were played to give exactly that figure."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from terms.ids import CounselorId, OrderId
from tests.people import CALLER, COUNSELOR, LISTENING
from tests.serving import SHANGHAI, Service, a_service

CALLERS = tuple(f"+861380000000{place}" for place in range(1, 6))


@pytest.fixture
async def supervisor(service: Service) -> dict[str, str]:
    return await service.sign_in("supervisor")


async def get(service: Service, path: str, who: dict[str, str]) -> dict[str, Any]:
    async with service.client.get(path, headers=who) as response:
        assert response.status == 200, await response.text()
        found: dict[str, Any] = await response.json()
        return found


async def order_of(service: Service, caller: str, counselor: CounselorId) -> OrderId:
    return await service.people.order(await service.people.caller(caller), counselor)


async def test_today_counts_offered_answered_given_up_and_blocked_apart(
    service: Service, supervisor: dict[str, str]
) -> None:
    counselor = await service.people.counselor()
    quick, slow, gave_up, at_once, _ = CALLERS
    me = await service.sign_in("counselor", counselor=counselor)

    for caller, answers_after in ((quick, 2), (slow, 15)):
        await service.script(
            caller, answers="yes", after_seconds=answers_after, talks_for_seconds=90
        )
        await service.script(COUNSELOR, answers="yes", after_seconds=10, presses="1")
        assert (await service.place_call(await order_of(service, caller, counselor), caller))[
            0
        ] == 202
        await service.let_pass(200)
        async with service.client.put(
            "/v1/me/presence", json={"state": "available"}, headers=me
        ) as response:
            assert response.status == 200
        await service.let_pass(700)  # the wrap-up is over
    for caller, seconds in ((gave_up, 8), (at_once, 2)):
        await service.script(caller, answers="yes", after_seconds=60)
        order = await order_of(service, caller, counselor)
        assert (await service.place_call(order, caller))[0] == 202
        await service.let_pass(seconds)
        async with service.client.delete(
            f"/v1/orders/{order}/calls/current", headers=service.device(caller)
        ) as response:
            assert response.status == 202
        await service.let_pass(5)

    board = await get(service, "/v1/wallboard", supervisor)

    today = board["today"]
    assert (today["offered"], today["answered"]) == (4, 2)
    assert (today["abandoned"], today["abandoned_short"], today["blocked"]) == (2, 1, 0)
    level = today["service_level"]
    assert (level["within_seconds"], level["answered_in_time"], level["counted"]) == (20, 1, 3)
    assert level["percent"] == pytest.approx(33.3)
    assert "20" in level["formula"]["zh"]
    seconds = today["answer_seconds"]
    assert 10 < seconds["p50"] < seconds["p90"] < 40
    assert seconds["mean"] == pytest.approx(seconds["p50"])  # of two, the mean is the median
    assert today["verdicts"]["party_ended"] == 2
    (listening,) = board["programs"]
    assert listening == {**today, "program": LISTENING}
    patient = await get(service, "/v1/wallboard?within_seconds=60", supervisor)
    assert patient["today"]["service_level"]["answered_in_time"] == 2


async def test_a_call_under_way_is_offered_and_counts_for_the_level_once_it_is_decided(
    service: Service, supervisor: dict[str, str]
) -> None:
    counselor = await service.people.counselor()
    await service.script(CALLER, answers="yes", talks_for_seconds=90)
    await service.script(COUNSELOR, answers="yes", after_seconds=10, presses="1")
    assert (await service.place_call(await order_of(service, CALLER, counselor), CALLER))[0] == 202
    await service.let_pass(3)

    async def figures() -> tuple[Any, ...]:
        board = await get(service, "/v1/wallboard", supervisor)
        heat = await get(service, "/v1/wallboard/heat", supervisor)
        today = board["today"]
        level, (cell,) = today["service_level"], heat["cells"]
        assert (cell["offered"], cell["percent"]) == (today["offered"], level["percent"])
        return (
            today["offered"],
            today["under_way"],
            today["answered"],
            level["counted"],
            level["percent"],
        )

    assert await figures() == (1, 1, 0, 0, None)
    await service.let_pass(30)
    assert await figures() == (1, 0, 1, 1, 100.0)


async def test_the_numbers_of_the_service_level_are_settings_of_board_and_report_alike(
    database_url: str, tmp_path: Path
) -> None:
    settings = {"service_level_seconds": 30, "short_abandon_seconds": 10}
    async with a_service(database_url, tmp_path, **settings) as service:
        supervisor = await service.sign_in("supervisor", "operator")
        counselor = await service.people.counselor()
        await service.script(CALLER, answers="yes", after_seconds=60)
        order = await order_of(service, CALLER, counselor)
        assert (await service.place_call(order, CALLER))[0] == 202
        await service.let_pass(8)
        async with service.client.delete(
            f"/v1/orders/{order}/calls/current", headers=service.device(CALLER)
        ) as response:
            assert response.status == 202
        await service.let_pass(5)

        today = (await get(service, "/v1/wallboard", supervisor))["today"]
        stricter = "/v1/wallboard?short_abandon_seconds=7&within_seconds=40"
        asked = (await get(service, stricter, supervisor))["today"]
        month = service.house.clock.now().astimezone(SHANGHAI).strftime("%Y-%m")
        report = await get(service, f"/v1/reports/calls?month={month}", supervisor)

    assert (today["abandoned_short"], asked["abandoned_short"]) == (1, 0)
    level, other = today["service_level"], asked["service_level"]
    assert (level["within_seconds"], level["short_abandon_seconds"]) == (30, 10)
    assert (level["counted"], other["counted"]) == (0, 1)
    assert level["formula"]["en"] == (
        "connected within 30 s / (offered - under way - given up within 10 s)"
    )
    assert tuple(number for number in ("40 秒", "7 秒") if number in other["formula"]["zh"]) == (
        "40 秒",
        "7 秒",
    )
    (day,) = report["days"]
    assert (day["offered"], day["abandoned_short"], day["service_level_counted"]) == (1, 1, 0)
    assert any("within 30 s" in note and "within 10 s" in note for note in report["notes"])


async def test_now_tells_what_every_call_and_counselor_is_doing(
    service: Service, supervisor: dict[str, str]
) -> None:
    counselor = await service.people.counselor()
    other = await service.people.counselor("+8613900000002")
    await service.people.counselor("+8613900000003", available=False)
    await service.script(CALLER, answers="yes", talks_for_seconds=600)
    await service.script(COUNSELOR, answers="yes", presses="1")
    assert (await service.place_call(await order_of(service, CALLER, counselor), CALLER))[0] == 202
    await service.let_pass(30)
    await service.script(CALLERS[1], answers="no_answer")
    ringing = await order_of(service, CALLERS[1], other)
    assert (await service.place_call(ringing, CALLERS[1]))[0] == 202
    await service.let_pass(1)

    now = (await get(service, "/v1/wallboard", supervisor))["now"]

    assert (now["talking"], now["ringing"], now["waiting"], now["in_crisis"]) == (1, 1, 0, 0)
    assert now["counselors"]["engaged"] == 2
    assert now["counselors"]["free"] == 0
    assert now["stuck"] == []


async def test_a_phone_that_rings_beside_a_page_that_does_not_show_it_is_counted_and_named(
    service: Service, supervisor: dict[str, str]
) -> None:
    counselor = await service.people.counselor()
    other = await service.people.counselor("+8613900000002")
    for caller in CALLERS[:2]:
        await service.script(caller, answers="yes", talks_for_seconds=600)
    await service.script(COUNSELOR, answers="no_answer")
    await service.script("+8613900000002", answers="yes", presses="1")
    assert (await service.place_call(await order_of(service, CALLERS[1], other), CALLERS[1]))[
        0
    ] == 202
    await service.let_pass(30)  # whoever talks has no call to be shown
    _, call = await service.place_call(await order_of(service, CALLER, counselor), CALLER)
    await service.let_pass(3)

    async def not_showing() -> tuple[int, list[str]]:
        board = await get(service, "/v1/wallboard", supervisor)
        roster = await get(service, "/v1/staff/counselors", supervisor)
        named = [one["id"] for one in roster["items"] if one["not_showing_since"] is not None]
        return board["now"]["not_showing"], named

    assert await not_showing() == (0, [])  # it may still say so
    await service.let_pass(6)
    assert await not_showing() == (1, [counselor])

    me = await service.sign_in("counselor", counselor=counselor)
    async with service.client.post(
        f"/v1/calls/{call['id']}/seen", json={"visible": False}, headers=me
    ) as response:
        assert response.status == 204
    assert await not_showing() == (0, [])


async def test_a_board_that_is_read_while_a_call_moves_on_shows_it_in_one_place(
    service: Service, supervisor: dict[str, str]
) -> None:
    counselor = await service.people.counselor()
    await service.script(CALLER, answers="no_answer")
    assert (await service.place_call(await order_of(service, CALLER, counselor), CALLER))[0] == 202
    await service.let_pass(1)

    async with service.house.pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE counselors IN ACCESS EXCLUSIVE MODE")
        reading = asyncio.create_task(get(service, "/v1/wallboard", supervisor))
        await _held_up(service)
        await connection.execute("UPDATE calls SET counselor = NULL, state = 'waiting'")
    now = (await reading)["now"]

    assert (now["ringing"], now["counselors"]["engaged"]) == (1, 1)


async def _held_up(service: Service) -> None:
    """The reader of the board stands at the lock, with its first figures read."""
    stands = """SELECT true FROM pg_stat_activity
                WHERE wait_event_type = 'Lock' AND query LIKE '%ORDER BY c.id LIMIT $3%'"""
    async with asyncio.timeout(10):
        while not await service.house.pool.fetchval(stands):  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(0.01)


async def test_a_call_whose_timer_nobody_fires_is_shown_as_stuck(
    service: Service, supervisor: dict[str, str]
) -> None:
    counselor = await service.people.counselor()
    await service.script(CALLER, answers="no_answer")
    order = await order_of(service, CALLER, counselor)
    _, call = await service.place_call(order, CALLER)
    await service.let_pass(1)
    now = service.house.clock.now()
    await service.house.pool.execute(
        """UPDATE timers SET due_at = $1::timestamptz - interval '61 s',
               leased_until = $1::timestamptz + interval '1 hour'""",
        now,
    )

    (stuck,) = (await get(service, "/v1/wallboard", supervisor))["now"]["stuck"]

    assert stuck["call"] == call["id"]


async def test_half_hours_and_the_roster_carry_what_was_talked(
    service: Service, supervisor: dict[str, str]
) -> None:
    counselor = await service.people.counselor()
    idle = await service.people.counselor("+8613900000002", available=False)
    await service.script(CALLER, answers="yes", talks_for_seconds=90)
    await service.script(COUNSELOR, answers="yes", presses="1")
    began = service.house.clock.now()
    assert (await service.place_call(await order_of(service, CALLER, counselor), CALLER))[0] == 202
    await service.let_pass(200)

    heat = await get(service, "/v1/wallboard/heat?weeks=1", supervisor)
    roster = await get(service, "/v1/staff/counselors?limit=1", supervisor)
    rest = await get(
        service, f"/v1/staff/counselors?limit=1&cursor={roster['next_cursor']}", supervisor
    )

    (cell,) = heat["cells"]
    assert (cell["weekday"], cell["half_hour"]) == _place(began)
    assert (cell["offered"], cell["answered"], cell["percent"]) == (1, 1, 100.0)
    people = {one["id"]: one for one in (*roster["items"], *rest["items"])}
    assert (people[counselor]["calls_today"], people[counselor]["talked_seconds_today"]) == (1, 90)
    assert (people[idle]["calls_today"], people[idle]["activity"]) == (0, "offline")


async def test_of_a_thousand_counselors_everybody_is_counted_and_found_by_what_they_do(
    service: Service, supervisor: dict[str, str]
) -> None:
    first = await service.people.counselor()
    await service.house.pool.execute(_NINE_HUNDRED_NINETY_NINE_MORE, service.house.clock.now())
    await service.script(CALLER, answers="no_answer")
    assert (await service.place_call(await order_of(service, CALLER, first), CALLER))[0] == 202
    await service.let_pass(1)

    async def everybody(query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            path = f"/v1/staff/counselors?limit=100{query}{cursor}"
            page = await get(service, path, supervisor)
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    roster = await everybody("")
    counted = (await get(service, "/v1/wallboard", supervisor))["now"]["counselors"]

    assert len({one["id"] for one in roster}) == len(roster) == 1_000
    for activity, count in counted.items():
        doing = [one["id"] for one in roster if one["activity"] == activity]
        assert [one["id"] for one in await everybody(f"&activity={activity}")] == doing
        assert doing
        assert activity == "offline" or count == len(doing)  # the board counts those at work


_NINE_HUNDRED_NINETY_NINE_MORE = """
    INSERT INTO counselors (tenant, id, name, phone_index, phone_sealed, programs, roles,
        staff_type, presence, lease_until, wrap_up_until, cooldown_until, idle_since)
    SELECT tenant, id || '-' || n, name, phone_index, phone_sealed, programs, roles, staff_type,
        (ARRAY['available', 'break', 'offline'])[1 + n % 3],
        $1::timestamptz + make_interval(hours => CASE WHEN n % 5 = 0 THEN -1 ELSE 12 END),
        CASE n % 7 WHEN 0 THEN $1 + interval '1 h' WHEN 1 THEN $1 - interval '1 h' END,
        CASE n % 4 WHEN 0 THEN $1 + interval '1 h' WHEN 1 THEN $1 - interval '1 h' END, $1
    FROM counselors, generate_series(1, 999) AS n"""


def _place(instant: datetime) -> tuple[int, int]:
    here = instant.astimezone(ZoneInfo("Asia/Shanghai"))
    return here.isoweekday(), here.hour * 2 + here.minute // 30
