"""What a call does to a counselor's record. Pure: the desk and the simulation share it."""

from datetime import datetime

from routing.counselor import Counselor, Untaken, accepted, claimed, declined, freed, missed
from terms.ids import CallId
from warmline.desk.slice import CounselorMove
from warmline.programs import Program


def moved_counselor(
    counselor: Counselor, move: CounselorMove, call: CallId, program: Program, now: datetime
) -> Counselor:
    """What a move of that call does to a counselor's record."""
    policy = program.routing
    match move:
        case CounselorMove.CLAIMED:
            return claimed(counselor, now)
        case CounselorMove.ACCEPTED:
            return accepted(counselor)
        case CounselorMove.MISSED:
            return missed(counselor, call, now, policy.misses_before_away)
        case CounselorMove.NOT_RUNG:
            return missed(counselor, call, now, policy.misses_before_away, Untaken.FAULT)
        case CounselorMove.DECLINED:
            cooldown_seconds, most = policy.decline_cooldown_seconds, policy.declines_before_away
            return declined(counselor, call, now, cooldown_seconds, most)
        case CounselorMove.FREED:
            return freed(counselor, now, policy.wrap_up_seconds)
        case CounselorMove.RELEASED:
            return freed(counselor, now, 0)
