"""The decisions under test, gathered so that a test can put a broken one in place of any."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from billing.order import ClosedBy
from dialer.events import CounselorClaimed, CounselorUnavailable, Event
from routing.counselor import Counselor
from terms.ids import CallId
from warmline.desk import fold
from warmline.desk.moves import moved_counselor
from warmline.desk.slice import CounselorMove, Outcome, Slice
from warmline.programs import Program

Offer = CounselorClaimed | CounselorUnavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciding:
    """The desk's fold, piece by piece."""

    place: Callable[[Slice, fold.Dial, Program, datetime], Outcome] = fold.place
    carry: Callable[[Slice, Event, Program, datetime], Outcome] = fold.carry
    lapse: Callable[[Slice, Program, datetime], Outcome] = fold.lapse
    cancel: Callable[[Slice, ClosedBy, str, datetime], Outcome] = fold.cancel
    withdraw: Callable[[Slice, ClosedBy, str, Program, datetime], Outcome] = fold.withdraw
    offer: Callable[[Counselor | None, CallId | None, Program, datetime], Offer] = fold.offer
    moved_counselor: Callable[[Counselor, CounselorMove, CallId, Program, datetime], Counselor] = (
        moved_counselor
    )


AS_SHIPPED = Deciding()
