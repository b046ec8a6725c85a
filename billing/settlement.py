"""What a month's settlement counts: which calls are effective, and which are deducted. Pure.

Every call that came to talk stands in exactly one *grade*. A grade line moves one call from one
grade to another and books the seconds it adds; later insight is one more line, never a changed
one. A month is the sum of the lines written in it, so that a month that is over stays as it was.
`docs/settlement.md` shows the same as a table.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from billing.ledger import facts_digest
from billing.order import Consequence, Order, Settled, State
from billing.policy import Policy
from terms.calendar import start_of_day
from terms.ids import CallId, CounselorId, OrderId, ProgramId
from terms.values import quickly_made


class Grade(StrEnum):
    """What a call counts as for the counselor who took it."""

    NONE = "none"  # where every call comes from: the two never talked (X01)
    EFFECTIVE = "effective"
    SHORT = "short"  # talk below the program's limit, and no drop (A35, X08, X09)
    RESUMED = "resumed"  # the line was lost and the caller has the rest: that call counts (A27)
    GIVEN_BACK = "given_back"  # somebody decided that the caller gets talk or voucher again (X10)


DEDUCTED = frozenset({Grade.SHORT, Grade.RESUMED, Grade.GIVEN_BACK})
"""Connected calls that are not effective."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class GradeLine:
    """One call moves from one grade to another; `talked_seconds` is what this line adds."""

    call: CallId
    order: OrderId
    program: ProgramId
    counselor: CounselorId | None
    ended_at: datetime  # decides to which month the call belongs
    from_grade: Grade
    to_grade: Grade
    talked_seconds: int
    at: datetime  # decides in which month the line is counted

    def __post_init__(self) -> None:
        assert self.from_grade is not self.to_grade or self.talked_seconds

    @property
    def about(self) -> bytes:
        """What an entry of the order's book says of this line, to vouch for it."""
        return facts_digest(
            {
                "call": self.call,
                "program": self.program,
                "counselor": self.counselor,
                "ended_at": self.ended_at,
                "from_grade": self.from_grade,
                "to_grade": self.to_grade,
                "talked_seconds": self.talked_seconds,
                "at": self.at,
            }
        )


def grade_of(settled: Settled, policy: Policy) -> Grade:
    """What the call counts as by how it was settled.

    A drop is looked at before the length (X08). Where it used up the whole time there is no rest to
    resume, and the call did what it was for (A27).
    """
    if not settled.connected:
        return Grade.NONE
    if settled.consequence is Consequence.RESUME and settled.state is not State.COMPLETED:
        return Grade.RESUMED
    if settled.talked_seconds < policy.short_call_seconds:
        return Grade.SHORT
    return Grade.EFFECTIVE


def grade_line(
    before: Order, after: Order, *, counselor: CounselorId | None, policy: Policy, now: datetime
) -> GradeLine | None:
    """The line that an order's move writes: none, unless a call of it was settled otherwise.

    `counselor` is who talked in that call. A better verdict on the same call corrects its first
    line by the difference.
    """
    settled = after.settled
    if settled is None or settled == before.settled:
        return None
    same = before.settled if before.settled and before.settled.call == settled.call else None
    was = Grade.NONE if same is None else grade_of(same, policy)
    is_ = grade_of(settled, policy)
    seconds = settled.talked_seconds - (0 if same is None else same.talked_seconds)
    if was is is_ and not seconds:
        return None
    return GradeLine(
        call=settled.call,
        order=after.id,
        program=after.program,
        counselor=counselor,
        ended_at=settled.ended_at,
        from_grade=was,
        to_grade=is_,
        talked_seconds=seconds,
        at=now,
    )


@dataclass(frozen=True, slots=True)
class GivenBack:
    """Somebody decided that an order's voucher or talk is its caller's again (A36, X10, X11).

    A decision about a claim names the `call`. A voucher that was used and is taken out of use by
    other hands names none.
    """

    order: OrderId
    call: CallId | None
    at: datetime


def graded(lines: Iterable[GradeLine], decisions: Iterable[GivenBack]) -> list[GradeLine]:
    """All lines in the order they were written, with those that decisions add.

    What names no call is held against the order's last talk. One instant is one decision, and a
    call is deducted once. The store computes the same as sets; a test compares.
    """
    known = list(lines)
    added: dict[CallId, GradeLine] = {}
    for decided in sorted(_one_per_instant(decisions), key=lambda one: one.at):
        talks = [
            line
            for line in known
            if line.order == decided.order
            and line.at <= decided.at
            and decided.call in (None, line.call)
        ]
        if talks and talks[-1].to_grade is not Grade.NONE and talks[-1].call not in added:
            added[talks[-1].call] = _deducted(talks[-1], decided.at)
    return [*known, *added.values()]


def _one_per_instant(decisions: Iterable[GivenBack]) -> list[GivenBack]:
    given = list(decisions)
    named = {(one.order, one.at) for one in given if one.call is not None}
    return [one for one in given if one.call is not None or (one.order, one.at) not in named]


def _deducted(last: GradeLine, at: datetime) -> GradeLine:
    return GradeLine(
        call=last.call,
        order=last.order,
        program=last.program,
        counselor=last.counselor,
        ended_at=last.ended_at,
        from_grade=last.to_grade,
        to_grade=Grade.GIVEN_BACK,
        talked_seconds=0,
        at=at,
    )


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month on the wall of some zone."""

    first: date

    def __post_init__(self) -> None:
        assert self.first.day == 1

    @property
    def following(self) -> "Month":
        """The next month."""
        over = self.first.month == 12
        return Month(date(self.first.year + over, 1 if over else self.first.month + 1, 1))

    def span(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Its first instant and the first one after it, in UTC."""
        return start_of_day(self.first, zone), start_of_day(self.following.first, zone)

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"


def read_month(text: str) -> Month:
    """The month written `2026-11`. Raises ValueError, with what to write instead."""
    year, dash, month = text.partition("-")
    if not (dash and text.isascii() and len(year) == 4 and len(month) == 2):
        raise ValueError("write a month like 2026-11")
    if year < "2000" or year == "9999":  # its ends must be instants in every zone
        raise ValueError("write a month from 2000-01 to 9998-12")
    try:
        return Month(date(int(year), int(month), 1))
    except ValueError:
        raise ValueError("write a month like 2026-11") from None
