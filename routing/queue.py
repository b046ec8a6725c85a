"""Who is next in a pool's queue. Danger comes before priority, priority before time (D19).

The places themselves are rows (durable); this module only says in which order they stand.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from terms.ids import CallId, CounselorId, ProgramId


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A call that waits for a counselor. It may prefer one, but takes whoever is free."""

    call: CallId
    program: ProgramId
    joined_at: datetime
    priority: int = 0  # higher is sooner
    crisis: bool = False
    prefers: CounselorId | None = None


class Seated(Enum):
    """Whether the head of a queue was given a counselor, or why not."""

    YES = auto()
    NOBODY_FREE = auto()
    NOT_THIS_ONE = auto()  # those who are free may have turned it down: it holds up nobody behind


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """How many wait in one program's queue, and since when the one who waits longest."""

    program: ProgramId
    waiting: int
    in_crisis: int
    longest_since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Where a call stands; `expected_seconds` is None where nobody is at work."""

    position: int
    expected_seconds: int | None


def rank(place: Place) -> tuple[bool, int, datetime, CallId]:
    """Sorts first who is served first; the id settles equal times."""
    return not place.crisis, -place.priority, place.joined_at, place.call


def in_order(places: Iterable[Place]) -> tuple[Place, ...]:
    """The queue from its head."""
    return tuple(sorted(places, key=rank))


def position(places: Iterable[Place], call: CallId) -> int | None:
    """1 for the head of the queue (D15); None for a call that does not wait."""
    for number, place in enumerate(in_order(places), start=1):
        if place.call == call:
            return number
    return None


def expected_wait_seconds(position: int, counselors: int, handling_seconds: float) -> int | None:
    """A rough estimate to announce (X43): everybody talks as long as the average lately.

    `counselors` are those at work on the program, busy ones included; None when there are none.
    """
    if counselors <= 0:
        return None
    return math.ceil(position * handling_seconds / counselors)
