"""What an ended call counts as in the settlement: billing decides, phones know who talked. Pure."""

from datetime import datetime

from billing.settlement import GradeLine, grade_lines
from dialer.call import Call
from terms.ids import CounselorId
from terms.verdict import Role
from warmline.desk.slice import Outcome, Slice
from warmline.programs import Program


def who_talked(call: Call) -> CounselorId | None:
    """The counselor the call belongs to: the last one who was joined with the caller."""
    joined = [
        (leg.bridged_at, leg.party)
        for leg in call.legs
        if leg.role is Role.COUNSELOR and leg.bridged_at is not None and leg.party is not None
    ]
    return CounselorId(max(joined)[1]) if joined else None


def grades(
    before: Slice, outcome: Outcome, program: Program, now: datetime
) -> tuple[GradeLine, ...]:
    """The lines that an outcome adds to the settlement."""
    call, order = outcome.slice.call, outcome.slice.order
    if order.settled is before.order.settled or call is None or order.settled is None:
        return ()
    if order.settled.call != call.id:
        return ()
    counselor = who_talked(call) or order.counselor
    if counselor is None:
        return ()  # it was brought elsewhere: no talk of ours to settle (X39)
    return grade_lines(before.order, order, counselor=counselor, policy=program.billing, now=now)
