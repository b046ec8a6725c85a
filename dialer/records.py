"""What legs cost by our clock, and what the carrier's own records say of them. Pure.

A carrier bills legs, not talks: from the answer to the release, ringing not counted. Where it gives
records of its own they are compared leg by leg, by the token we named the leg with, never by a
number.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from dialer.leg import Leg
from terms.ids import LegId

CLOCKS_DIFFER_SECONDS = 2
"""Two clocks and two ways to round: less than this is no difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegUse:
    """One leg as we saw it. `billed_seconds` are whole; a leg that still stands has none yet."""

    leg: LegId
    rung_at: datetime
    answered: bool
    billed_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierRecord:
    """One leg as the carrier recorded it; 0 seconds were never answered.

    `unit_seconds`: the carrier rounds up to a multiple of it (60: every minute begun).
    """

    leg: LegId
    started_at: datetime
    billed_seconds: int
    unit_seconds: int = 1

    def __post_init__(self) -> None:
        assert self.billed_seconds >= 0
        assert self.unit_seconds > 0


class CarrierRecords(Protocol):
    """A carrier that gives its records. A file of them is one, too."""

    def records(self, since: datetime, until: datetime) -> AsyncIterator[CarrierRecord]:
        """Every leg that started in that time, answered or not, once."""
        ...


class Difference(StrEnum):
    """How the carrier's record of a leg differs from ours."""

    MISSING = "missing"  # answered by our clock, and the carrier knows nothing of it
    UNKNOWN = "unknown"  # billed, and no leg of ours
    ANSWERED = "answered"  # one says answered, the other not
    SECONDS = "seconds"  # both say answered, for another time


def use_of(leg: Leg) -> LegUse:
    """What the leg cost: from its answer to its release, or to our order to let go (X09)."""
    gone = leg.let_go_at if leg.release is None else leg.release.at
    seconds = 0
    if leg.answered_at is not None and gone is not None:
        seconds = max(gone - leg.answered_at, timedelta()) // timedelta(seconds=1)
    return LegUse(
        leg=leg.id,
        rung_at=leg.rung_at,
        answered=leg.answered_at is not None,
        billed_seconds=seconds,
    )


def difference(ours: LegUse | None, theirs: CarrierRecord | None) -> Difference | None:
    """What to ask the carrier about; None where both agree.

    Carriers leave out what was never answered, so only an answered leg can be missing.
    """
    if theirs is None:
        return Difference.MISSING if ours is not None and ours.answered else None
    if ours is None:
        return Difference.UNKNOWN if theirs.billed_seconds else None
    if not ours.answered:
        return Difference.ANSWERED if theirs.billed_seconds else None
    if not theirs.billed_seconds and ours.billed_seconds > CLOCKS_DIFFER_SECONDS:
        return Difference.ANSWERED
    least = _rounded_up(ours.billed_seconds - CLOCKS_DIFFER_SECONDS, theirs.unit_seconds)
    most = _rounded_up(ours.billed_seconds + CLOCKS_DIFFER_SECONDS, theirs.unit_seconds)
    return None if least <= theirs.billed_seconds <= most else Difference.SECONDS


def _rounded_up(seconds: int, unit: int) -> int:
    return -(-max(seconds, 0) // unit) * unit
