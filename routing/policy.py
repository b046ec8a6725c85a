"""The `[routing]` section of a program: who answers its calls, when, and how they are found."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from routing.counselor import Grade, Hospital, Requirement, StaffType
from routing.hours import EVERY_WEEKDAY, OpeningHours, Window, parse_window
from terms.calendar import local_date
from terms.ids import ProgramId
from terms.phone import PhoneNumber
from terms.section import Section
from terms.values import maker

T = TypeVar("T")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SHIFT_SECONDS = 12 * 60 * 60


class Matching(StrEnum):
    """How a call finds its counselor."""

    NAMED = "named"  # the order fixes the counselor (A09)
    POOL = "pool"  # the qualified counselor who has been idle longest


class Callers(StrEnum):
    """Who may call."""

    VERIFIED = "verified"  # from a number that a live device verification holds (A11)
    ANYONE = "anyone"  # a hotline: withheld and foreign numbers too (D02)


@dataclass(frozen=True, slots=True)
class ServiceNumber:
    """A number people dial to reach the program, through its last day where it has one (D04)."""

    number: PhoneNumber
    last_day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What routing knows of one program. All durations in seconds."""

    hours: OpeningHours
    intake: OpeningHours  # when requests are taken, which may be longer (X36)
    matching: Matching
    role: str
    skills: frozenset[str]
    staff_types: frozenset[StaffType]
    least_grade: Grade
    least_hospital: Hospital
    credential_required: bool
    training_required: bool
    callers: Callers
    country_code: int
    service_numbers: tuple[ServiceNumber, ...]
    forward_when_closed: PhoneNumber | None  # closed is never silence (X39)
    wrap_up_seconds: int
    presence_lease_seconds: int
    misses_before_away: int
    declines_before_away: int
    decline_cooldown_seconds: int
    announce_seconds: int
    release_when_offline: bool

    def requirement(self, program: ProgramId, skills: Iterable[str] = ()) -> Requirement:
        """What `program` asks of a counselor, with the `skills` one caller asks for on top."""
        return _make_requirement(
            program=program,
            role=self.role,
            skills=self.skills.union(skills) if skills else self.skills,
            staff_types=self.staff_types,
            least_grade=self.least_grade,
            least_hospital=self.least_hospital,
            credential_required=self.credential_required,
            training_required=self.training_required,
        )

    def answers(self, dialled: PhoneNumber, now: datetime) -> bool:
        """Whether the program can be reached by `dialled`: several numbers, one line (D03, D04)."""
        today = local_date(now, self.hours.zone)
        return any(
            service.number == dialled and (service.last_day is None or today <= service.last_day)
            for service in self.service_numbers
        )


_make_requirement = maker(Requirement)


def parse(table: Mapping[str, object]) -> Policy:
    """Read the section. Raises ProgramInvalid with every fault found."""
    section = Section("routing", table)
    hours = _hours(section, table)
    policy = Policy(
        hours=hours,
        intake=OpeningHours(zone=hours.zone, windows=_windows(section, table, "intake", "24h")),
        matching=_member(section, "matching", Matching, None),
        role=section.word("role"),
        skills=frozenset(section.words("skills", default=())),
        staff_types=_staff_types(section),
        least_grade=Grade[_member_name(section, "least_grade", Grade)],
        least_hospital=Hospital[_member_name(section, "least_hospital", Hospital)],
        credential_required=section.flag("credential_required", default=True),
        training_required=section.flag("training_required", default=False),
        callers=_member(section, "callers", Callers, Callers.VERIFIED),
        country_code=section.whole("country_code", least=1, most=999, default=86),
        service_numbers=_each(section, "service_numbers", _service_number),
        forward_when_closed=_forward(section, table),
        wrap_up_seconds=section.whole("wrap_up_seconds", most=3600, default=60),
        presence_lease_seconds=section.whole(
            "presence_lease_seconds", least=10, most=7 * 86400, default=SHIFT_SECONDS
        ),
        misses_before_away=section.whole("misses_before_away", least=1, most=100, default=3),
        declines_before_away=section.whole("declines_before_away", least=1, most=100, default=3),
        decline_cooldown_seconds=section.whole("decline_cooldown_seconds", most=86400, default=60),
        announce_seconds=section.whole("announce_seconds", least=10, most=3600, default=60),
        release_when_offline=section.flag("release_when_offline", default=False),
    )
    section.finish()
    return policy


def _hours(section: Section, table: Mapping[str, object]) -> OpeningHours:
    zone = _zone(section)
    windows = _windows(section, table, "hours", None)
    weekdays, workdays_only = _days(section, table)
    early = section.whole("last_admission_before_close_seconds", most=12 * 3600, default=0)
    if any((w.closes_minute - w.opens_minute) * 60 <= early for w in windows):
        section.fault("last_admission_before_close_seconds", "is longer than a window of hours")
    return OpeningHours(
        zone=zone,
        windows=windows,
        weekdays=weekdays,
        workdays_only=workdays_only,
        closed_on=frozenset(_each(section, "closed_on", date.fromisoformat)),
        last_admission_seconds=early,
    )


def _zone(section: Section) -> ZoneInfo:
    name = section.word("zone", default="Asia/Shanghai")
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        section.fault("zone", f'"{name}" is no time zone; write one like "Asia/Shanghai"')
        return ZoneInfo("UTC")


def _windows(
    section: Section, table: Mapping[str, object], key: str, default: str | None
) -> tuple[Window, ...]:
    if isinstance(table.get(key), list):
        windows = _each(section, key, parse_window)
        if not windows:
            section.fault(key, 'holds no window; write "24h" or "10:00-22:00"')
        return windows
    text = section.word(key, default=default)
    return _read(section, key, (text,) if text else (), parse_window)


def _days(section: Section, table: Mapping[str, object]) -> tuple[frozenset[int], bool]:
    if isinstance(table.get("days"), list):
        names = section.words("days")
        unknown = [name for name in names if name not in WEEKDAYS]
        if unknown or not names:
            section.fault("days", f"list some of {', '.join(WEEKDAYS)}")
        return frozenset(WEEKDAYS.index(name) for name in names if name in WEEKDAYS), False
    days = section.word("days", among=("daily", "workdays"), default="daily")
    return EVERY_WEEKDAY, days == "workdays"


def _staff_types(section: Section) -> frozenset[StaffType]:
    return frozenset(_each(section, "staff_types", StaffType))


def _service_number(text: str) -> ServiceNumber:
    """`12356`, or `+862112320075 until 2026-04-30`."""
    number, _, last_day = text.partition(" until ")
    return ServiceNumber(PhoneNumber(number), date.fromisoformat(last_day) if last_day else None)


def _forward(section: Section, table: Mapping[str, object]) -> PhoneNumber | None:
    if "forward_when_closed" not in table:
        return None
    text = section.word("forward_when_closed")
    numbers = _read(section, "forward_when_closed", (text,) if text else (), PhoneNumber)
    return numbers[0] if numbers else None


def _each(section: Section, key: str, read: Callable[[str], T]) -> tuple[T, ...]:
    return _read(section, key, section.words(key, default=()), read)


def _read(
    section: Section, key: str, texts: Iterable[str], read: Callable[[str], T]
) -> tuple[T, ...]:
    values = []
    for text in texts:
        try:
            values.append(read(text))
        except ValueError as wrong:
            section.fault(key, str(wrong))
    return tuple(values)


Word = TypeVar("Word", bound=StrEnum)


def _member(section: Section, key: str, kind: type[Word], default: Word | None) -> Word:
    word = section.word(key, among=[member.value for member in kind], default=default)
    return kind(word) if word else next(iter(kind))


def _member_name(section: Section, key: str, kind: type[Grade] | type[Hospital]) -> str:
    names = [member.name.lower() for member in kind]
    return (section.word(key, among=names, default=names[0]) or names[0]).upper()
