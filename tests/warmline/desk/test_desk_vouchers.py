"""Vouchers that nobody uses in time."""

import json
from datetime import timedelta

import pytest

from billing.order import State as OrderState
from billing.voucher import State
from tests.house import House
from tests.people import LISTENING, TENANT
from warmline.vouchers import issue_vouchers, new_codes


@pytest.mark.rule("X13")
async def test_a_voucher_nobody_uses_expires_by_itself_and_a_held_one_does_not(
    house: House,
) -> None:
    counselor = await house.counselor()
    order = await house.order(await house.caller(), counselor, voucher_seconds=60)
    async with house.pool.acquire() as connection:
        (idle,) = await issue_vouchers(
            connection,
            house.seal,
            TENANT,
            program=LISTENING,
            codes=new_codes(1),
            valid_until=house.clock.now() + timedelta(seconds=60),
            now=house.clock.now(),
        )

    async def state() -> str:
        return str(await house.pool.fetchval("SELECT state FROM vouchers WHERE id = $1", idle.id))

    await house.pass_time(59)
    assert await state() == State.ISSUED
    await house.pass_time(2)

    assert await state() == State.EXPIRED
    assert (await house.see_voucher(order)).state is State.HELD
    moved = await house.pool.fetchval(
        "SELECT count(*) FROM ledger_entries WHERE book = $1 AND reason = 'expired'", idle.book
    )
    assert moved == 1


@pytest.mark.rule("A33", "X13")
async def test_the_holder_of_a_voucher_that_came_back_is_told_once_when_it_runs_out(
    house: House,
) -> None:
    caller = await house.caller()
    order = await house.order(caller, await house.counselor(), voucher_seconds=30 * 3600)
    await house.pass_time(24 * 3600)
    assert (await house.see_voucher(order)).state is State.RETURNED

    await house.pass_time(6 * 3600 - 1)
    assert (await house.see_voucher(order)).state is State.RETURNED
    await house.pass_time(1)

    gone = await house.see_voucher(order)
    assert (gone.state, gone.changed_at) == (State.EXPIRED, gone.valid_until)
    await house.pass_time(24 * 3600)
    told = await house.pool.fetch("SELECT * FROM notices WHERE template = 'voucher_expired'")
    assert [row["caller"] for row in told] == [caller]
    assert json.loads(told[0]["data"])["voucher"] == gone.id


@pytest.mark.rule("A20")
async def test_nobody_is_told_of_a_voucher_that_nobody_redeemed(house: House) -> None:
    async with house.pool.acquire() as connection:
        await issue_vouchers(
            connection,
            house.seal,
            TENANT,
            program=LISTENING,
            codes=new_codes(3),
            valid_until=house.clock.now() + timedelta(seconds=60),
            now=house.clock.now(),
        )

    await house.pass_time(61)

    states = await house.pool.fetch("SELECT state FROM vouchers")
    assert [row["state"] for row in states] == ["expired"] * 3
    assert await house.pool.fetchval("SELECT count(*) FROM notices") == 0


async def test_many_vouchers_that_end_at_once_keep_no_order_waiting(house: House) -> None:
    order = await house.order(await house.caller(), await house.counselor())
    ends = house.clock.now() + timedelta(days=1)
    async with house.pool.acquire() as connection:
        await issue_vouchers(
            connection,
            house.seal,
            TENANT,
            program=LISTENING,
            codes=new_codes(150),
            valid_until=ends,
            now=house.clock.now(),
        )
    house.clock.move_to(ends)

    due_at = await house.crew.lapser.look()

    assert (await house.see_order(order)).state is OrderState.EXPIRED
    assert due_at == ends
    left = await house.pool.fetchval("SELECT count(*) FROM vouchers WHERE state = 'issued'")
    assert left == 50
    await house.settle()
    assert await house.pool.fetchval("SELECT count(*) FROM vouchers WHERE state = 'issued'") == 0
