"""Who and what the demo is made of. Every name is made up, and so is every number."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from dialer.carriers.simulated.script import BY_HAND, Answers, Script
from routing.counselor import Grade, Hospital, Presence, StaffType
from routing.transfer import AgencyKind
from terms.ids import CounselorId, ProgramId, TargetId
from terms.phone import PhoneNumber
from warmline.people import StaffRole

LISTENING = ProgramId("psych-listening")
DOCTOR = ProgramId("family-doctor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A counselor of the demo. `answers_after_seconds` None: somebody works the phone by hand."""

    id: CounselorId
    name: str
    program: ProgramId
    number: PhoneNumber
    credential: str
    skills: frozenset[str] = frozenset()
    presence: Presence = Presence.AVAILABLE
    answers_after_seconds: float | None = 3.0
    grade: Grade = Grade.NONE
    hospital: Hospital = Hospital.NONE
    staff_type: StaffType = StaffType.FULL_TIME

    @property
    def script(self) -> Script:
        """What the phone does by itself: it is answered, and then accepts by pressing 1."""
        if self.answers_after_seconds is None:
            return BY_HAND
        return Script(answers=Answers.YES, after_seconds=self.answers_after_seconds, presses="1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """A line that may take over a person in danger, with a phone that answers by itself."""

    id: TargetId
    name: str
    kind: AgencyKind
    number: PhoneNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A member of staff of the demo."""

    email: str
    roles: frozenset[StaffRole]
    counselor: CounselorId | None = None
    sponsor: str | None = None


def _listener(
    place: int,
    name: str,
    *skills: str,
    presence: Presence = Presence.AVAILABLE,
    after: float | None = 3.0,
) -> Role:
    return Role(
        id=CounselorId(f"counselor_demo_{place:02}"),
        name=name,
        program=LISTENING,
        number=PhoneNumber(f"+86138001390{place:02}"),
        credential="国家二级心理咨询师",
        skills=frozenset(skills),
        presence=presence,
        answers_after_seconds=after,
    )


def _doctor(place: int, name: str, grade: Grade, title: str) -> Role:
    return Role(
        id=CounselorId(f"counselor_demo_{place:02}"),
        name=name,
        program=DOCTOR,
        number=PhoneNumber(f"+86138001390{place:02}"),
        credential=title,
        staff_type=StaffType.HOSPITAL,
        grade=grade,
        hospital=Hospital.GRADE_3A,
    )


COUNSELORS = (
    _listener(1, "陈昕", "work_stress"),
    _listener(2, "苏晓", "love_and_marriage", after=4.0),
    _listener(3, "王安然", "parenting", after=2.0),
    _listener(4, "周宁", "family_conflict"),
    _listener(5, "林静", "work_stress", after=None),
    _listener(6, "赵明远", "family_conflict", presence=Presence.BREAK),
    _listener(7, "何悦", "parenting", presence=Presence.OFFLINE),
    _doctor(8, "刘文博", Grade.CHIEF, "主任医师"),
    _doctor(9, "孙雅", Grade.ASSOCIATE_CHIEF, "副主任医师"),
    _doctor(10, "郑和平", Grade.ATTENDING, "主治医师"),
)

AGENCIES = (
    Agency(
        id=TargetId("target_demo_police"),
        name="110 报警服务台",
        kind=AgencyKind.POLICE,
        number=PhoneNumber("110"),
    ),
    Agency(
        id=TargetId("target_demo_ambulance"),
        name="120 急救中心",
        kind=AgencyKind.AMBULANCE,
        number=PhoneNumber("120"),
    ),
    Agency(
        id=TargetId("target_demo_hotline"),
        name="12356 心理援助热线",
        kind=AgencyKind.HOTLINE,
        number=PhoneNumber("12356"),
    ),
)
AGENCY_ANSWERS = Script(answers=Answers.YES, after_seconds=5.0)

LOGINS = (
    Login(
        email="linjing@example.com",
        roles=frozenset({StaffRole.COUNSELOR}),
        counselor=CounselorId("counselor_demo_05"),
    ),
    Login(
        email="support@example.com",
        roles=frozenset(
            {StaffRole.SUPERVISOR, StaffRole.SUPPORT, StaffRole.STEWARD, StaffRole.OPERATOR}
        ),
    ),
    Login(
        email="insurer@example.com",
        roles=frozenset({StaffRole.INSURER}),
        sponsor="default",
    ),
)

CALLERS = tuple(PhoneNumber(f"+86138001380{place:02}") for place in range(1, 6))
"""Their phones are worked by hand. The page calls from the first one."""

READY_ORDER = (CALLERS[-1], DOCTOR)
"""An order that is open already: this caller may press the button at once."""

VOUCHERS: Mapping[ProgramId, int] = MappingProxyType({LISTENING: 5})
"""How many codes are there to be redeemed, at any time."""
