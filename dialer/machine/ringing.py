"""`ringing_first` and `ringing_second`: bringing the two to the line, one after the other."""

from datetime import datetime

from dialer import carriers, events
from dialer.call import Call, EndReason, State
from dialer.carriers import News
from dialer.events import Happening, TimerKind
from dialer.leg import Failure, Leg, LetGoReason, accept, failure_of
from dialer.machine import bridged
from dialer.machine.refusing import not_now
from dialer.machine.steps import (
    Step,
    after,
    ask_to_accept,
    attach,
    attempt_failed,
    bridge,
    counselor_missed,
    end,
    forward_failed,
    lift_limits,
    must_accept,
    release,
    ring,
    ring_second,
    say_farewell,
)
from dialer.orders import FactKind, HangUp, Part, make_fact
from dialer.policy import Policy
from terms.ids import LegId
from terms.values import replace
from terms.verdict import Role

# Asked at most steps, and a member asked of its enumeration is slow to answer.
_COUNSELOR, _RINGING_FIRST, _BRIDGE = Role.COUNSELOR, State.RINGING_FIRST, TimerKind.BRIDGE


def first_news(call: Call, news: News, policy: Policy, now: datetime) -> Step:
    """The first phone rings."""
    leg = call.leg(news.leg)
    assert leg is not None
    match news:
        case carriers.LegAnswered() | carriers.KeyPressed():
            return _came(call, leg, policy, now)
        case carriers.LegEnded():
            return _gone(call, leg, policy, now)
        case (
            carriers.LegRinging()
            | carriers.LegBridged()
            | carriers.MediaLost()
            | carriers.MediaHeard()
        ):
            return call, ()


def second_news(call: Call, news: News, policy: Policy, now: datetime) -> Step:
    """One is on the line, the other phone rings, or the bridge is being made."""
    leg = call.leg(news.leg)
    assert leg is not None
    bridging = call.due(_BRIDGE) is not None
    match news:
        case carriers.LegAnswered() | carriers.KeyPressed():
            return (call, ()) if bridging else _came(call, leg, policy, now)
        case carriers.LegBridged():
            return bridged.try_connect(call, policy, now)
        case carriers.LegEnded() if bridging:
            # The bridge was ordered, so this may be the end of a talk whose beginning is still
            # under way to us: treat it as one, whichever of the two arrives first.
            return bridged.leg_ended(call, leg, policy, now)
        case carriers.LegEnded():
            return _gone(call, leg, policy, now)
        case carriers.LegRinging() | carriers.MediaLost() | carriers.MediaHeard():
            return call, ()


def _came(call: Call, leg: Leg, policy: Policy, now: datetime) -> Step:
    """A phone was answered, or its person accepted: go on to the next step when both hold."""
    if must_accept(call, leg, policy):
        return ask_to_accept(call, leg, policy, now)
    if leg.answered_at is None:
        return call, ()
    accepted = (
        (make_fact(FactKind.COUNSELOR_ACCEPTED, _COUNSELOR),) if leg.role is _COUNSELOR else ()
    )
    if call.state is _RINGING_FIRST and leg.role is call.ring_first:
        call, effects = ring_second(call, policy, now, comes=True)
    elif call.state is State.RINGING_SECOND and leg.role is not call.ring_first:
        call, effects = bridge(call, policy, now)
    else:
        return call, ()
    return call, (*accepted, *effects)


def _gone(call: Call, leg: Leg, policy: Policy, now: datetime) -> Step:
    """A leg ended before the bridge was ordered."""
    failure = failure_of(leg)
    if leg.role is Role.AGENCY:
        return forward_failed(call, policy, now)
    if leg.role is Role.COUNSELOR:
        return counselor_missed(call, failure, policy, now)
    if call.dialled_in(leg):
        failure = Failure.FAULT if failure is Failure.NO_ANSWER else failure  # ours to answer
    elif failure is Failure.NOT_ACCEPTED:
        failure = Failure.NO_ANSWER  # their voicemail took it: they did not
    elif failure is Failure.GAVE_UP and call.ring_first is Role.COUNSELOR:
        failure = Failure.REJECTED  # we rang them unasked and they put it down
    return attempt_failed(call, failure, policy, now)


def happened(call: Call, event: Happening, policy: Policy, now: datetime) -> Step:
    """Timers and people while the phones ring."""
    match event:
        case events.TimerFired(timer):
            return _timer(call, timer.kind, policy, now)
        case events.BridgeRefused() if call.due(TimerKind.BRIDGE) is None or call.keeps_caller:
            return call, ()  # told late; or the timer will try again
        case events.BridgeRefused():
            return _bridge_failed(call, policy, now)
        case events.CallerDialledIn(leg) if _may_attach(call):
            return _dialled_in(call, leg, policy, now)
        case events.CallerDialledIn(leg):
            return call, (HangUp(leg),)
        case events.CounselorAccepted():
            return _accepted(call, policy, now)
        case events.CounselorDeclined():
            return counselor_missed(call, "declined", policy, now)
        case events.CounselorHungUp():
            return counselor_missed(call, Failure.GAVE_UP, policy, now)
        case events.CallerHungUp():
            return end(call, EndReason.WITHDRAWN, policy, now)
        case events.StaffEnded():
            return end(call, EndReason.STAFF, policy, now)
        case events.OrderWithdrawn() if call.keeps_caller or call.due(TimerKind.BRIDGE):
            return call, ()  # kept in danger; or they may be talking already
        case events.OrderWithdrawn():
            call, farewell = say_farewell(call, "order_over", LetGoReason.NOT_WANTED, now)
            call, effects = end(call, EndReason.ORDER_OVER, policy, now)
            return call, (*farewell, *effects)
        case events.CrisisRaised():
            return _raise_crisis(call)
        case events.CounselorMarkedCutOff() | events.CapExtended() | events.TransferRequested():
            return not_now("the two are not connected yet")
        case events.TransferConfirmed() | events.TransferCancelled():
            return not_now("no transfer is under way")
        case (
            events.CounselorClaimed()
            | events.CounselorUnavailable()
            | events.PlaceCounted()
            | events.CalledBack()
        ):
            return call, ()


def _timer(call: Call, kind: TimerKind, policy: Policy, now: datetime) -> Step:
    call = call.without_timers(kind)
    match kind:
        case TimerKind.RING:
            return _nobody_answered(call, policy, now)
        case TimerKind.ACCEPT:
            return _nobody_accepted(call, policy, now)
        case TimerKind.BRIDGE if call.keeps_caller:
            return bridge(call, policy, now)
        case TimerKind.BRIDGE:
            return _bridge_failed(call, policy, now)
        case TimerKind.RERING:
            return ring(call, Role.COUNSELOR, policy, now)
        case (
            TimerKind.WARN
            | TimerKind.CAP
            | TimerKind.SILENCE
            | TimerKind.PARTED
            | TimerKind.TRANSFER
            | TimerKind.ATTEMPT
            | TimerKind.ANNOUNCE
            | TimerKind.QUEUE
            | TimerKind.FINAL
        ):
            return call, ()


def _nobody_answered(call: Call, policy: Policy, now: datetime) -> Step:
    leg = next((leg for leg in call.all_standing() if leg.answered_at is None), None)
    if leg is None:
        return call, ()
    call, orders = release(call, (leg,), LetGoReason.NO_ANSWER, now)
    let_go = call.leg(leg.id)
    assert let_go is not None
    call, effects = _gone(call, let_go, policy, now)
    return call, (*orders, *effects)


def _nobody_accepted(call: Call, policy: Policy, now: datetime) -> Step:
    """It was answered, but nobody pressed 1: a voicemail never consumes anything (X01)."""
    leg = next((one for one in call.all_standing() if _is_asked(call, one, policy)), None)
    if leg is None:
        caller = call.standing(Role.CALLER)  # no longer asked: they may be in danger
        return (call, ()) if caller is None else _came(call, caller, policy, now)
    call, orders = release(call, (leg,), LetGoReason.NOT_ACCEPTED, now)
    let_go = call.leg(leg.id)
    assert let_go is not None
    call, effects = _gone(call, let_go, policy, now)
    return call, (*orders, *effects)


def _is_asked(call: Call, leg: Leg, policy: Policy) -> bool:
    return leg.answered_at is not None and must_accept(call, leg, policy)


def _bridge_failed(call: Call, policy: Policy, now: datetime) -> Step:
    """Both were there and the carrier did not join them: our fault, so nothing counts.

    Perhaps it did, and we were not told: they are parted, or they would talk while they are told.
    """
    there = (leg for leg in call.all_standing() if leg.answered_at is not None)
    parted = tuple(Part(leg.id) for leg in there)
    call = call.without_timers(TimerKind.BRIDGE)
    call, effects = attempt_failed(call, Failure.FAULT, policy, now)
    return call, (*parted, *effects)


def _accepted(call: Call, policy: Policy, now: datetime) -> Step:
    leg = call.standing(Role.COUNSELOR)
    if leg is None:
        return not_now("your phone is not ringing for this call")
    if leg.answered_at is None:
        # Said beforehand it would stand for whoever answers then, and that may be a voicemail.
        return not_now("answer your phone first, then accept")
    accepted = accept(leg, now)
    if accepted is leg:
        return call, ()
    return _came(call.with_leg(accepted), accepted, policy, now)


def _raise_crisis(call: Call) -> Step:
    """Limits are lifted where a bridge is being made already; later bridges get none (X55)."""
    if call.crisis:
        return call, ()
    lifted = () if call.due(TimerKind.BRIDGE) is None else lift_limits(call)
    return replace(call, crisis=True), (*lifted, make_fact(FactKind.CRISIS_RAISED))


def _dialled_in(call: Call, leg: LegId, policy: Policy, now: datetime) -> Step:
    """The caller comes by their own leg; taking it has as long as ringing them would have had."""
    if call.standing(Role.CALLER) is not None:
        call = call.with_timer(TimerKind.RING, after(policy.ring_seconds, now))
    return attach(call, leg, now)


def _may_attach(call: Call) -> bool:
    """A caller who dials in while we would ring them comes by the leg they made themselves."""
    caller = call.standing(Role.CALLER)
    return caller is None or caller.answered_at is None
