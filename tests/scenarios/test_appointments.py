"""Orders for an appointed time: kept, given up in time or too late, missed, and not kept by us."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from billing.order import ClosedBy
from billing.order import State as OrderState
from billing.voucher import State as VoucherState
from routing.counselor import Presence, set_presence
from routing.store.counselors import lock_counselor_alone, save_counselor
from terms.ids import CounselorId, OrderId
from terms.refusals import RefusalCode, Refused
from tests.house import NO_ANSWER, OFF, House, a_house, hangs_up
from tests.people import CALLER, COUNSELOR, LISTENING, TENANT, see_that_the_books_agree
from tests.scenarios.appointing import CANCELS, book, reasons, write_appointed
from tests.scenarios.insuring import EXPERT, INSURED, listed
from warmline.desk.opening import NotQualified
from warmline.programs import load_programs
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from datetime import datetime

    from asyncpg import Pool, Record

A_DAY = 86_400
IN_TWO_DAYS = timedelta(days=2)


@pytest.fixture
async def house(
    database: "Pool[Record]", seal: AesSeal, noon: "datetime", tmp_path: Path
) -> AsyncIterator[House]:
    programs = load_programs(write_appointed(tmp_path))
    async with a_house(database, seal, noon, programs=programs) as one:
        yield one
        await see_that_the_books_agree(database, seal)


async def appointed(house: House, program: str = LISTENING) -> tuple[OrderId, CounselorId]:
    """A voucher's order for noon, the day after tomorrow."""
    which = CANCELS if program == CANCELS else LISTENING
    caller, counselor = await house.caller(), await house.counselor(program=which)
    starts_at = house.clock.now() + IN_TWO_DAYS
    order = await house.order(caller, counselor, program=which, starts_at=starts_at)
    return order, counselor


async def appointment_begins(house: House, presence: Presence, program: str = LISTENING) -> OrderId:
    """The appointed time has come, and the counselor's console shows this."""
    order, counselor = await appointed(house, program)
    await house.pass_time(2 * A_DAY)
    await is_at_work(house, counselor, presence)
    return order


async def is_at_work(house: House, counselor: CounselorId, presence: Presence) -> None:
    """The counselor's console says what they mean to do."""
    async with house.pool.acquire() as connection, connection.transaction():
        found = await lock_counselor_alone(connection, TENANT, counselor)
        assert found is not None
        now = house.clock.now()
        await save_counselor(connection, TENANT, set_presence(found, presence, now, 12 * 3600))


async def give_up(house: House, order: OrderId, **more: bool) -> None:
    async with house.pool.acquire() as connection, connection.transaction():
        if more:
            _, committed = await house.desk.withdraw_order(
                connection, TENANT, order, ClosedBy.SUPPORT, "house_fault", **more
            )
        else:
            _, committed = await house.desk.cancel_order(
                connection, TENANT, order, ClosedBy.CALLER, "cancelled_by_caller"
            )
    house.desk.tell(committed)


async def entries(house: House) -> int:
    return int(await house.pool.fetchval("SELECT count(*) FROM ledger_entries"))


@pytest.mark.rule("X22")
async def test_nobody_is_called_before_the_appointed_time_and_the_talk_uses_the_voucher(
    house: House,
) -> None:
    order, counselor = await appointed(house)
    house.world.script(CALLER, hangs_up(after_seconds=300))
    await house.pass_time(2 * A_DAY - 1)

    with pytest.raises(Refused) as refused:
        await house.call(order)
    assert (refused.value.code, refused.value.retry_after_seconds) == (RefusalCode.NOT_NOW, 1)
    assert (await house.see_order(order)).state is OrderState.OPEN
    assert await reasons(house, order) == ["held"]

    await house.pass_time(1)
    await is_at_work(house, counselor, Presence.AVAILABLE)
    await house.call(order)
    await house.pass_time(600)

    assert (await house.see_order(order)).state is OrderState.COMPLETED
    assert await reasons(house, order) == ["held", "connected"]


@pytest.mark.rule("B07", "B08", "X23")
@pytest.mark.parametrize(("early_seconds", "is_free"), [(A_DAY, True), (A_DAY - 1, False)])
async def test_given_up_24_hours_ahead_the_voucher_comes_back_and_a_second_later_it_is_used(
    house: House, early_seconds: int, is_free: bool
) -> None:
    order, _ = await appointed(house)
    await house.pass_time(2 * A_DAY - early_seconds)

    await give_up(house, order)

    assert (await house.see_order(order)).state is OrderState.CANCELLED
    voucher = await house.see_voucher(order)
    if is_free:
        assert voucher.state is VoucherState.RETURNED
        assert await reasons(house, order) == ["held", "order_cancelled"]
        assert await house.notices(order) == ["order.cancelled", "order_cancelled"]
    else:
        assert voucher.state is VoucherState.CONSUMED
        assert await reasons(house, order) == ["held", "late_cancel"]
        assert await house.notices(order) == ["order.cancelled", "appointment_cancelled_late"]


@pytest.mark.rule("X23")
async def test_what_the_house_cannot_keep_costs_nothing_however_late(house: House) -> None:
    order, _ = await appointed(house)
    await house.pass_time(2 * A_DAY - 60)

    await give_up(house, order, house_fault=True)

    assert (await house.see_voucher(order)).state is VoucherState.RETURNED
    assert await house.notices(order) == ["order.cancelled", "order_cancelled"]


@pytest.mark.rule("X23")
async def test_what_support_gives_up_as_the_caller_wishes_costs_what_it_costs_the_caller(
    house: House,
) -> None:
    order = await appointment_begins(house, Presence.AVAILABLE)
    house.world.script(CALLER, OFF)
    await house.call(order)
    await house.pass_time(5)
    assert (await house.see_order(order)).state is OrderState.IN_CALL

    await give_up(house, order, house_fault=False)

    assert await reasons(house, order) == ["held", "late_cancel"]


@pytest.mark.rule("B07")
async def test_an_appointment_nobody_called_for_is_used_when_its_time_is_over(
    house: House,
) -> None:
    order, _ = await appointed(house)

    await house.pass_time(3 * A_DAY - 1)
    assert (await house.see_order(order)).state is OrderState.OPEN
    await house.pass_time(1)

    seen = await house.see_order(order)
    assert (seen.state, seen.closed_reason) == (OrderState.EXPIRED, "no_show")
    assert (await house.see_voucher(order)).state is VoucherState.CONSUMED
    assert await reasons(house, order) == ["held", "no_show"]
    assert await house.notices(order) == ["order.expired", "appointment_missed"]


@pytest.mark.rule("B07")
async def test_whoever_answers_none_of_the_calls_at_the_appointed_time_has_used_it(
    house: House,
) -> None:
    order = await appointment_begins(house, Presence.AVAILABLE, CANCELS)
    house.world.script(CALLER, NO_ANSWER)

    await house.call(order)
    await house.pass_time(900)

    seen = await house.see_order(order)
    assert (seen.state, seen.closed_reason) == (OrderState.CANCELLED, "no_show")
    assert await reasons(house, order) == ["held", "no_show"]
    assert "appointment_missed" in await house.notices(order)


@pytest.mark.rule("B07")
async def test_a_caller_who_came_while_the_counselor_was_away_has_missed_nothing(
    house: House,
) -> None:
    order = await appointment_begins(house, Presence.OFFLINE)

    async with house.pool.acquire() as connection, connection.transaction():
        noted = await house.desk.note_let_down(connection, TENANT, order)
    assert noted is not None
    await house.pass_time(A_DAY)

    assert (await house.see_order(order)).closed_reason == "never_connected"
    assert await reasons(house, order) == ["held", "order_expired"]
    assert await house.timeline(order) == ["order.let_down", "order.expired"]


@pytest.mark.rule("B07")
async def test_whoever_dialled_in_while_the_counselor_was_away_has_missed_nothing(
    house: House,
) -> None:
    order = await appointment_begins(house, Presence.OFFLINE)
    (service,) = house.programs[LISTENING].routing.service_numbers

    house.world.dial(CALLER, service.number.digits, house.clock.now())
    await house.pass_time(60)
    await house.pass_time(A_DAY)

    assert (await house.see_order(order)).let_down_at is not None
    assert await reasons(house, order) == ["held", "order_expired"]


@pytest.mark.rule("B07")
async def test_a_counselor_who_does_not_answer_makes_nobody_miss_an_appointment(
    house: House,
) -> None:
    order = await appointment_begins(house, Presence.AVAILABLE)
    house.world.script(COUNSELOR, NO_ANSWER)

    await house.call(order)
    await house.pass_time(900)
    assert (await house.see_order(order)).state is OrderState.OPEN
    await house.pass_time(A_DAY)

    assert await reasons(house, order) == ["held", "order_expired"]


@pytest.mark.rule("B29", "X22")
async def test_a_booking_that_is_refused_leaves_no_entry_and_takes_no_use(house: House) -> None:
    await listed(house)
    caller = await house.caller(INSURED)
    await house.counselor(program=EXPERT)
    stranger = await house.counselor("+8613900000009", program=LISTENING)
    noon = house.clock.now() + timedelta(days=1)
    before = await entries(house)

    with pytest.raises(Refused) as closed:
        await book(house, caller, EXPERT, noon + timedelta(hours=10))
    with pytest.raises(Refused) as past:
        await book(house, caller, EXPERT, house.clock.now())
    with pytest.raises(NotQualified):
        await book(house, caller, EXPERT, noon, stranger)

    assert (closed.value.code, past.value.code) == (
        RefusalCode.OUTSIDE_HOURS,
        RefusalCode.NOT_NOW,
    )
    assert "2030-01-03 10:00" in closed.value.detail
    assert await entries(house) == before

    await give_up(house, await book(house, caller, EXPERT, noon + timedelta(days=2)))
    order = await book(house, caller, EXPERT, noon)
    assert await reasons(house, order) == ["held"]
    await house.pass_time(60)
    await give_up(house, order)
    assert await reasons(house, order) == ["held", "late_cancel"]

    with_one_used = await entries(house)
    with pytest.raises(Refused) as used:
        await book(house, caller, EXPERT, noon)
    assert used.value.code is RefusalCode.QUOTA_USED
    assert await entries(house) == with_one_used


@pytest.mark.rule("X22")
async def test_a_use_is_held_at_booking_and_used_when_the_two_talk_or_nobody_came(
    house: House,
) -> None:
    await listed(house)
    caller = await house.caller(INSURED, script=replace(hangs_up(120), presses="1"))
    counselor = await house.counselor(program=EXPERT)
    starts_at = house.clock.now() + timedelta(hours=1)
    order = await book(house, caller, EXPERT, starts_at)
    assert await reasons(house, order) == ["held"]

    await house.pass_time(3600)
    await is_at_work(house, counselor, Presence.AVAILABLE)
    await house.call(order, INSURED)
    await house.pass_time(300)

    assert await reasons(house, order) == ["held", "connected"]
    await house.pass_time(366 * A_DAY)
    missed = await book(house, caller, EXPERT, house.clock.now() + timedelta(hours=1))
    await house.pass_time(A_DAY + 3600)
    assert await reasons(house, missed) == ["held", "no_show"]
