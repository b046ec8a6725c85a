"""`waiting` and `queued`: no counselor is held; the call waits for its time or its turn."""

from datetime import datetime

from dialer.call import Call, EndReason, State
from dialer.carriers import (
    KeyPressed,
    LegAnswered,
    LegBridged,
    LegEnded,
    LegRinging,
    MediaLost,
    News,
)
from dialer.events import (
    BridgeRefused,
    CalledBack,
    CallerDialledIn,
    CallerHungUp,
    CapExtended,
    CounselorAccepted,
    CounselorClaimed,
    CounselorDeclined,
    CounselorHungUp,
    CounselorMarkedCutOff,
    CounselorUnavailable,
    CrisisRaised,
    Happening,
    OrderWithdrawn,
    StaffEnded,
    TimerFired,
    TimerKind,
    TransferCancelled,
    TransferConfirmed,
    TransferRequested,
)
from dialer.leg import LetGoReason, was_lost
from dialer.machine.refusing import not_now
from dialer.machine.steps import (
    MOST_COUNSELOR_WAITS,
    Step,
    attach,
    end,
    queue,
    say_farewell,
    start_attempt,
    wait,
)
from dialer.orders import Fact, FactKind, Say
from dialer.policy import Policy
from terms.ids import LegId
from terms.values import replace


def news(call: Call, news: News, policy: Policy, now: datetime) -> Step:
    """Only a caller who dialled in has a leg here."""
    leg = call.leg(news.leg)
    assert leg is not None
    match news:
        case LegAnswered():
            return call, (Say(leg.id, "queued"),)
        case LegEnded() if was_lost(leg):
            return call, ()  # the place is kept: we ring them back when their turn comes
        case LegEnded():
            return end(call, EndReason.WITHDRAWN, policy, now)
        case LegRinging() | KeyPressed() | LegBridged() | MediaLost():
            return call, ()


def happened(call: Call, event: Happening, policy: Policy, now: datetime) -> Step:
    """The turn comes, the time comes, or a person changes their mind."""
    match event:
        case CounselorClaimed(counselor):
            return start_attempt(call, counselor, policy, now)
        case CounselorUnavailable(why):
            return _unavailable(call, why, policy, now)
        case CallerDialledIn(leg):
            return _dialled_in(call, leg, now)
        case CallerHungUp():
            return end(call, EndReason.WITHDRAWN, policy, now)
        case StaffEnded():
            return end(call, EndReason.STAFF, policy, now)
        case OrderWithdrawn() if call.keeps_caller:
            return call, ()
        case OrderWithdrawn():
            call, farewell = say_farewell(call, "order_over", LetGoReason.NOT_WANTED, now)
            call, effects = end(call, EndReason.ORDER_OVER, policy, now)
            return call, (*farewell, *effects)
        case CrisisRaised() if not call.crisis:
            return replace(call, crisis=True), (Fact(FactKind.CRISIS_RAISED),)
        case (
            CounselorAccepted()
            | CounselorDeclined()
            | CounselorHungUp()
            | CounselorMarkedCutOff()
            | CapExtended()
            | TransferRequested()
            | TransferConfirmed()
            | TransferCancelled()
        ):
            return not_now("no counselor is on this call")
        case TimerFired() | BridgeRefused() | CalledBack() | CrisisRaised():
            return call, ()  # a due attempt needs a counselor first: the desk claims one


def _dialled_in(call: Call, leg: LegId, now: datetime) -> Step:
    """Calling us is asking for the next attempt, though never before an appointed time."""
    if call.state is State.WAITING:
        call = call.with_timer(TimerKind.ATTEMPT, max(now, call.not_before or now))
    return attach(call, leg, now)


def _unavailable(call: Call, why: str, policy: Policy, now: datetime) -> Step:
    """The counselor is taken or away. A pool has a queue; a named one is asked for again."""
    if call.pooled:
        return (call, ()) if call.state is State.QUEUED else queue(call)
    call = replace(call, counselor_waits=call.counselor_waits + 1)
    if call.keeps_caller:
        return wait(call, policy.fault_spacing_seconds, now)
    call, farewell = say_farewell(call, why, LetGoReason.NOT_WANTED, now)
    if call.counselor_waits >= MOST_COUNSELOR_WAITS:
        call, effects = end(call, EndReason.COUNSELOR_NOT_REACHED, policy, now)
    else:
        call, effects = wait(call, policy.fault_spacing_seconds, now)
    return call, (*farewell, *effects)
