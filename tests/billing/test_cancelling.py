"""What it costs to give an appointment up or to miss it: to the second."""

from datetime import datetime, timedelta

import pytest

from billing.appointments import Appointments
from billing.cancelling import GENERAL, Boundary, CancelPolicy, counted, let_down
from billing.order import ClosedBy, Order, State, cancel, expire, lapse, start_call
from billing.policy import Policy, parse
from billing.quota import quota_on
from billing.settling import OnExhausted, settle
from billing.voucher import VoucherMove
from terms.ids import BookId
from terms.refusals import RefusalCode, Refused
from terms.section import ProgramInvalid
from terms.values import replace
from tests.billing.stories import BY_APPOINTMENT, DAY, DOCTOR_POLICY, FIRST, NOON, an_order
from tests.billing.stories import not_connected as unconnected

STARTS = NOON + 3 * DAY
SECOND = timedelta(seconds=1)
BACK = VoucherMove.RETURN_CANCELLED
LATE = VoucherMove.LATE_CANCEL


def booked(policy: Policy = BY_APPOINTMENT, **more: object) -> Order:
    return an_order(policy=policy, starts_at=STARTS, **more)  # type: ignore[arg-type]


def by(**keys: object) -> Policy:
    """The `[billing]` section of a program with appointments."""
    return parse({"appointments": True, **keys})


def cost(order: Order, at: datetime) -> tuple[VoucherMove, str | None]:
    given_up = cancel(order, ClosedBy.CALLER, "changed_my_mind", at)
    assert given_up.order.state is State.CANCELLED
    return given_up.voucher_move, counted(given_up.order)


@pytest.mark.rule("B07", "B08", "X23")
@pytest.mark.parametrize(
    ("at", "move"),
    [
        (NOON, BACK),
        (STARTS - DAY - SECOND, BACK),
        (STARTS - DAY, BACK),
        (STARTS - DAY + timedelta(microseconds=1), LATE),
        (STARTS - DAY + SECOND, LATE),
        (STARTS - SECOND, LATE),
        (STARTS, LATE),
        (STARTS + SECOND, LATE),
        (STARTS + DAY - SECOND, LATE),
    ],
)
def test_until_exactly_24_hours_before_it_is_free_and_one_moment_later_it_counts(
    at: datetime, move: VoucherMove
) -> None:
    assert cost(booked(), at) == (move, "late_cancel" if move is LATE else None)


@pytest.mark.rule("X23")
def test_whether_the_limit_itself_is_free_is_the_programs_word() -> None:
    strict = booked(by(cancel_free_until="exclusive"))

    assert cost(strict, STARTS - DAY - timedelta(microseconds=1))[0] is BACK
    assert cost(strict, STARTS - DAY)[0] is LATE
    assert strict.cancel_free_until == STARTS - DAY - timedelta(microseconds=1)


@pytest.mark.rule("X23")
@pytest.mark.parametrize(
    ("keys", "policy"),
    [
        ({}, GENERAL),
        ({"cancel_free_seconds": 7200}, CancelPolicy(free_seconds=7200)),
        ({"cancel_free_until": "exclusive"}, CancelPolicy(boundary=Boundary.EXCLUSIVE)),
        ({"no_show_consumes": False}, CancelPolicy(no_show_consumes=False)),
        (
            {"cancel_free_seconds": 0, "cancel_free_until": "exclusive"},
            CancelPolicy(free_seconds=0, boundary=Boundary.EXCLUSIVE),
        ),
    ],
)
def test_what_a_service_says_itself_goes_before_what_holds_for_all(
    keys: dict[str, object], policy: CancelPolicy
) -> None:
    assert by(**keys).appointments == Appointments(taken=True, cancelling=policy)
    assert CancelPolicy(free_seconds=86_400, boundary=Boundary.INCLUSIVE) == GENERAL


@pytest.mark.rule("X23")
def test_a_service_with_a_shorter_limit_is_given_up_free_until_then() -> None:
    order = booked(by(cancel_free_seconds=7200))

    assert cost(order, STARTS - timedelta(hours=2))[0] is BACK
    assert cost(order, STARTS - timedelta(hours=2) + SECOND)[0] is LATE


@pytest.mark.rule("X23")
def test_whoever_the_house_let_down_gives_up_free_at_any_time() -> None:
    failed = let_down(booked(), STARTS)

    assert cost(failed, STARTS + timedelta(minutes=5)) == (BACK, None)
    assert let_down(failed, STARTS + DAY) is failed
    assert let_down(an_order(), NOON).let_down_at is None


def test_an_order_without_an_appointed_time_is_given_up_free() -> None:
    assert cost(an_order(), NOON + DAY - SECOND) == (BACK, None)


def test_where_nothing_pays_for_it_nothing_counts() -> None:
    free = replace(DOCTOR_POLICY, appointments=Appointments(taken=True))

    assert cost(booked(free, voucher=None), STARTS) == (BACK, None)


@pytest.mark.rule("B07")
def test_an_appointment_nobody_called_for_counts_as_used_when_its_time_is_over() -> None:
    order = booked()
    assert order.expires_at == order.due_at == STARTS + DAY
    assert expire(order, STARTS + DAY - SECOND).order is order

    missed = lapse(order, STARTS + DAY)

    assert (missed.order.state, missed.order.closed_reason) == (State.EXPIRED, "no_show")
    assert missed.voucher_move is VoucherMove.NO_SHOW
    assert counted(missed.order) == "no_show"


@pytest.mark.rule("B07")
def test_whoever_the_counselor_or_the_house_failed_has_missed_nothing() -> None:
    kept = lapse(let_down(booked(), STARTS), STARTS + DAY)

    assert kept.voucher_move is VoucherMove.RETURN_EXPIRED
    assert kept.order.closed_reason == "never_connected"


@pytest.mark.rule("B07")
@pytest.mark.parametrize(
    ("on_exhausted", "state"), [(OnExhausted.CANCEL, State.CANCELLED), (OnExhausted.KEEP, None)]
)
def test_whoever_cannot_be_reached_at_the_appointed_time_has_used_it(
    on_exhausted: OnExhausted, state: State | None
) -> None:
    calling = start_call(booked(), FIRST, STARTS)
    ending = unconnected(exhausted=True, on_exhausted=on_exhausted, attempts_counted=3)

    after = settle(calling, ending, BY_APPOINTMENT, STARTS + timedelta(minutes=8))

    if state is None:
        assert after.order.state is State.OPEN
        after = lapse(after.order, STARTS + DAY)
    assert after.voucher_move is VoucherMove.NO_SHOW
    assert counted(after.order) == "no_show"


@pytest.mark.rule("B07")
def test_a_call_that_failed_by_the_counselor_or_the_house_makes_nobody_miss_it() -> None:
    calling = start_call(booked(), FIRST, STARTS)
    ending = replace(unconnected(), let_down=True)

    again = settle(calling, ending, BY_APPOINTMENT, STARTS + timedelta(minutes=8)).order
    late = settle(calling, ending, BY_APPOINTMENT, STARTS + DAY)

    assert cost(again, STARTS + timedelta(minutes=9))[0] is BACK
    assert lapse(again, STARTS + DAY).voucher_move is VoucherMove.RETURN_EXPIRED
    assert (late.order.state, late.voucher_move) == (State.EXPIRED, VoucherMove.RETURN_EXPIRED)


@pytest.mark.rule("X28")
def test_a_program_may_say_that_missing_it_goes_by_the_rule_of_no_contact() -> None:
    policy = by(no_show_consumes=False, no_contact_consumes=True)
    calling = start_call(booked(policy), FIRST, STARTS)
    ending = unconnected(exhausted=True, on_exhausted=OnExhausted.CANCEL, attempts_counted=3)

    unreached = settle(calling, ending, policy, STARTS + timedelta(minutes=8))

    assert unreached.voucher_move is VoucherMove.COUNT_NO_CONTACT
    uncalled = lapse(booked(policy), STARTS + DAY, no_show_consumes=False)
    assert uncalled.voucher_move is VoucherMove.RETURN_EXPIRED


def test_nobody_is_called_before_the_appointed_time() -> None:
    with pytest.raises(Refused) as refused:
        start_call(booked(), FIRST, STARTS - timedelta(microseconds=1))

    assert refused.value.code is RefusalCode.NOT_NOW
    assert refused.value.retry_after_seconds == 1
    assert start_call(booked(), FIRST, STARTS).state is State.IN_CALL


@pytest.mark.parametrize(
    ("policy", "starts_at"),
    [
        (Policy(), STARTS),
        (BY_APPOINTMENT, NOON),
        (BY_APPOINTMENT, NOON - SECOND),
        (BY_APPOINTMENT, NOON + 7 * DAY + SECOND),
        (by(book_ahead_seconds=3600), NOON + timedelta(hours=1) + SECOND),
    ],
)
def test_a_time_that_cannot_be_booked_is_refused(policy: Policy, starts_at: datetime) -> None:
    with pytest.raises(Refused) as refused:
        an_order(policy=policy, starts_at=starts_at)

    assert refused.value.code is RefusalCode.NOT_NOW


def test_the_next_moment_and_the_last_one_of_the_horizon_can_be_booked() -> None:
    for starts_at in (NOON + timedelta(microseconds=1), NOON + 7 * DAY):
        assert an_order(policy=BY_APPOINTMENT, starts_at=starts_at).starts_at == starts_at


@pytest.mark.parametrize(
    "key", ["book_ahead_seconds", "cancel_free_seconds", "cancel_free_until", "no_show_consumes"]
)
def test_a_key_about_appointments_that_can_never_act_is_a_fault(key: str) -> None:
    value = {"cancel_free_until": "exclusive", "no_show_consumes": False}.get(key, 3600)

    with pytest.raises(ProgramInvalid, match=rf"{key}: has no effect unless appointments"):
        parse({key: value})


@pytest.mark.rule("B07", "X22", "X23")
@pytest.mark.parametrize("move", [VoucherMove.LATE_CANCEL, VoucherMove.NO_SHOW])
def test_a_held_use_of_a_quota_is_used_up_once(move: VoucherMove) -> None:
    import billing.quota as quotas

    blank = quota_on(
        NOON.date(),
        program=an_order().program,
        subject="person-1",
        period=quotas.Period.CALENDAR_YEAR,
    )
    order = an_order(voucher=None, quota=BookId(blank.book))
    held, _ = quotas.hold(blank, order=order.id, limit=1, at=NOON)

    used, entry = quotas.carry_out(held, move, order.id, STARTS)

    assert entry is not None
    assert (entry.from_account, entry.to_account, entry.reason) == ("held", "used", str(move))
    assert quotas.carry_out(used, move, order.id, STARTS) == (used, None)
    assert quotas.carry_out(blank, move, order.id, STARTS) == (blank, None)
