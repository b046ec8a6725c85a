"""Vouchers that nobody uses in time."""

from datetime import timedelta

import pytest

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
