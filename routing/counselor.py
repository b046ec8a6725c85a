"""Who may be offered a call, and what a counselor is doing right now.

Presence is an intention with a lease that the console renews. Busy is never stored: it is read
from the calls that live (the view `engaged_counselors`), so no event can forget to clear it.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum, StrEnum

from terms.ids import CallId, CounselorId, ProgramId
from terms.refusals import RefusalCode
from terms.values import changer, quickly_made, replace

THEORY_CLASS_HOURS = 24  # D28
MISS_COOLDOWN_SECONDS = 15
"""A phone that was busy or not picked up a moment ago is not offered the very next call."""

PRACTICE_DAYS = 7  # D28: at least one week


class Presence(StrEnum):
    """What the counselor means to do."""

    AVAILABLE = "available"
    BREAK = "break"
    OFFLINE = "offline"


# Asked of every copy of a counselor, and a member asked of its enumeration is slow to answer.
_AVAILABLE, _BREAK, _OFFLINE = Presence.AVAILABLE, Presence.BREAK, Presence.OFFLINE


class CounselorState(StrEnum):
    """What a caller is told (contract)."""

    AVAILABLE = "available"
    BUSY = "busy"
    OFFLINE = "offline"


class Activity(StrEnum):
    """What staff see: `CounselorState` in finer words."""

    FREE = "free"
    ENGAGED = "engaged"  # a live call holds the counselor
    WRAP_UP = "wrap_up"  # writing the notes of the last call
    COOLDOWN = "cooldown"  # has just declined an offer
    BREAK = "break"
    OFFLINE = "offline"  # by intention, or because the lease ran out


class Untaken(StrEnum):
    """Why an offer came to nothing on the counselor's side."""

    MISSED = "missed"  # rung, and not taken
    DECLINED = "declined"
    FAULT = "fault"  # the phone could not be rung


_DECLINED = Untaken.DECLINED


class StaffType(StrEnum):
    """How a counselor is employed (C07, D22)."""

    FULL_TIME = "full_time"
    HOSPITAL = "hospital"  # in post at a hospital
    VOLUNTEER = "volunteer"


class Grade(IntEnum):
    """A physician's rank; higher is more (C12, C14)."""

    NONE = 0
    RESIDENT = 1
    ATTENDING = 2
    ASSOCIATE_CHIEF = 3
    CHIEF = 4


class Hospital(IntEnum):
    """The standing of the hospital a physician works at; a TOP100 hospital is Grade 3A too."""

    NONE = 0
    GRADE_3A = 1
    TOP100 = 2


class Lack(StrEnum):
    """One thing that keeps a counselor from a program."""

    PROGRAM = "program"
    ROLE = "role"
    SKILLS = "skills"
    STAFF_TYPE = "staff_type"
    GRADE = "grade"
    HOSPITAL = "hospital"
    CREDENTIAL = "credential"  # never verified, or run out (A02)
    TRAINING = "training"  # theory, practice or assessment is missing (D28)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What a program asks of whoever answers its calls."""

    program: ProgramId
    role: str
    skills: frozenset[str] = frozenset()
    staff_types: frozenset[StaffType] = frozenset()  # empty: any
    least_grade: Grade = Grade.NONE
    least_hospital: Hospital = Hospital.NONE
    credential_required: bool = True
    training_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """The gate to take hotline calls: three passed steps with their dates (D28, X42)."""

    theory_class_hours: int = 0
    theory_passed_on: date | None = None
    practice_days: int = 0
    practice_passed_on: date | None = None
    assessment_passed_on: date | None = None

    @property
    def is_complete(self) -> bool:
        """24 class hours of theory, a week of practice and the assessment, all passed."""
        return (
            self.theory_class_hours >= THEORY_CLASS_HOURS
            and self.theory_passed_on is not None
            and self.practice_days >= PRACTICE_DAYS
            and self.practice_passed_on is not None
            and self.assessment_passed_on is not None
        )


@dataclass(frozen=True, slots=True)
class UntakenOffer:
    """An offer that was not taken, and when that was known."""

    call: CallId
    at: datetime
    why: Untaken


@dataclass(frozen=True, slots=True, kw_only=True)
class Counselor:
    """A person who answers calls. `number_sealed` is opened only to ring the phone.

    `idle_since` orders the free by how long they have been waiting; a claim moves it forward, so
    whoever missed an offer stands behind those who did not. `untaken` are the offers in a row that
    were not taken; where they led to the break that goes on, `sent_away_at` says since when.
    """

    id: CounselorId
    name: str
    programs: frozenset[ProgramId]
    roles: frozenset[str]
    idle_since: datetime
    number_sealed: bytes = b""
    skills: frozenset[str] = frozenset()
    staff_type: StaffType = StaffType.FULL_TIME
    grade: Grade = Grade.NONE
    hospital: Hospital = Hospital.NONE
    credential: str = ""
    credential_verified_at: datetime | None = None
    credential_valid_until: datetime | None = None
    training: Training = Training()
    presence: Presence = Presence.OFFLINE
    lease_until: datetime | None = None
    wrap_up_until: datetime | None = None
    cooldown_until: datetime | None = None
    untaken: tuple[UntakenOffer, ...] = ()
    sent_away_at: datetime | None = None

    def __post_init__(self) -> None:
        assert self.presence is _OFFLINE or self.lease_until is not None
        assert self.sent_away_at is None or self.presence is _BREAK


def lacks(counselor: Counselor, requirement: Requirement, now: datetime) -> tuple[Lack, ...]:
    """Everything that keeps `counselor` from the requirement; empty when qualified."""
    verified, valid_until = counselor.credential_verified_at, counselor.credential_valid_until
    credential_holds = verified is not None and valid_until is not None and now < valid_until
    staff_fits = not requirement.staff_types or counselor.staff_type in requirement.staff_types
    missing = (
        requirement.program not in counselor.programs,
        requirement.role not in counselor.roles,
        not requirement.skills <= counselor.skills,
        not staff_fits,
        counselor.grade < requirement.least_grade,
        counselor.hospital < requirement.least_hospital,
        requirement.credential_required and not credential_holds,
        requirement.training_required and not counselor.training.is_complete,
    )
    if True not in missing:
        return ()
    return tuple(lack for lack, is_missing in zip(Lack, missing, strict=True) if is_missing)


def activity_of(counselor: Counselor, engaged: CallId | None, now: datetime) -> Activity:
    """What the counselor is doing at `now`; a live call outweighs every intention.

    A break asked for while notes are written begins when the wrap-up ends.
    """
    if engaged is not None:
        return Activity.ENGAGED
    if counselor.presence is _OFFLINE or not _is_ahead(counselor.lease_until, now):
        return Activity.OFFLINE
    if _is_ahead(counselor.wrap_up_until, now):
        return Activity.WRAP_UP
    if counselor.presence is _BREAK:
        return Activity.BREAK
    if _is_ahead(counselor.cooldown_until, now):
        return Activity.COOLDOWN
    return _FREE


_FREE = Activity.FREE


def state_of(counselor: Counselor, engaged: CallId | None, now: datetime) -> CounselorState:
    """The contract's word for what the counselor is doing (A26, D12).

    Nobody is told to wait for the end of a wrap-up that a break follows.
    """
    if engaged is None and counselor.presence is _BREAK:
        return CounselorState.OFFLINE
    return _TOLD_AS[activity_of(counselor, engaged, now)]


_TOLD_AS = {
    Activity.FREE: CounselorState.AVAILABLE,
    Activity.ENGAGED: CounselorState.BUSY,
    Activity.WRAP_UP: CounselorState.BUSY,
    Activity.COOLDOWN: CounselorState.BUSY,
    Activity.BREAK: CounselorState.OFFLINE,
    Activity.OFFLINE: CounselorState.OFFLINE,
}


def claimable(
    counselor: Counselor, requirement: Requirement, engaged: CallId | None, now: datetime
) -> RefusalCode | None:
    """Why a call may not take this counselor now; None when it may (A26, X53).

    Somebody not qualified (any more) is offline to the caller: waiting would not help.
    """
    if lacks(counselor, requirement, now):
        return RefusalCode.COUNSELOR_OFFLINE
    return _REFUSED_AS[state_of(counselor, engaged, now)]


_REFUSED_AS = {
    CounselorState.AVAILABLE: None,
    CounselorState.BUSY: RefusalCode.COUNSELOR_BUSY,
    CounselorState.OFFLINE: RefusalCode.COUNSELOR_OFFLINE,
}


def set_presence(
    counselor: Counselor, presence: Presence, now: datetime, lease_seconds: int
) -> Counselor:
    """Take the counselor's word for it, for `lease_seconds`.

    Coming back (also after a lapsed lease) joins the end of the idle and forgives untaken offers.
    """
    if presence is not _BREAK and counselor.sent_away_at is not None:
        counselor = replace(counselor, sent_away_at=None)
    if presence is _OFFLINE:
        return _present(counselor, presence, None)
    lease_until = now + timedelta(seconds=lease_seconds)
    if presence is _AVAILABLE and not _means_to_work(counselor, now):
        counselor = replace(counselor, idle_since=now, untaken=(), cooldown_until=None)
    return _present(counselor, presence, lease_until)


_present = changer(Counselor, "presence", "lease_until")


def renewed(counselor: Counselor, now: datetime, lease_seconds: int) -> Counselor:
    """A sign of life from the console. A lapsed lease is not revived: the counselor must say so."""
    if not _is_ahead(counselor.lease_until, now):
        return counselor
    return replace(counselor, lease_until=now + timedelta(seconds=lease_seconds))


def claimed(counselor: Counselor, now: datetime) -> Counselor:
    """A call has taken the counselor: the next offer goes to everybody else first."""
    return _idle_since(counselor, now)


_idle_since = changer(Counselor, "idle_since")


def accepted(counselor: Counselor) -> Counselor:
    """The offer was taken: untaken offers before it no longer count.

    Where they led to a break that goes on, they stay its reason: the call rang on meanwhile.
    """
    if counselor.sent_away_at is not None or not counselor.untaken:
        return counselor
    return replace(counselor, untaken=())


def missed(
    counselor: Counselor,
    call: CallId,
    now: datetime,
    misses_before_away: int,
    why: Untaken = Untaken.MISSED,
) -> Counselor:
    """An offer rang out. After too many in a row the counselor goes on break until they return."""
    until = now + timedelta(seconds=MISS_COOLDOWN_SECONDS)
    counselor = replace(counselor, cooldown_until=until)
    untaken = (*counselor.untaken, UntakenOffer(call, now, why))
    misses = sum(offer.why is not _DECLINED for offer in untaken)
    return _untaken(counselor, untaken, now, is_too_many=misses >= misses_before_away)


def declined(
    counselor: Counselor,
    call: CallId,
    now: datetime,
    cooldown_seconds: int,
    declines_before_away: int,
) -> Counselor:
    """An offer was turned down: no further one for a while. Being present, it is no miss.

    Who turns down too many in a row goes on break as well: they are there, and do not take calls.
    """
    until = now + timedelta(seconds=cooldown_seconds)
    counselor = replace(counselor, cooldown_until=until, idle_since=max(until, now))
    before = [offer for offer in counselor.untaken if offer.why is _DECLINED]
    untaken = (*before, UntakenOffer(call, now, _DECLINED))
    return _untaken(counselor, untaken, now, is_too_many=len(untaken) >= declines_before_away)


def _untaken(
    counselor: Counselor, untaken: tuple[UntakenOffer, ...], now: datetime, *, is_too_many: bool
) -> Counselor:
    """Whoever chose otherwise meanwhile, or is gone, stays with that.

    A call may go on ringing who was just sent away: that is no reason of the break any more.
    """
    if counselor.sent_away_at is not None:
        return counselor
    counselor = replace(counselor, untaken=untaken)
    if not is_too_many or not _means_to_work(counselor, now):
        return counselor
    return replace(counselor, presence=_BREAK, sent_away_at=now)


def led_away(counselor: Counselor) -> tuple[UntakenOffer, ...]:
    """The offers for which the counselor was sent on the break that goes on; else none."""
    if counselor.sent_away_at is None:
        return ()
    by_declining = counselor.untaken[-1].why is _DECLINED
    return tuple(offer for offer in counselor.untaken if (offer.why is _DECLINED) is by_declining)


def freed(counselor: Counselor, now: datetime, wrap_up_seconds: int) -> Counselor:
    """The call let go of the counselor. Idle time begins when the wrap-up ends."""
    until = now + timedelta(seconds=wrap_up_seconds)
    return _wraps_up(counselor, until if wrap_up_seconds else None, until)


_wraps_up = changer(Counselor, "wrap_up_until", "idle_since")


def wrapped_up(counselor: Counselor, now: datetime) -> Counselor:
    """The notes are written before the wrap-up ran out; later than that changes nothing."""
    if not _is_ahead(counselor.wrap_up_until, now):
        return counselor
    return replace(counselor, wrap_up_until=None, idle_since=now)


def _means_to_work(counselor: Counselor, now: datetime) -> bool:
    return counselor.presence is _AVAILABLE and _is_ahead(counselor.lease_until, now)


def _is_ahead(instant: datetime | None, now: datetime) -> bool:
    return instant is not None and now < instant
