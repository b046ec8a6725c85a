"""What one event touches, and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from billing.ledger import Entry
from billing.order import Order, Review
from billing.quota import Quota
from billing.settlement import GradeLine
from billing.voucher import Voucher
from dialer.call import Call
from dialer.orders import Effect
from terms.ids import CallId, CounselorId
from terms.values import maker, quickly_made


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One order, the voucher or the quota that pays for it, and the call at hand."""

    order: Order
    voucher: Voucher | None
    quota: Quota | None = None
    call: Call | None = None
    superseded: bool = False  # at rest, and the caller has another open order, of which one may be


make_slice = maker(Slice)


class CounselorMove(StrEnum):
    """What a call does to a counselor's record. Being busy is not among them: that is derived."""

    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    MISSED = "missed"
    NOT_RUNG = "not_rung"  # their phone could not be rung
    DECLINED = "declined"
    FREED = "freed"  # after a talk: wrap-up begins
    RELEASED = "released"  # without a talk: free at once


class NoticeKind(StrEnum):
    """How a notice travels."""

    SMS = "sms"
    STATUS = "status"  # a signed push to the customer-service system


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something to tell outside. `data` holds plain values; the address is looked up at sending."""

    kind: NoticeKind
    template: str
    data: Mapping[str, str | int | None] = field(default_factory=dict)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The slice after an event, and everything that follows from it.

    `payment` is the entry of the voucher's or the quota's book, `talk` those of the order's own,
    one of which vouches for `graded`, what the call counts as.
    """

    slice: Slice
    effects: tuple[Effect, ...] = ()
    payment: Entry | None = None
    talk: tuple[Entry, ...] = ()
    graded: GradeLine | None = None
    review: Review | None = None
    review_withdrawn: CallId | None = None
    counselors: tuple[tuple[CounselorId, CounselorMove], ...] = ()
    notices: tuple[Notice, ...] = ()


make_outcome = maker(Outcome)
