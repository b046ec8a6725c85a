"""The states of an order, walked with every kind of ending that a call can have."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cache, partial

from billing.opening import open_order
from billing.order import LIVE, ClosedBy, Order, State, cancel, connected, lapse, start_call
from billing.policy import Policy, VoucherUse
from billing.settling import CallEnding, OnExhausted, settle
from terms.ids import CallerId, CallId, OrderId, ProgramId
from terms.refusals import Refused
from terms.verdict import Confidence, EndedBy, Verdict, VerdictKind
from tests.diagrams.walk import Diagram, walk
from tests.dialer.stories import NOON

POLICY = Policy(voucher=VoucherUse.NONE)
GRANTED_SECONDS = 1500
_SOON = NOON + timedelta(minutes=20)
_FIRST, _SECOND = CallId("call-1"), CallId("call-2")


@cache
def diagram() -> Diagram:
    """Where orders go."""
    begun = _opened()
    return Diagram(
        title="The states of an order",
        about=(
            "An order is one person's right to one talk (`billing/order.py`); what the end of a "
            "call does to it is one table (`billing/settling.py`). *Later evidence* means a better "
            "verdict on its last call, until that verdict stands."
        ),
        beginnings=(begun.state.value,),
        ends=tuple(sorted(state.value for state in State if state not in LIVE)),
        edges=walk([begun], _moves, lambda order: order.state.value, _likeness),
    )


def _opened() -> Order:
    return open_order(
        id=OrderId("order"),
        caller=CallerId("caller"),
        program=ProgramId("program"),
        program_version="1",
        program_digest="1",
        counselor=None,
        voucher=None,
        granted_seconds=GRANTED_SECONDS,
        policy=POLICY,
        now=NOON,
    ).order


def _moves(order: Order) -> Iterator[tuple[str, Order]]:
    for by, move in (*_people(order), *_endings(order)):
        try:
            yield by, move()
        except Refused:
            continue


def _people(order: Order) -> Iterator[tuple[str, Callable[[], Order]]]:
    call = _FIRST if order.settled is None else _SECOND
    yield "the caller dials", lambda: start_call(order, call, _SOON)
    yield "somebody gives it up", lambda: cancel(order, ClosedBy.CALLER, "why", _SOON).order
    due_at = order.due_at
    if due_at is not None:
        yield "its time is over", lambda: lapse(order, due_at).order
    at_hand = order.call
    if at_hand is not None:
        yield "the two are connected", lambda: connected(order, at_hand, _SOON).order


def _endings(order: Order) -> Iterator[tuple[str, Callable[[], Order]]]:
    call = order.call or (None if order.settled is None else order.settled.call)
    if call is None:
        return
    when = "" if order.call else "later evidence: "
    talked = order.talk_started_at is not None or order.call is None
    for kind in VerdictKind:
        if (kind is VerdictKind.NOT_CONNECTED) is not talked:
            ending = _ending(call, kind, connected=talked)
            yield f"{when}{kind}", partial(_settled, order, ending, _SOON)
    if order.call is not None and not talked:
        last = _ending(call, VerdictKind.NOT_CONNECTED, connected=False, exhausted=True)
        yield (
            "the last attempt failed, and the program cancels",
            partial(_settled, order, last, _SOON),
        )
        late = order.expires_at + timedelta(seconds=1)
        missed = _ending(call, VerdictKind.NOT_CONNECTED, connected=False)
        yield "not_connected, after its time", partial(_settled, order, missed, late)


def _settled(order: Order, ending: CallEnding, now: datetime) -> Order:
    return settle(order, ending, POLICY, now).order


def _ending(
    call: CallId, kind: VerdictKind, *, connected: bool, exhausted: bool = False
) -> CallEnding:
    return CallEnding(
        call=call,
        verdict=Verdict(kind=kind, by=EndedBy.CALLER, confidence=Confidence.HIGH, reasons=()),
        connected=connected,
        talked_seconds=60 if connected else 0,
        ended_at=_SOON,
        attempts_counted=0,
        exhausted=exhausted,
        on_exhausted=OnExhausted.CANCEL,
    )


def _likeness(order: Order) -> tuple[object, ...]:
    settled = order.settled
    return (
        order.state,
        order.call,
        order.connected_at is None,
        order.talk_started_at is None,
        None if settled is None else (settled.call, settled.verdict, settled.connected),
    )
