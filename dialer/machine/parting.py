"""The step from `bridged` to `parted`: keep the one, ring the other again."""

from datetime import datetime

from dialer.call import Call, EndReason, State
from dialer.events import TimerKind
from dialer.machine.capping import limit_seconds
from dialer.machine.steps import (
    Step,
    after,
    end,
    ring,
    say_to_all,
)
from dialer.orders import Fact, FactKind, Limit
from dialer.policy import Policy
from terms.values import replace
from terms.verdict import Role

_TALK_TIMERS = (TimerKind.CAP, TimerKind.WARN, TimerKind.SILENCE, TimerKind.BRIDGE)


def part(call: Call, lost: Role, policy: Policy, now: datetime) -> Step:
    """One line failed. The cap stops counting, and the kept leg's own limit is moved behind it.

    A person in danger is rung again even when nobody else is left on the line.
    """
    kept = tuple(leg for leg in call.all_standing() if leg.role is not Role.SUPERVISOR)
    in_danger = call.crisis and lost is Role.CALLER
    if not kept and not in_danger:
        return end(call, EndReason.LOST, policy, now)
    call = replace(call.without_timers(*_TALK_TIMERS), state=State.PARTED, lost=lost)
    call = call.with_timer(TimerKind.PARTED, after(policy.parted_grace_seconds, now))
    limit = limit_seconds(call, policy, now) + 2 * policy.parted_grace_seconds
    held = tuple(Limit(leg.id, limit) for leg in kept if leg.answered_at is not None)
    said = say_to_all(call, "dropped_ringing_again")
    call, effects = ring(call, lost, policy, now)
    return call, (Fact(FactKind.PARTED, lost), *held, *said, *effects)
