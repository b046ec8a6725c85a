"""Moves that several states share. Each takes a call and gives a call with what follows from it."""

from collections.abc import Iterable
from datetime import datetime

from dialer.call import Call, EndReason, State, with_legs_and_timers, with_timers
from dialer.events import Timer, TimerKind
from dialer.leg import Failure, Leg, LetGoReason, let_go, make_leg
from dialer.machine.capping import limit_seconds
from dialer.machine.judging import evidence, judged
from dialer.orders import (
    Answer,
    Bridge,
    Effect,
    FactKind,
    HangUp,
    Limit,
    Part,
    Ring,
    Say,
    make_fact,
)
from dialer.policy import (
    LONGEST_CALL_SECONDS,
    CallerAccepts,
    Policy,
)
from dialer.talk import connected_at
from dialer.verdict import judge
from terms.ids import CounselorId, LegId
from terms.spans import seconds
from terms.values import changer, replace
from terms.verdict import Role

Step = tuple[Call, tuple[Effect, ...]]

# Asked at most steps, and a member asked of its enumeration is slow to answer.
_CALLER, _COUNSELOR, _LEG_RUNG = Role.CALLER, Role.COUNSELOR, FactKind.LEG_RUNG
_RING = TimerKind.RING
_RINGING_FIRST, _RINGING_SECOND, _ENDED = State.RINGING_FIRST, State.RINGING_SECOND, State.ENDED

TIME_IS_UP_SECONDS = 2
"""Time for "the time is up" to be heard: the carrier's own limit gives no more."""

FAREWELL_SECONDS = 6
"""Time for "nobody could be reached" to be heard before the line goes."""

MOST_COUNSELOR_WAITS = 30
"""How often a waiting call asks for its busy counselor before it gives up."""


def after(delay_seconds: float, now: datetime) -> datetime:
    """`now` plus seconds."""
    return now + seconds(delay_seconds)


def start_attempt(call: Call, counselor: CounselorId, policy: Policy, now: datetime) -> Step:
    """Ring the first of the two; a caller already on the line makes the counselor the next."""
    call = _attempted(
        call,
        state=_RINGING_FIRST,
        counselor=counselor,
        attempt=call.attempt + 1,
        counselor_waits=0,
        timers=call.timers_without(_WAITING_TIMERS),
    )
    claimed = make_fact(FactKind.COUNSELOR_CLAIMED, detail={"attempt": call.attempt})
    caller = call.standing(_CALLER)
    if caller is not None:
        call = replace(call, ring_first=_CALLER)
        if caller.answered_at is None:
            return call.with_timer(TimerKind.RING, after(policy.ring_seconds, now)), (claimed,)
        call, effects = ring_second(call, policy, now)
    else:
        if call.ring_first is not policy.ring_first:
            call = replace(call, ring_first=policy.ring_first)
        call, effects = ring(call, call.ring_first, policy, now)
    return call, (claimed, *effects)


_attempted = changer(Call, "state", "counselor", "attempt", "counselor_waits", "timers")
_WAITING_TIMERS = frozenset({TimerKind.ATTEMPT, TimerKind.QUEUE, TimerKind.ANNOUNCE})


def ring(call: Call, role: Role, policy: Policy, now: datetime) -> Step:
    """Originate a new leg and bound how long it may ring."""
    party = call.counselor if role is _COUNSELOR else _party_before(call, role)
    leg = make_leg(id=call.next_leg(role), role=role, rung_at=now, party=party)
    timers = call.timers_with(_RING, after(policy.ring_seconds, now))
    call = with_legs_and_timers(call, (*call.legs, leg), timers)
    return call, (Ring(leg.id, role, party, policy.ring_seconds), make_fact(_LEG_RUNG, role))


def _party_before(call: Call, role: Role) -> str | None:
    return next((leg.party for leg in reversed(call.legs) if leg.role is role), None)


def attach(call: Call, leg: LegId, at: datetime) -> Step:
    """The caller's phone dialled in: that leg replaces whatever we were ringing the caller with."""
    rung = call.standing(Role.CALLER)
    effects: tuple[Effect, ...] = ()
    if rung is not None:
        call, effects = release(call, (rung,), LetGoReason.NOT_WANTED, at)
    call = call.with_leg(Leg(id=leg, role=Role.CALLER, rung_at=at, ringing_at=at))
    return call, (*effects, Answer(leg), make_fact(FactKind.DIALLED_IN, Role.CALLER))


def greet(call: Call, leg: Leg, policy: Policy) -> tuple[Effect, ...]:
    """The first word to a caller who has come to the line; who is put through is greeted there."""
    if leg.role is not _CALLER or call.handed_over or not policy.greeting:
        return ()
    return (Say(leg.id, policy.greeting),)


def ring_second(call: Call, policy: Policy, now: datetime, *, comes: bool = False) -> Step:
    """The first is on the line, or `comes` to it just now: ring the other, and tell them so.

    The other rings before anything is said, so that a word more makes nobody wait longer.
    """
    first = call.standing(call.ring_first)
    assert first is not None
    greeting = greet(call, first, policy) if comes else ()
    prompts = ("outside_hours", "forwarding") if call.handed_over else ("connecting",)
    said = (*greeting, *[Say(first.id, prompt) for prompt in prompts])
    call = _goes_on(call, _RINGING_SECOND, call.timers_without(_ACCEPTING))
    second = _second(call)
    there = call.standing(second)
    if there is None:
        call, effects = ring(call, second, policy, now)
        return call, (*effects, *said)
    if there.answered_at is None:
        return call.with_timer(TimerKind.RING, after(policy.ring_seconds, now)), said
    call, effects = bridge(call, policy, now)
    return call, (*said, *effects)


_goes_on = changer(Call, "state", "timers")
_ACCEPTING = frozenset({TimerKind.ACCEPT})


def _second(call: Call) -> Role:
    if call.handed_over:
        return Role.AGENCY  # a call that is forwarded
    return Role.COUNSELOR if call.ring_first is Role.CALLER else Role.CALLER


def must_accept(call: Call, leg: Leg, policy: Policy) -> bool:
    """Whether an answer is not enough: what took the call may be a voicemail (X01)."""
    if leg.accepted_at is not None:
        return False
    if leg.role is _COUNSELOR:
        return policy.press_to_accept
    if leg.role is not _CALLER or call.crisis or call.dialled_in(leg):
        return False
    rung_second = call.ring_first is Role.COUNSELOR and call.state is not State.PARTED
    match policy.caller_accepts:
        case CallerAccepts.NEVER:
            return False
        case CallerAccepts.SECOND:
            return rung_second
        case CallerAccepts.UNASKED:
            return rung_second or sum(one.role is Role.CALLER for one in call.legs) > 1
        case CallerAccepts.ALWAYS:
            return True


def ask_to_accept(call: Call, leg: Leg, policy: Policy, now: datetime) -> Step:
    """Somebody or something took the call: a person presses 1, a voicemail does not (X01)."""
    due = after(policy.accept_seconds, now)
    timers = call.timers_with(TimerKind.ACCEPT, due, without=(TimerKind.RING,))
    return with_timers(call, timers), (Say(leg.id, "press_1"),)


def bridge(call: Call, policy: Policy, now: datetime) -> Step:
    """Join everybody who stands, with the carrier's own limit as the guard behind ours."""
    legs = tuple([leg.id for leg in call.all_standing() if leg.answered_at is not None])
    due = after(policy.bridge_seconds, now)
    call = with_timers(call, call.timers_with(TimerKind.BRIDGE, due, without=_RINGING_TIMERS))
    return call, (Bridge(legs, limit_seconds(call, policy, now)),)


_RINGING_TIMERS = frozenset({TimerKind.RING, TimerKind.ACCEPT, TimerKind.RERING})


def watch_silence(call: Call, policy: Policy, now: datetime) -> Call:
    """While any leg is silent its time runs; the silence of another does not prolong it."""
    silent = any([leg.unheard_since is not None for leg in call.all_standing()])
    if not silent or call.due(TimerKind.SILENCE) is not None:
        return call
    return call.with_timer(TimerKind.SILENCE, after(policy.media_lost_seconds, now))


def notice_connection(call: Call) -> Step:
    """Both turn out to have been joined: the talk was real, whenever we learn of it (X01)."""
    if call.connected_at is not None or call.verdict_is_final:
        return call, ()
    at = connected_at(call.legs)
    if at is None:
        return call, ()
    return _connected(call, at), (make_fact(FactKind.CONNECTED),)


_connected = changer(Call, "connected_at")


def say_to_all(call: Call, prompt: str) -> tuple[Effect, ...]:
    """The prompt to everybody who is on the line."""
    there = [leg for leg in call.all_standing() if leg.answered_at is not None]
    return tuple([Say(leg.id, prompt) for leg in there])


def lift_limits(call: Call) -> tuple[Effect, ...]:
    """Push the carrier's own limit far away from everybody on the line (X55)."""
    return tuple(
        Limit(leg.id, LONGEST_CALL_SECONDS)
        for leg in call.all_standing()
        if leg.answered_at is not None
    )


def release(
    call: Call, legs: Iterable[Leg], why: LetGoReason, now: datetime, *, after_seconds: int = 0
) -> Step:
    """Order legs hung up and remember why."""
    orders: list[Effect] = []
    for leg in legs:
        if not leg.is_over:
            call = call.with_leg(let_go(leg, why, now))
            orders.append(HangUp(leg.id, after_seconds))
    return call, tuple(orders)


def say_farewell(call: Call, prompt: str, why: LetGoReason, now: datetime) -> Step:
    """Tell whoever is on the line why it ends here, and let everybody go."""
    on_the_line = tuple(leg for leg in call.all_standing() if leg.answered_at is not None)
    said = say_to_all(call, prompt)
    call, farewell = release(call, on_the_line, why, now, after_seconds=FAREWELL_SECONDS)
    call, rest = release(call, tuple(call.all_standing()), why, now)
    return call, (*said, *farewell, *rest)


def cut(call: Call, now: datetime) -> Step:
    """The granted time is used: nobody hears another from this moment, and all are told why."""
    talking = tuple(leg for leg in call.all_standing() if leg.bridged_at is not None)
    parted = tuple(Part(leg.id) for leg in talking)
    said = tuple(Say(leg.id, "time_is_up") for leg in talking)
    call, farewell = release(call, talking, LetGoReason.CAP, now, after_seconds=TIME_IS_UP_SECONDS)
    return call, (*parted, *said, *farewell)


def attempt_failed(call: Call, failure: Failure, policy: Policy, now: datetime) -> Step:
    """The caller could not be brought to the line. What they caused counts; nothing else does."""
    counted = min(call.counted + failure.counts, policy.attempts)
    faults = call.faults + (not failure.counts)
    call = replace(call, counted=counted, faults=faults)
    failed = make_fact(
        FactKind.ATTEMPT_FAILED,
        Role.CALLER,
        {"failure": failure, "counts": failure.counts, "counted": counted},
    )
    call, farewell = say_farewell(call, "caller_not_reached", LetGoReason.NOT_WANTED, now)
    call, effects = _after_failure(call, failure, policy, now)
    return call, (failed, *farewell, *effects)


def forward_failed(call: Call, policy: Policy, now: datetime) -> Step:
    """The line we forward to does not answer: say so, for closed is never silence (X39)."""
    call, farewell = say_farewell(call, "nobody_reached", LetGoReason.NOT_WANTED, now)
    call, effects = end(call, EndReason.FORWARD_NOT_REACHED, policy, now)
    return call, (*farewell, *effects)


def _after_failure(call: Call, failure: Failure, policy: Policy, now: datetime) -> Step:
    if failure is Failure.INVALID_NUMBER:
        return end(call, EndReason.INVALID_NUMBER, policy, now)
    if failure is Failure.GAVE_UP:
        return end(call, EndReason.WITHDRAWN, policy, now)
    if call.handed_over:
        return end(call, EndReason.FAULT, policy, now)  # who is forwarded has no further attempt
    if failure.counts:
        if call.counted >= policy.attempts:
            return end(call, EndReason.NOT_REACHED, policy, now)
        return wait(call, policy.spacing_after(call.counted), now)
    if call.faults >= policy.fault_tries:
        return end(call, EndReason.FAULT, policy, now)
    return wait(call, policy.fault_spacing_seconds, now)


def counselor_missed(call: Call, failure: str, policy: Policy, now: datetime) -> Step:
    """The counselor did not come to the line: never the caller's fault, so never counted."""
    missed = make_fact(
        FactKind.COUNSELOR_MISSED,
        Role.COUNSELOR,
        {"failure": failure, "counselor": call.counselor},
    )
    call = call.without_timers(TimerKind.RING, TimerKind.ACCEPT, TimerKind.BRIDGE)
    call = replace(call, counselor_misses=call.counselor_misses + 1)
    leg = call.standing(Role.COUNSELOR)
    call, orders = release(call, () if leg is None else (leg,), LetGoReason.COUNSELOR_ENDED, now)
    caller = call.standing(Role.CALLER)
    if caller is not None and caller.answered_at is None:
        call, stopped = release(call, (caller,), LetGoReason.NOT_WANTED, now)
        orders, caller = (*orders, *stopped), None
    declined = failure in ("declined", Failure.REJECTED)
    no_more = call.counselor_misses >= policy.counselor_tries or (declined and not call.pooled)
    if no_more and not call.keeps_caller:
        call, farewell = say_farewell(call, "nobody_reached", LetGoReason.NOT_WANTED, now)
        call, effects = end(call, EndReason.COUNSELOR_NOT_REACHED, policy, now)
        return call, (missed, *orders, *farewell, *effects)
    if call.pooled:
        call, effects = queue(call, policy, now)
    elif caller is None:
        call, effects = wait(call, policy.fault_spacing_seconds, now)
    else:
        call, effects = _ring_counselor_again(call, policy, now)
    return call, (missed, *orders, *effects)


def _ring_counselor_again(call: Call, policy: Policy, now: datetime) -> Step:
    """The caller holds the line. For a person in danger this goes on, so it keeps a distance."""
    call = replace(call, state=State.RINGING_SECOND, ring_first=Role.CALLER)
    if call.crisis:
        return call.with_timer(TimerKind.RERING, after(policy.rering_seconds, now)), ()
    return ring(call, Role.COUNSELOR, policy, now)


def wait(call: Call, wait_seconds: int, now: datetime) -> Step:
    """Between attempts nobody is held: the counselor is free until the next one is due."""
    due = after(wait_seconds, now)
    if call.not_before is not None:
        due = max(due, call.not_before)
    call = replace(call, state=State.WAITING, counselor=None, timers=())
    return call.with_timer(TimerKind.ATTEMPT, due), (
        make_fact(FactKind.WAITING, detail={"next_attempt_at": due.isoformat()}),
    )


def queue(call: Call, policy: Policy, now: datetime) -> Step:
    """Wait for whoever of the pool is free first, though not for ever."""
    call = replace(call, state=State.QUEUED, counselor=None, timers=())
    if policy.queue_seconds:
        call = call.with_timer(TimerKind.QUEUE, after(policy.queue_seconds, now))
    return announce_soon(call, now), (make_fact(FactKind.QUEUED), *say_to_all(call, "queued"))


def announce_soon(call: Call, now: datetime) -> Call:
    """Whoever waits on the line is told their place at once, and from then on (X43)."""
    caller = call.standing(Role.CALLER)
    if call.state is not State.QUEUED or caller is None or caller.answered_at is None:
        return call
    return call.with_timer(TimerKind.ANNOUNCE, now)


def end(call: Call, why: EndReason, policy: Policy, now: datetime) -> Step:
    """The call is over: let everybody go and judge what is known so far."""
    call, orders = release(call, tuple(call.all_standing()), _LET_GO[why], now)
    verdict = judge(evidence(call))
    final = Timer(TimerKind.FINAL, after(60 * policy.verdict_final_minutes, now))
    call = _ended(
        call,
        state=_ENDED,
        counselor=None,
        lost=None,
        transfer=None,
        timers=(final,),
        ended_at=now,
        end_reason=why,
        verdict=verdict,
    )
    return call, (
        *orders,
        make_fact(FactKind.ENDED, detail={"reason": why}),
        judged(verdict, False),
    )


_ended = changer(
    Call, *["state", "counselor", "lost", "transfer", "timers", "ended_at", "end_reason", "verdict"]
)
_LET_GO = {
    EndReason.HUNG_UP: LetGoReason.PARTNER_LEFT,
    EndReason.LOST: LetGoReason.PARTNER_LEFT,
    EndReason.CAP: LetGoReason.CAP,
    EndReason.WITHDRAWN: LetGoReason.CALLER_ENDED,
    EndReason.NOT_REACHED: LetGoReason.NOT_WANTED,
    EndReason.COUNSELOR_NOT_REACHED: LetGoReason.NOT_WANTED,
    EndReason.FORWARD_NOT_REACHED: LetGoReason.NOT_WANTED,
    EndReason.INVALID_NUMBER: LetGoReason.NOT_WANTED,
    EndReason.FAULT: LetGoReason.NOT_WANTED,
    EndReason.STAFF: LetGoReason.STAFF_ENDED,
    EndReason.ORDER_OVER: LetGoReason.NOT_WANTED,
}
