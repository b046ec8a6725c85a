"""Every number and timer that the source documents name, against what is in force.

A number of a service that does not exist yet stands here too, with the reason; the page of rules
holds it to that: it must not call such a rule proved. Marks are on the tests of the behaviour.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import billing.policy
import billing.tier
import dialer.policy
import routing.policy
from billing.cancelling import GENERAL, CancelPolicy
from billing.policies.cover import Cover, WaitingAnchor
from billing.policies.waiting import active_from, active_until
from billing.quota import Period, quota_on
from dialer.policy import CapKind, OnExhausted
from routing.counselor import PRACTICE_DAYS, THEORY_CLASS_HOURS
from routing.hours import EVERY_WEEKDAY, OpeningHours, Window, is_open
from terms.calendar import Workdays
from terms.ids import ProgramId
from tests.billing.policies.lists import terms
from warmline.programs import Program, load_shipped
from warmline.workdays import known_days

RULES_PAGE = Path(__file__).parents[1] / "docs" / "rules.md"
CHINA = ZoneInfo("Asia/Shanghai")
NEW_YEAR = date(2025, 1, 1)
A_DAY_SECONDS = 24 * 60 * 60
NO_APPOINTMENTS = (
    "An appointment is booked, kept, cancelled or missed; no roster, no moving, no reminder yet."
)
NO_ASSISTANCE = "No visits, admissions, companions or second opinions are arranged yet."


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """What the sources say, and where Warmline says it."""

    meaning: str
    rules: str
    said: object
    found: Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotYet:
    """A number that nothing goes by.

    The rules in `partly` have a test for something else in them; those in `never` are not asked of
    Warmline at all.
    """

    meaning: str
    rules: str
    reason: str
    partly: str = ""
    never: str = ""


@cache
def shipped(program: str) -> Program:
    return load_shipped()[ProgramId(program)]


def listening() -> Program:
    return shipped("psych-listening")


def doctor() -> Program:
    return shipped("family-doctor")


@cache
def statutory() -> Workdays:
    """The calendar a new installation is given."""
    return Workdays(exceptions={day.day: day.worked for day in known_days()})


def line(**keys: object) -> routing.policy.Policy:
    """The `[routing]` section of a program that does not ship."""
    return routing.policy.parse({"matching": "pool", "role": "counselor", **keys})


def cap(**keys: object) -> tuple[CapKind, int]:
    """The cap of a program that does not ship."""
    table = {"ring_seconds": 30, "attempts": 1, "parted_grace_seconds": 90, "on_exhausted": "keep"}
    policy = dialer.policy.parse({"ring_first": "counselor", **table, **keys})
    return policy.cap_kind, policy.cap_seconds


def cover(**keys: object) -> Cover:
    """What a program that does not ship asks of an insurance policy."""
    table = {"voucher": "none", "entitlement": "required", "products": ["care"]}
    return billing.policy.parse({**table, **keys}).cover


def cancelling() -> CancelPolicy:
    """What holds for appointments of a program that does not ship and says nothing of its own."""
    return billing.policy.parse({"appointments": True}).appointments.cancelling


def open_at(hours: OpeningHours, *times: str) -> list[bool]:
    """Whether the line is open then, in China."""
    moments = (datetime.fromisoformat(time).replace(tzinfo=CHINA) for time in times)
    return [is_open(hours, moment, statutory()) for moment in moments]


def company_hours() -> list[bool]:
    """On a Friday from before opening to after closing, on a worked Sunday, on a holiday."""
    hours = line(hours="09:00-20:00", days="workdays").hours
    friday = ("2025-05-30T08:59", "2025-05-30T09:00", "2025-05-30T19:59", "2025-05-30T20:00")
    return open_at(hours, *friday, "2025-04-27T12:00", "2025-10-01T12:00")


def worked_weekends(year: int) -> list[date]:
    days = (date(year, 1, 1) + timedelta(days=n) for n in range(365))
    return [day for day in days if day.weekday() >= 5 and statutory().is_workday(day)]


def period(kind: Period) -> tuple[date | None, date | None]:
    """What an order of 1 June 2025 is counted in, for a policy of 10 March 2024."""
    quota = quota_on(
        date(2025, 6, 1),
        program=ProgramId("care"),
        subject="somebody",
        period=kind,
        anchor=date(2024, 3, 10),
    )
    return quota.starts, quota.ends


def uses(count: int, kind: Period) -> tuple[int, Period]:
    read = cover(quota_uses=count, quota_period=kind.value)
    return read.quota_uses, read.quota_period


NUMBERS = [
    Number(
        meaning="30 natural days from purchase to the voucher code",
        rules="A16",
        said=(WaitingAnchor.PURCHASE, 30, date(2025, 2, 1)),
        found=lambda: (
            listening().billing.cover.waiting_anchor,
            listening().billing.cover.waiting_days,
            active_from(terms(), listening().billing.cover),
        ),
    ),
    Number(
        meaning="15 days from effect to an active benefit",
        rules="B01",
        said=date(2025, 1, 17),
        found=lambda: active_from(terms(), cover(waiting_anchor="effect", waiting_days=15)),
    ),
    Number(
        meaning="one voucher in a policy year",
        rules="A18 A20",
        said=1,
        found=lambda: listening().billing.cover.vouchers_per_policy_year,
    ),
    Number(
        meaning="one year from activation",
        rules="B02",
        said=date(2026, 1, 17),
        found=lambda: active_until(
            terms(), cover(waiting_anchor="effect", waiting_days=15, service_years=1)
        ),
    ),
    Number(
        meaning="uses are counted in a policy year, a service year or a calendar year",
        rules="A20 B02 X18",
        said=[
            (date(2025, 3, 10), date(2026, 3, 10)),
            (date(2025, 3, 10), date(2026, 3, 10)),
            (date(2025, 1, 1), date(2026, 1, 1)),
        ],
        found=lambda: [
            period(kind) for kind in (Period.POLICY_YEAR, Period.SERVICE_YEAR, Period.CALENDAR_YEAR)
        ],
    ),
    Number(
        meaning="10:00-22:00 every day for listening",
        rules="A24",
        said=((Window(10 * 60, 22 * 60),), EVERY_WEEKDAY, False, frozenset(), 0),
        found=lambda: (
            listening().routing.hours.windows,
            listening().routing.hours.weekdays,
            listening().routing.hours.workdays_only,
            listening().routing.hours.closed_on,
            listening().routing.hours.last_admission_seconds,
        ),
    ),
    Number(
        meaning="workdays 9:00-20:00 for a company line",
        rules="B06 X51",
        said=[False, True, True, False, True, False],
        found=company_hours,
    ),
    Number(
        meaning="a line day and night, its doctors from 08:00 to 18:00",
        rules="E25",
        said=((Window(0, 24 * 60),), [False, True, True, False]),
        found=lambda: (
            line(hours="08:00-18:00", intake="24h").intake.windows,
            open_at(
                line(hours="08:00-18:00", intake="24h").hours,
                *("2025-06-01T07:59", "2025-06-01T08:00", "2025-06-01T17:59", "2025-06-01T18:00"),
            ),
        ),
    ),
    Number(
        meaning="a family doctor day and night",
        rules="C03",
        said=True,
        found=lambda: doctor().routing.hours.never_closes,
    ),
    Number(
        meaning="25 minutes for listening, at most 15 with a family doctor",
        rules="A25 C05",
        said=[(CapKind.HARD, 25 * 60), (CapKind.HARD, 15 * 60)],
        found=lambda: [
            (one.dialer.cap_kind, one.dialer.cap_seconds) for one in (listening(), doctor())
        ],
    ),
    Number(
        meaning="15 minutes in principle with an expert, no end to a hotline's talk",
        rules="C18 D24",
        said=[(CapKind.SOFT, 15 * 60), (CapKind.NONE, 0)],
        found=lambda: [cap(cap_kind="soft", cap_seconds=15 * 60), cap(cap_kind="none")],
    ),
    Number(
        meaning="one minute, below which a talk is short",
        rules="A35",
        said=[60, 60],
        found=lambda: [one.billing.short_call_seconds for one in (listening(), doctor())],
    ),
    Number(
        meaning="24 hours for an order that nobody dialed, 24 hours to claim after a drop",
        rules="A32 A28",
        said=[(A_DAY_SECONDS, A_DAY_SECONDS)] * 2,
        found=lambda: [
            (one.billing.order_seconds, one.billing.claim_seconds)
            for one in (listening(), doctor())
        ],
    ),
    Number(
        meaning="24 hours, and 5 minutes at least, for the rest of a talk that dropped",
        rules="X07",
        said=[(A_DAY_SECONDS, 5 * 60), (A_DAY_SECONDS, 5 * 60)],
        found=lambda: [
            (one.billing.resume_seconds, one.billing.resume_min_seconds)
            for one in (listening(), doctor())
        ],
    ),
    Number(
        meaning="three failed calls cancel",
        rules="C25 C27 C31",
        said=(3, OnExhausted.CANCEL),
        found=lambda: (doctor().dialer.attempts, doctor().dialer.on_exhausted),
    ),
    Number(
        meaning="a doctor's calls at 0, 3 and 8 minutes, each ringing for 30 seconds",
        rules="X27",
        said=((3 * 60, 8 * 60 - 3 * 60), 30),
        found=lambda: (doctor().dialer.attempt_spacing_seconds, doctor().dialer.ring_seconds),
    ),
    Number(
        meaning="a family doctor without limit, an expert once, a guided visit once in the year",
        rules="C10 C15 B29 X18",
        said=[0, (1, Period.POLICY_YEAR), (1, Period.SERVICE_YEAR)],
        found=lambda: [
            doctor().billing.cover.quota_uses,
            uses(1, Period.POLICY_YEAR),
            uses(1, Period.SERVICE_YEAR),
        ],
    ),
    Number(
        meaning="10 workdays, over National Day, in June, over Spring Festival",
        rules="X51",
        said=[date(2025, 10, 15), date(2025, 6, 17), date(2025, 2, 8)],
        found=lambda: [
            statutory().after(start, 10)
            for start in (date(2025, 9, 25), date(2025, 6, 3), date(2025, 1, 20))
        ],
    ),
    Number(
        meaning="the weekends that are worked in 2025",
        rules="X51",
        said=[date(2025, *day) for day in ((1, 26), (2, 8), (4, 27), (9, 28), (10, 11))],
        found=lambda: worked_weekends(2025),
    ),
    Number(
        meaning="10,000, 30,000, 100,000 and 300,000 yuan; a tenth for each year; 50 % and 5 %",
        rules="E03 E04 E05 E06 E07 E08 E09 E10",
        said=("10000 30000 100000 300000", 10, "0.50", "0.05"),
        found=lambda: (
            " ".join(map(str, billing.tier.Policy().thresholds)),
            billing.tier.Policy().full_payment_years,
            str(billing.tier.Policy().investment_share),
            str(billing.tier.Policy().top_up_share),
        ),
    ),
    Number(
        meaning="24 hours to cancel, or it counts",
        rules="B07 B08",
        said=(A_DAY_SECONDS, A_DAY_SECONDS),
        found=lambda: (GENERAL.free_seconds, cancelling().free_seconds),
    ),
    Number(
        meaning="24 class hours and a week of practice before the first hotline call",
        rules="D28",
        said=(24, 7),
        found=lambda: (THEORY_CLASS_HOURS, PRACTICE_DAYS),
    ),
]

NOT_YET = [
    NotYet(
        meaning="self-service by voice day and night",
        rules="B06",
        partly="B06",
        reason="No voice menu exists; a line that is closed says when it opens, or forwards.",
    ),
    NotYet(meaning="4 hours of a companion", rules="B23 C34", reason=NO_ASSISTANCE),
    NotYet(
        meaning="24 hours of a text consult",
        rules="",
        never="C04",
        reason="Consults are by phone only.",
    ),
    NotYet(
        meaning="2 hours, 2 workdays to cancel; 3 workdays to change; 3 natural days, 1 week ahead",
        rules="B35 B37 E38 C54 C17",
        reason=NO_APPOINTMENTS,
    ),
    NotYet(
        meaning="30 seconds to a doctor's answer",
        rules="C03",
        partly="C03",
        reason="What is kept is the ring and the order of rings; no report measures the promise.",
    ),
    NotYet(
        meaning="60 seconds, 5 minutes and 30 minutes to an answer",
        rules="B45 C30 C41 C46 E33",
        reason="No report or clock measures a promise of response.",
    ),
    NotYet(
        meaning="60, 30 and 10 minutes before an appointment",
        rules="C28 C24 C48",
        reason=NO_APPOINTMENTS,
    ),
    NotYet(
        meaning="1, 2, 3 to 5, 7 and 10 workdays, 14 days, 1 and 3 natural days, 24 hours",
        rules="B50 B51 B52 B53 C53 C56 E30 E43 E45 E75 B26",
        never="C42",
        reason=NO_ASSISTANCE,
    ),
    NotYet(
        meaning="2, 3 and 12 uses in a year, none carried over",
        rules="E46 E29 B33 E47",
        reason=NO_ASSISTANCE,
    ),
    NotYet(
        meaning="tiers daily, on 31 March, 30 June, 30 September, 31 December, kept 3 months",
        rules="E12 E14 E15",
        reason="What a tier is can be reckoned; nobody's tier is assessed, kept or told.",
    ),
    NotYet(
        meaning="active from the next day; registered data changed once a year",
        rules="E64 E65",
        reason="No benefit has to be activated or has data of its own.",
    ),
    NotYet(
        meaning="15 hours, 16 calls in a row; 5 or 6 seats by day; a support meeting every month",
        rules="D27 D34 D39",
        reason="There is no staffing: no shifts, seats, limits against fatigue, or support.",
    ),
    NotYet(meaning="children up to 18 years", rules="E56", reason="There is no dental benefit."),
]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.meaning)
def test_each_number_of_the_sources_is_the_one_in_force(number: Number) -> None:
    assert number.found() == number.said


@pytest.mark.parametrize("number", NOT_YET, ids=lambda number: number.meaning)
def test_a_number_that_nothing_goes_by_has_a_reason_and_no_test_claims_it(number: NotYet) -> None:
    rules, partly = set(number.rules.split()), set(number.partly.split())

    assert number.reason
    assert {rule for rule in rules if proofs(rule) == "not yet"} == rules - partly
    assert {proofs(rule) for rule in number.never.split()} <= {None}


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.meaning)
def test_a_number_in_force_belongs_to_rules_that_have_a_test(number: Number) -> None:
    assert not {proofs(rule) for rule in number.rules.split()} & {None, "not yet"}


def proofs(rule: str) -> str | None:
    """What the page of rules says of its tests; None for what is no rule of Warmline's."""
    page = RULES_PAGE.read_text("utf-8")
    found = re.search(rf"^\| {rule} \|.*\| (.+) \|$", page, re.MULTILINE)
    return None if found is None else found[1]
