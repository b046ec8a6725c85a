"""Counselors, numbers and times that the routing tests talk about."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from routing.counselor import Counselor, Presence, Requirement, Training
from terms.ids import CounselorId, ProgramId, TenantId
from terms.phone import PhoneNumber

TENANT = TenantId("default")
LISTENING = ProgramId("psych-listening")
NOON = datetime(2030, 1, 1, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai, a Tuesday
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

MINE = PhoneNumber("+8613800000001")
OTHER = PhoneNumber("+8613800000002")

NEEDS_COUNSELOR = Requirement(program=LISTENING, role="psychological_counselor")

TRAINED = Training(
    theory_class_hours=24,
    theory_passed_on=date(2029, 3, 1),
    practice_days=7,
    practice_passed_on=date(2029, 3, 20),
    assessment_passed_on=date(2029, 4, 1),
)

LI = Counselor(
    id=CounselorId("li"),
    name="李静",
    programs=frozenset({LISTENING}),
    roles=frozenset({"psychological_counselor"}),
    idle_since=NOON - HOUR,
    skills=frozenset({"work", "family"}),
    credential="心理咨询师二级",
    credential_verified_at=NOON - 100 * DAY,
    credential_valid_until=NOON + 100 * DAY,
    presence=Presence.AVAILABLE,
    lease_until=NOON + 8 * HOUR,
)
WANG = replace(LI, id=CounselorId("wang"), name="王敏", idle_since=NOON - 2 * HOUR)
ZHAO = replace(LI, id=CounselorId("zhao"), name="赵强", idle_since=NOON - 3 * HOUR)
