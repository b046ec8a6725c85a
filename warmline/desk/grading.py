"""What an ended call counts as in the settlement: billing decides, phones know who talked. Pure."""

from datetime import datetime

from billing.order import Order, Settlement
from billing.settlement import grade_line
from dialer.call import Call
from terms.ids import CounselorId
from terms.values import replace
from terms.verdict import Role
from warmline.programs import Program


def who_talked(call: Call) -> CounselorId | None:
    """The counselor the call belongs to: the last one who was joined with the caller."""
    joined = [
        (leg.bridged_at, leg.party)
        for leg in call.legs
        if leg.role is Role.COUNSELOR and leg.bridged_at is not None and leg.party is not None
    ]
    return CounselorId(max(joined)[1]) if joined else None


def graded(
    before: Order, settlement: Settlement, call: Call, program: Program, now: datetime
) -> Settlement:
    """The settlement of an ended call, with the line that it adds for whoever talked."""
    if settlement.order.settled is before.settled:
        return settlement
    counselor = who_talked(call) or settlement.order.counselor
    if counselor is None:
        return settlement  # it was brought elsewhere: no talk of ours to settle (X39)
    line = grade_line(
        before, settlement.order, counselor=counselor, policy=program.billing, now=now
    )
    return settlement if line is None else replace(settlement, graded=line)
