"""An order: one person's right to one talk, from opening to rest. Pure.

`open -> in_call -> completed | interrupted -> in_call ..`; a call that never connects leads back to
where it came from; `open -> expired | cancelled`; `interrupted -> closed` when its window is over.
`in_call` lasts from the accepted dial to the end of the call, waiting between attempts included.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from billing import cancelling
from billing.appointments import must_have_begun
from billing.ledger import BLANK, Entry, Head
from billing.voucher import VoucherMove
from terms.ids import BookId, CallerId, CallId, CounselorId, OrderId, ProgramId, VoucherId
from terms.refusals import RefusalCode, Refused
from terms.values import changer, quickly_made, replace
from terms.verdict import VerdictKind

if TYPE_CHECKING:
    from billing.settlement import GradeLine


class State(StrEnum):
    """What is true of the order now; the words of the published contract."""

    OPEN = "open"  # it may be dialled
    IN_CALL = "in_call"  # a call works for it
    INTERRUPTED = "interrupted"  # a drop: the rest may be used for a while (X07)
    COMPLETED = "completed"  # they talked, and it is over
    CANCELLED = "cancelled"  # somebody gave it up, or nobody could be reached
    EXPIRED = "expired"  # it never connected in its time (A32, X03)
    CLOSED = "closed"  # the rest was not used in its window


LIVE = frozenset({State.OPEN, State.IN_CALL, State.INTERRUPTED})
"""States in which the order holds its voucher, and counts as the person's one open order."""

_TALKED = frozenset({State.INTERRUPTED, State.COMPLETED, State.CLOSED})
# Asked of every copy of an order, and a member asked of its enumeration is slow to answer.
_OPEN, _IN_CALL, _INTERRUPTED = State.OPEN, State.IN_CALL, State.INTERRUPTED


class ClosedBy(StrEnum):
    """Who brought the order to rest."""

    CALLER = "caller"
    APP = "app"  # the app's back end, for the customer
    STEWARD = "steward"
    SUPPORT = "support"
    CALL = "call"  # the end of a call decided it
    TIME = "time"  # a window was over


class Consequence(StrEnum):
    """What the end of a call means for its order."""

    TRY_AGAIN = "try_again"  # they never talked: as if it had not been dialled
    RESUME = "resume"  # the rest of the talk stays theirs
    COMPLETE = "complete"


class ReviewReason(StrEnum):
    """Why somebody must look at a call before its effect is final."""

    SHORT_CALL = "short_call"  # A35, X08-X10
    COUNSELOR_ENDED_EARLY = "counselor_ended_early"  # X11
    SUSPECTED_DROP = "suspected_drop"  # X07: unclear evidence goes the way of a claim
    OPERATOR_ENDED = "operator_ended"
    INDETERMINATE = "indeterminate"


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What the last call did to the order, kept so that a better verdict can correct it."""

    call: CallId
    ended_at: datetime
    verdict: VerdictKind
    consequence: Consequence
    review: ReviewReason | None
    connected: bool
    talked_seconds: int
    attempts_counted: int
    state: State  # the state it led to
    remaining_before_seconds: int | None
    final: bool = False  # a person decided about this call; no verdict corrects it any more


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order. Seconds are None where the program has no cap.

    `remaining_seconds` is the cap of the next call, or of the one that is going on. It is paid by a
    voucher, by a use of a quota, or by neither. `head` is how far the book of its talk has come.
    `version` is the store's: it counts what was written. `let_down_at` is when the counselor or the
    house first failed an order's caller: from then on it never counts as used without a talk.
    """

    id: OrderId
    caller: CallerId
    program: ProgramId
    program_version: str
    program_digest: str  # which text of the program was in force at opening (X38)
    state: State
    opened_at: datetime
    expires_at: datetime
    starts_at: datetime | None = None  # the appointed time
    cancel_free_until: datetime | None = None  # the last instant for it, of an appointment (X23)
    counselor: CounselorId | None = None
    voucher: VoucherId | None = None
    quota: BookId | None = None
    one_at_a_time: bool = False
    granted_seconds: int | None = None
    remaining_seconds: int | None = None
    talked_seconds: int = 0
    attempts_counted: int = 0
    call: CallId | None = None
    connected_at: datetime | None = None  # when the two first talked
    talk_started_at: datetime | None = None  # when the call at hand connected
    resume_until: datetime | None = None
    let_down_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: ClosedBy | None = None
    closed_reason: str | None = None
    settled: Settled | None = None
    head: Head = BLANK
    version: int = 0

    def __post_init__(self) -> None:
        state = self.state
        assert self.voucher is None or self.quota is None
        assert (self.starts_at is None) == (self.cancel_free_until is None)
        assert (self.call is not None) == (state is _IN_CALL)
        assert self.talk_started_at is None or self.call is not None
        assert self.resume_until is None or state in (_INTERRUPTED, _IN_CALL)
        assert self.resume_until is not None or state is not _INTERRUPTED
        assert (self.closed_at is None) == (state in LIVE)
        assert (self.closed_at is None) == (self.closed_by is None) == (self.closed_reason is None)
        if state in _TALKED:
            assert self.connected_at is not None
        elif state is not _IN_CALL:
            assert self.connected_at is None
        assert (self.granted_seconds is None) == (self.remaining_seconds is None)
        assert 0 <= (self.remaining_seconds or 0) <= (self.granted_seconds or 0)

    @property
    def due_at(self) -> datetime | None:
        """When time alone will move the order; never while a call decides (X03)."""
        if self.state is _OPEN:
            return self.expires_at
        return self.resume_until if self.state is _INTERRUPTED else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A call somebody must look at, by `due_at`. One per call; a claim carries it from here on."""

    order: OrderId
    call: CallId
    reason: ReviewReason
    opened_at: datetime
    due_at: datetime
    escalate_at: datetime  # supervisors are told that time is running out


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """An order moved, and what follows: for what pays for it, for reviews, for those who listen.

    `talk` are the entries of the order's own book. Whoever decides about an order adds them with
    `billing.talk.booked` before the settlement is written. One of them vouches for `graded`, what
    the call counts as.
    """

    order: Order
    voucher_move: VoucherMove = VoucherMove.KEEP
    talk: tuple[Entry, ...] = ()
    graded: "GradeLine | None" = None
    review: Review | None = None
    review_withdrawn: CallId | None = None
    notices: tuple[str, ...] = ()  # kinds of status pushes: order.completed, ..


def start_call(order: Order, call: CallId, now: datetime) -> Order:
    """The order with `call` working for it: a tap on the phone, again after a failed one (A39).

    Raises Refused: voucher_in_use or, without a voucher, call_in_progress while another call works
    (A22, A23, X02); not_now before an appointed time; order_expired past its time; order_not_open
    when it is at rest.
    """
    must_take_call(order, call, now)
    return order if order.call == call else _in_call(order, _IN_CALL, call)


_in_call = changer(Order, "state", "call")


def must_take_call(order: Order, call: CallId, now: datetime) -> None:
    """Raises Refused as `start_call` does."""
    match order.state:
        case State.OPEN | State.INTERRUPTED:
            if order.starts_at is not None:
                must_have_begun(order.starts_at, now)
            if order.due_at is not None and now >= order.due_at:
                raise Refused(RefusalCode.ORDER_EXPIRED, "The time to call has passed.")
        case State.IN_CALL:
            if order.call != call:
                raise _call_works_already(order)
        case State.EXPIRED:
            raise Refused(RefusalCode.ORDER_EXPIRED, "The time to call has passed.")
        case State.COMPLETED | State.CANCELLED | State.CLOSED:
            raise Refused(RefusalCode.ORDER_NOT_OPEN, f"This order is {order.state}.")


def connected(order: Order, call: CallId, at: datetime) -> Settlement:
    """The two hear each other: the first time uses the voucher (A19, X01).

    A repeat changes nothing; the rest of a talk after a drop was paid for already.
    """
    if order.call != call or order.talk_started_at is not None:
        return Settlement(order=order)
    talking = _talking(order, at, order.connected_at or at)
    return Settlement(order=talking, voucher_move=first_connect_move(order))


_talking = changer(Order, "talk_started_at", "connected_at")


def expire(order: Order, now: datetime, *, no_show_consumes: bool = True) -> Settlement:
    """Its time is over without a talk; the voucher goes back (A32, A33, X03), unless it was an
    appointment that its caller did not keep (B07). Else no change.
    """
    if order.state is not State.OPEN or now < order.expires_at:
        return Settlement(order=order)
    missed = cancelling.counts_as_no_show(order, no_show_consumes=no_show_consumes)
    why = cancelling.Counted.NO_SHOW if missed else "never_connected"
    return Settlement(
        order=rest(order, State.EXPIRED, ClosedBy.TIME, why, now),
        voucher_move=VoucherMove.NO_SHOW if missed else VoucherMove.RETURN_EXPIRED,
        notices=("order.expired",),
    )


def close_resume_window(order: Order, now: datetime) -> Settlement:
    """The rest was not used in its window (X07). Else no change."""
    if order.state is not State.INTERRUPTED or order.due_at is None or now < order.due_at:
        return Settlement(order=order)
    closed = rest(order, State.CLOSED, ClosedBy.TIME, "rest_not_used", now)
    return Settlement(order=closed, notices=("order.closed",))


def lapse(order: Order, now: datetime, *, no_show_consumes: bool = True) -> Settlement:
    """What time alone does to the order: `expire`, `close_resume_window` or nothing."""
    if order.connected_at:
        return close_resume_window(order, now)
    return expire(order, now, no_show_consumes=no_show_consumes)


def cancel(order: Order, by: ClosedBy, why: str, now: datetime) -> Settlement:
    """Somebody gives the order up. Unused, its voucher goes back, unless it is too late for the
    appointed time (B08, X23); after a drop, the rest is let go.

    Raises Refused: call_in_progress while a call works, order_not_open when it is at rest.
    """
    match order.state:
        case State.OPEN:
            late = cancelling.counts_if_cancelled(order, now)
            return Settlement(
                order=rest(
                    order, State.CANCELLED, by, cancelling.Counted.LATE_CANCEL if late else why, now
                ),
                voucher_move=VoucherMove.LATE_CANCEL if late else VoucherMove.RETURN_CANCELLED,
                notices=("order.cancelled",),
            )
        case State.INTERRUPTED:
            closed = rest(order, State.CLOSED, by, why, now)
            return Settlement(order=closed, notices=("order.closed",))
        case State.IN_CALL:
            raise Refused(RefusalCode.CALL_IN_PROGRESS, "End the call first.")
        case State.COMPLETED | State.CANCELLED | State.EXPIRED | State.CLOSED:
            raise Refused(RefusalCode.ORDER_NOT_OPEN, f"This order is {order.state}.")


def rest(order: Order, state: State, by: ClosedBy, reason: str, now: datetime) -> Order:
    """The order brought to rest in `state`; nothing of a call or a window is left on it."""
    return _rested(
        order,
        state=state,
        call=None,
        talk_started_at=None,
        resume_until=None,
        closed_at=now,
        closed_by=by,
        closed_reason=reason,
    )


_rested = changer(
    Order,
    *[
        "state",
        "call",
        "talk_started_at",
        "resume_until",
        "closed_at",
        "closed_by",
        "closed_reason",
    ],
)


def first_connect_move(before: Order) -> VoucherMove:
    """What a connect asks of the voucher of the order as it was `before` it."""
    return VoucherMove.CONSUME if before.connected_at is None else VoucherMove.KEEP


def finalise(order: Order) -> Order:
    """A person decided about the order's last call, a claim say: later verdicts change nothing."""
    settled = order.settled
    return order if settled is None else replace(order, settled=replace(settled, final=True))


def _call_works_already(order: Order) -> Refused:
    if order.voucher is None:
        return Refused(RefusalCode.CALL_IN_PROGRESS, "A call works for this order already.")
    return Refused(RefusalCode.VOUCHER_IN_USE, "Another device is calling with this voucher.")
