"""How a call begins: pressed in the app, or dialled in."""

from dataclasses import dataclass
from datetime import datetime

from dialer.call import Call, Purpose, State
from dialer.events import TimerKind
from dialer.machine.steps import Step, after, attach, queue, start_attempt, wait
from dialer.orders import Fact, FactKind
from dialer.policy import Policy
from terms.ids import CallId, CounselorId, LegId, OrderId
from terms.values import maker, quickly_made, replace
from terms.verdict import Role


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """What the desk decided before a phone may ring.

    `counselor` is whom routing claimed; None means to wait in the pool's queue, or for
    `not_before`. `counted` comes from earlier calls of the order with this purpose.
    """

    id: CallId
    order: OrderId
    counselor: CounselorId | None
    granted_seconds: int | None
    purpose: Purpose = Purpose.CONSULT
    pooled: bool = False
    counted: int = 0
    attempt: int = 0
    not_before: datetime | None = None


def start(begin: Begin, policy: Policy, now: datetime) -> Step:
    """The caller pressed the button, or an appointment's time was set."""
    call = _new(begin, policy, now)
    if begin.not_before is not None and begin.not_before > now:
        call, effects = wait(call, 0, now)
    elif begin.counselor is None:
        call, effects = queue(call, policy, now)
    else:
        call, effects = start_attempt(call, begin.counselor, policy, now)
    return call, (_started(call), *effects)


def start_dial_in(begin: Begin, leg: LegId, policy: Policy, now: datetime) -> Step:
    """The caller's own phone dialled the service number: their leg is there already."""
    call, answered = attach(_new(begin, policy, now), leg, now)
    if begin.counselor is None:
        call, effects = queue(call, policy, now)
    else:
        call, effects = start_attempt(call, begin.counselor, policy, now)
    return call, (_started(call), *answered, *effects)


def start_forwarded(begin: Begin, leg: LegId, policy: Policy, now: datetime) -> Step:
    """Nobody of ours is there now: the caller is told so and brought to a line that is (X39)."""
    call, answered = attach(_new(begin, policy, now), leg, now)
    call = replace(
        call,
        state=State.RINGING_FIRST,
        ring_first=Role.CALLER,
        handed_over=True,
        attempt=call.attempt + 1,
    )
    call = call.with_timer(TimerKind.RING, after(policy.ring_seconds, now))
    return call, (_started(call), *answered, Fact(FactKind.FORWARDED, Role.AGENCY))


def _new(begin: Begin, policy: Policy, now: datetime) -> Call:
    return _make_call(
        id=begin.id,
        order=begin.order,
        purpose=begin.purpose,
        ring_first=policy.ring_first,
        pooled=begin.pooled,
        granted_seconds=begin.granted_seconds,
        state=State.QUEUED,
        started_at=now,
        not_before=begin.not_before,
        counted=begin.counted,
        counted_before=begin.counted,
        attempt=begin.attempt,
    )


_make_call = maker(Call)


def _started(call: Call) -> Fact:
    return Fact(FactKind.CALL_STARTED, Role.CALLER, {"purpose": call.purpose})
