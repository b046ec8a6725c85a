"""What a call does to a counselor's record. Pure: the desk and the simulation share it."""

from datetime import datetime

from routing.counselor import Counselor, accepted, claimed, declined, freed, missed
from warmline.desk.slice import CounselorMove
from warmline.programs import Program


def moved_counselor(
    counselor: Counselor, move: CounselorMove, program: Program, now: datetime
) -> Counselor:
    """What a call's move does to a counselor's record."""
    policy = program.routing
    match move:
        case CounselorMove.CLAIMED:
            return claimed(counselor, now)
        case CounselorMove.ACCEPTED:
            return accepted(counselor)
        case CounselorMove.MISSED:
            return missed(counselor, now, policy.misses_before_away)
        case CounselorMove.DECLINED:
            return declined(counselor, now, policy.decline_cooldown_seconds)
        case CounselorMove.FREED:
            return freed(counselor, now, policy.wrap_up_seconds)
        case CounselorMove.RELEASED:
            return freed(counselor, now, 0)
