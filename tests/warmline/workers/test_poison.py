"""What cannot be dealt with does not stand in the way of the rest."""

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from dialer.call import Call, State
from dialer.carriers import LegRinging
from dialer.store.news import keep_news, mark_fault
from terms.ids import OrderId
from tests.house import House
from tests.people import DOCTOR, TENANT
from tests.warmline.desk.database import CANCEL_WHO_WAITS
from tests.warmline.workers.choosy import talking
from warmline.workers import sweeping


async def test_news_that_fails_again_and_again_is_tried_more_and_more_rarely(
    house: House,
) -> None:
    call = await talking(house)
    now = house.clock.now()
    async with house.pool.acquire() as connection:
        news = LegRinging(leg=call.legs[0].id, at=now)
        await keep_news(connection, "poison", news, stray_tenant=TENANT, now=now)
        await mark_fault(connection, TENANT, "poison", "SomeBug")
    await house.pool.execute("UPDATE calls SET record = '{}' WHERE id = $1", call.id)

    with capture_logs():
        for _ in range(20):
            house.clock.advance(1)
            await house.crew.refolder.look()

    tries = await house.pool.fetchval("SELECT tries FROM news WHERE id = 'poison'")
    assert 3 <= tries <= 6


async def test_news_that_cannot_even_be_read_stops_no_other(house: House) -> None:
    call = await talking(house)
    await keep_unfolded(house, call, "unreadable", minutes_ago=2)
    await keep_unfolded(house, call, "good", minutes_ago=1)
    await house.pool.execute("UPDATE news SET body = '{}' WHERE id = 'unreadable'")

    with capture_logs():
        await house.crew.refolder.look()

    assert await unfolded(house) == {"unreadable"}


async def test_poisoned_news_however_old_and_much_starves_no_younger(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "_MOST_LOOKED_AT", 3)
    call = await talking(house)
    for number in range(4):
        await keep_unfolded(house, call, f"poison {number}", minutes_ago=9, tries=2)
    await keep_unfolded(house, call, "good", minutes_ago=1)
    await house.pool.execute("UPDATE news SET body = '{}' WHERE id <> 'good'")

    with capture_logs():
        await house.crew.refolder.look()

    assert "good" not in await unfolded(house)


async def keep_unfolded(
    house: House, call: Call, id_: str, *, minutes_ago: int, tries: int = 1
) -> None:
    """News about the caller's leg that the desk could make nothing of when it came."""
    at = house.clock.now() - timedelta(minutes=minutes_ago)
    async with house.pool.acquire() as connection:
        news = LegRinging(leg=call.legs[0].id, at=at)
        await keep_news(connection, id_, news, stray_tenant=TENANT, now=at)
        for _ in range(tries):
            await mark_fault(connection, TENANT, id_, "SomeBug")


async def unfolded(house: House) -> set[str]:
    """What still waits."""
    rows = await house.pool.fetch("SELECT id FROM news WHERE folded_at IS NULL")
    return {row["id"] for row in rows}


async def test_a_head_that_cannot_be_seated_stops_no_other_queue(house: House) -> None:
    await stand_in_line(house, "call_of_nobody", "a-program")
    await stand_in_line(house, "call_of_nobody_else", "b-program")

    with capture_logs() as logged:
        await house.crew.seater.look()

    assert [line["event"] for line in logged] == ["head_not_seated"] * 2


async def test_a_head_that_cannot_be_seated_is_passed_over_by_those_behind_it(
    house: House,
) -> None:
    caller = await house.caller()
    order = await house.order(caller, program=DOCTOR)
    call = await house.call(order)
    assert (await house.see_call(order)).state is State.QUEUED
    await stand_in_line(house, "call_of_nobody", DOCTOR, crisis=True)
    counselor = await house.counselor(program=DOCTOR)

    with capture_logs() as logged:
        await house.crew.seater.look()

    assert [line["call"] for line in logged if line["event"] == "head_not_seated"] == [
        "call_of_nobody"
    ]
    seated = await house.see_call(order)
    assert (seated.id, seated.counselor) == (call.id, counselor)


async def test_a_head_that_somebody_holds_up_for_ever_is_passed_over_by_those_behind_it(
    house: House,
) -> None:
    head = await waiting(house, "+8613800000001")
    behind = await waiting(house, "+8613800000002")
    counselor = await house.counselor(program=DOCTOR)
    async with house.pool.acquire() as holding, holding.transaction():
        await holding.execute("SELECT FROM orders WHERE id = $1 FOR UPDATE", head)
        with capture_logs() as logged:
            seating = asyncio.create_task(house.crew.seater.look())
            while not await house.pool.fetchval(CANCEL_WHO_WAITS):  # noqa: ASYNC110 - no event
                await asyncio.sleep(0)
            await seating

        assert (await house.see_call(behind)).counselor == counselor
    assert [line["event"] for line in logged] == ["head_not_seated"]


async def waiting(house: House, number: str) -> OrderId:
    """An order whose call stands in the doctors' queue."""
    order = await house.order(await house.caller(number), program=DOCTOR)
    await house.call(order, number)
    return order


async def test_news_behind_some_that_somebody_holds_up_for_ever_is_folded(house: House) -> None:
    held_up = await talking(house)
    await keep_unfolded(house, held_up, "held up", minutes_ago=2)
    free = await waiting(house, "+8613800000002")
    await house.counselor(program=DOCTOR)
    await house.crew.seater.look()
    await keep_unfolded(house, await house.see_call(free), "good", minutes_ago=1)
    async with house.pool.acquire() as holding, holding.transaction():
        await holding.execute("SELECT FROM orders WHERE id = $1 FOR UPDATE", held_up.order)
        folding = asyncio.create_task(house.crew.refolder.look())
        while not await house.pool.fetchval(CANCEL_WHO_WAITS):  # noqa: ASYNC110 - no event of ours
            await asyncio.sleep(0)
        with capture_logs():
            await folding

    assert await unfolded(house) == {"held up"}


async def stand_in_line(house: House, call: str, program: str, *, crisis: bool = False) -> None:
    """A place in a queue for a call that does not exist."""
    await house.pool.execute(
        """INSERT INTO queue_places (tenant, call, program, priority, crisis, joined_at)
           VALUES ($1, $2, $3, 0, $4, $5)""",
        *(TENANT, call, program, crisis, house.clock.now()),
    )
