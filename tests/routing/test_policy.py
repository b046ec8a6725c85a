"""The [routing] section of a program file."""

import tomllib
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from routing.counselor import Grade, Hospital, StaffType
from routing.hours import ALL_DAY, Window
from routing.policy import Callers, Matching, parse
from terms.ids import ProgramId
from terms.phone import PhoneNumber
from terms.section import ProgramInvalid

LEAST = {"hours": "10:00-22:00", "zone": "Asia/Shanghai", "matching": "named", "role": "counselor"}


@pytest.mark.rule("A24", "A09", "A02", "X36")
def test_four_keys_are_enough_and_the_rest_has_defaults() -> None:
    policy = parse(LEAST)

    assert policy.hours.windows == (Window(600, 1320),)
    assert policy.hours.zone == ZoneInfo("Asia/Shanghai")
    assert policy.intake.windows == (ALL_DAY,)
    assert policy.matching is Matching.NAMED
    assert policy.callers is Callers.VERIFIED
    assert policy.credential_required
    assert policy.hours.last_admission_seconds == 0
    assert (policy.misses_before_away, policy.declines_before_away) == (3, 3)
    assert (policy.announce_seconds, policy.country_code) == (60, 86)


def test_every_key_is_read() -> None:
    table = tomllib.loads(
        """
        hours = ["22:00-06:00", "08:00-12:00"]
        zone = "America/New_York"
        days = ["mon", "fri"]
        closed_on = ["2030-02-03"]
        last_admission_before_close_seconds = 600
        intake = "24h"
        matching = "pool"
        role = "family_doctor"
        skills = ["pediatrics"]
        staff_types = ["full_time", "hospital"]
        least_grade = "attending"
        least_hospital = "grade_3a"
        credential_required = false
        training_required = true
        callers = "anyone"
        country_code = 1
        service_numbers = ["12356", "+862112320075 until 2026-04-30"]
        forward_when_closed = "12320"
        wrap_up_seconds = 120
        presence_lease_seconds = 90
        misses_before_away = 2
        declines_before_away = 4
        decline_cooldown_seconds = 30
        announce_seconds = 45
        release_when_offline = true
        """
    )
    policy = parse(table)
    requirement = policy.requirement(ProgramId("family-doctor"), ["fever"])

    assert policy.hours.windows == (Window(1320, 1800), Window(480, 720))
    assert policy.hours.weekdays == {0, 4}
    assert policy.hours.closed_on == {date(2030, 2, 3)}
    assert policy.hours.last_admission_seconds == 600
    assert policy.matching is Matching.POOL
    assert policy.callers is Callers.ANYONE
    assert policy.country_code == 1
    assert policy.forward_when_closed == PhoneNumber("12320")
    assert (policy.wrap_up_seconds, policy.presence_lease_seconds) == (120, 90)
    assert (policy.misses_before_away, policy.declines_before_away) == (2, 4)
    assert policy.decline_cooldown_seconds == 30
    assert (policy.announce_seconds, policy.release_when_offline) == (45, True)
    assert requirement.skills == {"pediatrics", "fever"}
    assert requirement.staff_types == {StaffType.FULL_TIME, StaffType.HOSPITAL}
    assert requirement.least_grade is Grade.ATTENDING
    assert requirement.least_hospital is Hospital.GRADE_3A
    assert (requirement.role, requirement.program) == ("family_doctor", "family-doctor")
    assert (requirement.credential_required, requirement.training_required) == (False, True)


@pytest.mark.rule("D01", "D03", "D04")
def test_old_and_new_numbers_reach_the_same_line_until_the_old_ones_end() -> None:
    policy = parse({**LEAST, "service_numbers": ["12356", "+862112320075 until 2026-04-30"]})
    short, old = PhoneNumber("12356"), PhoneNumber("+862112320075")
    last_second = datetime(2026, 4, 30, 15, 59, 59, tzinfo=UTC)
    day_after = datetime(2026, 4, 30, 16, 0, tzinfo=UTC)

    assert policy.answers(short, day_after)
    assert policy.answers(old, last_second)
    assert not policy.answers(old, day_after)
    assert not policy.answers(PhoneNumber("12320"), day_after)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hours", "10-22"),
        ("hours", []),
        ("hours", ["10:00-22:00", "x"]),
        ("hours", 24),
        ("hours", [24]),
        ("zone", "Mars/Olympus"),
        ("zone", "../etc/passwd"),
        ("days", "sometimes"),
        ("days", ["funday"]),
        ("days", []),
        ("closed_on", ["tomorrow"]),
        ("last_admission_before_close_seconds", 12 * 3600),
        ("matching", "random"),
        ("role", ""),
        ("staff_types", ["robot"]),
        ("least_grade", "emperor"),
        ("least_hospital", "field"),
        ("callers", "nobody"),
        ("country_code", 0),
        ("service_numbers", ["no number"]),
        ("service_numbers", ["12356 until May"]),
        ("forward_when_closed", "no number"),
        ("misses_before_away", 0),
        ("declines_before_away", 0),
        ("wrap_up_seconds", -1),
        ("presence_lease_seconds", "long"),
        ("hour", "24h"),
    ],
)
def test_a_fault_names_its_key_and_nothing_else_is_blamed(key: str, value: object) -> None:
    with pytest.raises(ProgramInvalid) as caught:
        parse({**LEAST, key: value})

    assert {fault.key for fault in caught.value.faults} == {key}


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ProgramInvalid) as caught:
        parse({"hours": "x", "days": "y", "least_grade": "z"})

    assert {fault.key for fault in caught.value.faults} == {
        "hours",
        "days",
        "least_grade",
        "matching",
        "role",
    }
