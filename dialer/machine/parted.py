"""`parted`: a line failed. One is kept and told so while the other is rung again, for a grace."""

from datetime import datetime

from dialer import carriers, events
from dialer.call import Call, EndReason, State
from dialer.carriers import News
from dialer.events import Happening, TimerKind
from dialer.leg import Leg, LetGoReason, accept, was_lost
from dialer.machine import bridged, transfer
from dialer.machine.parting import part
from dialer.machine.refusing import not_now
from dialer.machine.steps import (
    Step,
    after,
    ask_to_accept,
    attach,
    bridge,
    end,
    must_accept,
    release,
    ring,
    say_farewell,
)
from dialer.orders import Fact, FactKind, HangUp
from dialer.policy import Policy
from terms.values import replace
from terms.verdict import Role

_SEARCH_TIMERS = (
    TimerKind.RING,
    TimerKind.ACCEPT,
    TimerKind.BRIDGE,
    TimerKind.RERING,
    TimerKind.PARTED,
)


def news(call: Call, news: News, policy: Policy, now: datetime) -> Step:
    """What the carrier tells while one is looked for."""
    leg = call.leg(news.leg)
    assert leg is not None
    match news:
        case carriers.LegAnswered() | carriers.KeyPressed() if leg.role is call.lost:
            return _came(call, leg, policy, now)
        case carriers.LegAnswered() | carriers.LegBridged() if (
            leg.role is Role.AGENCY and call.transfer is not None
        ):
            return _agency_came(call, leg, policy, now)
        case carriers.LegBridged():
            return bridged.try_connect(call, policy, now)
        case carriers.LegEnded() if leg.role is call.lost:
            return _not_found_yet(call, policy, now)
        case carriers.LegEnded() if leg.role is Role.AGENCY and not call.handed_over:
            return transfer.agency_gone(call, policy, now)
        case carriers.LegEnded():
            return _kept_gone(call, leg, policy, now)
        case (
            carriers.LegRinging()
            | carriers.LegAnswered()
            | carriers.KeyPressed()
            | carriers.MediaLost()
            | carriers.MediaHeard()
        ):
            return call, ()


def _kept_gone(call: Call, leg: Leg, policy: Policy, now: datetime) -> Step:
    """Now the other is gone too. Whoever is left of a person in danger's talk is held on to."""
    if leg.role is Role.COUNSELOR and call.transfer is not None and call.transfer.joined:
        return transfer.hand_over(call, policy, now, confirmed=False)
    if call.keeps_caller:
        return part(call, leg.role, policy, now)
    if call.crisis and was_lost(leg):
        return _both_lost_in_danger(call, leg, policy, now)
    return end(call, EndReason.LOST, policy, now)


def _both_lost_in_danger(call: Call, leg: Leg, policy: Policy, now: datetime) -> Step:
    """Every line failed at once: the person in danger is found first, then somebody for them."""
    if leg.role is not Role.CALLER:
        return call, ()  # the caller is being rung already
    assert call.lost is not None
    other = call.standing(call.lost)
    call, orders = release(call, () if other is None else (other,), LetGoReason.NOT_WANTED, now)
    call, effects = part(call.without_timers(*_SEARCH_TIMERS), Role.CALLER, policy, now)
    return call, (*orders, *effects)


def _agency_came(call: Call, leg: Leg, policy: Policy, now: datetime) -> Step:
    """An agency that joins the caller while the counselor is lost has taken over by that."""
    call, effects = transfer.came(call, leg, policy, now)
    if call.lost is not Role.COUNSELOR or call.transfer is None or not call.transfer.joined:
        return call, effects
    call, handed = transfer.hand_over(call, policy, now, confirmed=False)
    call = replace(call.without_timers(*_SEARCH_TIMERS), state=State.BRIDGED, lost=None)
    return call, (*effects, *handed)


def _came(call: Call, leg: Leg, policy: Policy, now: datetime) -> Step:
    """The lost one answered. A counselor accepts again, for a voicemail may answer now."""
    if call.due(TimerKind.BRIDGE) is not None:
        return call, ()
    if must_accept(call, leg, policy):
        return ask_to_accept(call, leg, policy, now)
    if leg.answered_at is None:
        return call, ()
    if leg.role is Role.CALLER and not _somebody_waits(call):
        role = Role.AGENCY if call.handed_over else Role.COUNSELOR
        return part(call.without_timers(*_SEARCH_TIMERS), role, policy, now)
    return bridge(call, policy, now)


def _somebody_waits(call: Call) -> bool:
    """Whether anybody but the caller is on the line."""
    return any(
        leg.role is not Role.CALLER and leg.answered_at is not None for leg in call.all_standing()
    )


def _not_found_yet(call: Call, policy: Policy, now: datetime) -> Step:
    """They did not answer this time: once more in a moment, as long as the grace lasts."""
    call = call.without_timers(TimerKind.RING, TimerKind.ACCEPT, TimerKind.BRIDGE)
    return call.with_timer(TimerKind.RERING, after(policy.rering_seconds, now)), ()


def happened(call: Call, event: Happening, policy: Policy, now: datetime) -> Step:
    """Timers and people while one is looked for."""
    match event:
        case events.TimerFired(timer):
            return _timer(call.without_timers(timer.kind), timer.kind, policy, now)
        case events.BridgeRefused() if call.due(TimerKind.BRIDGE) is None:
            return transfer.bridge_refused(call, policy, now)
        case events.BridgeRefused():
            return _bridge_failed(call, policy, now)
        case events.CallerDialledIn(leg) if call.lost is Role.CALLER:
            call = call.without_timers(TimerKind.RERING, TimerKind.BRIDGE)
            call = call.with_timer(TimerKind.RING, after(policy.ring_seconds, now))
            return attach(call, leg, now)
        case events.CallerDialledIn(leg):
            return call, (HangUp(leg),)
        case events.CounselorAccepted():
            return _accepted(call, policy, now)
        case events.CallerHungUp():
            return _left(call, Role.CALLER, LetGoReason.CALLER_ENDED, policy, now)
        case events.CounselorHungUp() if call.crisis:
            return not_now("a person in danger may come back to the line; hand over first")
        case events.CounselorHungUp():
            return _left(call, Role.COUNSELOR, LetGoReason.COUNSELOR_ENDED, policy, now)
        case events.StaffEnded():
            return end(call, EndReason.STAFF, policy, now)
        case events.CrisisRaised():
            return bridged.raise_crisis(call)
        case events.CounselorMarkedCutOff(cut_off):
            return replace(call, counselor_mark=cut_off), ()
        case events.TransferConfirmed():
            return transfer.confirm(call, policy, now)
        case events.TransferCancelled():
            return transfer.cancel(call, now)
        case events.CapExtended() | events.TransferRequested() | events.CounselorDeclined():
            return not_now("one side is being rung again")
        case (
            events.CounselorClaimed()
            | events.CounselorUnavailable()
            | events.PlaceCounted()
            | events.OrderWithdrawn()
            | events.CalledBack()
        ):
            return call, ()


def _accepted(call: Call, policy: Policy, now: datetime) -> Step:
    leg = call.standing(Role.COUNSELOR)
    if leg is None or call.lost is not Role.COUNSELOR:
        return call, ()
    if leg.answered_at is None:
        return not_now("answer your phone first, then accept")
    accepted = accept(leg, now)
    return _came(call.with_leg(accepted), accepted, policy, now)


def _timer(call: Call, kind: TimerKind, policy: Policy, now: datetime) -> Step:
    match kind:
        case TimerKind.RING:
            return _let_go_lost(call, LetGoReason.NO_ANSWER, policy, now)
        case TimerKind.ACCEPT:
            return _let_go_lost(call, LetGoReason.NOT_ACCEPTED, policy, now)
        case TimerKind.BRIDGE:
            return _bridge_failed(call, policy, now)
        case TimerKind.RERING:
            assert call.lost is not None
            return ring(call, call.lost, policy, now)
        case TimerKind.PARTED:
            return _grace_over(call, policy, now)
        case TimerKind.TRANSFER:
            return transfer.agency_missed(call, policy, now)
        case (
            TimerKind.WARN
            | TimerKind.CAP
            | TimerKind.SILENCE
            | TimerKind.ATTEMPT
            | TimerKind.ANNOUNCE
            | TimerKind.QUEUE
            | TimerKind.FINAL
        ):
            return call, ()


def _bridge_failed(call: Call, policy: Policy, now: datetime) -> Step:
    """Found, but not joined: look for them again. A person in danger is not let go for that."""
    if call.lost is Role.CALLER and call.keeps_caller:
        return bridge(call, policy, now)
    return _let_go_lost(call, LetGoReason.NOT_WANTED, policy, now)


def _left(call: Call, role: Role, why: LetGoReason, policy: Policy, now: datetime) -> Step:
    leg = call.standing(role)
    call, orders = release(call, () if leg is None else (leg,), why, now)
    call, effects = end(call, EndReason.LOST, policy, now)
    return call, (*orders, *effects)


def _let_go_lost(call: Call, why: LetGoReason, policy: Policy, now: datetime) -> Step:
    assert call.lost is not None
    leg = call.standing(call.lost)
    call, orders = release(call, () if leg is None else (leg,), why, now)
    call, effects = _not_found_yet(call, policy, now)
    return call, (*orders, *effects)


def _grace_over(call: Call, policy: Policy, now: datetime) -> Step:
    """The other did not come back. A person in danger is kept and the search goes on (X55).

    Somebody who is back and being joined just now is waited for.
    """
    joining = call.due(TimerKind.BRIDGE)
    if joining is not None:
        return call.with_timer(TimerKind.PARTED, after(1, max(joining, now))), ()
    if call.crisis and call.standing(Role.CALLER) is not None and call.lost is not Role.CALLER:
        call = call.with_timer(TimerKind.PARTED, after(policy.parted_grace_seconds, now))
        return call, (Fact(FactKind.PARTED, call.lost, {"still_looking": True}),)
    call, farewell = say_farewell(call, "nobody_reached", LetGoReason.PARTNER_LEFT, now)
    call, effects = end(call, EndReason.LOST, policy, now)
    return call, (*farewell, *effects)
