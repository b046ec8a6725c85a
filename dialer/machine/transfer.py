"""Warm transfer: an agency joins while both stay; the counselor leaves only after it has confirmed.

The caller is always kept (X41): whatever happens to agency or counselor, no step here lets the
caller's leg go.
"""

from datetime import datetime

from dialer.call import Call, Transfer
from dialer.events import TimerKind
from dialer.leg import Leg, LetGoReason
from dialer.machine.refusing import not_now
from dialer.machine.steps import Step, after, lift_limits, release
from dialer.orders import Bridge, Effect, Fact, FactKind, Ring
from dialer.policy import LONGEST_CALL_SECONDS, Policy
from terms.ids import TargetId
from terms.values import replace
from terms.verdict import Role


def start(call: Call, targets: tuple[TargetId, ...], policy: Policy, now: datetime) -> Step:
    """Ring the first agency. Asking for one is a crisis mark by itself: no cap any more."""
    if call.handed_over or call.transfer is not None:
        not_now("a transfer is already under way")
    if not targets:
        not_now("no agency was named")
    lifted: tuple[Effect, ...] = ()
    if not call.crisis:
        call = replace(call, crisis=True).without_timers(TimerKind.CAP, TimerKind.WARN)
        lifted = (*lift_limits(call), Fact(FactKind.CRISIS_RAISED))
    call = replace(call, transfer=Transfer(targets=targets))
    call, effects = _ring_agency(call, policy, now)
    return call, (*lifted, *effects)


def _ring_agency(call: Call, policy: Policy, now: datetime) -> Step:
    assert call.transfer is not None
    target = call.transfer.targets[0]
    leg = Leg(id=call.next_leg(Role.AGENCY), role=Role.AGENCY, rung_at=now, party=target)
    call = call.with_leg(leg)
    call = call.with_timer(TimerKind.TRANSFER, after(policy.transfer_ring_seconds, now))
    return call, (
        Ring(leg.id, Role.AGENCY, target, policy.transfer_ring_seconds),
        Fact(FactKind.TRANSFER_STARTED, Role.AGENCY, {"target": target}),
    )


def came(call: Call, leg: Leg, policy: Policy, now: datetime) -> Step:
    """The agency answered: join it. It is there once the carrier says it is joined."""
    if call.transfer is None:
        return call, ()
    if leg.bridged_at is not None:
        if call.transfer.joined:
            return call, ()
        call = replace(
            call.without_timers(TimerKind.TRANSFER), transfer=replace(call.transfer, joined=True)
        )
        return call, (Fact(FactKind.TRANSFER_JOINED, Role.AGENCY),)
    call = call.with_timer(TimerKind.TRANSFER, after(policy.bridge_seconds, now))
    return call, (Bridge((leg.id,), LONGEST_CALL_SECONDS),)


def bridge_refused(call: Call, policy: Policy, now: datetime) -> Step:
    """The only bridge that can be refused while the two talk is an agency's: the next one."""
    agency = call.standing(Role.AGENCY)
    if call.transfer is None or call.transfer.joined or agency is None or not agency.answered_at:
        return call, ()
    return agency_missed(call, policy, now)


def agency_missed(call: Call, policy: Policy, now: datetime) -> Step:
    """It has rung long enough, or could not be joined: the next one, the caller kept."""
    leg = call.standing(Role.AGENCY)
    if call.transfer is None or leg is None:
        return call, ()
    call, orders = release(call, (leg,), LetGoReason.NO_ANSWER, now)
    call, effects = agency_gone(call, policy, now)
    return call, (*orders, *effects)


def agency_gone(call: Call, policy: Policy, now: datetime) -> Step:
    """The agency's leg is over before the hand-over: the next one, or back to the two."""
    if call.transfer is None:
        return call, ()
    tried, *left = call.transfer.targets
    call = call.without_timers(TimerKind.TRANSFER)
    missed = Fact(FactKind.TRANSFER_MISSED, Role.AGENCY, {"target": tried})
    if not left:
        failed = Fact(FactKind.TRANSFER_FAILED, Role.AGENCY)
        return replace(call, transfer=None), (missed, failed)
    call = replace(call, transfer=Transfer(targets=tuple(left)))
    call, effects = _ring_agency(call, policy, now)
    return call, (missed, *effects)


def confirm(call: Call, policy: Policy, now: datetime) -> Step:
    """The agency has taken over; now, and not before, the counselor leaves."""
    if call.transfer is None or not call.transfer.joined:
        not_now("the agency is not on the line yet")
    return hand_over(call, policy, now, confirmed=True)


def hand_over(call: Call, policy: Policy, now: datetime, *, confirmed: bool) -> Step:
    """Caller and agency go on; the counselor is free."""
    counselor = call.standing(Role.COUNSELOR)
    call, orders = release(
        call, () if counselor is None else (counselor,), LetGoReason.HANDED_OVER, now
    )
    call = replace(call, handed_over=True, counselor=None, transfer=None)
    return call, (*orders, Fact(FactKind.HANDED_OVER, Role.AGENCY, {"confirmed": confirmed}))


def cancel(call: Call, now: datetime) -> Step:
    """The counselor goes on alone with the caller."""
    if call.transfer is None:
        not_now("no transfer is under way")
    agency = call.standing(Role.AGENCY)
    call, orders = release(call, () if agency is None else (agency,), LetGoReason.NOT_WANTED, now)
    call = replace(call.without_timers(TimerKind.TRANSFER), transfer=None)
    return call, (*orders, Fact(FactKind.TRANSFER_CANCELLED, Role.COUNSELOR))
