"""`waiting` and `queued`: no counselor is held; the call waits for its time or its turn."""

import math
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
    after,
    announce_soon,
    attach,
    end,
    greet,
    queue,
    say_farewell,
    start_attempt,
    wait,
)
from dialer.orders import Fact, FactKind, Say
from dialer.policy import Policy
from terms.ids import LegId
from terms.values import replace
from terms.verdict import Role

FARTHEST_TOLD = 20
WAIT_STEPS_MINUTES = (1, 2, 3, 5, 10, 15, 20, 30, 45, 60)
"""The estimates that are spoken; longer than an hour is only said to be long."""


def news(call: Call, news: News, policy: Policy, now: datetime) -> Step:
    """Only a caller who dialled in has a leg here."""
    leg = call.leg(news.leg)
    assert leg is not None
    match news:
        case carriers.LegAnswered():
            return announce_soon(call, now), (*greet(call, leg, policy), Say(leg.id, "queued"))
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
        case events.PlaceCounted():
            return _tell_place(call, event, now)
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
        case events.TimerFired(timer) if timer.kind is TimerKind.ANNOUNCE:
            return call.without_timers(TimerKind.ANNOUNCE), ()  # it has no place to be told of
        case (
            events.TimerFired()
            | events.BridgeRefused()
            | events.CalledBack()
            | events.CrisisRaised()
        ):
            return call, ()  # a due attempt needs a counselor first: the desk claims one


def _tell_place(call: Call, place: events.PlaceCounted, now: datetime) -> Step:
    """Say how many stand before them and how long that may take, as long as they listen."""
    call = call.without_timers(TimerKind.ANNOUNCE)
    caller = call.standing(Role.CALLER)
    if call.state is not State.QUEUED or caller is None or caller.answered_at is None:
        return call, ()
    call = call.with_timer(TimerKind.ANNOUNCE, after(place.again_seconds, now))
    told = {"position": place.position, "wait_seconds": place.wait_seconds}
    prompts = (position_prompt(place.position), *wait_prompts(place.wait_seconds))
    said = tuple(Say(caller.id, prompt) for prompt in prompts)
    return call, (Fact(FactKind.PLACE_TOLD, Role.CALLER, told), *said)


def position_prompt(position: int) -> str:
    """`position_3`: two are before them. Far back, the number itself is of no use."""
    return f"position_{position}" if position <= FARTHEST_TOLD else "position_far"


def wait_prompts(seconds: int | None) -> tuple[str, ...]:
    """`wait_10`: about ten minutes. An estimate is never told more exactly than it is known."""
    if seconds is None:
        return ()
    minutes = max(1, math.ceil(seconds / 60))
    step = next((step for step in WAIT_STEPS_MINUTES if minutes <= step), None)
    return ("wait_long",) if step is None else (f"wait_{step}",)


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
