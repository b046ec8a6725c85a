"""What became of a call that rang a counselor: one word for it on the desk and in the day."""

from collections.abc import Sequence
from enum import StrEnum

from dialer.call import Call
from dialer.leg import Leg, LetGoReason, could_not_ring, turned_down
from terms.ids import CounselorId
from terms.verdict import Role


class Offered(StrEnum):
    """What became of an offer."""

    CONNECTED = "connected"  # the counselor came to talk
    ACCEPTED = "accepted"  # taken, and the caller was not reached
    DECLINED = "declined"
    MISSED = "missed"  # rung, and not taken
    WITHDRAWN = "withdrawn"  # the caller, or staff, gave it up while it rang
    FAULT = "fault"  # the phone could not be rung: the line's fault or ours
    RINGING = "ringing"  # still open


def rings_of(call: Call, counselor: CounselorId) -> list[Leg]:
    """Each time the call rang the counselor's phone."""
    return [leg for leg in call.legs if leg.role is Role.COUNSELOR and leg.party == counselor]


def became_of(rings: Sequence[Leg]) -> Offered:
    """The best that the rings of one call came to; of those that came to nothing, the last."""
    if any(leg.bridged_at is not None for leg in rings):
        return Offered.CONNECTED
    if any(leg.accepted_at is not None for leg in rings):
        return Offered.ACCEPTED
    if not rings[-1].is_over:
        return Offered.RINGING
    if any(map(turned_down, rings)):
        return Offered.DECLINED
    return _came_to_nothing(rings[-1])


_NOT_THE_COUNSELORS_DOING = frozenset(LetGoReason) - {
    LetGoReason.NO_ANSWER,
    LetGoReason.NOT_ACCEPTED,
    LetGoReason.COUNSELOR_ENDED,
}


def _came_to_nothing(leg: Leg) -> Offered:
    if leg.let_go_why in _NOT_THE_COUNSELORS_DOING:
        return Offered.WITHDRAWN
    return Offered.FAULT if could_not_ring(leg) else Offered.MISSED
