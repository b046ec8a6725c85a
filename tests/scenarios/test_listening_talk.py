"""Whole stories of a listening call, over real PostgreSQL and the simulated carrier."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from billing.order import State as OrderState
from billing.voucher import State as VoucherState
from dialer.call import State
from terms.refusals import RefusalCode, Refused
from terms.verdict import EndedBy, VerdictKind
from tests.house import ACCEPTS, NO_ANSWER, VOICEMAIL, House, a_house, drops, hangs_up
from tests.people import LISTENING
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record


@pytest.fixture
async def house(database: "Pool[Record]", seal: AesSeal, noon: datetime) -> AsyncIterator[House]:
    async with a_house(database, seal, noon) as one:
        yield one


@pytest.mark.rule("A19", "A29", "X01")
async def test_two_people_talk_and_the_caller_hangs_up(house: House) -> None:
    counselor = await house.counselor()
    caller = await house.caller(script=hangs_up(600))
    order = await house.order(caller, counselor)

    call = await house.call(order)
    assert call.state is State.RINGING_FIRST
    assert (await house.see_voucher(order)).state is VoucherState.HELD
    await house.pass_time(10)
    assert (await house.see_call(order)).state is State.BRIDGED
    assert (await house.see_voucher(order)).state is VoucherState.CONSUMED
    await house.pass_time(700)

    after = await house.see_order(order)
    ended = await house.see_call(order)
    assert ended.verdict is not None
    assert (ended.verdict.kind, ended.verdict.by) == (VerdictKind.PARTY_ENDED, EndedBy.CALLER)
    assert after.state is OrderState.COMPLETED
    assert after.talked_seconds == 600
    assert house.world.standing_legs() == ()


@pytest.mark.rule("A25", "X06")
async def test_the_talk_ends_at_its_cap_to_the_second(house: House) -> None:
    counselor = await house.counselor()
    caller = await house.caller()
    order = await house.order(caller, counselor)

    await house.call(order)
    await house.pass_time(1600)

    ended = await house.see_call(order)
    assert ended.verdict is not None
    assert ended.verdict.kind is VerdictKind.CAP_REACHED
    assert ended.talked(house.clock.now()).total_seconds() == 1500
    heard = house.world.handset("+8613800000001").heard
    assert [prompt for prompt in heard if prompt.startswith("left_")] == ["left_120", "left_30"]
    assert (await house.see_order(order)).state is OrderState.COMPLETED


@pytest.mark.rule("X01", "A19", "A30")
async def test_a_voicemail_of_the_counselor_never_uses_the_voucher(house: House) -> None:
    counselor = await house.counselor(script=VOICEMAIL)
    caller = await house.caller()
    order = await house.order(caller, counselor)

    await house.call(order)
    await house.pass_time(300)

    assert (await house.see_order(order)).state is OrderState.OPEN
    assert (await house.see_voucher(order)).state is VoucherState.HELD
    assert (await house.see_call(order)).state is State.ENDED
    assert house.world.standing_legs() == ()


@pytest.mark.rule("A27", "X07")
async def test_a_dropped_line_is_rung_again_and_the_talk_goes_on(house: House) -> None:
    counselor = await house.counselor()
    caller = await house.caller(script=drops(300))
    order = await house.order(caller, counselor)

    await house.call(order)
    await house.pass_time(320)

    assert "parted" in await house.timeline(order)
    assert (await house.see_call(order)).state is State.BRIDGED
    assert "dropped_ringing_again" in house.world.handset("+8613900000001").heard


@pytest.mark.rule("A27", "X07", "X08")
async def test_a_caller_who_cannot_be_found_again_keeps_the_rest_for_a_day(house: House) -> None:
    counselor = await house.counselor()
    caller = await house.caller(script=drops(300))
    order = await house.order(caller, counselor)

    await house.call(order)
    await house.pass_time(300)
    house.world.script("+8613800000001", NO_ANSWER)
    await house.pass_time(300)

    after = await house.see_order(order)
    assert after.state is OrderState.INTERRUPTED
    assert after.remaining_seconds == 1200
    ended = await house.see_call(order)
    assert ended.verdict is not None
    assert ended.verdict.kind is VerdictKind.SYSTEM_DROP

    house.world.script("+8613800000001", hangs_up(60))
    await house.call(order)
    await house.pass_time(120)
    assert (await house.see_order(order)).state is OrderState.COMPLETED
    assert house.world.standing_legs() == ()


@pytest.mark.rule("X03")
async def test_three_unanswered_attempts_leave_the_order_open_until_its_day_is_over(
    house: House,
) -> None:
    counselor = await house.counselor()
    caller = await house.caller(script=NO_ANSWER)
    order = await house.order(caller, counselor)

    await house.call(order)
    await house.pass_time(3600)

    ended = await house.see_call(order)
    assert ended.state is State.ENDED
    assert ended.counted == 3
    assert (await house.timeline(order)).count("attempt_failed") == 3
    assert "we_will_call_again" in await house.notices(order)
    assert (await house.see_order(order)).state is OrderState.OPEN
    await house.pass_time(86400)
    assert (await house.see_order(order)).state is OrderState.EXPIRED
    assert (await house.see_voucher(order)).state is VoucherState.RETURNED


@pytest.mark.rule("A26", "X53")
async def test_a_busy_counselor_is_refused_and_nothing_is_used(house: House) -> None:
    counselor = await house.counselor()
    first = await house.order(await house.caller(), counselor)
    second = await house.order(await house.caller("+8613800000002"), counselor)
    await house.call(first)

    with pytest.raises(Refused) as refused:
        await house.call(second, "+8613800000002")

    assert refused.value.code is RefusalCode.COUNSELOR_BUSY
    assert (await house.see_voucher(second)).state is VoucherState.HELD
    assert (await house.see_order(second)).state is OrderState.OPEN


@pytest.mark.rule("A11", "A15")
async def test_a_caller_who_dials_in_continues_the_one_open_order(house: House) -> None:
    counselor = await house.counselor()
    caller = await house.caller(script=hangs_up(100))
    order = await house.order(caller, counselor)
    service = house.programs[LISTENING].routing.service_numbers[0].number.digits

    house.world.dial("+8613800000001", service, house.clock.now())
    await house.pass_time(10)

    assert (await house.see_call(order)).state is State.BRIDGED
    await house.pass_time(200)
    assert (await house.see_order(order)).state is OrderState.COMPLETED


@pytest.mark.rule("A23")
async def test_a_withheld_number_hears_why_it_is_not_let_in(house: House) -> None:
    await house.caller()
    service = house.programs[LISTENING].routing.service_numbers[0].number.digits

    house.world.dial("+8613800000001", service, house.clock.now(), withhold=True)
    await house.pass_time(20)

    assert house.world.handset("+8613800000001").heard == ("number_withheld",)
    assert house.world.standing_legs() == ()


async def test_a_counselor_accepts_with_the_key_and_is_free_after_the_wrap_up(
    house: House,
) -> None:
    counselor = await house.counselor(script=ACCEPTS)
    caller = await house.caller(script=hangs_up(30))
    order = await house.order(caller, counselor)

    await house.call(order)
    assert (await house.see_counselor(counselor))[1] is not None
    await house.pass_time(60)

    record, engaged = await house.see_counselor(counselor)
    assert engaged is None
    assert record.wrap_up_until is not None
