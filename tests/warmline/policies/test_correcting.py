"""What an insurer corrects later: days, and a surrender that was none; and codes that come late."""

from datetime import timedelta

import pytest

from billing.store.vouchers import save_voucher
from billing.voucher import State, redeem, void
from routing.store.callers import get_or_create_caller
from terms.ids import CallerId
from terms.phone import PhoneNumber
from tests.people import TENANT
from tests.warmline.policies.keeper import DUE, Kept, listed
from warmline.ids import new_id
from warmline.ledger.verifying import verify
from warmline.notices.sending import NotSent


@pytest.mark.rule("A18", "A20")
@pytest.mark.parametrize("effective_on", ["2024-01-02", "2024-12-28", "2025-01-09"])
async def test_a_corrected_first_day_neither_brings_a_second_code_nor_takes_the_first(
    kept: Kept, effective_on: str
) -> None:
    await listed(kept)
    await kept.look(DUE)
    (before,) = await kept.vouchers()

    await listed(kept, purchased_on="2023-12-31", effective_on=effective_on)
    await kept.look()
    await kept.look(DUE + timedelta(days=300))

    assert await kept.vouchers() == [before]
    assert len(await kept.send()) == 1
    await kept.look(DUE + timedelta(days=360))
    assert len(await kept.vouchers()) == 2  # that of the next year


@pytest.mark.rule("X15", "X13")
async def test_a_surrender_that_was_a_mistake_gives_the_code_back_as_a_new_one(kept: Kept) -> None:
    await listed(kept)
    await kept.look(DUE)
    await kept.send()
    await listed(kept, status="surrendered")
    await kept.look(DUE + timedelta(hours=11))  # 21:00

    await listed(kept)
    again_at = await kept.look()
    assert again_at == DUE + timedelta(days=1)
    assert len(await kept.vouchers()) == 1
    for _ in range(2):
        await kept.look(again_at)

    fallen, revived = await kept.vouchers()
    assert (fallen.state, revived.state) == (State.VOIDED, State.ISSUED)
    assert revived.valid_until == fallen.valid_until
    assert revived.replaces == fallen.id
    first, second = await kept.send()
    assert (second.template, second.to) == ("voucher_revived", first.to)
    assert kept.opens(second, revived)
    reasons = await kept.pool.fetch(
        "SELECT reason FROM ledger_entries WHERE book = $1 ORDER BY number", revived.book
    )
    assert [row["reason"] for row in reasons] == ["policy_reinstated", "issued"]
    async with kept.pool.acquire() as connection:
        (found,) = await verify(connection, kept.seal)
    assert found.faults == []


@pytest.mark.rule("X15", "A17")
async def test_a_code_given_back_falls_again_with_its_policy_and_is_not_sent(kept: Kept) -> None:
    await listed(kept)
    await kept.look(DUE)
    for status in ("surrendered", "in_force"):
        await listed(kept, status=status)
        await kept.look()
    await listed(kept, status="surrendered")  # before the message left
    assert [sms.template for sms in await kept.send()] == []
    await kept.look()

    assert [one.state for one in await kept.vouchers()] == [State.VOIDED, State.VOIDED]
    await listed(kept)
    await kept.look()
    assert [one.state for one in await kept.vouchers()][2:] == [State.ISSUED]


@pytest.mark.rule("X15", "X14")
async def test_what_fell_in_somebodys_account_comes_back_to_that_account(kept: Kept) -> None:
    await listed(kept)
    await kept.look(DUE)
    await kept.send()
    holder = PhoneNumber("+8613500000007")
    async with kept.pool.acquire() as connection, connection.transaction():
        caller = await get_or_create_caller(
            *(connection, kept.seal, TENANT, holder),
            lambda: CallerId(new_id("caller")),
            kept.clock.now(),
        )
        (voucher,) = await kept.vouchers()
        redeemed, entry = redeem(voucher, caller.id, kept.clock.now())
        assert entry is not None
        await save_voucher(connection, TENANT, redeemed, entry)
    for status in ("lapsed", "in_force"):
        await listed(kept, status=status)
        await kept.look()

    _, revived = await kept.vouchers()
    assert revived.holder == caller.id
    assert (await kept.send())[-1].to == holder


@pytest.mark.rule("X15")
async def test_what_somebody_took_out_of_use_does_not_come_back_with_the_policy(kept: Kept) -> None:
    await listed(kept)
    await kept.look(DUE)
    async with kept.pool.acquire() as connection, connection.transaction():
        voided, entry = void((await kept.vouchers())[0], reason="by_staff", now=kept.clock.now())
        assert entry is not None
        await save_voucher(connection, TENANT, voided, entry)

    for status in ("surrendered", "in_force"):
        await listed(kept, status=status)
        await kept.look()

    assert [one.state for one in await kept.vouchers()] == [State.VOIDED]


@pytest.mark.rule("X12")
async def test_a_code_that_could_not_be_sent_is_tried_again_between_its_hours_alone(
    kept: Kept,
) -> None:
    await listed(kept)
    await kept.look(DUE)
    evening = DUE + timedelta(hours=9, minutes=59)  # 19:59 in China
    kept.air.failures = iter([NotSent("HTTP 503", wait_seconds=7200)])
    kept.clock.move_to(evening)
    assert await kept.send() == []
    waits_until = await kept.pool.fetchval("SELECT next_try_at FROM notices")
    assert waits_until == DUE + timedelta(days=1)

    kept.clock.move_to(waits_until)
    assert len(await kept.send()) == 1


@pytest.mark.rule("X12")
async def test_a_code_whose_first_try_comes_at_night_waits_for_the_morning(kept: Kept) -> None:
    await listed(kept)
    await kept.look(DUE)
    kept.clock.move_to(DUE + timedelta(hours=13))  # 23:00: nobody was there to send it before

    assert await kept.send() == []
    row = await kept.pool.fetchrow("SELECT next_try_at, tries FROM notices")
    assert row is not None
    assert tuple(row) == (DUE + timedelta(days=1), 0)
    kept.clock.move_to(DUE + timedelta(days=1))
    assert len(await kept.send()) == 1
