"""`bridged`: the two hear each other. Only they, the cap or a person of ours may end it."""

from datetime import datetime

from dialer import carriers, events
from dialer.call import Call, EndReason, State
from dialer.carriers import News
from dialer.events import Happening, TimerKind
from dialer.leg import LIMIT_CODE, Leg, LetGoReason, was_lost
from dialer.machine import transfer
from dialer.machine.capping import set_cap_timers, set_next_warning
from dialer.machine.parting import part
from dialer.machine.refusing import not_now
from dialer.machine.steps import (
    Step,
    after,
    cut,
    end,
    lift_limits,
    release,
    say_to_all,
    watch_silence,
)
from dialer.orders import Effect, FactKind, HangUp, make_fact
from dialer.policy import CapKind, Policy
from dialer.talk import connected_at
from terms.ids import LegId
from terms.values import changer, replace
from terms.verdict import Role

# Asked at each joining, and a member asked of its enumeration is slow to answer.
_CALLER, _COUNSELOR = Role.CALLER, Role.COUNSELOR


def try_connect(call: Call, policy: Policy, now: datetime) -> Step:
    """Bridged from the moment both are known to have joined; only then is anything consumed."""
    caller, other = call.standing(_CALLER), _partner(call)
    if caller is None or caller.bridged_at is None or other is None or other.bridged_at is None:
        return call, ()
    first = call.connected_at is None
    call = _joined(
        call,
        state=State.BRIDGED,
        lost=None,
        connected_at=call.connected_at or connected_at(call.legs),
        timers=call.timers_without(_JOINING_TIMERS),
    )
    call = watch_silence(set_cap_timers(call, policy, now), policy, now)
    return call, (make_fact(FactKind.CONNECTED if first else FactKind.REJOINED),)


_joined = changer(Call, "state", "lost", "connected_at", "timers")
_JOINING_TIMERS = frozenset({TimerKind.BRIDGE, TimerKind.PARTED, TimerKind.RERING})


def _partner(call: Call) -> Leg | None:
    """Whom the caller talks with: the counselor, or the agency that took over."""
    return call.standing(Role.AGENCY if call.handed_over else _COUNSELOR)


def news(call: Call, news: News, policy: Policy, now: datetime) -> Step:
    """What the carrier tells of a talk that goes on."""
    leg = call.leg(news.leg)
    assert leg is not None
    match news:
        case carriers.LegAnswered() | carriers.LegBridged() if leg.role is Role.AGENCY:
            return transfer.came(call, leg, policy, now)
        case carriers.MediaLost():
            return watch_silence(call, policy, now), ()
        case carriers.LegEnded():
            return leg_ended(call, leg, policy, now)
        case (
            carriers.LegRinging()
            | carriers.LegAnswered()
            | carriers.KeyPressed()
            | carriers.LegBridged()
            | carriers.MediaHeard()  # the timer looks whether anybody is silent still
        ):
            return call, ()


def leg_ended(call: Call, leg: Leg, policy: Policy, now: datetime) -> Step:
    """Somebody is gone: hung up, or lost?"""
    if leg.role is Role.AGENCY and not call.handed_over:
        return transfer.agency_gone(call, policy, now)
    if leg.role is Role.COUNSELOR and call.transfer is not None and call.transfer.joined:
        return transfer.hand_over(call, policy, now, confirmed=False)
    by_limit = leg.release is not None and leg.release.code == LIMIT_CODE
    if call.crisis and (by_limit or leg.role is not Role.CALLER):
        return part(call, leg.role, policy, now)
    if was_lost(leg):
        return part(call, leg.role, policy, now)
    if by_limit:
        return end(call, EndReason.CAP, policy, now)
    return end(call, EndReason.HUNG_UP, policy, now)


def happened(call: Call, event: Happening, policy: Policy, now: datetime) -> Step:
    """Timers and people while the two talk."""
    match event:
        case events.TimerFired(timer):
            return _timer(call.without_timers(timer.kind), timer.kind, policy, now)
        case events.CallerHungUp():
            return _person_ended(call, Role.CALLER, policy, now)
        case events.CounselorHungUp():
            return _counselor_hung_up(call, policy, now)
        case events.StaffEnded():
            return end(call, EndReason.STAFF, policy, now)
        case events.CrisisRaised():
            return raise_crisis(call)
        case events.CapExtended(seconds):
            return extend(call, seconds, policy, now)
        case events.TransferRequested(targets):
            return transfer.start(call, targets, policy, now)
        case events.TransferConfirmed():
            return transfer.confirm(call, policy, now)
        case events.TransferCancelled():
            return transfer.cancel(call, now)
        case events.CounselorMarkedCutOff(cut_off):
            return replace(call, counselor_mark=cut_off), ()
        case events.CallerDialledIn(leg):
            return call, (HangUp(leg),)
        case events.BridgeRefused():
            return transfer.bridge_refused(call, policy, now)
        case events.CounselorDeclined():
            return not_now("the two are talking")
        case (
            events.CounselorAccepted()
            | events.CounselorClaimed()
            | events.CounselorUnavailable()
            | events.PlaceCounted()
            | events.OrderWithdrawn()
            | events.CalledBack()
        ):
            return call, ()


def raise_crisis(call: Call) -> Step:
    """No cap and no cut from here on; the carrier's limit is lifted first (X55)."""
    if call.crisis:
        return call, ()
    call = replace(call, crisis=True).without_timers(TimerKind.CAP, TimerKind.WARN)
    return call, (*lift_limits(call), make_fact(FactKind.CRISIS_RAISED))


def extend(call: Call, seconds: int, policy: Policy, now: datetime) -> Step:
    """The counselor gives more time; only a soft cap can be given more (X33)."""
    if policy.cap_kind is not CapKind.SOFT:
        not_now("this program's time cannot be extended")
    call = replace(call, extended_seconds=call.extended_seconds + seconds)
    return set_cap_timers(call, policy, now), (
        make_fact(FactKind.CAP_EXTENDED, Role.COUNSELOR, {"seconds": seconds}),
    )


def _timer(call: Call, kind: TimerKind, policy: Policy, now: datetime) -> Step:
    match kind:
        case TimerKind.WARN:
            return _warn(call, policy, now)
        case TimerKind.CAP:
            return _cap(call, policy, now)
        case TimerKind.SILENCE:
            return _silence(call, policy, now)
        case TimerKind.TRANSFER:
            return transfer.agency_missed(call, policy, now)
        case (
            TimerKind.RING
            | TimerKind.ACCEPT
            | TimerKind.BRIDGE
            | TimerKind.RERING
            | TimerKind.PARTED
            | TimerKind.ATTEMPT
            | TimerKind.ANNOUNCE
            | TimerKind.QUEUE
            | TimerKind.FINAL
        ):
            return call, ()


def _warn(call: Call, policy: Policy, now: datetime) -> Step:
    cap_at = call.due(TimerKind.CAP)
    if cap_at is None:
        return call, ()
    left = (cap_at - now).total_seconds()
    seconds = min(policy.warn_seconds, key=lambda warned: abs(warned - left))
    said = say_to_all(call, f"left_{seconds}")
    call = set_next_warning(call, policy, now)
    return call, (*said, make_fact(FactKind.WARNED, detail={"seconds": seconds}))


def _cap(call: Call, policy: Policy, now: datetime) -> Step:
    """The granted talk is used (A25). Only a hard cap ends it, and never a person in danger."""
    reached = make_fact(FactKind.CAP_REACHED, detail={"kind": policy.cap_kind})
    left = call.cap_seconds_left
    if left is None:
        return call, ()
    if policy.cap_kind is not CapKind.HARD:
        return call, (*say_to_all(call, "time_is_up"), reached)
    over = call.talked(now).total_seconds() - left
    if over < policy.cap_grace_seconds:
        call = call.with_timer(TimerKind.CAP, after(policy.cap_grace_seconds - over, now))
        return call, (*say_to_all(call, "time_is_up"), reached)
    told: tuple[Effect, ...] = ()
    if not policy.cap_grace_seconds:  # else they were told when it began
        call, told = cut(call, now)
    call, effects = end(call, EndReason.CAP, policy, now)
    return call, (reached, *told, *effects)


def _silence(call: Call, policy: Policy, now: datetime) -> Step:
    """Nothing was heard from a leg for too long: the line is dead, whoever holds the phone.

    Nobody in danger is let go for being silent: perhaps they cannot speak (X55).
    """
    unheard = sorted(
        (leg.unheard_since, leg.id, leg.role)
        for leg in call.all_standing()
        if leg.unheard_since is not None
    )
    kept = [one for one in unheard if call.crisis and one[2] is Role.CALLER]
    facts = tuple(make_fact(FactKind.MEDIA_LOST, Role.CALLER, {"kept": True}) for _ in kept)
    dying = [one for one in unheard if one not in kept]
    if not dying:
        return call, facts
    since, silent, _ = dying[0]
    if after(policy.media_lost_seconds, since) > now:  # the time ran for one who spoke again
        return call.with_timer(TimerKind.SILENCE, after(policy.media_lost_seconds, since)), facts
    return _let_go_silent(call, silent, policy, now)


def _let_go_silent(call: Call, silent: LegId, policy: Policy, now: datetime) -> Step:
    leg = call.leg(silent)
    assert leg is not None
    call, orders = release(call, (leg,), LetGoReason.SILENT, now)
    let_go = call.leg(silent)
    assert let_go is not None
    call, effects = leg_ended(call, let_go, policy, now)
    if call.state is State.BRIDGED:
        call = watch_silence(call, policy, now)
    return call, (*orders, *effects)


def _person_ended(call: Call, role: Role, policy: Policy, now: datetime) -> Step:
    why = LetGoReason.CALLER_ENDED if role is Role.CALLER else LetGoReason.COUNSELOR_ENDED
    leg = call.standing(role)
    orders: tuple[Effect, ...] = ()
    if leg is not None:
        call, orders = release(call, (leg,), why, now)
    call, effects = end(call, EndReason.HUNG_UP, policy, now)
    return call, (*orders, *effects)


def _counselor_hung_up(call: Call, policy: Policy, now: datetime) -> Step:
    """A counselor may not leave a person in danger alone: hand over first (X41, X55)."""
    if call.handed_over:
        not_now("you have handed this call over")
    if call.transfer is not None and call.transfer.joined:
        return transfer.hand_over(call, policy, now, confirmed=False)
    if call.crisis:
        not_now("a person in danger is on the line; hand over to an agency first")
    return _person_ended(call, Role.COUNSELOR, policy, now)
