"""Timers fire within a second, whatever becomes of the others."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from structlog.testing import capture_logs

from dialer.call import State
from dialer.orders import Say
from dialer.store.due import next_timer_at, settle_done
from terms.ids import OrderId
from tests.house import House
from tests.people import TENANT
from tests.warmline.workers.choosy import ask

if TYPE_CHECKING:
    pass

NUMBERS = (("+8613800000001", "+8613900000001"), ("+8613800000002", "+8613900000002"))


async def a_call(house: House, caller: str, counselor: str) -> OrderId:
    at_work = await house.counselor(counselor)
    order = await house.order(await house.caller(caller), at_work)
    await house.call(order, caller)
    return order


async def timers_left(house: House, order: OrderId) -> list[str]:
    rows = await house.pool.fetch(
        """SELECT kind FROM timers JOIN calls ON calls.id = timers.call
           WHERE order_id = $1 AND timers.due_at <= $2""",
        *(order, house.clock.now()),
    )
    return [row["kind"] for row in rows]


async def somebody_waits_for_a_lock(house: House) -> None:
    while not await house.pool.fetchval(  # noqa: ASYNC110
        """SELECT EXISTS (SELECT FROM pg_stat_activity
           WHERE datname = current_database() AND wait_event_type = 'Lock')"""
    ):
        await asyncio.sleep(0.01)


async def test_a_timer_that_waits_for_a_lock_does_not_delay_those_that_fall_due_meanwhile(
    house: House,
) -> None:
    held = await a_call(house, *NUMBERS[0])
    house.clock.advance(0.5)
    free = await a_call(house, *NUMBERS[1])
    async with house.pool.acquire() as connection:
        first_due = await next_timer_at(connection)
    assert first_due is not None

    async with house.pool.acquire() as other, other.transaction(), asyncio.timeout(10):
        await other.execute("SELECT FROM orders WHERE id = $1 FOR UPDATE", held)
        house.clock.move_to(first_due)
        looking = asyncio.create_task(house.crew.timers.look())
        await somebody_waits_for_a_lock(house)
        house.clock.advance(0.5)
        assert await timers_left(house, free)
        while await timers_left(house, free):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert await timers_left(house, held)
    await looking

    assert not await timers_left(house, held)


async def test_a_ring_is_not_given_up_while_an_order_of_its_call_is_on_its_way(
    house: House,
) -> None:
    """Nor for ever: one that the carrier cannot be given is waited for no longer."""
    order = await a_call(house, *NUMBERS[0])
    call = await house.see_call(order)
    house.clock.advance(25)
    await ask(house, call.id, Say(call.legs[0].id, "warning"))

    house.clock.advance(14)
    await house.crew.timers.look()
    assert (await house.see_call(order)).state is State.RINGING_FIRST
    house.clock.advance(1)
    await house.crew.timers.look()

    assert (await house.see_call(order)).state is not State.RINGING_FIRST


async def test_a_ring_is_given_up_soon_after_the_last_order_of_its_call_is_carried_out(
    house: House,
) -> None:
    order = await a_call(house, *NUMBERS[0])
    call = await house.see_call(order)
    house.clock.advance(25)
    (seq,) = await ask(house, call.id, Say(call.legs[0].id, "warning"))
    house.clock.advance(6)
    await house.crew.timers.look()
    assert (await house.see_call(order)).state is State.RINGING_FIRST

    async with house.pool.acquire() as connection:
        await settle_done(connection, [(TENANT, call.id, seq)], house.clock.now())
    house.clock.advance(0.25)
    await house.crew.timers.look()

    assert (await house.see_call(order)).state is not State.RINGING_FIRST


async def test_a_timer_of_no_call_is_forgotten(house: House) -> None:
    now = house.clock.now()
    await house.pool.execute(
        """INSERT INTO timers (tenant, call, kind, due_at, state_version)
           VALUES ($1, 'call_of_nobody', 'ring', $2, 1)""",
        *(TENANT, now - timedelta(seconds=1)),
    )

    with capture_logs() as lines:
        await house.crew.timers.look()

    assert await house.pool.fetchval("SELECT count(*) FROM timers") == 0
    (line,) = [line for line in lines if line["event"] == "stale_timer"]
    assert (line["call"], line["kind"], line["call_version"]) == ("call_of_nobody", "ring", None)


async def test_a_timer_that_comes_too_late_changes_nothing_and_is_told_with_its_version(
    house: House,
) -> None:
    order = await a_call(house, *NUMBERS[0])
    before = await house.pool.fetchrow("SELECT id, version, state, record::text FROM calls")
    assert before is not None
    await house.pool.execute(
        """INSERT INTO timers (tenant, call, kind, due_at, state_version)
           VALUES ($1, $2, 'cap', $3, 7)""",
        *(TENANT, before["id"], house.clock.now() - timedelta(days=60)),
    )

    with capture_logs() as lines:
        await house.crew.timers.look()

    assert await house.pool.fetchrow("SELECT id, version, state, record::text FROM calls") == before
    assert await timers_left(house, order) == []
    (line,) = [line for line in lines if line["event"] == "stale_timer"]
    assert line["log_level"] == "info"
    assert (line["call"], line["kind"]) == (before["id"], "cap")
    assert (line["set_by_version"], line["call_version"]) == (7, before["version"])
    assert line["late_seconds"] == timedelta(days=60).total_seconds()
    assert line["call_state"] == before["state"]
