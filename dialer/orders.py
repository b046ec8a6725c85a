"""What the machine asks for: orders to the carrier, and facts for the timeline.

Orders name legs, never numbers: the number is looked up at the moment of obeying, so that no
stored order holds one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import final

from terms.ids import LegId
from terms.values import maker, quickly_made
from terms.verdict import Role


@quickly_made
@dataclass(frozen=True, slots=True)
class Ring:
    """Originate a leg to the phone of `role` (of `party`, where the role has several)."""

    leg: LegId
    role: Role
    party: str | None
    ring_seconds: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Take a leg that dialled in."""

    leg: LegId


@quickly_made
@dataclass(frozen=True, slots=True)
class Bridge:
    """Join legs in the call's bridge; `limit_seconds` is the carrier's own guard on each."""

    legs: tuple[LegId, ...]
    limit_seconds: int


@dataclass(frozen=True, slots=True)
class Part:
    """Take a leg out of the call's bridge and keep it on the line: it hears nobody any more."""

    leg: LegId


@quickly_made
@dataclass(frozen=True, slots=True)
class Say:
    """Play a prompt of the catalogue to one leg."""

    leg: LegId
    prompt: str


@quickly_made
@dataclass(frozen=True, slots=True)
class Limit:
    """Replace a leg's absolute limit, counted from the moment the carrier obeys."""

    leg: LegId
    limit_seconds: int


@quickly_made
@dataclass(frozen=True, slots=True)
class HangUp:
    """Let a leg go; `after_seconds` leaves a farewell the time to be heard."""

    leg: LegId
    after_seconds: int = 0


CarrierOrder = Ring | Answer | Bridge | Part | Say | Limit | HangUp


class FactKind(StrEnum):
    """What a timeline shows. Stable words: support, reports and pages read them."""

    CALL_STARTED = "call_started"
    DIALLED_IN = "dialled_in"
    FORWARDED = "forwarded"
    QUEUED = "queued"
    PLACE_TOLD = "place_told"
    COUNSELOR_CLAIMED = "counselor_claimed"
    LEG_RUNG = "leg_rung"
    LEG_RINGING = "leg_ringing"
    LEG_ANSWERED = "leg_answered"
    COUNSELOR_ACCEPTED = "counselor_accepted"
    COUNSELOR_MISSED = "counselor_missed"
    ATTEMPT_FAILED = "attempt_failed"
    WAITING = "waiting"
    CONNECTED = "connected"
    WARNED = "warned"
    MEDIA_LOST = "media_lost"
    MEDIA_HEARD = "media_heard"
    PARTED = "parted"
    REJOINED = "rejoined"
    CAP_REACHED = "cap_reached"
    CAP_EXTENDED = "cap_extended"
    CRISIS_RAISED = "crisis_raised"
    TRANSFER_STARTED = "transfer_started"
    TRANSFER_JOINED = "transfer_joined"
    TRANSFER_MISSED = "transfer_missed"
    TRANSFER_FAILED = "transfer_failed"
    TRANSFER_CANCELLED = "transfer_cancelled"
    HANDED_OVER = "handed_over"
    LEG_ENDED = "leg_ended"
    MARKED_CUT_OFF = "marked_cut_off"
    CALLED_BACK = "called_back"
    ENDED = "ended"
    JUDGED = "judged"


@final
@quickly_made
@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the timeline. `detail` holds plain values and never a number or a word spoken."""

    kind: FactKind
    role: Role | None = None
    detail: Mapping[str, str | int | bool | None] = field(default_factory=dict)


make_fact = maker(Fact)


Effect = CarrierOrder | Fact
