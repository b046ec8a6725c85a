"""What the product sheet of the listening call asks of a call, each rule as a story."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from billing.order import Consequence, ReviewReason
from billing.order import State as OrderState
from billing.voucher import State as VoucherState
from dialer.call import State
from dialer.carriers.simulated.script import Answers, Script
from dialer.events import CallerHungUp, CounselorHungUp
from terms.ids import OrderId
from terms.refusals import RefusalCode, Refused
from terms.verdict import EndedBy, Role, VerdictKind
from tests.house import (
    ACCEPTS,
    ANSWERS,
    BUSY,
    NO_ANSWER,
    OFF,
    VOICEMAIL,
    House,
    drops,
    hangs_up,
)
from tests.people import CALLER, COUNSELOR, LISTENING

REJECTS = Script(answers=Answers.REJECTS, after_seconds=4)
FAULTY = Script(answers=Answers.FAULT)
UNKNOWN_NUMBER = Script(answers=Answers.UNKNOWN)


async def failures(house: House, order: OrderId) -> list[tuple[str, bool]]:
    """Why each attempt failed, and whether it counted, as the timeline tells it."""
    rows = await house.pool.fetch(
        "SELECT data FROM timeline WHERE order_id = $1 AND kind = 'attempt_failed' ORDER BY seq",
        order,
    )
    told = [json.loads(row["data"]) for row in rows]
    return [(one["failure"], one["counts"]) for one in told]


async def reviews(house: House, order: OrderId) -> list[str]:
    """Why somebody must look at the order's calls."""
    rows = await house.pool.fetch(
        "SELECT reason FROM reviews WHERE order_id = $1 AND state = 'open' ORDER BY call", order
    )
    return [row["reason"] for row in rows]


async def refusal(house: House, order: OrderId) -> RefusalCode:
    """What the caller is told who presses now and is not let in."""
    with pytest.raises(Refused) as refused:
        await house.call(order)
    return refused.value.code


@pytest.mark.rule("A12", "A19", "X27", "X01")
@pytest.mark.parametrize(
    ("phone", "told"),
    [
        (OFF, [("switched_off", True)] * 3),
        (NO_ANSWER, [("no_answer", True)] * 3),
        (BUSY, [("busy", True)] * 3),
        (REJECTS, [("rejected", True)] * 3),
        (FAULTY, [("fault", False)] * 3),
        (UNKNOWN_NUMBER, [("invalid_number", False)]),
    ],
)
async def test_each_reason_why_a_caller_is_not_reached_is_told_apart_and_uses_nothing(
    house: House, phone: Script, told: list[tuple[str, bool]]
) -> None:
    counselor = await house.counselor()
    order = await house.order(await house.caller(script=phone), counselor)

    await house.call(order)
    await house.pass_time(1200)

    ended = await house.see_call(order)
    assert await failures(house, order) == told
    assert ended.state is State.ENDED
    assert ended.counted == sum(counts for _, counts in told)
    assert not [leg for leg in ended.legs if leg.role is Role.COUNSELOR]
    assert (await house.see_order(order)).state is OrderState.OPEN
    assert (await house.see_voucher(order)).state is VoucherState.HELD


@pytest.mark.rule("A09", "A26", "A37", "X04", "X53")
async def test_an_absent_counselor_is_not_replaced_by_anybody_else(house: House) -> None:
    chosen = await house.counselor(available=False)
    other = await house.counselor("+8613900000002")
    order = await house.order(await house.caller(), chosen)

    assert await refusal(house, order) is RefusalCode.COUNSELOR_OFFLINE
    await house.pass_time(600)

    assert (await house.see_order(order)).counselor == chosen
    assert (await house.see_order(order)).state is OrderState.OPEN
    assert (await house.see_voucher(order)).state is VoucherState.HELD
    assert (await house.see_counselor(other))[1] is None
    assert await house.pool.fetchval("SELECT count(*) FROM calls") == 0


@pytest.mark.rule("A02", "X53")
async def test_a_counselor_whose_credential_ran_out_since_the_choice_is_not_called(
    house: House,
) -> None:
    counselor = await house.counselor()
    order = await house.order(await house.caller(), counselor)
    await house.pool.execute("UPDATE counselors SET credential_valid_until = $1", house.clock.now())

    assert await refusal(house, order) is RefusalCode.COUNSELOR_OFFLINE
    assert (await house.see_voucher(order)).state is VoucherState.HELD


@pytest.mark.rule("A30", "X02", "X27")
async def test_a_counselor_who_is_not_reached_uses_nothing_and_may_be_tried_later(
    house: House,
) -> None:
    counselor = await house.counselor(script=NO_ANSWER)
    order = await house.order(await house.caller(), counselor)

    await house.call(order)
    await house.pass_time(300)

    missed = await house.see_call(order)
    assert missed.verdict is not None
    assert (missed.verdict.kind, missed.verdict.by) == (
        VerdictKind.NOT_CONNECTED,
        EndedBy.COUNSELOR,
    )
    assert "nobody_reached" in house.world.handset(CALLER).heard
    assert (await house.see_order(order)).attempts_counted == 0
    assert (await house.see_voucher(order)).state is VoucherState.HELD

    house.world.script(COUNSELOR, ACCEPTS)
    again = await house.call(order)
    await house.pass_time(30)
    assert again.id != missed.id
    assert (await house.see_call(order)).state is State.BRIDGED
    assert (await house.see_voucher(order)).state is VoucherState.CONSUMED


@pytest.mark.rule("A22", "A23", "X02")
async def test_a_dial_that_ends_without_a_talk_lets_the_next_one_begin(house: House) -> None:
    counselor = await house.counselor(script=VOICEMAIL)
    order = await house.order(await house.caller(), counselor)
    first = await house.call(order)

    assert await refusal(house, order) is RefusalCode.VOUCHER_IN_USE
    await house.pass_time(300)
    assert (await house.see_call(order)).state is State.ENDED
    second = await house.call(order)

    assert second.id != first.id
    assert await house.pool.fetchval("SELECT count(*) FROM calls") == 2


@pytest.mark.rule("A39")
async def test_pressing_again_between_attempts_rings_at_once_on_the_same_call(
    house: House,
) -> None:
    counselor = await house.counselor()
    order = await house.order(await house.caller(script=NO_ANSWER), counselor)
    first = await house.call(order)
    await house.pass_time(40)
    waiting = await house.see_call(order)
    assert waiting.state is State.WAITING
    assert (await house.see_counselor(counselor))[1] is None

    house.world.script(CALLER, ANSWERS)
    again = await house.call(order)

    assert again.id == first.id
    assert (again.state, again.attempt) == (State.RINGING_FIRST, 2)
    await house.pass_time(20)
    assert (await house.see_call(order)).state is State.BRIDGED
    assert await house.pool.fetchval("SELECT count(*) FROM calls") == 1


@pytest.mark.rule("A03")
async def test_the_two_hear_each_other_and_neither_sees_the_others_number(house: House) -> None:
    counselor = await house.counselor()
    order = await house.order(await house.caller(), counselor)
    await house.call(order)
    await house.pass_time(10)

    caller, other = house.world.handset(CALLER), house.world.handset(COUNSELOR)
    assert (caller.hears, other.hears) == ((COUNSELOR,), (CALLER,))
    shows = house.programs[LISTENING].dialer.shows
    assert (caller.shows, other.shows) == (shows, shows)
    assert len(house.world.standing_legs()) == 2


@pytest.mark.rule("A29", "X11")
async def test_a_counselor_who_hangs_up_early_ends_the_service_and_is_looked_at(
    house: House,
) -> None:
    counselor = await house.counselor()
    order = await house.order(await house.caller(), counselor)
    await house.call(order)
    await house.pass_time(180)
    await house.command(order, CounselorHungUp())

    ended = await house.see_call(order)
    assert ended.verdict is not None
    assert ended.verdict.by is EndedBy.COUNSELOR
    assert (await house.see_order(order)).state is OrderState.COMPLETED
    assert await reviews(house, order) == [ReviewReason.COUNSELOR_ENDED_EARLY]
    assert house.world.standing_legs() == ()


@pytest.mark.rule("A29", "X11")
async def test_a_caller_who_hangs_up_in_the_app_ends_the_service_plainly(house: House) -> None:
    counselor = await house.counselor()
    order = await house.order(await house.caller(), counselor)
    await house.call(order)
    await house.pass_time(180)
    await house.command(order, CallerHungUp())

    assert (await house.see_order(order)).state is OrderState.COMPLETED
    assert (await house.see_voucher(order)).state is VoucherState.CONSUMED
    assert await reviews(house, order) == []


@pytest.mark.rule("A35", "X09", "X10")
@pytest.mark.parametrize(("seconds", "looked_at"), [(59.9, [ReviewReason.SHORT_CALL]), (60.0, [])])
async def test_only_a_talk_below_60_seconds_is_short(
    house: House, seconds: float, looked_at: list[ReviewReason]
) -> None:
    counselor = await house.counselor()
    order = await house.order(await house.caller(script=hangs_up(seconds)), counselor)
    await house.call(order)
    await house.pass_time(200)

    ended = await house.see_call(order)
    assert ended.talked(house.clock.now()) == timedelta(seconds=seconds)
    assert (await house.see_order(order)).state is OrderState.COMPLETED
    assert await reviews(house, order) == looked_at


@pytest.mark.rule("A27", "X08")
async def test_a_drop_after_40_seconds_is_a_drop_and_no_short_call(house: House) -> None:
    counselor = await house.counselor()
    order = await house.order(await house.caller(script=drops(40)), counselor)
    await house.call(order)
    await house.pass_time(40)
    house.world.script(CALLER, OFF)
    await house.pass_time(200)

    after = await house.see_order(order)
    assert after.state is OrderState.INTERRUPTED
    assert after.remaining_seconds == 1500 - 40
    assert after.settled is not None
    assert after.settled.consequence is Consequence.RESUME
    assert await reviews(house, order) == []


@pytest.mark.rule("A24", "X05")
async def test_a_call_let_in_a_second_before_closing_talks_on_after_it(house: House) -> None:
    counselor = await house.counselor()
    order = await house.order(await house.caller(), counselor)
    await house.pass_time(10 * 3600 - 1)

    await house.call(order)
    await house.pass_time(1600)

    ended = await house.see_call(order)
    assert ended.verdict is not None
    assert ended.verdict.kind is VerdictKind.CAP_REACHED
    assert ended.talked(house.clock.now()).total_seconds() == 1500


@pytest.mark.rule("A24", "X05")
async def test_the_attempts_of_a_call_let_in_before_closing_go_on_and_no_new_one_begins(
    house: House,
) -> None:
    counselor = await house.counselor()
    order = await house.order(await house.caller(script=NO_ANSWER), counselor)
    late = await house.order(await house.caller("+8613800000002"), counselor)
    await house.pass_time(10 * 3600 - 1)
    await house.call(order)
    await house.pass_time(1)

    with pytest.raises(Refused) as refused:
        await house.call(late, "+8613800000002")
    assert refused.value.code is RefusalCode.OUTSIDE_HOURS
    assert refused.value.retry_after_seconds == 12 * 3600
    house.world.script(CALLER, hangs_up(300))
    await house.pass_time(600)
    assert (await house.see_order(order)).state is OrderState.COMPLETED
    assert (await house.see_order(late)).state is OrderState.OPEN


@pytest.mark.rule("X06")
async def test_the_carriers_limit_ends_the_talk_when_nobody_of_us_is_there(house: House) -> None:
    counselor = await house.counselor()
    order = await house.order(await house.caller(), counselor)
    await house.call(order)
    await house.pass_time(10)
    joined = (await house.see_call(order)).connected_at
    assert joined is not None

    house.world.advance(joined + timedelta(seconds=1501))
    assert len(house.world.standing_legs()) == 2
    house.world.advance(joined + timedelta(seconds=1502))
    assert house.world.standing_legs() == ()


@pytest.mark.rule("A10", "A11", "A13", "X53")
async def test_a_number_that_lost_its_verification_is_refused_at_the_dial(house: House) -> None:
    counselor = await house.counselor()
    order = await house.order(await house.caller(), counselor)
    await house.pool.execute("UPDATE devices SET superseded_at = $1", house.clock.now())

    assert await refusal(house, order) is RefusalCode.DEVICE_NOT_VERIFIED
    assert (await house.see_voucher(order)).state is VoucherState.HELD
    assert house.world.standing_legs() == ()


@pytest.mark.rule("A22", "A23", "A39")
async def test_a_second_phone_that_dials_in_while_the_two_talk_is_let_go(house: House) -> None:
    counselor = await house.counselor()
    order = await house.order(await house.caller(script=replace(ANSWERS)), counselor)
    await house.call(order)
    await house.pass_time(10)
    service = house.programs[LISTENING].routing.service_numbers[0].number.digits

    house.world.dial("+8613700000009", service, house.clock.now(), shows=CALLER)
    await house.pass_time(20)

    assert (await house.see_call(order)).state is State.BRIDGED
    assert len(house.world.standing_legs()) == 2
    assert house.world.handset("+8613700000009").state == "idle"
    assert await house.pool.fetchval("SELECT count(*) FROM calls") == 1
