"""The fold alone: what a call's moves mean for its order, its voucher and its counselor. Pure."""

from datetime import datetime, timedelta

import pytest

from billing import voucher as vouchers
from billing.opening import open_order
from billing.order import ClosedBy, Order, ReviewReason
from billing.order import State as OrderState
from billing.voucher import State as VoucherState
from dialer.call import State
from dialer.carriers import KeyPressed, LegAnswered, LegBridged, LegEnded, LegRinging, ReleaseSide
from dialer.events import (
    CallerHungUp,
    CounselorClaimed,
    CounselorDeclined,
    CounselorHungUp,
    CrisisRaised,
    Event,
    TimerFired,
    TimerKind,
)
from dialer.orders import Ring
from routing.counselor import Counselor
from terms.ids import CallerId, CallId, CounselorId, LegId, OrderId, ProgramId, VoucherId
from terms.refusals import Refused
from terms.values import replace
from tests.people import DOCTOR, LISTENING
from warmline.desk import fold
from warmline.desk.moves import moved_counselor
from warmline.desk.slice import CounselorMove, NoticeKind, Outcome, Slice
from warmline.programs import Program, load_shipped

PROGRAMS = load_shipped()
NOON = datetime.fromisoformat("2030-01-01T04:00:00+00:00")
CALL, ANA, LIN = CallId("call_1"), CounselorId("ana"), CallerId("lin")
CALLERS_LEG, COUNSELORS_LEG = LegId("call_1/caller/1"), LegId("call_1/counselor/1")


def at(seconds: float) -> datetime:
    """So many seconds after the dial."""
    return NOON + timedelta(seconds=seconds)


def opened(program: ProgramId = LISTENING) -> Slice:
    """An order at noon, with its voucher where one is wanted."""
    sheet = PROGRAMS[program]
    id_, voucher = OrderId("order_1"), None
    if sheet.billing.voucher == "required":
        prepared, _ = vouchers.prepare(
            id=VoucherId("voucher_1"),
            program=program,
            code_hash=b"-" * 32,
            code_ending="7K2M",
            valid_until=at(86400 * 30),
            now=NOON,
        )
        issued, _ = vouchers.issue(prepared, NOON)
        voucher, _ = vouchers.hold(issued, order=id_, caller=LIN, program=program, now=NOON)
    order: Order = open_order(
        id=id_,
        caller=LIN,
        program=program,
        program_version=sheet.version,
        program_digest=sheet.digest,
        counselor=ANA if program == LISTENING else None,
        voucher=None if voucher is None else voucher.id,
        granted_seconds=sheet.granted_seconds,
        policy=sheet.billing,
        now=NOON,
    ).order
    return Slice(order=order, voucher=voucher)


def dialled(program: ProgramId = LISTENING, counselor: CounselorId | None = ANA) -> Outcome:
    """The caller pressed, and was let in."""
    dial = fold.Dial(call=CALL, counselor=counselor)
    return fold.place(opened(program), dial, PROGRAMS[program], NOON)


def after(
    slice_: Slice, *events: tuple[float, Event], program: Program = PROGRAMS[LISTENING]
) -> list[Outcome]:
    """What comes of events, one after the other."""
    outcomes = []
    for seconds, event in events:
        outcomes.append(fold.carry(slice_, event, program, at(seconds)))
        slice_ = outcomes[-1].slice
    return outcomes


def talk() -> list[tuple[float, Event]]:
    """Both come to the line and are joined eleven seconds after the dial."""
    return [
        (1, LegRinging(leg=CALLERS_LEG, at=at(1))),
        (3, LegAnswered(leg=CALLERS_LEG, at=at(3))),
        (8, LegAnswered(leg=COUNSELORS_LEG, at=at(8))),
        (9, KeyPressed(leg=COUNSELORS_LEG, at=at(9), digit="1")),
        (10, LegBridged(leg=CALLERS_LEG, at=at(10))),
        (11, LegBridged(leg=COUNSELORS_LEG, at=at(11))),
    ]


def moves(outcomes: list[Outcome]) -> list[CounselorMove]:
    """What became of Ana, step by step."""
    return [move for outcome in outcomes for who, move in outcome.counselors if who == ANA]


@pytest.mark.rule("A19", "X01", "X56")
def test_the_voucher_is_used_by_the_very_event_that_joins_the_second_of_the_two() -> None:
    outcomes = after(dialled().slice, *talk())

    assert [one.payment is not None for one in outcomes] == [False] * 5 + [True]
    used = outcomes[-1].payment
    assert used is not None
    assert (used.to_account, used.order, used.at) == ("consumed", "order_1", at(11))
    voucher = outcomes[-1].slice.voucher
    assert voucher is not None
    assert voucher.state is VoucherState.CONSUMED


@pytest.mark.rule("X56")
def test_no_later_event_moves_the_voucher_again() -> None:
    slice_ = after(dialled().slice, *talk())[-1].slice
    ended = LegEnded(leg=CALLERS_LEG, at=at(700), by=ReleaseSide.PARTY, q850=16)

    later = after(slice_, *talk(), (700, ended), (701, ended))

    assert [one.payment for one in later] == [None] * len(later)
    assert later[-1].slice.order.state is OrderState.COMPLETED


def test_a_dial_claims_the_counselor_and_rings_the_caller_first() -> None:
    outcome = dialled()

    assert outcome.counselors == ((ANA, CounselorMove.CLAIMED),)
    assert [one.leg for one in outcome.effects if isinstance(one, Ring)] == [CALLERS_LEG]
    assert (outcome.slice.order.state, outcome.slice.order.call) == (OrderState.IN_CALL, CALL)
    assert (outcome.payment, outcome.notices) == (None, ())


@pytest.mark.rule("A22", "A23")
def test_a_second_dial_is_refused_and_the_slice_is_as_before() -> None:
    slice_ = dialled().slice
    with pytest.raises(Refused, match="voucher"):
        fold.place(
            slice_, fold.Dial(call=CallId("call_2"), counselor=ANA), PROGRAMS[LISTENING], NOON
        )
    assert slice_ == dialled().slice


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([(2, CallerHungUp())], [CounselorMove.RELEASED]),
        ([*talk()[:3], (9, CounselorDeclined())], [CounselorMove.DECLINED]),
        (
            [*talk(), (60, CounselorHungUp())],
            [CounselorMove.ACCEPTED, CounselorMove.FREED],
        ),
        (
            [*talk()[:4], (10, CallerHungUp())],
            [CounselorMove.ACCEPTED, CounselorMove.RELEASED],
        ),
    ],
)
def test_what_becomes_of_the_counselor_follows_from_what_the_call_is(
    events: list[tuple[float, Event]], expected: list[CounselorMove]
) -> None:
    outcomes = after(dialled().slice, *events)

    assert moves(outcomes) == expected
    call = outcomes[-1].slice.call
    assert call is not None
    assert (call.state, call.counselor) == (State.ENDED, None)


def test_only_a_talk_is_followed_by_a_wrap_up() -> None:
    someone = Counselor(
        id=ANA, name="Ana", programs=frozenset(), roles=frozenset(), idle_since=NOON
    )
    freed = moved_counselor(someone, CounselorMove.FREED, CALL, PROGRAMS[LISTENING], at(100))
    released = moved_counselor(someone, CounselorMove.RELEASED, CALL, PROGRAMS[LISTENING], at(100))

    assert freed.wrap_up_until == at(160)
    assert released.wrap_up_until is None


@pytest.mark.rule("X11", "A29")
def test_the_end_of_a_talk_settles_order_review_and_push_in_one_outcome() -> None:
    outcome = after(dialled().slice, *talk(), (191, CounselorHungUp()))[-1]

    assert outcome.slice.order.state is OrderState.COMPLETED
    assert outcome.slice.order.talked_seconds == 180
    assert outcome.review is not None
    assert (outcome.review.reason, outcome.review.call) == (
        ReviewReason.COUNSELOR_ENDED_EARLY,
        CALL,
    )
    assert [(one.kind, one.template) for one in outcome.notices] == [
        (NoticeKind.STATUS, "order.completed")
    ]


@pytest.mark.rule("A27", "X07")
def test_better_evidence_after_the_end_gives_the_rest_back_without_moving_the_voucher() -> None:
    hung_up = LegEnded(leg=CALLERS_LEG, at=at(311), by=ReleaseSide.UNKNOWN, q850=16)
    in_truth = LegEnded(leg=CALLERS_LEG, at=at(311), by=ReleaseSide.CARRIER, q850=41)
    *_, first, better = after(dialled().slice, *talk(), (312, hung_up), (330, in_truth))

    assert first.slice.order.state is OrderState.COMPLETED
    assert first.review is not None
    assert better.slice.order.state is OrderState.INTERRUPTED
    assert better.slice.order.remaining_seconds == 1200
    assert better.review_withdrawn == CALL
    assert better.payment is None


@pytest.mark.rule("X27", "C25", "C26", "C27")
def test_an_sms_goes_before_the_third_try_and_the_third_cancels_with_both_notices() -> None:
    program = PROGRAMS[DOCTOR]
    outcome = dialled(DOCTOR)
    told: list[list[str]] = []
    for attempt in (1, 2, 3):
        call = outcome.slice.call
        assert call is not None
        counselors, callers = (LegId(f"call_1/{one}/{attempt}") for one in ("counselor", "caller"))
        start = attempt * 1000
        steps: list[tuple[float, Event]] = [
            (start, LegAnswered(leg=counselors, at=at(start))),
            (start + 1, KeyPressed(leg=counselors, at=at(start + 1), digit="1")),
            (start + 2, LegEnded(leg=callers, at=at(start + 2), by=ReleaseSide.PARTY, q850=17)),
        ]
        outcome = after(outcome.slice, *steps, program=program)[-1]
        told.append([one.template for one in outcome.notices])
        if attempt < 3:
            outcome = fold.carry(
                outcome.slice,
                CounselorClaimed(ANA),
                program,
                at(start + 500),
            )

    assert told == [[], ["we_will_call_again"], ["order.cancelled", "order_cancelled"]]
    assert outcome.slice.order.state is OrderState.CANCELLED


def test_a_due_attempt_needs_a_counselor_and_no_other_timer_does() -> None:
    busy = LegEnded(leg=CALLERS_LEG, at=at(2), by=ReleaseSide.PARTY, q850=17)
    call = after(dialled().slice, (2, busy))[-1].slice.call
    assert call is not None
    (timer,) = (one for one in call.timers if one.kind is TimerKind.ATTEMPT)

    assert fold.needs_counselor(call, TimerFired(timer))
    assert not fold.needs_counselor(call, TimerFired(replace(timer, due_at=at(1))))
    assert not fold.needs_counselor(call, busy)


@pytest.mark.rule("X55")
def test_a_crisis_is_pushed_once_and_names_neither_person_nor_number() -> None:
    slice_ = after(dialled().slice, *talk())[-1].slice
    first, second = after(slice_, (100, CrisisRaised()), (101, CrisisRaised()))

    (push,) = first.notices
    assert (push.kind, push.template) == (NoticeKind.STATUS, "crisis.raised")
    assert dict(push.data) == {"order": "order_1", "program": LISTENING}
    assert (second.notices, second.effects) == ((), ())


@pytest.mark.rule("A32", "A33", "X13", "X03")
def test_time_alone_ends_an_order_at_rest_and_never_one_with_a_call() -> None:
    program = PROGRAMS[LISTENING]
    early = fold.lapse(opened(), program, at(86399))
    late = fold.lapse(opened(), program, at(86400))
    working = fold.lapse(dialled().slice, program, at(90000))

    assert (early.slice, early.payment) == (opened(), None)
    assert late.slice.order.state is OrderState.EXPIRED
    assert late.payment is not None
    assert late.payment.to_account == "returned"
    assert working.slice == dialled().slice


@pytest.mark.rule("A33")
def test_an_order_cannot_be_cancelled_under_a_call() -> None:
    with pytest.raises(Refused):
        fold.cancel(dialled().slice, ClosedBy.CALLER, "changed_mind", at(1))
    given_up = fold.cancel(opened(), ClosedBy.CALLER, "changed_mind", at(1))
    assert given_up.slice.voucher is not None
    assert given_up.slice.voucher.state is VoucherState.RETURNED


def test_a_push_tells_when_a_live_order_ends_and_of_one_at_rest_nothing() -> None:
    program = PROGRAMS[LISTENING]
    hung_up = LegEnded(leg=CALLERS_LEG, at=at(311), by=ReleaseSide.UNKNOWN, q850=16)
    cut_off = LegEnded(leg=CALLERS_LEG, at=at(311), by=ReleaseSide.CARRIER, q850=41)
    interrupted = after(dialled().slice, *talk(), (312, hung_up), (330, cut_off))[-1]
    closed_at = interrupted.slice.order.resume_until
    assert closed_at is not None
    completed = after(dialled().slice, *talk(), (191, CounselorHungUp()))[-1]
    ends = {
        one.template: one.data["until"]
        for outcome in (
            interrupted,
            completed,
            fold.cancel(opened(), ClosedBy.CALLER, "changed_mind", at(1)),
            fold.lapse(opened(), program, at(86400)),
            fold.lapse(interrupted.slice, program, closed_at),
        )
        for one in outcome.notices
        if one.kind is NoticeKind.STATUS
    }

    assert ends == {
        "order.interrupted": closed_at.isoformat(),
        "order.completed": None,
        "order.cancelled": None,
        "order.expired": None,
        "order.closed": None,
    }
