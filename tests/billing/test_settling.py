"""The table of endings, every line of it; what later evidence may and may not change."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from billing.order import (
    ClosedBy,
    Order,
    ReviewReason,
    Settlement,
    State,
    cancel,
    connected,
    finalise,
    start_call,
)
from billing.settling import CallEnding, OnExhausted, revise, settle, unless_taken
from billing.voucher import VoucherMove, carry_out, hold
from terms.ids import OrderId
from terms.verdict import Confidence, EndedBy, VerdictKind
from tests.billing.stories import (
    DAY,
    FIRST,
    LIN,
    LISTENING,
    MINUTE,
    NOON,
    POLICY,
    SECOND,
    a_voucher,
    an_order,
    ended,
    not_connected,
)

END = NOON + 20 * MINUTE
SHORT, LONG = 59, 60
COMPLETED, INTERRUPTED = State.COMPLETED, State.INTERRUPTED
LOOK_SHORT, LOOK_EARLY = ReviewReason.SHORT_CALL, ReviewReason.COUNSELOR_ENDED_EARLY
LOOK_DROP, LOOK_STAFF = ReviewReason.SUSPECTED_DROP, ReviewReason.OPERATOR_ENDED
LOOK = ReviewReason.INDETERMINATE

# What a connected talk of 59 s and of 60 s leads to: for every verdict, whoever ended it; the last
# two columns when the counselor did.
Effect = tuple[State, ReviewReason | None]
EXPECTED: dict[VerdictKind, tuple[Effect, Effect, Effect, Effect]] = {
    VerdictKind.PARTY_ENDED: (
        (COMPLETED, LOOK_SHORT),
        (COMPLETED, None),
        (COMPLETED, LOOK_EARLY),
        (COMPLETED, LOOK_EARLY),
    ),
    VerdictKind.CAP_REACHED: ((COMPLETED, None),) * 4,
    VerdictKind.SYSTEM_DROP: ((INTERRUPTED, None),) * 4,
    VerdictKind.SUSPECTED_DROP: ((COMPLETED, LOOK_DROP),) * 4,
    VerdictKind.NOT_CONNECTED: ((COMPLETED, LOOK),) * 4,
    VerdictKind.OPERATOR_ENDED: ((COMPLETED, LOOK_STAFF),) * 4,
    VerdictKind.INDETERMINATE: (
        (COMPLETED, LOOK_SHORT),
        (COMPLETED, LOOK),
        (COMPLETED, LOOK_SHORT),
        (COMPLETED, LOOK),
    ),
}


def in_call() -> Order:
    return start_call(an_order(), FIRST, NOON)


def talking() -> Order:
    return connected(in_call(), FIRST, NOON + MINUTE).order


def after(ending: CallEnding, order: Order | None = None) -> Settlement:
    return settle(order or talking(), ending, POLICY, END)


def dropped(talked: int = 600, **more: object) -> CallEnding:
    return ended(VerdictKind.SYSTEM_DROP, EndedBy.CARRIER, talked=talked, **more)  # type: ignore[arg-type]


@pytest.mark.rule("A27", "A29", "A35", "X08", "X09", "X11")
@pytest.mark.parametrize(("kind", "by"), list(product(VerdictKind, EndedBy)))
def test_every_verdict_on_a_talk_has_its_effect(kind: VerdictKind, by: EndedBy) -> None:
    short, long, short_counselor, long_counselor = EXPECTED[kind]
    expected = (short_counselor, long_counselor) if by is EndedBy.COUNSELOR else (short, long)

    for talked, (state, review) in zip((SHORT, LONG), expected, strict=True):
        settlement = after(ended(kind, by, talked=talked))
        assert settlement.order.state is state
        assert (settlement.review.reason if settlement.review else None) is review
        assert settlement.voucher_move is VoucherMove.KEEP
        assert settlement.notices == (f"order.{state}",)
        assert settlement.order.talked_seconds == talked


@pytest.mark.rule("X01", "A19", "A30", "A39")
@pytest.mark.parametrize(("kind", "by"), list(product(VerdictKind, EndedBy)))
def test_a_call_in_which_nobody_talked_leaves_the_order_as_before_the_dial(
    kind: VerdictKind, by: EndedBy
) -> None:
    settlement = after(ended(kind, by, connected=False, attempts_counted=2), in_call())

    order = settlement.order
    assert replace(order, settled=None, attempts_counted=0) == an_order()
    assert order.attempts_counted == 2
    assert (settlement.voucher_move, settlement.review) == (VoucherMove.KEEP, None)
    assert settlement.notices == ()
    assert start_call(order, SECOND, END).call == SECOND


@pytest.mark.parametrize(
    ("kind", "by", "review"),
    [
        (VerdictKind.SYSTEM_DROP, EndedBy.CARRIER, LOOK_DROP),
        (VerdictKind.PARTY_ENDED, EndedBy.CALLER, LOOK),
        (VerdictKind.PARTY_ENDED, EndedBy.COUNSELOR, LOOK),
        (VerdictKind.CAP_REACHED, EndedBy.PLATFORM, LOOK),
        (VerdictKind.SUSPECTED_DROP, EndedBy.UNKNOWN, LOOK_DROP),
        (VerdictKind.OPERATOR_ENDED, EndedBy.STAFF, LOOK_STAFF),
        (VerdictKind.INDETERMINATE, EndedBy.UNKNOWN, LOOK),
        (VerdictKind.NOT_CONNECTED, EndedBy.UNKNOWN, LOOK),
    ],
)
def test_a_verdict_of_low_confidence_is_looked_at(
    kind: VerdictKind, by: EndedBy, review: ReviewReason
) -> None:
    settlement = after(ended(kind, by, confidence=Confidence.LOW))

    assert settlement.order.state is COMPLETED
    assert settlement.review is not None
    assert settlement.review.reason is review


@pytest.mark.rule("A19", "X01")
def test_a_talk_whose_beginning_was_not_heard_of_still_uses_the_voucher() -> None:
    settlement = after(ended(talked=300), in_call())

    assert settlement.voucher_move is VoucherMove.CONSUME
    assert settlement.order.connected_at == END - timedelta(seconds=300)


@pytest.mark.rule("X07", "A18")
def test_the_rest_of_a_talk_was_paid_for_already() -> None:
    once = after(dropped(600)).order
    resumed = connected(start_call(once, SECOND, END + MINUTE), SECOND, END + 2 * MINUTE)
    unheard = settle(
        start_call(once, SECOND, END + MINUTE), ended(call=SECOND), POLICY, END + 9 * MINUTE
    )

    assert (resumed.voucher_move, unheard.voucher_move) == (VoucherMove.KEEP, VoucherMove.KEEP)


def test_what_a_person_decided_about_a_call_is_not_changed_by_a_verdict() -> None:
    decided = finalise(after(ended(talked=40)).order)

    assert revise(decided, dropped(40), POLICY, END) == Settlement(order=decided)
    assert finalise(an_order()) == an_order()


@pytest.mark.rule("X11")
def test_a_program_may_leave_early_hang_ups_alone_and_a_used_up_talk_is_not_early() -> None:
    relaxed = replace(POLICY, early_hang_up_review=False)
    by_counselor = ended(by=EndedBy.COUNSELOR, talked=600)
    over_time = ended(by=EndedBy.COUNSELOR, talked=1500)

    assert settle(talking(), by_counselor, relaxed, END).review is None
    assert after(over_time).review is None


@pytest.mark.rule("A35")
def test_a_program_may_know_no_short_calls() -> None:
    assert (
        settle(talking(), ended(talked=0), replace(POLICY, short_call_seconds=0), END).review
        is None
    )


@pytest.mark.rule("X07", "A27")
@pytest.mark.parametrize(
    ("talked", "left"), [(0, 1500), (1, 1499), (600, 900), (1199, 301), (1200, 300), (1499, 300)]
)
def test_after_a_drop_the_rest_is_exact_and_at_least_five_minutes(talked: int, left: int) -> None:
    order = after(dropped(talked)).order

    assert (order.state, order.remaining_seconds) == (INTERRUPTED, left)
    assert order.resume_until == END + DAY


@pytest.mark.rule("A27")
def test_a_drop_when_all_the_time_was_used_completes() -> None:
    order = after(dropped(1500)).order

    assert (order.state, order.closed_reason) == (COMPLETED, "time_used")


@pytest.mark.rule("X07")
def test_a_short_grant_is_never_lengthened_by_a_drop() -> None:
    brief = replace(talking(), granted_seconds=120, remaining_seconds=120)

    assert after(dropped(100), brief).order.remaining_seconds == 120


@pytest.mark.rule("D24")
def test_without_a_cap_nothing_is_counted_down_and_no_hang_up_is_early() -> None:
    endless = replace(talking(), granted_seconds=None, remaining_seconds=None)

    order = after(dropped(9000), endless).order
    assert (order.state, order.remaining_seconds) == (INTERRUPTED, None)
    assert after(ended(by=EndedBy.COUNSELOR, talked=9000), endless).review is None


@pytest.mark.rule("X07", "A01", "A25")
def test_one_cap_counts_across_all_calls_of_an_order() -> None:
    once = after(dropped(600)).order
    resumed = connected(start_call(once, SECOND, END + MINUTE), SECOND, END + 2 * MINUTE)
    twice = settle(
        resumed.order, dropped(400, call=SECOND, at=END + 9 * MINUTE), POLICY, END + 9 * MINUTE
    ).order

    assert (once.remaining_seconds, twice.remaining_seconds) == (900, 500)
    assert twice.talked_seconds == 1000
    assert twice.resume_until == END + 9 * MINUTE + DAY
    assert twice.connected_at == NOON + MINUTE


@pytest.mark.rule("X07")
def test_a_resume_that_does_not_connect_keeps_the_rest_and_its_window() -> None:
    once = after(dropped(600)).order
    again = settle(
        start_call(once, SECOND, END + MINUTE),
        not_connected(call=SECOND, exhausted=True, on_exhausted=OnExhausted.CANCEL),
        POLICY,
        END + 5 * MINUTE,
    )

    assert replace(again.order, settled=once.settled) == once
    assert again.voucher_move is VoucherMove.KEEP


@pytest.mark.rule("X07")
def test_a_resume_that_is_live_when_its_window_ends_is_decided_after_it_ends() -> None:
    once = after(dropped(600)).order
    resumed = start_call(once, SECOND, END + DAY - MINUTE)

    failed = settle(resumed, not_connected(call=SECOND), POLICY, END + DAY + MINUTE)

    assert (failed.order.state, failed.order.closed_by) == (State.CLOSED, ClosedBy.TIME)
    assert failed.notices == ("order.closed",)


@pytest.mark.rule("X03")
def test_an_attempt_that_is_live_at_24_hours_is_decided_after_it_ends() -> None:
    dialled = start_call(an_order(), FIRST, NOON + DAY - MINUTE)

    failed = settle(dialled, not_connected(), POLICY, NOON + DAY)
    talked = settle(dialled, ended(at=NOON + DAY + MINUTE), POLICY, NOON + DAY + MINUTE)

    assert (failed.order.state, failed.voucher_move) == (
        State.EXPIRED,
        VoucherMove.RETURN_EXPIRED,
    )
    assert talked.order.state is COMPLETED


@pytest.mark.rule("X03", "X27")
def test_failed_dials_alone_never_end_an_order_that_is_kept() -> None:
    order = an_order()
    for _ in range(9):
        order = after(not_connected(exhausted=True), start_call(order, FIRST, NOON)).order

    assert order.state is State.OPEN


@pytest.mark.rule("C25", "C27", "C31", "X28")
@pytest.mark.parametrize(
    ("counts", "move"),
    [(False, VoucherMove.RETURN_NO_CONTACT), (True, VoucherMove.COUNT_NO_CONTACT)],
)
def test_after_the_last_attempt_the_order_is_cancelled_where_the_program_says_so(
    counts: bool, move: VoucherMove
) -> None:
    last = not_connected(exhausted=True, on_exhausted=OnExhausted.CANCEL)

    settlement = settle(in_call(), last, replace(POLICY, no_contact_consumes=counts), END)

    assert settlement.order.state is State.CANCELLED
    assert settlement.order.closed_reason == "no_contact"
    assert settlement.voucher_move is move
    assert settlement.notices == ("order.cancelled",)


def test_a_drop_heard_of_a_day_late_leaves_no_window() -> None:
    settlement = settle(talking(), dropped(600), POLICY, END + DAY)

    assert settlement.order.state is State.CLOSED


@pytest.mark.parametrize("ending", [ended(), dropped(), not_connected(), ended(talked=5)])
def test_the_same_ending_twice_changes_nothing(ending: CallEnding) -> None:
    once = after(ending, in_call())

    for now in (END, END + 3 * DAY):
        again = settle(once.order, ending, POLICY, now)
        assert again == Settlement(order=once.order)


def test_the_end_of_another_call_changes_nothing() -> None:
    for order in (an_order(), talking(), after(ended()).order):
        assert settle(order, dropped(call=SECOND), POLICY, END) == Settlement(order=order)


@pytest.mark.rule("A27", "X07", "X08")
def test_later_evidence_of_a_drop_gives_the_rest_of_the_talk_back() -> None:
    first = after(ended(talked=40))
    better = revise(first.order, dropped(40), POLICY, END + 5 * MINUTE)

    assert (first.order.state, better.order.state) == (COMPLETED, INTERRUPTED)
    assert better.order.remaining_seconds == 1460
    assert better.order.resume_until == END + DAY
    assert better.order.talked_seconds == 40
    assert (better.review, better.review_withdrawn) == (None, FIRST)
    assert better.notices == ("order.interrupted",)
    assert replace(better.order, settled=None) == replace(after(dropped(40)).order, settled=None)


def test_later_evidence_of_a_hang_up_takes_back_a_resume_that_nobody_used() -> None:
    first = after(dropped(40))
    better = revise(first.order, ended(talked=40), POLICY, END + 5 * MINUTE)

    assert better.order.state is COMPLETED
    assert better.review is not None
    assert better.review.reason is LOOK_SHORT
    assert better.notices == ("order.completed",)


@pytest.mark.rule("A27", "X07")
def test_a_resume_in_use_or_used_is_never_taken_back() -> None:
    resumed = start_call(after(dropped(40)).order, SECOND, END + MINUTE)
    used = settle(resumed, ended(call=SECOND, talked=100), POLICY, END + 9 * MINUTE).order
    failed = settle(resumed, not_connected(call=SECOND), POLICY, END + 9 * MINUTE).order

    for order in (resumed, used, failed):
        assert revise(order, ended(talked=40), POLICY, END + 10 * MINUTE) == Settlement(order=order)


def test_a_corrected_talk_corrects_the_rest() -> None:
    better = revise(after(dropped(600)).order, dropped(610), POLICY, END)

    assert (better.order.talked_seconds, better.order.remaining_seconds) == (610, 890)
    assert better.notices == ()


@pytest.mark.rule("X01")
def test_a_connect_that_is_heard_of_late_completes_the_order_and_uses_the_voucher() -> None:
    better = revise(after(not_connected(), in_call()).order, ended(), POLICY, END)

    assert (better.order.state, better.voucher_move) == (COMPLETED, VoucherMove.CONSUME)


def test_once_two_people_talked_no_evidence_denies_it() -> None:
    better = revise(after(ended()).order, not_connected(), POLICY, END)

    assert better.order.state is COMPLETED
    assert better.order.connected_at == NOON + MINUTE
    assert better.voucher_move is VoucherMove.KEEP


def test_what_a_person_or_time_decided_since_stands() -> None:
    untouched = after(not_connected(), in_call()).order
    cancelled = cancel(untouched, ClosedBy.CALLER, "changed_my_mind", END).order

    assert revise(cancelled, ended(), POLICY, END) == Settlement(order=cancelled)


def test_a_revised_order_can_be_revised_again() -> None:
    order = talking()
    for ending in (ended(talked=40), dropped(40), ended(talked=40), dropped(40)):
        order = settle(order, ending, POLICY, END).order

    assert replace(order, settled=None) == replace(after(dropped(40)).order, settled=None)


@pytest.mark.rule("A18", "X02")
def test_an_order_whose_voucher_another_one_has_by_now_is_not_brought_back_to_life() -> None:
    """That two talked may be found out after the order was given up for lack of contact."""
    held, _ = hold(a_voucher(), order=OrderId("order-1"), caller=LIN, program=LISTENING, now=NOON)
    unreached = not_connected(exhausted=True, on_exhausted=OnExhausted.CANCEL)
    given_up = settle(start_call(an_order(), FIRST, NOON), unreached, POLICY, NOON)
    back, _ = carry_out(held, given_up.voucher_move, OrderId("order-1"), NOON)
    again, _ = hold(back, order=OrderId("order-2"), caller=LIN, program=LISTENING, now=NOON)
    found_out = settle(given_up.order, ended(VerdictKind.SYSTEM_DROP), POLICY, NOON)
    assert found_out.order.state is State.INTERRUPTED

    assert unless_taken(given_up.order, found_out, back) == found_out
    assert unless_taken(given_up.order, found_out, again) == Settlement(order=given_up.order)
