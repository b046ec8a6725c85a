"""What the end of a call does to its order and voucher: one table for every verdict.

The first verdict settles at once. A better one corrects it, as long as nothing was built on the
first: a resume that is being used is never taken back.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from billing import cancelling
from billing.opening import is_for_one_call
from billing.order import (
    ClosedBy,
    Consequence,
    Order,
    Review,
    ReviewReason,
    Settled,
    Settlement,
    State,
    first_connect_move,
    rest,
)
from billing.policy import Policy
from billing.voucher import Voucher, VoucherMove
from terms.ids import CallId
from terms.values import changer, maker, quickly_made, replace
from terms.verdict import Confidence, EndedBy, Verdict, VerdictKind


class OnExhausted(StrEnum):
    """What becomes of an order when the last counted attempt failed."""

    CANCEL = "cancel"  # C25, C27
    KEEP = "keep"  # open until its time is over (X03)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnding:
    """What the dialer tells at the end of a call, and again when later evidence changes it.

    `connected`: the two heard each other at least once. `talked_seconds`: by our own clock, bridge
    to release, rounded down, so that 59.9 s is short and 60.0 s is not (X09). `let_down`: nobody
    talked, and the counselor or the house was the cause.
    """

    call: CallId
    verdict: Verdict
    connected: bool
    talked_seconds: int
    ended_at: datetime
    attempts_counted: int = 0
    exhausted: bool = False
    on_exhausted: OnExhausted = OnExhausted.KEEP
    let_down: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; None matches anything. The first line that matches speaks."""

    kind: VerdictKind | None
    then: Consequence
    review: ReviewReason | None = None
    connected: bool = True
    short: bool | None = None
    counselor_early: bool | None = None


TABLE = (
    Row(None, Consequence.TRY_AGAIN, connected=False),  # X01, A30, A39
    Row(VerdictKind.SYSTEM_DROP, Consequence.RESUME),  # A27, X07; before any look at length: X08
    Row(VerdictKind.SUSPECTED_DROP, Consequence.COMPLETE, ReviewReason.SUSPECTED_DROP),  # X07
    Row(VerdictKind.CAP_REACHED, Consequence.COMPLETE),  # A25
    Row(VerdictKind.OPERATOR_ENDED, Consequence.COMPLETE, ReviewReason.OPERATOR_ENDED),
    Row(
        VerdictKind.PARTY_ENDED,
        Consequence.COMPLETE,
        ReviewReason.COUNSELOR_ENDED_EARLY,
        counselor_early=True,
    ),  # X11
    Row(VerdictKind.PARTY_ENDED, Consequence.COMPLETE, ReviewReason.SHORT_CALL, short=True),  # A35
    Row(VerdictKind.PARTY_ENDED, Consequence.COMPLETE),  # A29
    Row(VerdictKind.INDETERMINATE, Consequence.COMPLETE, ReviewReason.SHORT_CALL, short=True),
    Row(VerdictKind.INDETERMINATE, Consequence.COMPLETE, ReviewReason.INDETERMINATE),
    # They talked, so a verdict that denies it is only unclear.
    Row(VerdictKind.NOT_CONNECTED, Consequence.COMPLETE, ReviewReason.INDETERMINATE),
)


def consequence(
    verdict: Verdict,
    *,
    connected: bool,
    talked_seconds: int,
    left_seconds: int | None,
    policy: Policy,
) -> Row:
    """The line of the table for one ending; `left_seconds` is what the talk did not use."""
    kind = _weighed(verdict)
    short = talked_seconds < policy.short_call_seconds
    early = policy.early_hang_up_review and verdict.by is EndedBy.COUNSELOR and bool(left_seconds)
    for row in TABLE:
        if (
            (row.kind is None or row.kind is kind)
            and row.connected is connected
            and (row.short is None or row.short is short)
            and (row.counselor_early is None or row.counselor_early is early)
        ):
            return row
    raise AssertionError(f"no line of the table for {kind}")


def settle(order: Order, ending: CallEnding, policy: Policy, now: datetime) -> Settlement:
    """The order after `ending`. The end of a call that is not this order's last changes nothing."""
    if order.call != ending.call:
        return revise(order, ending, policy, now)
    connected = ending.connected or order.talk_started_at is not None
    talked = ending.talked_seconds if connected else 0
    row = _row(order, ending, policy)
    after = _led_to(_accounted(order, ending, connected, talked), row, ending, policy, now)
    settled = _make_settled(
        call=ending.call,
        ended_at=ending.ended_at,
        verdict=ending.verdict.kind,
        consequence=row.then,
        review=row.review,
        connected=connected,
        talked_seconds=talked,
        attempts_counted=ending.attempts_counted,
        state=after.state,
        remaining_before_seconds=order.remaining_seconds,
    )
    return Settlement(
        order=_with_settled(after, settled),
        voucher_move=first_connect_move(order) if connected else _way_back(after, policy),
        review=_review(order, ending, row, policy, now),
        notices=() if is_for_one_call(order, policy) else _notices(after),
    )


_make_settled, _with_settled = maker(Settled), changer(Order, "settled")


def revise(order: Order, ending: CallEnding, policy: Policy, now: datetime) -> Settlement:
    """The order after a better verdict on its last call; the same ending twice changes nothing.

    What happened since stands: a resume in use, a window that closed, what a person decided.
    """
    settled = order.settled
    if settled is None or settled.call != ending.call or settled.state != order.state:
        return Settlement(order=order)
    if settled.final:
        return Settlement(order=order)
    before = _before(order, settled)
    if _says_the_same(settled, before, ending, policy):
        return Settlement(order=order)
    again = settle(before, ending, policy, now)
    new = again.order.settled
    assert new is not None
    return replace(
        again,
        review=again.review if new.review != settled.review else None,
        review_withdrawn=settled.call if settled.review and not new.review else None,
        notices=again.notices if again.order.state is not order.state else (),
    )


def unless_taken(
    before: Order, settlement: Settlement, voucher: Voucher | None, *, superseded: bool = False
) -> Settlement:
    """The settlement; or no change, where an order would come back to life whose place is taken:
    another one has its voucher, or is the one open order its caller may have (`superseded`).

    What became of a call may be found out after its order came to rest.
    """
    revives = before.closed_at is not None and settlement.order.closed_at is None
    given_away = voucher is not None and voucher.order not in (None, before.id)
    if revives and (given_away or superseded):
        return Settlement(order=before)
    return settlement


def _weighed(verdict: Verdict) -> VerdictKind:
    """A verdict of low confidence never decides worth by itself; somebody looks."""
    if verdict.confidence is not Confidence.LOW:
        return verdict.kind
    match verdict.kind:
        case VerdictKind.SYSTEM_DROP:
            return VerdictKind.SUSPECTED_DROP
        case VerdictKind.PARTY_ENDED | VerdictKind.CAP_REACHED:
            return VerdictKind.INDETERMINATE
        case (
            VerdictKind.SUSPECTED_DROP
            | VerdictKind.NOT_CONNECTED
            | VerdictKind.OPERATOR_ENDED
            | VerdictKind.INDETERMINATE
        ):
            return verdict.kind


def _row(order: Order, ending: CallEnding, policy: Policy) -> Row:
    connected = ending.connected or order.talk_started_at is not None
    talked = ending.talked_seconds if connected else 0
    left = _left(order.remaining_seconds, talked)
    row = consequence(
        ending.verdict,
        connected=connected,
        talked_seconds=talked,
        left_seconds=left,
        policy=policy,
    )
    return replace(row, review=None) if is_for_one_call(order, policy) else row


def _accounted(order: Order, ending: CallEnding, connected: bool, talked: int) -> Order:
    """The order with the call's talk and attempts booked, still in that call."""
    started = order.talk_started_at or ending.ended_at - timedelta(seconds=talked)
    return _booked(
        order,
        connected_at=order.connected_at or (started if connected else None),
        talked_seconds=order.talked_seconds + talked,
        attempts_counted=order.attempts_counted + ending.attempts_counted,
        remaining_seconds=_left(order.remaining_seconds, talked),
        let_down_at=order.let_down_at or (ending.ended_at if ending.let_down else None),
    )


_booked = changer(
    Order,
    *["connected_at", "talked_seconds", "attempts_counted", "remaining_seconds", "let_down_at"],
)


def _led_to(order: Order, row: Row, ending: CallEnding, policy: Policy, now: datetime) -> Order:
    if is_for_one_call(order, policy):
        connected = order.connected_at is not None
        state = State.COMPLETED if connected else State.CANCELLED
        reason = ending.verdict.kind if connected else "not_connected"
        return rest(order, state, ClosedBy.CALL, reason, now)
    match row.then:
        case Consequence.TRY_AGAIN if order.connected_at is None:
            return _never_connected(order, ending, policy, now)
        case Consequence.TRY_AGAIN:
            assert order.resume_until is not None
            return _interrupted(order, order.resume_until, now)
        case Consequence.RESUME if order.remaining_seconds == 0:
            return rest(order, State.COMPLETED, ClosedBy.CALL, "time_used", now)  # A27: before 25
        case Consequence.RESUME:
            kept = replace(order, remaining_seconds=_at_least(order, policy.resume_min_seconds))
            until = ending.ended_at + timedelta(seconds=policy.resume_seconds)
            return _interrupted(kept, until, now)
        case Consequence.COMPLETE:
            return rest(order, State.COMPLETED, ClosedBy.CALL, ending.verdict.kind, now)


def _never_connected(order: Order, ending: CallEnding, policy: Policy, now: datetime) -> Order:
    no_show_consumes = policy.appointments.cancelling.no_show_consumes
    missed = cancelling.counts_as_no_show(order, no_show_consumes=no_show_consumes)
    if ending.exhausted and ending.on_exhausted is OnExhausted.CANCEL:
        why = cancelling.Counted.NO_SHOW if missed else "no_contact"
        return rest(order, State.CANCELLED, ClosedBy.CALL, why, now)
    if now >= order.expires_at:
        why = cancelling.Counted.NO_SHOW if missed else "never_connected"
        return rest(order, State.EXPIRED, ClosedBy.TIME, why, now)
    return replace(order, state=State.OPEN, call=None)


def _interrupted(order: Order, until: datetime, now: datetime) -> Order:
    if now >= until:
        return rest(order, State.CLOSED, ClosedBy.TIME, "rest_not_used", now)
    return replace(
        order, state=State.INTERRUPTED, call=None, talk_started_at=None, resume_until=until
    )


def _way_back(after: Order, policy: Policy) -> VoucherMove:
    match after.state:
        case State.EXPIRED | State.CANCELLED if after.closed_reason == cancelling.Counted.NO_SHOW:
            return VoucherMove.NO_SHOW
        case State.EXPIRED:
            return VoucherMove.RETURN_EXPIRED
        case State.CANCELLED if policy.no_contact_consumes:
            return VoucherMove.COUNT_NO_CONTACT
        case State.CANCELLED:
            return VoucherMove.RETURN_NO_CONTACT
        case _:
            return VoucherMove.KEEP


def _review(
    order: Order, ending: CallEnding, row: Row, policy: Policy, now: datetime
) -> Review | None:
    if row.review is None:
        return None
    due_at = now + timedelta(seconds=policy.claim_decide_seconds)
    return Review(
        order=order.id,
        call=ending.call,
        reason=row.review,
        opened_at=now,
        due_at=due_at,
        escalate_at=due_at - timedelta(seconds=policy.claim_escalate_seconds),
    )


def _notices(after: Order) -> tuple[str, ...]:
    return () if after.state is State.OPEN else (f"order.{after.state}",)


def _before(order: Order, settled: Settled) -> Order:
    """The order as it was in the settled call."""
    return replace(
        order,
        state=State.IN_CALL,
        call=settled.call,
        talk_started_at=order.connected_at if settled.connected else None,
        resume_until=None,
        remaining_seconds=settled.remaining_before_seconds,
        talked_seconds=order.talked_seconds - settled.talked_seconds,
        attempts_counted=order.attempts_counted - settled.attempts_counted,
        closed_at=None,
        closed_by=None,
        closed_reason=None,
    )


def _says_the_same(settled: Settled, before: Order, ending: CallEnding, policy: Policy) -> bool:
    row = _row(before, ending, policy)
    talked = ending.talked_seconds if ending.connected or settled.connected else 0
    return (row.then, row.review, talked) == (
        settled.consequence,
        settled.review,
        settled.talked_seconds,
    )


def _left(seconds: int | None, talked: int) -> int | None:
    return None if seconds is None else max(0, seconds - talked)


def _at_least(order: Order, least: int) -> int | None:
    if order.remaining_seconds is None or order.granted_seconds is None:
        return None
    return min(order.granted_seconds, max(order.remaining_seconds, least))
