"""`waiting` and `queued`: no counselor is held; the call waits for its time or its turn."""

from datetime import datetime

from dialer import carriers, events
from dialer.call import Call, EndReason, State
from dialer.carriers import News
from dialer.events import Happening, TimerKind
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
        case carriers.LegAnswered():
            return call, (Say(leg.id, "queued"),)
        case carriers.LegEnded() if was_lost(leg):
            return call, ()  # the place is kept: we ring them back when their turn comes
        case carriers.LegEnded():
            return end(call, EndReason.WITHDRAWN, policy, now)
        case (
            carriers.LegRinging()
            | carriers.KeyPressed()
            | carriers.LegBridged()
            | carriers.MediaLost()
            | carriers.MediaHeard()
        ):
            return call, ()


def happened(call: Call, event: Happening, policy: Policy, now: datetime) -> Step:
    """The turn comes, the time comes, or a person changes their mind."""
    match event:
        case events.CounselorClaimed(counselor):
            return start_attempt(call, counselor, policy, now)
        case events.CounselorUnavailable(why):
            return _unavailable(call, why, policy, now)
        case events.CallerDialledIn(leg):
            return _dialled_in(call, leg, now)
        case events.CallerHungUp():
            return end(call, EndReason.WITHDRAWN, policy, now)
        case events.StaffEnded():
            return end(call, EndReason.STAFF, policy, now)
        case events.OrderWithdrawn() if call.keeps_caller:
            return call, ()
        case events.OrderWithdrawn():
            call, farewell = say_farewell(call, "order_over", LetGoReason.NOT_WANTED, now)
            call, effects = end(call, EndReason.ORDER_OVER, policy, now)
            return call, (*farewell, *effects)
        case events.CrisisRaised() if not call.crisis:
            return replace(call, crisis=True), (Fact(FactKind.CRISIS_RAISED),)
        case (
            events.CounselorAccepted()
            | events.CounselorDeclined()
            | events.CounselorHungUp()
            | events.CounselorMarkedCutOff()
            | events.CapExtended()
            | events.TransferRequested()
            | events.TransferConfirmed()
            | events.TransferCancelled()
        ):
            return not_now("no counselor is on this call")
        case events.TimerFired(timer) if timer.kind is TimerKind.QUEUE:
            return _waited_too_long(call, policy, now)
        case (
            events.TimerFired()
            | events.BridgeRefused()
            | events.CalledBack()
            | events.CrisisRaised()
        ):
            return call, ()  # a due attempt needs a counselor first: the desk claims one


def _waited_too_long(call: Call, policy: Policy, now: datetime) -> Step:
    """Nobody of the pool came free. The order stays; a person in danger keeps their place (X55)."""
    if call.crisis:
        return queue(call, policy, now)
    call, farewell = say_farewell(call, "nobody_reached", LetGoReason.NOT_WANTED, now)
    call, effects = end(call, EndReason.COUNSELOR_NOT_REACHED, policy, now)
    return call, (*farewell, *effects)


def _dialled_in(call: Call, leg: LegId, now: datetime) -> Step:
    """Calling us is asking for the next attempt, though never before an appointed time."""
    if call.state is State.WAITING:
        call = call.with_timer(TimerKind.ATTEMPT, max(now, call.not_before or now))
    return attach(call, leg, now)


def _unavailable(call: Call, why: str, policy: Policy, now: datetime) -> Step:
    """The counselor is taken or away. A pool has a queue; a named one is asked for again."""
    if call.pooled:
        return (call, ()) if call.state is State.QUEUED else queue(call, policy, now)
    call = replace(call, counselor_waits=call.counselor_waits + 1)
    if call.keeps_caller:
        return wait(call, policy.fault_spacing_seconds, now)
    call, farewell = say_farewell(call, why, LetGoReason.NOT_WANTED, now)
    if call.counselor_waits >= MOST_COUNSELOR_WAITS:
        call, effects = end(call, EndReason.COUNSELOR_NOT_REACHED, policy, now)
    else:
        call, effects = wait(call, policy.fault_spacing_seconds, now)
    return call, (*farewell, *effects)
