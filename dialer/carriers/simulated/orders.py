"""The carrier protocol's orders as plain values, for the model and for the wire."""

from dataclasses import dataclass

from terms.ids import CallId, LegId
from terms.phone import PhoneNumber
from terms.values import quickly_made


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """Ring `to`, showing `shows`; the network gives up `ring_seconds` + 5 later."""

    leg: LegId
    to: PhoneNumber
    shows: str
    ring_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Take a leg that dialled in."""

    leg: LegId


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """Join answered legs in the call's bridge; each leg that joins gets the absolute limit."""

    call: CallId
    legs: tuple[LegId, ...]
    limit_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Take a leg out of its bridge and keep it on the line."""

    leg: LegId


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Play a prompt of the catalogue to one leg."""

    leg: LegId
    prompt: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Replace the leg's absolute limit, counted from now."""

    leg: LegId
    limit_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUp:
    """Let a leg go."""

    leg: LegId


Order = Ring | Answer | Bridge | Part | Say | Limit | HangUp
