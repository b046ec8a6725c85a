"""The decision: `(slice, event, program, now) -> outcome`. Pure.

The dialer's machine moves the call. What that means for worth and people is read off the difference
between the call before and after, never off an event, so that nothing can be forgotten: a counselor
is claimed or freed, a voucher used, an order settled by what the call *is*.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import billing.choosing
import billing.order
import billing.quota
import billing.voucher
from billing import talk
from billing.cancelling import let_down
from billing.ledger import Entry
from billing.order import ClosedBy, Order, Settlement
from billing.quota import Quota
from billing.settling import CallEnding, OnExhausted, settle, unless_taken
from billing.voucher import Voucher
from dialer.call import Call, EndReason, State
from dialer.events import (
    CounselorClaimed,
    CounselorUnavailable,
    Event,
    OrderWithdrawn,
    PlaceCounted,
    TimerFired,
    TimerKind,
)
from dialer.leg import could_not_ring, turned_down
from dialer.machine import start, start_dial_in, start_forwarded, transition
from dialer.machine.starting import Begin
from dialer.orders import Effect, Fact, FactKind
from dialer.talk import same_talk
from routing.counselor import Counselor, claimable
from routing.policy import Matching
from routing.queue import Waiting
from terms.ids import CallId, CounselorId, LegId
from terms.values import changer, maker, quickly_made, replace
from warmline.desk.grading import graded
from warmline.desk.slice import (
    CounselorMove,
    Notice,
    NoticeKind,
    Outcome,
    Slice,
    make_outcome,
    make_slice,
)
from warmline.desk.telling import SUMMARY_READY, call_notices, order_notices
from warmline.programs import Program

# Asked at every event, and a member asked of its enumeration is slow to answer.
_ENDED = State.ENDED
_ATTEMPT, _ANNOUNCE = TimerKind.ATTEMPT, TimerKind.ANNOUNCE
_MISSED, _ACCEPTED = FactKind.COUNSELOR_MISSED, FactKind.COUNSELOR_ACCEPTED

_NOT_BY_THE_CALLER = frozenset(
    {
        EndReason.COUNSELOR_NOT_REACHED,
        EndReason.FORWARD_NOT_REACHED,
        EndReason.INVALID_NUMBER,
        EndReason.FAULT,
        EndReason.STAFF,
    }
)

FAREWELL = timedelta(seconds=8)
"""Time for somebody who is turned away to hear why, before the line is closed."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """A wish to talk that was let in: by the button, or by a leg that dialled in.

    `counselor` is free and locked for this call; None waits in the pool's queue.
    """

    call: CallId
    counselor: CounselorId | None
    dialled_in: LegId | None = None
    forwarded: bool = False  # it was let in while nobody is there, to be brought elsewhere (X39)
    counted: int = 0
    attempt: int = 0


def place(slice_: Slice, dial: Dial, program: Program, now: datetime) -> Outcome:
    """Start a call for the order.

    Raises Refused as `billing.order.start_call` does; then nothing is changed.
    """
    order = billing.order.start_call(slice_.order, dial.call, now)
    begin = Begin(
        id=dial.call,
        order=order.id,
        counselor=dial.counselor,
        granted_seconds=order.remaining_seconds,
        pooled=program.routing.matching is Matching.POOL,
        counted=dial.counted,
        attempt=dial.attempt,
    )
    if dial.dialled_in is None:
        call, effects = start(begin, program.dialer, now)
    elif dial.forwarded:
        call, effects = start_forwarded(begin, dial.dialled_in, program.dialer, now)
    else:
        call, effects = start_dial_in(begin, dial.dialled_in, program.dialer, now)
    placed = make_slice(
        order=order,
        voucher=slice_.voucher,
        quota=slice_.quota,
        superseded=slice_.superseded,
    )
    return _follow(placed, call, effects, program, now)


def opened(settlement: Settlement) -> Outcome:
    """An order was opened: who is told. The order itself is written by whoever opened it."""
    slice_ = Slice(order=settlement.order, voucher=None)
    return Outcome(slice=slice_, notices=tuple(order_notices(settlement)))


def summary_written(order: Order) -> Outcome:
    """The counselor wrote what was due to the customer, who is told where to read it (C08)."""
    data = {"order": order.id, "program": order.program}
    ready = Notice(kind=NoticeKind.SMS, template=SUMMARY_READY, data=data)
    return Outcome(slice=Slice(order=order, voucher=None), notices=(ready,))


def may_call(order: Order, call: CallId, now: datetime) -> None:
    """Raises Refused as `place` would, before anything else is looked at (X02)."""
    billing.order.must_take_call(order, call, now)


def carry(slice_: Slice, event: Event, program: Program, now: datetime) -> Outcome:
    """Something happened to the call. Raises Refused for a command it does not allow now."""
    assert slice_.call is not None
    call, effects = transition(slice_.call, event, program.dialer, now)
    return _follow(slice_, call, effects, program, now)


def needs_counselor(call: Call, event: Event) -> bool:
    """Whether the event means: an attempt is due, so somebody has to be claimed first."""
    return (
        isinstance(event, TimerFired) and event.timer.kind is _ATTEMPT and call.holds(event.timer)
    )


def tells_place(call: Call, event: Event) -> bool:
    """Whether the event means: a waiting caller is to be told their place, so count it first."""
    return (
        isinstance(event, TimerFired) and event.timer.kind is _ANNOUNCE and call.holds(event.timer)
    )


def place_counted(waiting: Waiting, program: Program) -> PlaceCounted:
    """Routing's answer for a caller who waits on the line (X43)."""
    return PlaceCounted(
        waiting.position, waiting.expected_seconds, program.routing.announce_seconds
    )


def offer(
    counselor: Counselor | None, engaged: CallId | None, program: Program, now: datetime
) -> CounselorClaimed | CounselorUnavailable:
    """Routing's answer for a call that needs its counselor."""
    if counselor is None:
        return CounselorUnavailable("counselor_offline")
    requirement = program.routing.requirement(program.id)
    refusal = claimable(counselor, requirement, engaged, now)
    return CounselorClaimed(counselor.id) if refusal is None else CounselorUnavailable(refusal)


def lapse(slice_: Slice, program: Program, now: datetime) -> Outcome:
    """What time alone does to an order at rest between calls (A32, B07, X03, X07)."""
    consumes = program.billing.appointments.cancelling.no_show_consumes
    settlement = billing.order.lapse(slice_.order, now, no_show_consumes=consumes)
    return _settled(Outcome(slice=slice_), settlement, now)


def cancel(slice_: Slice, by: ClosedBy, why: str, now: datetime) -> Outcome:
    """Somebody gives the order up. Raises Refused while a call works for it."""
    return _settled(Outcome(slice=slice_), billing.order.cancel(slice_.order, by, why, now), now)


def withdraw(
    slice_: Slice,
    by: ClosedBy,
    why: str,
    program: Program,
    now: datetime,
    *,
    house_fault: bool = False,
) -> Outcome:
    """Somebody other than the caller gives the order up; a call that only tries is ended for it.

    By `house_fault` it is free, however near the appointed time (X23).

    Raises Refused: call_in_progress while the two talk or a person in danger is on the line,
    order_not_open when it is at rest.
    """
    if house_fault:
        slice_ = replace(slice_, order=let_down(slice_.order, now))
    if slice_.call is None:
        return cancel(slice_, by, why, now)
    outcome = carry(slice_, OrderWithdrawn(), program, now)
    order = outcome.slice.order
    if order.state in billing.order.LIVE:
        quiet = replace(outcome, notices=())  # it ends for good: nobody need hear how it stood
        return _settled(quiet, billing.order.cancel(order, by, why, now), now)
    return outcome  # its time was over anyway


def _follow(
    before: Slice, call: Call, effects: tuple[Effect, ...], program: Program, now: datetime
) -> Outcome:
    """What the call's move means for its order, its voucher and its counselor."""
    was = before.call
    if call is was and not effects:
        return make_outcome(slice=before)  # told again, or too late: nothing follows
    facts: list[Fact] = []
    for effect in effects:
        if type(effect) is Fact:
            facts.append(effect)
    outcome = make_outcome(
        slice=before if call is was else _with_call(before, call),
        effects=effects,
        counselors=_counselor_moves(was, call, facts),
        notices=call_notices(before.order, facts, program) if facts else (),
    )
    if call is was:
        return outcome
    settlement = _settlement(before.order, was, call, program, now)
    return outcome if settlement is None else _settled(outcome, settlement, now)


_with_call = changer(Slice, "call")


def _settlement(
    order: Order, before: Call | None, call: Call, program: Program, now: datetime
) -> Settlement | None:
    if call.state is _ENDED:
        if before is not None and before.state is _ENDED and _ended_alike(before, call):
            return None
        settlement = settle(order, ending(call, program, before), program.billing, now)
        return graded(order, settlement, call, program, now)
    if call.connected_at is None or (before is not None and before.connected_at is not None):
        return None
    if order.counselor is None and call.counselor is not None:
        order = billing.choosing.match(order, call.counselor, program.billing)
    return billing.order.connected(order, call.id, call.connected_at)


def _ended_alike(before: Call, call: Call) -> bool:
    """Whether what became known after the end changes nothing of worth: mostly it does not."""
    return (
        before.verdict is call.verdict
        and (before.connected_at is None) == (call.connected_at is None)
        and same_talk(before.legs, call.legs)
    )


def ending(call: Call, program: Program, before: Call | None = None) -> CallEnding:
    """What billing is told of an ended call, which was `before` until then."""
    assert call.verdict is not None
    assert call.ended_at is not None
    return _make_ending(
        call=call.id,
        verdict=call.verdict,
        connected=call.connected_at is not None,
        talked_seconds=int(call.talked(call.ended_at).total_seconds()),
        ended_at=call.ended_at,
        attempts_counted=call.counted - call.counted_before,
        exhausted=call.end_reason is EndReason.NOT_REACHED,
        on_exhausted=OnExhausted(program.dialer.on_exhausted),
        let_down=_lets_down(before, call),
    )


def _lets_down(before: Call | None, call: Call) -> bool:
    """Whether the counselor or the house is the cause that nobody talked; a caller who gives up in
    the queue was offered nobody.
    """
    if call.connected_at is not None:
        return False
    if call.end_reason is EndReason.WITHDRAWN:
        return before is not None and before.state is State.QUEUED
    return call.end_reason in _NOT_BY_THE_CALLER


_make_ending = maker(CallEnding)


def _settled(outcome: Outcome, settlement: Settlement, now: datetime) -> Outcome:
    """The outcome with what billing decided: order, payment, review, and who is told."""
    slice_ = outcome.slice
    before = slice_.order
    settlement = unless_taken(before, settlement, slice_.voucher, superseded=slice_.superseded)
    settlement = talk.booked(before, settlement, now)
    voucher, quota, payment = _paid(slice_, settlement, now)
    return make_outcome(
        slice=make_slice(
            order=settlement.order,
            voucher=voucher,
            quota=quota,
            call=slice_.call,
            superseded=slice_.superseded,
        ),
        effects=outcome.effects,
        payment=payment,
        talk=(*outcome.talk, *settlement.talk),
        graded=outcome.graded or settlement.graded,
        review=settlement.review,
        review_withdrawn=settlement.review_withdrawn,
        counselors=outcome.counselors,
        notices=(*outcome.notices, *order_notices(settlement, voucher)),
    )


def _paid(
    slice_: Slice, settlement: Settlement, now: datetime
) -> tuple[Voucher | None, Quota | None, Entry | None]:
    """What the fate of the order does to what pays for it: its voucher, or its use of a quota."""
    move, order = settlement.voucher_move, settlement.order.id
    voucher, quota, entry = slice_.voucher, slice_.quota, None
    if voucher is not None:
        voucher, entry = billing.voucher.carry_out(voucher, move, order, now)
    elif quota is not None:
        quota, entry = billing.quota.carry_out(quota, move, order, now)
    return voucher, quota, entry


def _untaken(call: Call, counselor: CounselorId) -> CounselorMove:
    """What the counselor did, or could not do, when the call rang them; it may ring them anew."""
    rung = (leg for leg in reversed(call.legs) if leg.party == counselor and leg.is_over)
    leg = next(rung, None)
    if leg is None:
        return CounselorMove.MISSED
    if turned_down(leg):
        return CounselorMove.DECLINED
    return CounselorMove.NOT_RUNG if could_not_ring(leg) else CounselorMove.MISSED


def _counselor_moves(
    before: Call | None, after: Call, facts: Sequence[Fact]
) -> tuple[tuple[CounselorId, CounselorMove], ...]:
    held = None if before is None else before.counselor
    if not facts and after.counselor == held:
        return ()
    moves: list[tuple[CounselorId, CounselorMove]] = []
    missed = False
    if held is not None:
        for fact in facts:
            if fact.kind is _MISSED:
                missed = True
                moves.append((held, _untaken(after, held)))
            elif fact.kind is _ACCEPTED:
                moves.append((held, CounselorMove.ACCEPTED))
    if after.counselor != held:
        if held is not None and after.connected_at is not None:
            moves.append((held, CounselorMove.FREED))
        elif held is not None and not missed:
            moves.append((held, CounselorMove.RELEASED))
        if after.counselor is not None:
            moves.append((after.counselor, CounselorMove.CLAIMED))
    return tuple(moves)
