"""Which agencies a person in danger may be handed to, and in which order (X41, D35, D36).

The stated location of the caller decides. The home region of a number is only a hint: over half of
a hotline's callers are from elsewhere. Regions are six-digit administrative codes (GB/T 2260):
`310000` covers `310115`.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from terms.ids import TargetId

Region = NewType("Region", str)


class AgencyKind(StrEnum):
    """What an agency can do."""

    POLICE = "police"
    AMBULANCE = "ambulance"
    HOTLINE = "hotline"
    CLINIC = "clinic"


PLACE_BOUND = frozenset({AgencyKind.POLICE, AgencyKind.AMBULANCE})
"""They send people to a place; the wrong place costs the time that is needed."""


class Basis(StrEnum):
    """Why a target stands in the list; the counselor sees it."""

    STATED_LOCATION = "stated_location"
    HOME_REGION = "home_region"  # a hint: ask the caller
    NATIONAL = "national"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferTarget:
    """An agency's line. Without a region it serves the whole country."""

    id: TargetId
    name: str
    kind: AgencyKind
    region: Region | None = None
    number_sealed: bytes = b""
    preference: int = 0  # lower is tried first among equals


@dataclass(frozen=True, slots=True)
class Choice:
    """One target to ring, and why it stands there."""

    target: TransferTarget
    basis: Basis


def covers(area: Region, region: Region) -> bool:
    """Whether `region` lies within `area`: a province covers its cities, a city its districts."""
    return region.startswith(_significant(area))


def targets_for(
    targets: Iterable[TransferTarget],
    *,
    stated: Region | None,
    home: Region | None,
    kinds: Collection[AgencyKind] = (),
) -> tuple[Choice, ...]:
    """The targets to ring one after another; `kinds` narrows them, empty means any.

    Nearest to the stated location first, then the home region's, then national ones. Police and
    ambulance of the home region come last: they are never chosen before the country's own.
    """
    choices = [
        Choice(target, basis)
        for target in targets
        if not kinds or target.kind in kinds
        if (basis := _basis(target, stated, home)) is not None
    ]
    return tuple(sorted(choices, key=_rank))


def _basis(target: TransferTarget, stated: Region | None, home: Region | None) -> Basis | None:
    if target.region is None:
        return Basis.NATIONAL
    if stated is not None and covers(target.region, stated):
        return Basis.STATED_LOCATION
    if home is not None and covers(target.region, home):
        return Basis.HOME_REGION
    return None


def _rank(choice: Choice) -> tuple[int, int, int, TargetId]:
    target = choice.target
    match choice.basis:
        case Basis.STATED_LOCATION:
            step = 0
        case Basis.HOME_REGION:
            step = 3 if target.kind in PLACE_BOUND else 1
        case Basis.NATIONAL:
            step = 2
    nearness = -len(_significant(target.region)) if target.region else 0
    return step, nearness, target.preference, target.id


def _significant(region: Region) -> str:
    """`310000` without the pairs that say 'all of it': `31`."""
    pairs = region
    while pairs.endswith("00"):
        pairs = Region(pairs[:-2])
    return pairs
