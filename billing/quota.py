"""A quota: how many orders somebody may have in a period. Pure.

Each use is one unit in the quota's book: `allowance -> held(order) -> used`, back to `allowance`
when the order did not use it. What is allowed is told at each hold, because it may change while the
quota is counted (X48); what was used stays used. The next period is another quota: nothing is
carried over.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from billing.ledger import BLANK, ISSUER, Entry, Fault, Head, Reading, facts_digest, post
from billing.voucher import VoucherMove
from billing.years import year_stood_for
from terms.calendar import anniversary, local_date
from terms.ids import BookId, OrderId, ProgramId
from terms.refusals import RefusalCode, Refused
from terms.values import replace

ALLOWANCE = ISSUER
"""The account uses come out of; how much is allowed is told when one is held."""

ZONE = ZoneInfo("Asia/Shanghai")
"""Where the days of a period begin."""

_ROLLING_DAYS = 365


class Period(StrEnum):
    """How long uses count (X18)."""

    POLICY_YEAR = "policy_year"  # from the day the policy took effect, and its anniversaries
    SERVICE_YEAR = "service_year"  # from the day the service began (B02)
    CALENDAR_YEAR = "calendar_year"
    ROLLING_365 = "rolling_365"  # the last 365 days, today included


class CountedFor(StrEnum):
    """Whose uses are counted together (X49)."""

    PERSON = "person"
    POLICYHOLDER = "policyholder"  # whoever of the policy uses it


class Stage(StrEnum):
    """What an order does with its use; also the account that holds the unit."""

    HELD = "held"
    USED = "used"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One unit in an order's hands, since when."""

    order: OrderId
    stage: Stage
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What one subject used of one program in one period, and how far its book has come.

    `subject` is an id of whoever the uses are counted for (`CountedFor`), never a name. A rolling
    period has no `starts` and `ends`; `uses` are then those of the last 365 days. `ends` is
    exclusive.
    """

    program: ProgramId
    subject: str
    period: Period
    starts: date | None
    ends: date | None
    uses: tuple[Use, ...] = ()
    no_contacts: int = 0  # orders cancelled because nobody could be reached (X28)
    changed_at: datetime | None = None
    head: Head = BLANK

    def __post_init__(self) -> None:
        assert (self.starts is None) == (self.ends is None) == (self.period is Period.ROLLING_365)

    @property
    def book(self) -> BookId:
        """Where its entries are, and the key of the quota itself."""
        since = "" if self.starts is None else f"-{self.starts}"
        return BookId(f"{self.shelf}{since}")

    @property
    def shelf(self) -> str:
        """How the books of the same program, subject and period all begin."""
        return f"quota/{self.program}/{self.subject}/{self.period}"

    def use_of(self, order: OrderId) -> Use | None:
        """The order's own use."""
        return next((use for use in self.uses if use.order == order), None)


def quota_on(
    day: date, *, program: ProgramId, subject: str, period: Period, anchor: date | None = None
) -> Quota:
    """The quota that a use on `day` counts against, as if nobody had used it yet.

    `anchor` is the day the policy took effect, or the service began; calendar and rolling periods
    need none. `day` is a date in `ZONE`. Raises ValueError without an anchor where one is needed,
    and for a day before it.
    """
    starts, ends = _bounds(day, period, anchor)
    return Quota(program=program, subject=subject, period=period, starts=starts, ends=ends)


def standing_for(blank: Quota, anchor: date | None, known: Iterable[Quota]) -> Quota:
    """The quota that counts in place of `blank`, which `quota_on` named by `anchor`.

    When the anchor was corrected, uses of the old years stand for the new ones that begin nearest:
    nobody gets a year's uses twice, or loses them. `known` are quotas of the same program, subject
    and period.
    """
    if anchor is None or blank.starts is None:
        return blank
    year, begins = year_stood_for(anchor, blank.starts), blank.starts
    old = [
        (abs(one.starts - begins), one.starts, one)
        for one in known
        if one.starts is not None and year_stood_for(anchor, one.starts) == year
    ]
    return min(old, key=lambda known: known[:2])[2] if old else blank


def taken(quota: Quota, at: datetime) -> int:
    """How many uses count now: held ones and used ones; of a rolling period the last 365 days."""
    return len(_counted(quota, at))


def left(quota: Quota, limit: int, at: datetime) -> int:
    """How many more orders may be opened now; never less than none (X48)."""
    return max(0, limit - taken(quota, at))


def hold(quota: Quota, *, order: OrderId, limit: int, at: datetime) -> tuple[Quota, Entry]:
    """Take one use for a new order, as `voucher.hold` does with a voucher.

    `limit` is what the person's policy or tier allows now. Raises Refused(quota_used).
    """
    if left(quota, limit, at) == 0:
        raise Refused(
            RefusalCode.QUOTA_USED,
            "What the policy allows in this period has been used; nothing is carried over.",
        )
    use = Use(order=order, stage=Stage.HELD, at=at)
    held = replace(quota, uses=(*_counted(quota, at), use))
    return _post(quota, held, ALLOWANCE, Stage.HELD, "held", order, at)


def carry_out(
    quota: Quota, move: VoucherMove, order: OrderId, at: datetime
) -> tuple[Quota, Entry | None]:
    """What the fate of `order` does to its use. Late and repeated moves change nothing."""
    match move:
        case VoucherMove.KEEP:
            return quota, None
        case VoucherMove.CONSUME | VoucherMove.LATE_CANCEL | VoucherMove.NO_SHOW:
            return _consume(quota, order, move, at)
        case VoucherMove.COUNT_NO_CONTACT if quota.no_contacts:
            return _consume(quota, order, move, at)
        case (
            VoucherMove.RETURN_EXPIRED
            | VoucherMove.RETURN_CANCELLED
            | VoucherMove.RETURN_NO_CONTACT
            | VoucherMove.COUNT_NO_CONTACT
        ):
            return _release(quota, order, move, at)


def restore(quota: Quota, *, order: OrderId, reason: str, at: datetime) -> tuple[Quota, Entry]:
    """Give a used one back by a decision somebody answers for (X56).

    Raises Refused(quota_used) when the order has not used it.
    """
    use = quota.use_of(order)
    if use is None or use.stage is not Stage.USED:
        raise Refused(RefusalCode.QUOTA_USED, "This order has used nothing that could come back.")
    return _post(quota, _without(quota, order), Stage.USED, ALLOWANCE, reason, order, at)


def about(quota: Quota) -> bytes:
    """What the quota's book vouches for beside its numbers."""
    uses = [f"{use.order} {use.stage} {use.at.isoformat()}" for use in quota.uses]
    return facts_digest(
        {
            "program": quota.program,
            "subject": quota.subject,
            "period": quota.period,
            "starts": quota.starts,
            "ends": quota.ends,
            "uses": ",".join(uses),
            "no_contacts": quota.no_contacts,
        }
    )


def disagreements(quota: Quota, reading: Reading) -> Iterator[Fault]:
    """Where the quota's row says something else than its book."""
    yield from reading.compare(quota.head, about(quota))
    counted = {stage: sum(use.stage is stage for use in quota.uses) for stage in Stage}
    rolls = quota.period is Period.ROLLING_365  # older uses are in the book alone
    for stage, uses in counted.items():
        booked = reading.units[stage]
        if booked < uses or (booked > uses and not (rolls and stage is Stage.USED)):
            seen = f"its row has {uses} {stage}, the book {booked}"
            yield Fault(quota.book, reading.head.number, seen)
    if reading.last is not None and quota.changed_at != reading.last.at:
        yield Fault(quota.book, reading.last.number, "its row was changed at another time")


def _bounds(day: date, period: Period, anchor: date | None) -> tuple[date | None, date | None]:
    match period:
        case Period.CALENDAR_YEAR:
            return date(day.year, 1, 1), date(day.year + 1, 1, 1)
        case Period.ROLLING_365:
            return None, None
        case Period.POLICY_YEAR | Period.SERVICE_YEAR:
            if anchor is None or day < anchor:
                raise ValueError(f"{day} is in no {period} that begins on {anchor}")
            years = day.year - anchor.year
            if day < anniversary(anchor, years):
                years -= 1
            return anniversary(anchor, years), anniversary(anchor, years + 1)


def _counted(quota: Quota, at: datetime) -> tuple[Use, ...]:
    if quota.period is not Period.ROLLING_365:
        return quota.uses
    oldest = local_date(at, ZONE) - timedelta(days=_ROLLING_DAYS)
    return tuple(
        use for use in quota.uses if use.stage is Stage.HELD or local_date(use.at, ZONE) > oldest
    )


def _consume(
    quota: Quota, order: OrderId, move: VoucherMove, at: datetime
) -> tuple[Quota, Entry | None]:
    use = quota.use_of(order)
    # News of a connect may come after the order gave its use back: it was used all the same.
    came_back = use is None and move is VoucherMove.CONSUME
    if not came_back and (use is None or use.stage is not Stage.HELD):
        return quota, None
    now_used = Use(order=order, stage=Stage.USED, at=at)
    used = replace(quota, uses=(*_without(quota, order).uses, now_used))
    giver = ALLOWANCE if came_back else Stage.HELD
    return _post(quota, used, giver, Stage.USED, move, order, at)


def _release(
    quota: Quota, order: OrderId, move: VoucherMove, at: datetime
) -> tuple[Quota, Entry | None]:
    use = quota.use_of(order)
    if use is None or use.stage is not Stage.HELD:
        return quota, None
    unreached = move in (VoucherMove.RETURN_NO_CONTACT, VoucherMove.COUNT_NO_CONTACT)
    back = replace(_without(quota, order), no_contacts=quota.no_contacts + unreached)
    return _post(quota, back, Stage.HELD, ALLOWANCE, move, order, at)


def _without(quota: Quota, order: OrderId) -> Quota:
    return replace(quota, uses=tuple(use for use in quota.uses if use.order != order))


def _post(
    before: Quota,
    after: Quota,
    from_account: str,
    to_account: str,
    reason: str,
    order: OrderId,
    at: datetime,
) -> tuple[Quota, Entry]:
    after = replace(after, changed_at=at)
    head, entry = post(
        after.book,
        before.head,
        from_account=from_account,
        to_account=to_account,
        units=1,
        reason=reason,
        order=order,
        at=at,
        about=about(after),
    )
    return replace(after, head=head), entry
