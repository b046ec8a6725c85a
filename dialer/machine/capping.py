"""How long the two may talk yet: our own timers, and the carrier's limit behind them."""

from datetime import datetime

from dialer.call import Call
from dialer.events import TimerKind
from dialer.policy import LIMIT_MARGIN_SECONDS, LONGEST_CALL_SECONDS, CapKind, Policy
from terms.spans import seconds


def limit_seconds(call: Call, policy: Policy, now: datetime) -> int:
    """The carrier's absolute limit, counted from now (design 4)."""
    unused = call.unused_seconds(now)
    if unused is None or policy.cap_kind is not CapKind.HARD:
        return LONGEST_CALL_SECONDS
    return unused + policy.cap_grace_seconds + LIMIT_MARGIN_SECONDS


def set_cap_timers(call: Call, policy: Policy, now: datetime) -> Call:
    """The cap counts talk alone: it is set anew whenever talk begins or goes on."""
    left = call.cap_seconds_left
    if left is None:
        return call.without_timers(TimerKind.CAP, TimerKind.WARN)
    cap_at = now + seconds(left) - call.talked(now)
    call = call.with_timer(TimerKind.CAP, max(cap_at, now))
    return set_next_warning(call, policy, now)


def set_next_warning(call: Call, policy: Policy, now: datetime) -> Call:
    """The next warning still ahead, if there is one."""
    cap_at = call.due(TimerKind.CAP)
    if cap_at is not None:
        warnings = [cap_at - seconds(warned) for warned in policy.warn_seconds]
        ahead = [at for at in warnings if at > now]
        if ahead:
            return call.with_timer(TimerKind.WARN, min(ahead))
    return call.without_timers(TimerKind.WARN)
