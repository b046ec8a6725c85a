"""How long two people really heard each other: read off the legs, in whatever order news came."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dialer.leg import Leg
from terms.values import maker, quickly_made
from terms.verdict import Role

_CALLER = Role.CALLER  # asked of every leg; the enumeration itself is slow to answer
_NOTHING = timedelta()


@quickly_made
@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which caller and another were joined. `until` is None while it goes on."""

    since: datetime
    until: datetime | None
    ended_by: tuple[Leg, ...]
    """The legs that left at `until`: one, or both at the very same instant."""


_make_stretch = maker(Stretch)


def stretches(legs: tuple[Leg, ...]) -> tuple[Stretch, ...]:
    """Every stretch of talk between the caller and anybody else, earliest first."""
    callers: list[tuple[datetime, Leg]] = []
    others: list[tuple[datetime, Leg]] = []
    for leg in legs:
        if leg.bridged_at is not None:
            (callers if leg.role is _CALLER else others).append((leg.bridged_at, leg))
    if not callers or not others:
        return ()
    found: list[Stretch] = []
    for at, one in callers:
        for since, two in others:
            stretch = _overlap(since if since > at else at, one, two)
            if stretch is not None:
                found.append(stretch)
    return _merged(found) if len(found) > 1 else tuple(found)


def same_talk(before: tuple[Leg, ...], after: tuple[Leg, ...]) -> bool:
    """Whether later facts about the same legs left their talk as it was."""
    if len(before) != len(after):
        return False
    for one, two in zip(before, after, strict=True):
        if one is not two and (
            one.bridged_at != two.bridged_at
            or one.off_at != two.off_at
            or one.is_silent != two.is_silent
        ):
            return False
    return True


def _overlap(since: datetime, one: Leg, two: Leg) -> Stretch | None:
    """The talk of two legs that were both joined from `since` on, if there was any."""
    one_off, two_off = _off_at(one, since), _off_at(two, since)
    if one_off == two_off:
        return _talk(since, one_off, (one, two))
    if two_off is None or (one_off is not None and one_off < two_off):
        return _talk(since, one_off, (one,))
    return _talk(since, two_off, (two,))


def _talk(since: datetime, until: datetime | None, left: tuple[Leg, ...]) -> Stretch | None:
    """Nothing, where they left before both were there, unless a dead line is why."""
    if until is None:
        return _make_stretch(since, None, ())
    if until > since or any([leg.is_silent for leg in left]):
        return _make_stretch(since, until, left)
    return None


def _off_at(leg: Leg, since: datetime) -> datetime | None:
    """When the leg left the talk that began at `since`.

    A line that was dead when they were joined was joined all the same: they were connected (X01),
    heard nothing, and the line is what ended it.
    """
    off_at = leg.off_at
    return since if off_at is not None and off_at < since and leg.is_silent else off_at


def _merged(found: list[Stretch]) -> tuple[Stretch, ...]:
    merged: list[Stretch] = []
    for stretch in sorted(found, key=lambda stretch: stretch.since):
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
    total = _NOTHING
    for stretch in stretches(legs):
        total += max((stretch.until or now) - stretch.since, _NOTHING)
    return total
