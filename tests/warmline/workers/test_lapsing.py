"""Orders and vouchers come to rest when their time is over, whatever the others do."""

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from billing.order import State
from billing.store.lapsing import count_put_off, forget_old_faults
from billing.voucher import State as VoucherState
from terms.ids import OrderId
from tests.house import House
from tests.people import CALLER, TENANT
from tests.warmline.desk.database import CANCEL_WHO_WAITS, END_WHO_WAITS
from warmline.database.faults import OUT_OF_REACH
from warmline.workers.sweeping import Lapser

DAY_SECONDS = 24 * 3600
OTHER_CALLER = "+8613800000002"


async def an_order(
    house: House, number: str = CALLER, *, voucher_seconds: int = 365 * DAY_SECONDS
) -> OrderId:
    """An open order of somebody who never calls."""
    caller, counselor = await house.caller(number), await house.counselor()
    return await house.order(caller, counselor, voucher_seconds=voucher_seconds)


async def poison(house: House, order: OrderId) -> None:
    """The order was opened under a program that nobody knows any more."""
    await house.pool.execute("UPDATE orders SET program_digest = 'lost' WHERE id = $1", order)


async def faults(house: House) -> int:
    """How often something could not be brought to rest."""
    return int(house.desk.metrics.lapse_faults._value.get())


@pytest.mark.rule("A32", "A33", "X03")
async def test_an_order_that_nobody_called_from_expires_after_its_day(house: House) -> None:
    order = await an_order(house)

    house.clock.advance(DAY_SECONDS - 1)
    due_at = await house.crew.lapser.look()
    assert (await house.see_order(order)).state is State.OPEN
    assert due_at == house.clock.now() + timedelta(seconds=1)
    house.clock.advance(1)
    await house.crew.lapser.look()

    assert (await house.see_order(order)).state is State.EXPIRED
    assert (await house.see_voucher(order)).state is VoucherState.RETURNED


@pytest.mark.rule("A20")
async def test_a_voucher_that_came_back_too_late_to_be_used_expires(house: House) -> None:
    order = await an_order(house, voucher_seconds=DAY_SECONDS)
    house.clock.advance(DAY_SECONDS)

    await house.crew.lapser.look()

    assert (await house.see_voucher(order)).state is VoucherState.EXPIRED


async def test_an_order_that_cannot_come_to_rest_stops_no_other(house: House) -> None:
    poisoned = await an_order(house)
    house.clock.advance(60)
    good = await an_order(house, OTHER_CALLER)
    await poison(house, poisoned)
    house.clock.advance(DAY_SECONDS)

    with capture_logs() as logged:
        await house.crew.lapser.look()

    assert (await house.see_order(good)).state is State.EXPIRED
    assert [(line["event"], line["id"]) for line in logged] == [("cannot_lapse", poisoned)]
    assert await faults(house) == 1


async def test_an_order_is_not_blamed_for_a_database_that_goes_away(house: House) -> None:
    order = await an_order(house)
    voucher = (await house.see_voucher(order)).id
    house.clock.advance(DAY_SECONDS)
    async with house.pool.acquire() as holding, holding.transaction():
        await holding.execute("SELECT FROM vouchers WHERE id = $1 FOR UPDATE", voucher)
        looking = asyncio.create_task(house.crew.lapser.look())
        while not await house.pool.fetchval(END_WHO_WAITS):  # noqa: ASYNC110 - no event of ours
            await asyncio.sleep(0)
        with pytest.raises(OUT_OF_REACH):
            await looking
    assert await faults(house) == 0

    await house.crew.lapser.look()

    assert (await house.see_order(order)).state is State.EXPIRED


async def test_an_order_that_somebody_holds_up_for_ever_stops_no_other(house: House) -> None:
    held_up = await an_order(house)
    voucher = (await house.see_voucher(held_up)).id
    house.clock.advance(60)
    good = await an_order(house, OTHER_CALLER)
    house.clock.advance(DAY_SECONDS)
    async with house.pool.acquire() as holding, holding.transaction():
        await holding.execute("SELECT FROM vouchers WHERE id = $1 FOR UPDATE", voucher)
        looking = asyncio.create_task(house.crew.lapser.look())
        while not await house.pool.fetchval(CANCEL_WHO_WAITS):  # noqa: ASYNC110 - no event of ours
            await asyncio.sleep(0)
        with capture_logs() as logged:
            await looking

        assert (await house.see_order(good)).state is State.EXPIRED
    assert [(line["event"], line["id"]) for line in logged] == [("cannot_lapse", held_up)]
    house.clock.advance(2)
    await house.crew.lapser.look()
    assert (await house.see_order(held_up)).state is State.EXPIRED


async def test_an_order_whose_row_cannot_be_read_stops_no_other(house: House) -> None:
    poisoned = await an_order(house)
    good = await an_order(house, OTHER_CALLER)
    await house.pool.execute("UPDATE orders SET settled = '{}' WHERE id = $1", poisoned)
    house.clock.advance(DAY_SECONDS)

    with capture_logs():
        await house.crew.lapser.look()

    assert (await house.see_order(good)).state is State.EXPIRED


async def test_a_voucher_that_cannot_come_to_rest_stops_no_other(house: House) -> None:
    poisoned = await an_order(house, voucher_seconds=2 * DAY_SECONDS)
    good = await an_order(house, OTHER_CALLER, voucher_seconds=3 * DAY_SECONDS)
    house.clock.advance(DAY_SECONDS)
    await house.crew.lapser.look()
    await house.pool.execute(
        """CREATE FUNCTION poisoned() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN RAISE EXCEPTION 'poisoned'; END $$"""
    )
    voucher = (await house.see_order(poisoned)).voucher
    await house.pool.execute(
        f"""CREATE TRIGGER poisoned BEFORE UPDATE ON vouchers
            FOR EACH ROW WHEN (old.id = '{voucher}') EXECUTE FUNCTION poisoned()"""
    )
    house.clock.advance(2 * DAY_SECONDS)

    with capture_logs() as logged:
        await house.crew.lapser.look()

    assert (await house.see_voucher(good)).state is VoucherState.EXPIRED
    assert [line["id"] for line in logged] == [voucher]


async def test_what_cannot_come_to_rest_is_put_off_longer_each_time_also_by_a_new_process(
    house: House,
) -> None:
    poisoned = await an_order(house)
    await poison(house, poisoned)
    house.clock.advance(DAY_SECONDS)

    waits = []
    with capture_logs():
        for _ in range(8):
            after_a_restart = Lapser(house.pool, house.desk, house.clock, house.desk.metrics)
            next_at = await after_a_restart.look()
            await after_a_restart.look()
            assert next_at is not None
            waits.append((next_at - house.clock.now()).total_seconds())
            house.clock.move_to(next_at)

    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]
    assert await faults(house) == 8


async def test_what_was_put_off_comes_to_rest_once_the_fault_is_mended(house: House) -> None:
    order = await an_order(house)
    digest = await house.pool.fetchval("SELECT program_digest FROM orders")
    await poison(house, order)
    house.clock.advance(DAY_SECONDS)
    with capture_logs():
        await house.crew.lapser.look()
    await house.pool.execute("UPDATE orders SET program_digest = $1", digest)

    house.clock.advance(2)
    await house.crew.lapser.look()

    assert (await house.see_order(order)).state is State.EXPIRED
    async with house.pool.acquire() as connection:
        assert await count_put_off(connection) == 0


async def test_a_fault_that_nobody_tries_any_more_is_forgotten(house: House) -> None:
    order = await an_order(house)
    await poison(house, order)
    house.clock.advance(DAY_SECONDS)
    with capture_logs():
        await house.crew.lapser.look()
    await house.pool.execute("DELETE FROM orders WHERE tenant = $1", TENANT)

    async with house.pool.acquire() as connection:
        await forget_old_faults(connection, house.clock.now() + timedelta(minutes=59))
        before = await count_put_off(connection)
        await forget_old_faults(connection, house.clock.now() + timedelta(minutes=62))
        assert (before, await count_put_off(connection)) == (1, 0)
