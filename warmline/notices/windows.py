"""Between which hours a notice may leave, where somebody would be woken by it. Pure.

The hours travel with the notice, so that a try that comes late keeps to them as the first one did.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from billing.policies.waiting import SendHours, next_send_at

HAS_HOURS = "send_hour"
"""What the data of a notice hold that keeps to hours: one that nobody waits for."""

_FROM, _UNTIL = HAS_HOURS, "send_until_hour"


@dataclass(frozen=True, slots=True)
class Hours:
    """From one whole hour in China until before another."""

    send_hour: int
    send_until_hour: int


def told_hours(hours: SendHours) -> dict[str, str]:
    """What a notice's data say of its hours."""
    return {_FROM: str(hours.send_hour), _UNTIL: str(hours.send_until_hour)}


def may_leave_at(data: Mapping[str, str | int | None], earliest: datetime) -> datetime:
    """`earliest` itself, or the next hour at which the notice may leave; any hour where its data
    name none."""
    if _FROM not in data or _UNTIL not in data:
        return earliest
    return next_send_at(earliest, Hours(int(data[_FROM] or 0), int(data[_UNTIL] or 0)))
