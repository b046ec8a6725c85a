"""The states of a call, walked with a caller, a counselor and an agency that do all they can."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

from dialer.call import Call, State
from dialer.carriers import (
    KeyPressed,
    LegAnswered,
    LegBridged,
    LegEnded,
    MediaLost,
    News,
    ReleaseSide,
)
from dialer.events import (
    BridgeRefused,
    CallerDialledIn,
    CallerHungUp,
    CounselorClaimed,
    CounselorDeclined,
    CounselorHungUp,
    CounselorUnavailable,
    CrisisRaised,
    Event,
    OrderWithdrawn,
    StaffEnded,
    TimerFired,
    TimerKind,
    TransferCancelled,
    TransferConfirmed,
    TransferRequested,
)
from dialer.leg import Leg
from dialer.machine import start, start_dial_in, transition
from dialer.policy import Policy
from terms.ids import LegId
from terms.refusals import Refused
from terms.verdict import Role
from tests.diagrams.walk import Diagram, walk
from tests.dialer.stories import ANA, DIALLED_IN, NOON, POLICE, begin

POLICY = Policy(
    attempts=2, attempt_spacing_seconds=(60,), fault_tries=2, cap_seconds=300, warn_seconds=()
)
_TIMES = {
    TimerKind.RING: "nobody answered in time",
    TimerKind.ACCEPT: "nobody pressed 1 in time",
    TimerKind.BRIDGE: "the bridge did not stand in time",
    TimerKind.CAP: "the cap is reached",
    TimerKind.SILENCE: "a line was silent too long",
    TimerKind.PARTED: "the grace is over",
}
_ATTEMPT = "the attempt is due and the counselor claimed"
_COMMANDS: tuple[tuple[str, Event], ...] = (
    ("the bridge is refused", BridgeRefused()),
    ("the caller hangs up in the app", CallerHungUp()),
    ("the counselor declines", CounselorDeclined()),
    ("the counselor hangs up in the console", CounselorHungUp()),
    ("a crisis is marked", CrisisRaised()),
    ("a transfer is asked for", TransferRequested((POLICE,))),
    ("the agency confirms", TransferConfirmed()),
    ("the transfer is cancelled", TransferCancelled()),
    ("staff end it", StaffEnded(confirmed=True)),
    ("the order is over", OrderWithdrawn()),
    ("the caller dials in", CallerDialledIn(LegId("in-2"), NOON)),
)


@cache
def diagram() -> Diagram:
    """Where calls go."""
    begun = list(_beginnings())
    return Diagram(
        title="The states of a call",
        about=(
            "A call is the effort to connect the two people of one order (`dialer/machine/`, one "
            "module per state). Whoever is rung first, the states are the same. What does not "
            "lead to another state, late and repeated news above all, is not shown."
        ),
        beginnings=tuple(sorted({call.state.value for call in begun})),
        ends=(State.ENDED.value,),
        edges=walk(begun, _moves, lambda call: call.state.value, _likeness),
    )


def _beginnings() -> Iterator[Call]:
    for first in (Role.CALLER, Role.COUNSELOR):
        policy = replace(POLICY, ring_first=first)
        for pooled in (False, True):
            yield start(begin(None if pooled else ANA, 300, pooled=pooled), policy, NOON)[0]
        appointed = begin(ANA, 300, not_before=NOON + timedelta(hours=1))
        waits = start(appointed, policy, NOON)[0]
        yield waits
        yield replace(waits, counselor_waits=29)  # asked for the counselor for ten minutes
    yield start_dial_in(begin(ANA, 300), DIALLED_IN, POLICY, NOON)[0]
    yield start_dial_in(begin(None, 300, pooled=True), DIALLED_IN, POLICY, NOON)[0]


def _moves(call: Call) -> Iterator[tuple[str, Call]]:
    if call.state is State.ENDED:
        return
    now = max([call.started_at, *(_newest(leg) for leg in call.legs)]) + timedelta(seconds=1)
    policy = replace(POLICY, ring_first=call.ring_first)
    for by, event in (*_timers(call), *_told(call), *_COMMANDS, *_routing(call)):
        later = max(now, event.timer.due_at) if isinstance(event, TimerFired) else now
        dated = _dated(event, later)
        try:
            yield by, transition(call, dated, policy, later)[0]
        except Refused:
            continue


def _newest(leg: Leg) -> datetime:
    times = (leg.rung_at, leg.answered_at, leg.bridged_at, leg.silent_since, leg.let_go_at)
    return max(at for at in times if at is not None)


def _timers(call: Call) -> Iterator[tuple[str, TimerFired]]:
    for timer in call.timers:
        if timer.kind in _TIMES:
            yield _TIMES[timer.kind], TimerFired(timer)
        elif timer.kind is not TimerKind.ATTEMPT:
            yield f"the {timer.kind} timer", TimerFired(timer)


def _routing(call: Call) -> Iterator[tuple[str, Event]]:
    if call.state is State.WAITING:
        yield _ATTEMPT, CounselorClaimed(ANA)
        yield "the counselor is not to be had", CounselorUnavailable("counselor_busy")
    if call.state is State.QUEUED:
        yield "a counselor of the pool is free", CounselorClaimed(ANA)


def _told(call: Call) -> Iterator[tuple[str, News]]:
    for leg in call.all_standing():
        who = f"the {leg.role}"
        if leg.answered_at is None:
            yield f"{who} answers", LegAnswered(leg=leg.id, at=NOON)
            if not call.dialled_in(leg):
                yield f"{who} is busy", _ended(leg, ReleaseSide.PARTY, 17)
                yield f"{who}'s number is invalid", _ended(leg, ReleaseSide.CARRIER, 28)
        elif leg.role is Role.COUNSELOR and leg.accepted_at is None:
            yield f"{who} presses 1", KeyPressed(leg=leg.id, at=NOON, digit="1")
        elif leg.bridged_at is None:
            yield f"{who} is joined", LegBridged(leg=leg.id, at=NOON)
        elif leg.silent_since is None:
            yield f"{who} falls silent", MediaLost(leg=leg.id, at=NOON, since=NOON)
        yield f"{who} hangs up", _ended(leg, ReleaseSide.PARTY, 16)
        yield f"{who}'s line fails", _ended(leg, ReleaseSide.CARRIER, 41)


def _ended(leg: Leg, by: ReleaseSide, q850: int) -> LegEnded:
    return LegEnded(leg=leg.id, at=NOON, by=by, q850=q850)


def _dated(event: Event, now: datetime) -> Event:
    match event:
        case MediaLost():
            return replace(event, at=now, since=now)
        case LegAnswered() | KeyPressed() | LegBridged() | LegEnded():
            return replace(event, at=now)
        case _:
            return event


def _likeness(call: Call) -> tuple[object, ...]:
    legs = frozenset(
        (
            leg.role,
            leg.answered_at is None,
            leg.accepted_at is None,
            leg.bridged_at is None,
            leg.silent_since is None,
        )
        for leg in call.all_standing()
    )
    transfer = call.transfer is not None and call.transfer.joined
    failed = (call.counted, min(call.faults + call.counselor_misses, 2))
    marks = (call.crisis, call.handed_over, call.transfer is None, transfer, call.pooled)
    kinds = tuple(timer.kind for timer in call.timers)
    return call.state, call.lost, call.ring_first, legs, kinds, failed, marks
