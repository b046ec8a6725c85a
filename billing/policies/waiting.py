"""From when to when a policy entitles: waiting periods, policy years, and the hour of sending.

Days are local days in China; a natural day ends at 24:00 and no holiday moves it (X12, X51).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from billing.policies.cover import Cover, WaitingAnchor
from billing.policies.policy import PolicyTerms
from terms.calendar import after_natural_days, anniversary, end_of_day, local_date, start_of_day

CHINA = ZoneInfo("Asia/Shanghai")

_A_DAY = timedelta(days=1)


class SendHours(Protocol):
    """Between which hours in China codes are sent: from `send_hour` to before `send_until_hour`."""

    @property
    def send_hour(self) -> int: ...

    @property
    def send_until_hour(self) -> int: ...


@dataclass(frozen=True, slots=True)
class PolicyYear:
    """One year of a policy, counted from its effective date (A20); `until` is exclusive."""

    number: int  # the first is 1
    starts_on: date
    until: date


def active_from(terms: PolicyTerms, cover: Cover) -> date:
    """The first day on which the policy entitles (A16, B01): never before it takes effect.

    An insurer's own end of the cooling-off period stands in place of the counted days (X17).
    """
    match cover.waiting_anchor:
        case WaitingAnchor.NONE:
            waited = terms.effective_on
        case WaitingAnchor.PURCHASE:
            waited = after_natural_days(terms.purchased_on, cover.waiting_days)
        case WaitingAnchor.EFFECT if terms.cooling_off_end is not None:
            waited = terms.cooling_off_end + _A_DAY
        case WaitingAnchor.EFFECT:
            waited = after_natural_days(terms.effective_on, cover.waiting_days)
    return max(waited, terms.effective_on)


def active_until(terms: PolicyTerms, cover: Cover) -> date | None:
    """The first day on which it entitles no more; None while no end is known (B02)."""
    ends = []
    if terms.ends_on is not None:
        ends.append(terms.ends_on + _A_DAY)
    if cover.service_years:
        ends.append(anniversary(active_from(terms, cover), cover.service_years))
    return min(ends, default=None)


def policy_year_of(terms: PolicyTerms, day: date) -> PolicyYear:
    """The policy year that `day` belongs to; days before the policy takes effect to the first."""
    years = day.year - terms.effective_on.year
    if years > 0 and day < anniversary(terms.effective_on, years):
        years -= 1
    years = max(years, 0)
    return PolicyYear(
        years + 1,
        anniversary(terms.effective_on, years),
        anniversary(terms.effective_on, years + 1),
    )


def valid_until(terms: PolicyTerms, year: PolicyYear) -> datetime:
    """The first instant at which a code of this policy year is no longer good (A20, A21)."""
    ends = start_of_day(year.until, CHINA)
    return ends if terms.ends_on is None else min(ends, end_of_day(terms.ends_on, CHINA))


def send_at(day: date, hours: SendHours) -> datetime:
    """When codes may be sent on `day`, at the earliest (X12)."""
    return datetime.combine(day, time(hours.send_hour), CHINA).astimezone(UTC)


def next_send_at(earliest: datetime, hours: SendHours) -> datetime:
    """`earliest` itself when it lies between the hours of sending, else the next morning's hour."""
    local = earliest.astimezone(CHINA)
    if local.hour < hours.send_hour:
        return send_at(local.date(), hours)
    if local.hour >= hours.send_until_hour:
        return send_at(local.date() + _A_DAY, hours)
    return earliest


def today_in_china(now: datetime) -> date:
    """The date on the wall where the insured live."""
    return local_date(now, CHINA)
