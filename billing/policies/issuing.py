"""Which vouchers a policy is due, which ones fall with it, and when to look at it again. Pure.

Looked at any number of times, by anybody: what was given for a policy year is not given again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from billing.policies.announcing import Announced, announced_to
from billing.policies.cover import Cover
from billing.policies.policy import PolicyTerms
from billing.policies.waiting import (
    CHINA,
    PolicyYear,
    active_from,
    next_send_at,
    policy_year_of,
    send_at,
    today_in_china,
    valid_until,
)
from billing.voucher import USABLE, State
from billing.years import year_stood_for
from terms.calendar import end_of_day
from terms.ids import ProgramId, VoucherId

_UNUSED = USABLE | {State.PENDING}
_WHILE_HELD = timedelta(minutes=1)

Covers = Mapping[ProgramId, tuple[str, Cover]]
"""What each program gives, and which sponsor's policies it is part of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A voucher that a policy was given; one per program, policy year and number.

    `year_starts_on` is the first day of the year it was given for, as years were counted then.
    `fell`: it was voided because the policy had ended, and no other stands in its place.
    """

    program: ProgramId
    year_starts_on: date
    number: int  # 1, 2.. where a year brings several
    voucher: VoucherId
    state: State
    valid_until: datetime
    fell: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A voucher to be given now, its code sent to the policyholder (A05, A16)."""

    program: ProgramId
    policy_year: int
    year_starts_on: date
    number: int
    valid_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """What a look at a policy leads to; `look_at` is when the next one is due.

    `revive`: vouchers that fell with the policy, which is in force again; each gets another in its
    place, with the end date it had. `tell`: changes that its holder is told of ahead, once (B04).
    """

    give: tuple[Due, ...] = ()
    void: tuple[VoucherId, ...] = ()
    revive: tuple[VoucherId, ...] = ()
    tell: tuple[Announced, ...] = ()
    look_at: datetime | None = None


def attend(
    sponsor: str, terms: PolicyTerms, given: Sequence[Given], covers: Covers, now: datetime
) -> Attention:
    """What is due for a policy now: after its waiting, once per policy year, while it is alive.

    Surrendered within the wait, it gets nothing (A17); once over, what is unused falls (X15, A21).
    Back in force, it gets back what fell. When the day it takes effect is corrected, what it was
    given stays, and stands for the year that begins nearest.
    """
    if terms.has_ended(today_in_china(now)):
        return _over(given, now)
    give: list[Due] = []
    revive, looks = _revived(given, covers, now)
    tell, more_at = announced_to(sponsor, terms, covers, now)
    if more_at is not None:
        looks.append(more_at)
    for program, (whose, cover) in sorted(covers.items()):
        if whose != sponsor or terms.product not in cover.products:
            continue
        if not cover.vouchers_per_policy_year or not cover.is_offered_on(today_in_china(now)):
            continue
        had = {
            (year_stood_for(terms.effective_on, one.year_starts_on), one.number)
            for one in given
            if one.program == program
        }
        due, look_at = _due(program, terms, cover, had, now)
        give += due
        if look_at is not None:
            looks.append(look_at)
    if terms.ends_on is not None:
        looks.append(end_of_day(terms.ends_on, CHINA))
    return Attention(give=tuple(give), revive=revive, tell=tell, look_at=min(looks, default=None))


def _over(given: Sequence[Given], now: datetime) -> Attention:
    """What is unused falls. What an order holds is not cut off: it falls once it comes back."""
    held = any(one.state is State.HELD for one in given)
    return Attention(
        void=tuple(one.voucher for one in given if one.state in _UNUSED),
        look_at=now + _WHILE_HELD if held else None,
    )


def _revived(
    given: Sequence[Given], covers: Covers, now: datetime
) -> tuple[tuple[VoucherId, ...], list[datetime]]:
    """What fell and is good again, while codes may be sent; and until when the rest has to wait."""
    revive, looks = [], []
    for one in given:
        if one.fell and one.program in covers and now < one.valid_until:
            opens_at = next_send_at(now, covers[one.program][1])
            if opens_at == now:
                revive.append(one.voucher)
            elif opens_at < one.valid_until:
                looks.append(opens_at)
    return tuple(revive), looks


def _due(
    program: ProgramId, terms: PolicyTerms, cover: Cover, had: set[tuple[int, int]], now: datetime
) -> tuple[list[Due], datetime | None]:
    """The vouchers of the running policy year, or when there will be some."""
    first = active_from(terms, cover)
    year = policy_year_of(terms, max(first, today_in_china(now)))
    numbers = range(1, cover.vouchers_per_policy_year + 1)
    missing = [number for number in numbers if (year.number, number) not in had]
    if missing:
        opens_at = next_send_at(max(now, send_at(max(first, year.starts_on), cover)), cover)
        if now < opens_at:
            return [], opens_at
    ends_at = valid_until(terms, year)
    due = [
        Due(
            program=program,
            policy_year=year.number,
            year_starts_on=year.starts_on,
            number=number,
            valid_until=ends_at,
        )
        for number in missing
    ]
    return due, _next_year(terms, year, cover)


def _next_year(terms: PolicyTerms, year: PolicyYear, cover: Cover) -> datetime | None:
    return send_at(year.until, cover) if _lives_on(terms, year.until) else None


def _lives_on(terms: PolicyTerms, day: date) -> bool:
    return terms.ends_on is None or day <= terms.ends_on
