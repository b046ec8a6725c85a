"""How long two people really heard each other: read off the legs, in whatever order news came."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from dialer.leg import Leg
from terms.verdict import Role


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which caller and another were joined. `until` is None while it goes on."""

    since: datetime
    until: datetime | None
    ended_by: tuple[Leg, ...]
    """The legs that left at `until`: one, or both at the very same instant."""


def stretches(legs: tuple[Leg, ...]) -> tuple[Stretch, ...]:
    """Every stretch of talk between the caller and anybody else, earliest first."""
    callers = [leg for leg in legs if leg.role is Role.CALLER and leg.bridged_at is not None]
    if not callers:
        return ()
    others = [leg for leg in legs if leg.role is not Role.CALLER and leg.bridged_at is not None]
    found = [stretch for one in callers for two in others for stretch in _overlap(one, two)]
    return _merged(sorted(found, key=lambda stretch: stretch.since))


def _overlap(one: Leg, two: Leg) -> Iterator[Stretch]:
    if one.bridged_at is None or two.bridged_at is None:
        return
    since = max(one.bridged_at, two.bridged_at)
    ends = [(off_at, leg) for leg in (one, two) if (off_at := _off_at(leg, since)) is not None]
    if not ends:
        yield Stretch(since, None, ())
        return
    until = min(off_at for off_at, _ in ends)
    left = tuple([leg for off_at, leg in ends if off_at == until])
    if until > since or any(leg.is_silent for leg in left):
        yield Stretch(since, until, left)


def _off_at(leg: Leg, since: datetime) -> datetime | None:
    """When the leg left the talk that began at `since`.

    A line that was dead when they were joined was joined all the same: they were connected (X01),
    heard nothing, and the line is what ended it.
    """
    if leg.off_at is not None and leg.is_silent:
        return max(leg.off_at, since)
    return leg.off_at


def _merged(found: list[Stretch]) -> tuple[Stretch, ...]:
    merged: list[Stretch] = []
    for stretch in found:
        last = merged[-1] if merged else None
        if last is None or (last.until is not None and last.until < stretch.since):
            merged.append(stretch)
        elif last.until is not None and (stretch.until is None or stretch.until > last.until):
            merged[-1] = Stretch(last.since, stretch.until, stretch.ended_by)
    return tuple(merged)


def connected_at(legs: tuple[Leg, ...]) -> datetime | None:
    """When the two first heard each other: the instant that consumes a voucher (X01)."""
    found = stretches(legs)
    return found[0].since if found else None


def talked(legs: tuple[Leg, ...], now: datetime) -> timedelta:
    """Talk so far, by bridge-to-release (X09), summed over all stretches."""
    total = timedelta()
    for stretch in stretches(legs):
        total += max((stretch.until or now) - stretch.since, timedelta())
    return total
