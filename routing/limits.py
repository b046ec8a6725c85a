"""How often something may be done: windows over past times, token buckets, back-off.

Only arithmetic. The shell keeps the past times or the bucket where it likes (SQL, Redis, memory).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))  # vendors count clock windows in UTC+8 (4.7)
_EPOCH = datetime(1970, 1, 1, tzinfo=BEIJING)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` within a window that slides, or runs from stroke to stroke of the clock."""

    count: int
    window_seconds: int
    by_clock: bool = False


REDIALS = (Limit(1, 1), Limit(6, 5 * 60), Limit(20, 60 * 60))
"""Accepted dials of one order (A40). Carriers block a pair that is asked twice within a second."""


def allowed_from(
    times: Iterable[datetime], limits: Sequence[Limit], now: datetime
) -> datetime | None:
    """When one more is allowed; None means now. `times` are those that counted, in any order."""
    past = sorted(times)
    blocked = [until for limit in limits if (until := _blocked_until(past, limit, now)) is not None]
    return max(blocked, default=None)


def retry_after_seconds(allowed: datetime, now: datetime) -> int:
    """Whole seconds to wait, rounded up, at least one: what `Retry-After` says."""
    return max(1, math.ceil((allowed - now).total_seconds()))


def _blocked_until(past: Sequence[datetime], limit: Limit, now: datetime) -> datetime | None:
    window = timedelta(seconds=limit.window_seconds)
    if limit.by_clock:
        start = _stroke_before(now, window)
        within = [at for at in past if at >= start]
        return start + window if len(within) >= limit.count else None
    within = [at for at in past if at > now - window]
    return within[-limit.count] + window if len(within) >= limit.count else None


def _stroke_before(now: datetime, window: timedelta) -> datetime:
    return (_EPOCH + (now - _EPOCH) // window * window).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Rate:
    """`capacity` at once, then one more every `refill_seconds`."""

    capacity: int
    refill_seconds: float


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is left of a rate at an instant."""

    tokens: float
    at: datetime


def take(bucket: Bucket | None, rate: Rate, now: datetime) -> tuple[Bucket, int]:
    """The bucket after one more, and 0; or the bucket as it is, and the seconds to wait.

    No bucket yet is a full one. A clock that went backwards refills nothing.
    """
    before = bucket or Bucket(float(rate.capacity), now)
    elapsed_seconds = max(0.0, (now - before.at).total_seconds())
    tokens = min(float(rate.capacity), before.tokens + elapsed_seconds / rate.refill_seconds)
    at = max(now, before.at)
    if tokens < 1:
        return Bucket(tokens, at), max(1, math.ceil((1 - tokens) * rate.refill_seconds))
    return Bucket(tokens - 1, at), 0
