"""What people and time may do to an order."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from billing.choosing import match
from billing.opening import open_order
from billing.order import (
    ClosedBy,
    Order,
    State,
    cancel,
    close_resume_window,
    connected,
    expire,
    lapse,
    start_call,
)
from billing.policies.cover import Cover
from billing.settling import settle
from billing.voucher import VoucherMove
from terms.ids import CallId, OrderId, VoucherId
from terms.refusals import RefusalCode, Refused
from terms.verdict import EndedBy, VerdictKind
from tests.billing.stories import (
    ANA,
    BEN,
    DAY,
    DOCTOR_POLICY,
    FIRST,
    LIN,
    LISTENING,
    MINUTE,
    NOON,
    POLICY,
    SECOND,
    an_order,
    ended,
)

AT_ONCE_BEFORE = timedelta(microseconds=1)
DROPPED_AT = NOON + 20 * MINUTE


def in_call() -> Order:
    return start_call(an_order(), FIRST, NOON)


def talking() -> Order:
    return connected(in_call(), FIRST, NOON + MINUTE).order


def interrupted() -> Order:
    dropped = ended(VerdictKind.SYSTEM_DROP, EndedBy.CARRIER, at=DROPPED_AT)
    return settle(talking(), dropped, POLICY, DROPPED_AT).order


def completed() -> Order:
    return settle(talking(), ended(), POLICY, DROPPED_AT).order


def at_rest() -> list[Order]:
    return [
        completed(),
        cancel(an_order(), ClosedBy.CALLER, "changed_my_mind", NOON).order,
        expire(an_order(), NOON + DAY).order,
        close_resume_window(interrupted(), DROPPED_AT + DAY).order,
    ]


def refusal_of(order: Order, now_after_noon: timedelta = MINUTE) -> RefusalCode:
    with pytest.raises(Refused) as refused:
        start_call(order, SECOND, NOON + now_after_noon)
    return refused.value.code


@pytest.mark.rule("A31", "A01")
def test_a_new_order_is_open_for_24_hours_with_the_whole_talk_ahead() -> None:
    order = an_order()

    assert (order.state, order.counselor) == (State.OPEN, ANA)
    assert (order.granted_seconds, order.remaining_seconds) == (1500, 1500)
    assert order.expires_at == order.due_at == NOON + DAY


@pytest.mark.rule("A14", "C11")
@pytest.mark.parametrize(("voucher", "policy"), [(None, POLICY), ("v", DOCTOR_POLICY)])
def test_a_program_that_wants_a_voucher_gets_one_and_one_that_does_not_takes_none(
    voucher: str | None, policy: object
) -> None:
    assert policy in (POLICY, DOCTOR_POLICY)
    with pytest.raises(Refused) as refused:
        open_order(
            id=OrderId("order-1"),
            caller=LIN,
            program=LISTENING,
            program_version="1",
            program_digest="d1",
            counselor=ANA,
            voucher=None if voucher is None else VoucherId(voucher),
            granted_seconds=1500,
            policy=POLICY if policy is POLICY else DOCTOR_POLICY,
            now=NOON,
        )

    assert refused.value.code is RefusalCode.VOUCHER_INVALID


@pytest.mark.rule("A22", "A23", "X02")
def test_while_a_call_works_every_other_dial_is_refused() -> None:
    assert refusal_of(in_call()) is RefusalCode.VOUCHER_IN_USE
    assert refusal_of(talking()) is RefusalCode.VOUCHER_IN_USE
    assert refusal_of(start_call(an_order(voucher=None), FIRST, NOON)) is (
        RefusalCode.CALL_IN_PROGRESS
    )


def test_the_same_dial_told_twice_is_one_dial() -> None:
    assert start_call(in_call(), FIRST, NOON) == in_call()


@pytest.mark.rule("A32", "X03")
def test_an_order_may_be_dialled_until_its_last_instant_exclusive() -> None:
    assert start_call(an_order(), FIRST, NOON + DAY - AT_ONCE_BEFORE).call == FIRST
    assert refusal_of(an_order(), DAY) is RefusalCode.ORDER_EXPIRED


@pytest.mark.rule("A27", "X07")
def test_the_rest_of_a_dropped_talk_may_be_used_for_24_hours_from_the_drop() -> None:
    resumed = start_call(interrupted(), SECOND, DROPPED_AT + DAY - AT_ONCE_BEFORE)

    assert (resumed.state, resumed.remaining_seconds) == (State.IN_CALL, 900)
    assert refusal_of(interrupted(), 20 * MINUTE + DAY) is RefusalCode.ORDER_EXPIRED


def test_an_order_at_rest_says_why_it_cannot_be_dialled() -> None:
    assert [refusal_of(order) for order in at_rest()] == [
        RefusalCode.ORDER_NOT_OPEN,
        RefusalCode.ORDER_NOT_OPEN,
        RefusalCode.ORDER_EXPIRED,
        RefusalCode.ORDER_NOT_OPEN,
    ]


@pytest.mark.rule("A19", "X01")
def test_the_voucher_is_used_at_the_instant_both_hear_each_other_and_not_by_ringing() -> None:
    first = connected(in_call(), FIRST, NOON + MINUTE)
    again = connected(first.order, FIRST, NOON + 2 * MINUTE)

    assert first.voucher_move is VoucherMove.CONSUME
    assert (first.order.connected_at, first.order.talk_started_at) == (NOON + MINUTE,) * 2
    assert (again.order, again.voucher_move) == (first.order, VoucherMove.KEEP)


def test_news_of_another_call_connecting_changes_nothing() -> None:
    for order in (an_order(), in_call(), *at_rest()):
        late = connected(order, CallId("long-ago"), NOON)
        assert (late.order, late.voucher_move) == (order, VoucherMove.KEEP)


@pytest.mark.rule("A32", "A33", "X03")
def test_an_order_that_never_connected_expires_and_gives_its_voucher_back() -> None:
    early = expire(an_order(), NOON + DAY - AT_ONCE_BEFORE)
    due = expire(an_order(), NOON + DAY)

    assert (early.order, early.voucher_move) == (an_order(), VoucherMove.KEEP)
    assert (due.order.state, due.order.closed_by) == (State.EXPIRED, ClosedBy.TIME)
    assert due.voucher_move is VoucherMove.RETURN_EXPIRED
    assert due.notices == ("order.expired",)


@pytest.mark.rule("X03", "X15")
def test_time_never_ends_an_order_while_a_call_works_for_it() -> None:
    for order in (in_call(), talking()):
        assert lapse(order, NOON + 3 * DAY).order == order
        assert order.due_at is None


@pytest.mark.rule("A28", "X07")
def test_a_rest_that_is_not_used_in_its_window_is_closed_without_giving_the_voucher_back() -> None:
    early = lapse(interrupted(), DROPPED_AT + DAY - AT_ONCE_BEFORE)
    due = lapse(interrupted(), DROPPED_AT + DAY)

    assert early.order == interrupted()
    assert (due.order.state, due.voucher_move) == (State.CLOSED, VoucherMove.KEEP)
    assert due.notices == ("order.closed",)


def test_a_wake_up_after_the_end_changes_nothing() -> None:
    for order in at_rest():
        assert lapse(order, NOON + 30 * DAY).order == order


def test_a_caller_may_give_an_unused_order_up_and_gets_the_voucher_back() -> None:
    cancelled = cancel(an_order(), ClosedBy.CALLER, "changed_my_mind", NOON)

    assert (cancelled.order.state, cancelled.order.closed_by) == (
        State.CANCELLED,
        ClosedBy.CALLER,
    )
    assert cancelled.order.closed_reason == "changed_my_mind"
    assert cancelled.voucher_move is VoucherMove.RETURN_CANCELLED
    assert cancelled.notices == ("order.cancelled",)


def test_giving_up_the_rest_of_a_talk_does_not_give_the_voucher_back() -> None:
    given_up = cancel(interrupted(), ClosedBy.CALLER, "changed_my_mind", DROPPED_AT)

    assert (given_up.order.state, given_up.voucher_move) == (State.CLOSED, VoucherMove.KEEP)


def test_an_order_is_not_cancelled_under_a_call_nor_after_its_end() -> None:
    for order, code in (
        (in_call(), RefusalCode.CALL_IN_PROGRESS),
        *((order, RefusalCode.ORDER_NOT_OPEN) for order in at_rest()),
    ):
        with pytest.raises(Refused) as refused:
            cancel(order, ClosedBy.CALLER, "changed_my_mind", NOON)
        assert refused.value.code is code


@pytest.mark.rule("A37", "X04")
@pytest.mark.parametrize("order", [an_order(), in_call(), talking(), interrupted()])
def test_a_listening_order_keeps_its_counselor(order: Order) -> None:
    with pytest.raises(Refused) as refused:
        match(order, BEN, POLICY)

    assert refused.value.code is RefusalCode.ORDER_NOT_OPEN
    assert match(order, ANA, POLICY) == order


@pytest.mark.rule("C06")
def test_a_steward_chooses_the_doctor_until_the_two_talk() -> None:
    waiting = replace(an_order(voucher=None), counselor=None)
    matched = match(waiting, ANA, DOCTOR_POLICY)

    assert matched.counselor == ANA
    assert match(matched, BEN, DOCTOR_POLICY).counselor == BEN
    ringing = start_call(matched, FIRST, NOON)
    assert match(ringing, BEN, DOCTOR_POLICY).counselor == BEN
    with pytest.raises(Refused):
        match(connected(ringing, FIRST, NOON).order, BEN, DOCTOR_POLICY)


def test_nobody_is_matched_to_an_order_at_rest() -> None:
    for order in at_rest():
        with pytest.raises(Refused):
            match(order, BEN, DOCTOR_POLICY)


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": State.IN_CALL},
        {"call": FIRST},
        {"state": State.INTERRUPTED, "connected_at": NOON},
        {"state": State.COMPLETED},
        {"state": State.EXPIRED},
        {"closed_at": NOON},
        {"connected_at": NOON},
        {"talk_started_at": NOON},
        {"remaining_seconds": 1501},
        {"remaining_seconds": -1},
        {"remaining_seconds": None},
    ],
)
def test_an_order_cannot_have_what_its_state_does_not_allow(wrong: dict[str, object]) -> None:
    with pytest.raises(AssertionError):
        replace(an_order(), **wrong)  # type: ignore[arg-type]


@pytest.mark.rule("B05")
def test_a_service_ends_on_the_day_that_was_announced_and_open_orders_go_on() -> None:
    ends = replace(POLICY, cover=Cover(offered_until=date(2030, 1, 1)))
    midnight = datetime(2030, 1, 1, 16, tzinfo=UTC)  # in China

    def opened(now: datetime) -> Order:
        return open_order(
            id=OrderId("order-1"),
            caller=LIN,
            program=LISTENING,
            program_version="1",
            program_digest="d1",
            counselor=ANA,
            voucher=VoucherId("voucher-1"),
            granted_seconds=1500,
            policy=ends,
            now=now,
        ).order

    last = opened(midnight - MINUTE)
    assert start_call(last, FIRST, midnight + MINUTE).state is State.IN_CALL
    with pytest.raises(Refused, match="offered until 2030-01-01") as refused:
        opened(midnight)
    assert refused.value.code is RefusalCode.NOT_ENTITLED
