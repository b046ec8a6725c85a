"""`parted`: a line failed. One is kept and told so while the other is rung again, for a grace."""

from dataclasses import replace
from datetime import datetime

from dialer.call import Call, EndReason
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
from dialer.leg import Leg, LetGoReason, accept
from dialer.machine import bridged, transfer
from dialer.machine.refusing import not_now
from dialer.machine.steps import (
    Step,
    after,
    ask_to_accept,
    attach,
    bridge,
    end,
    release,
    ring,
    say_farewell,
)
from dialer.orders import Fact, FactKind, HangUp
from dialer.policy import Policy
from terms.verdict import Role


def news(call: Call, news: News, policy: Policy, now: datetime) -> Step:
    """What the carrier tells while one is looked for."""
    leg = call.leg(news.leg)
    assert leg is not None
    match news:
        case LegAnswered() | KeyPressed() if leg.role is call.lost:
            return _came(call, leg, policy, now)
        case LegAnswered() | LegBridged() if leg.role is Role.AGENCY and call.transfer is not None:
            return transfer.came(call, leg, policy, now)
        case LegBridged():
            return bridged.try_connect(call, policy, now)
        case LegEnded() if leg.role is call.lost:
            return _not_found_yet(call, policy, now)
        case LegEnded() if leg.role is Role.AGENCY and not call.handed_over:
            return transfer.agency_gone(call, policy, now)
        case LegEnded():
            return end(call, EndReason.LOST, policy, now)
        case LegRinging() | LegAnswered() | KeyPressed() | MediaLost():
            return call, ()


def _came(call: Call, leg: Leg, policy: Policy, now: datetime) -> Step:
    """The lost one answered. A counselor accepts again, for a voicemail may answer now."""
    if call.due(TimerKind.BRIDGE) is not None:
        return call, ()
    if leg.role is Role.COUNSELOR and policy.press_to_accept and leg.accepted_at is None:
        return ask_to_accept(call, leg, policy, now)
    if leg.answered_at is None:
        return call, ()
    return bridge(call, policy, now)


def _not_found_yet(call: Call, policy: Policy, now: datetime) -> Step:
    """They did not answer this time: once more in a moment, as long as the grace lasts."""
    call = call.without_timers(TimerKind.RING, TimerKind.ACCEPT, TimerKind.BRIDGE)
    return call.with_timer(TimerKind.RERING, after(policy.rering_seconds, now)), ()


def happened(call: Call, event: Happening, policy: Policy, now: datetime) -> Step:
    """Timers and people while one is looked for."""
    match event:
        case TimerFired(timer):
            return _timer(call.without_timers(timer.kind), timer.kind, policy, now)
        case BridgeRefused():
            return _let_go_lost(call, LetGoReason.NOT_WANTED, policy, now)
        case CallerDialledIn(leg) if call.lost is Role.CALLER:
            call = call.without_timers(TimerKind.RERING)
            return attach(call, leg, now)
        case CallerDialledIn(leg):
            return call, (HangUp(leg),)
        case CounselorAccepted():
            return _accepted(call, policy, now)
        case CallerHungUp():
            return end(call, EndReason.LOST, policy, now)
        case CounselorHungUp() if call.crisis:
            return not_now("a person in danger may come back to the line; hand over first")
        case CounselorHungUp():
            return end(call, EndReason.LOST, policy, now)
        case StaffEnded():
            return end(call, EndReason.STAFF, policy, now)
        case CrisisRaised():
            return bridged.raise_crisis(call)
        case CounselorMarkedCutOff(cut_off):
            return replace(call, counselor_mark=cut_off), ()
        case TransferConfirmed():
            return transfer.confirm(call, policy, now)
        case TransferCancelled():
            return transfer.cancel(call, now)
        case CapExtended() | TransferRequested() | CounselorDeclined():
            return not_now("one side is being rung again")
        case CounselorClaimed() | CounselorUnavailable() | OrderWithdrawn() | CalledBack():
            return call, ()


def _accepted(call: Call, policy: Policy, now: datetime) -> Step:
    leg = call.standing(Role.COUNSELOR)
    if leg is None or call.lost is not Role.COUNSELOR:
        return call, ()
    accepted = accept(leg, now)
    return _came(call.with_leg(accepted), accepted, policy, now)


def _timer(call: Call, kind: TimerKind, policy: Policy, now: datetime) -> Step:
    match kind:
        case TimerKind.RING:
            return _let_go_lost(call, LetGoReason.NO_ANSWER, policy, now)
        case TimerKind.ACCEPT:
            return _let_go_lost(call, LetGoReason.NOT_ACCEPTED, policy, now)
        case TimerKind.BRIDGE:
            return _let_go_lost(call, LetGoReason.NOT_WANTED, policy, now)
        case TimerKind.RERING:
            assert call.lost is not None
            return ring(call, call.lost, policy, now)
        case TimerKind.PARTED:
            return _grace_over(call, policy, now)
        case TimerKind.TRANSFER:
            return transfer.agency_missed(call, policy, now)
        case (
            TimerKind.WARN | TimerKind.CAP | TimerKind.SILENCE | TimerKind.ATTEMPT | TimerKind.FINAL
        ):
            return call, ()


def _let_go_lost(call: Call, why: LetGoReason, policy: Policy, now: datetime) -> Step:
    assert call.lost is not None
    leg = call.standing(call.lost)
    call, orders = release(call, () if leg is None else (leg,), why, now)
    call, effects = _not_found_yet(call, policy, now)
    return call, (*orders, *effects)


def _grace_over(call: Call, policy: Policy, now: datetime) -> Step:
    """The other did not come back. A person in danger is kept and the search goes on (X55)."""
    if call.crisis and call.standing(Role.CALLER) is not None and call.lost is not Role.CALLER:
        call = call.with_timer(TimerKind.PARTED, after(policy.parted_grace_seconds, now))
        return call, (Fact(FactKind.PARTED, call.lost, {"still_looking": True}),)
    call, farewell = say_farewell(call, "nobody_reached", LetGoReason.PARTNER_LEFT, now)
    call, effects = end(call, EndReason.LOST, policy, now)
    return call, (*farewell, *effects)
