"""Presence, qualification and what a call does to a counselor."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.counselor import (
    Activity,
    Counselor,
    CounselorState,
    Grade,
    Hospital,
    Lack,
    Presence,
    Requirement,
    StaffType,
    Training,
    Untaken,
    UntakenOffer,
    accepted,
    activity_of,
    claimable,
    claimed,
    declined,
    freed,
    lacks,
    led_away,
    missed,
    renewed,
    set_presence,
    state_of,
    wrapped_up,
)
from routing.matching import choose, release_offered
from routing.policy import parse
from terms.calendar import Workdays
from terms.ids import CallId, ProgramId
from terms.refusals import RefusalCode
from tests.routing.people import (
    HOUR,
    LI,
    MINUTE,
    NEEDS_COUNSELOR,
    NOON,
    SECOND,
    TRAINED,
    WANG,
    ZHAO,
)

CALL = CallId("call-1")
ON_BREAK = replace(LI, presence=Presence.BREAK)
GONE = replace(LI, presence=Presence.OFFLINE)
MISSED_TWICE = (UntakenOffer(CALL, NOON, Untaken.MISSED),) * 2
FREE, BUSY, AWAY = CounselorState.AVAILABLE, CounselorState.BUSY, CounselorState.OFFLINE


@pytest.mark.rule("A26", "D12", "D15")
@pytest.mark.parametrize(
    ("counselor", "engaged", "activity", "state"),
    [
        (LI, None, Activity.FREE, FREE),
        (LI, CALL, Activity.ENGAGED, BUSY),
        (ON_BREAK, None, Activity.BREAK, AWAY),
        (GONE, None, Activity.OFFLINE, AWAY),
        (GONE, CALL, Activity.ENGAGED, BUSY),
        (replace(LI, lease_until=NOON), None, Activity.OFFLINE, AWAY),
        (replace(LI, lease_until=NOON), CALL, Activity.ENGAGED, BUSY),
        (replace(LI, lease_until=NOON + SECOND), None, Activity.FREE, FREE),
        (replace(LI, wrap_up_until=NOON + SECOND), None, Activity.WRAP_UP, BUSY),
        (replace(LI, wrap_up_until=NOON), None, Activity.FREE, FREE),
        (replace(ON_BREAK, wrap_up_until=NOON + SECOND), None, Activity.WRAP_UP, AWAY),
        (replace(ON_BREAK, wrap_up_until=NOON), None, Activity.BREAK, AWAY),
        (replace(GONE, wrap_up_until=NOON + SECOND), None, Activity.OFFLINE, AWAY),
        (replace(LI, cooldown_until=NOON + SECOND), None, Activity.COOLDOWN, BUSY),
        (replace(LI, cooldown_until=NOON), None, Activity.FREE, FREE),
    ],
)
def test_what_a_counselor_is_doing(
    counselor: Counselor, engaged: CallId | None, activity: Activity, state: CounselorState
) -> None:
    assert activity_of(counselor, engaged, NOON) is activity
    assert state_of(counselor, engaged, NOON) is state


@pytest.mark.rule("A26", "A30", "X53")
@pytest.mark.parametrize(
    ("counselor", "engaged", "refusal"),
    [
        (LI, None, None),
        (LI, CALL, RefusalCode.COUNSELOR_BUSY),
        (replace(LI, wrap_up_until=NOON + SECOND), None, RefusalCode.COUNSELOR_BUSY),
        (replace(LI, presence=Presence.BREAK), None, RefusalCode.COUNSELOR_OFFLINE),
        (replace(LI, lease_until=NOON), None, RefusalCode.COUNSELOR_OFFLINE),
        (replace(LI, credential_valid_until=NOON), None, RefusalCode.COUNSELOR_OFFLINE),
        (replace(LI, programs=frozenset[ProgramId]()), None, RefusalCode.COUNSELOR_OFFLINE),
    ],
)
def test_why_a_counselor_cannot_be_called(
    counselor: Counselor, engaged: CallId | None, refusal: RefusalCode | None
) -> None:
    assert claimable(counselor, NEEDS_COUNSELOR, engaged, NOON) is refusal


STRICT = replace(
    NEEDS_COUNSELOR,
    skills=frozenset({"work"}),
    staff_types=frozenset({StaffType.FULL_TIME, StaffType.HOSPITAL}),
    least_grade=Grade.ATTENDING,
    least_hospital=Hospital.GRADE_3A,
    training_required=True,
)
FIT = replace(LI, grade=Grade.ATTENDING, hospital=Hospital.GRADE_3A, training=TRAINED)


@pytest.mark.parametrize(
    ("counselor", "lack"),
    [
        (FIT, None),
        (replace(FIT, grade=Grade.CHIEF, hospital=Hospital.TOP100), None),
        pytest.param(replace(FIT, programs=frozenset[ProgramId]()), Lack.PROGRAM, id="program"),
        pytest.param(replace(FIT, roles=frozenset({"steward"})), Lack.ROLE, id="role"),
        pytest.param(
            replace(FIT, skills=frozenset({"family"})),
            Lack.SKILLS,
            id="skills",
            marks=pytest.mark.rule("A04"),
        ),
        pytest.param(
            replace(FIT, staff_type=StaffType.VOLUNTEER),
            Lack.STAFF_TYPE,
            id="staff",
            marks=pytest.mark.rule("C07", "D22"),
        ),
        pytest.param(
            replace(FIT, grade=Grade.RESIDENT),
            Lack.GRADE,
            id="grade",
            marks=pytest.mark.rule("C12"),
        ),
        pytest.param(
            replace(FIT, hospital=Hospital.NONE),
            Lack.HOSPITAL,
            id="hospital",
            marks=pytest.mark.rule("C12"),
        ),
        pytest.param(
            replace(FIT, credential_verified_at=None),
            Lack.CREDENTIAL,
            id="unverified",
            marks=pytest.mark.rule("A02"),
        ),
        pytest.param(
            replace(FIT, credential_valid_until=None),
            Lack.CREDENTIAL,
            id="no expiry",
            marks=pytest.mark.rule("A02"),
        ),
        pytest.param(
            replace(FIT, credential_valid_until=NOON),
            Lack.CREDENTIAL,
            id="lapsed",
            marks=pytest.mark.rule("A02"),
        ),
    ],
)
def test_what_keeps_a_counselor_from_a_program(counselor: Counselor, lack: Lack | None) -> None:
    assert lacks(counselor, STRICT, NOON) == ((lack,) if lack else ())


@pytest.mark.rule("C14")
def test_an_expert_is_associate_chief_or_above_at_a_top100_hospital() -> None:
    expert = Requirement(
        program=ProgramId("expert-consult"),
        role="expert",
        least_grade=Grade.ASSOCIATE_CHIEF,
        least_hospital=Hospital.TOP100,
    )
    doctor = replace(
        LI,
        programs=frozenset({expert.program}),
        roles=frozenset({"expert"}),
        grade=Grade.ASSOCIATE_CHIEF,
        hospital=Hospital.TOP100,
    )

    assert lacks(doctor, expert, NOON) == ()
    assert lacks(replace(doctor, grade=Grade.ATTENDING), expert, NOON) == (Lack.GRADE,)
    assert lacks(replace(doctor, hospital=Hospital.GRADE_3A), expert, NOON) == (Lack.HOSPITAL,)


@pytest.mark.rule("D28", "X42")
@pytest.mark.parametrize(
    "training",
    [
        replace(TRAINED, theory_class_hours=23),
        replace(TRAINED, theory_passed_on=None),
        replace(TRAINED, practice_days=6),
        replace(TRAINED, practice_passed_on=None),
        replace(TRAINED, assessment_passed_on=None),
    ],
)
def test_nobody_takes_hotline_calls_before_every_step_of_the_training(training: Training) -> None:
    untrained = replace(FIT, training=training)

    assert lacks(untrained, STRICT, NOON) == (Lack.TRAINING,)
    assert lacks(untrained, replace(STRICT, training_required=False), NOON) == ()


@pytest.mark.rule("D12")
def test_presence_holds_as_long_as_its_lease() -> None:
    here = set_presence(replace(LI, presence=Presence.OFFLINE), Presence.AVAILABLE, NOON, 90)

    assert state_of(here, None, NOON + 89 * SECOND) is FREE
    assert state_of(here, None, NOON + 90 * SECOND) is AWAY
    kept = renewed(here, NOON + 60 * SECOND, 90)
    assert state_of(kept, None, NOON + 149 * SECOND) is FREE


def test_a_lapsed_lease_is_not_revived_by_a_late_heartbeat() -> None:
    lapsed = replace(LI, lease_until=NOON)

    assert renewed(lapsed, NOON, 90) == lapsed


@pytest.mark.rule("D12")
def test_going_offline_needs_no_lease_and_does_not_touch_a_running_call() -> None:
    gone = set_presence(LI, Presence.OFFLINE, NOON, 90)

    assert gone.lease_until is None
    assert state_of(gone, None, NOON) is AWAY
    assert state_of(gone, CALL, NOON) is BUSY


def test_coming_back_joins_the_end_of_the_idle_but_saying_so_again_does_not() -> None:
    pause = set_presence(replace(LI, untaken=MISSED_TWICE), Presence.BREAK, NOON, 90)
    back = set_presence(pause, Presence.AVAILABLE, NOON + MINUTE, 90)

    assert pause.idle_since == LI.idle_since
    assert (back.idle_since, back.untaken) == (NOON + MINUTE, ())
    assert set_presence(LI, Presence.AVAILABLE, NOON, 90).idle_since == LI.idle_since


@pytest.mark.rule("A30")
def test_three_missed_offers_in_a_row_send_a_counselor_on_a_break() -> None:
    once = missed(LI, CALL, NOON, misses_before_away=3)
    twice = missed(once, CALL, NOON, misses_before_away=3)
    thrice = missed(twice, CALL, NOON + SECOND, 3, Untaken.FAULT)

    assert [one.presence for one in (once, twice, thrice)] == ["available", "available", "break"]
    assert (once.sent_away_at, thrice.sent_away_at) == (None, NOON + SECOND)
    assert [one.why for one in led_away(thrice)] == ["missed", "missed", "fault"]
    again = missed(accepted(twice), CALL, NOON, misses_before_away=3)
    assert again.presence is Presence.AVAILABLE


def test_a_miss_does_not_bring_back_who_went_offline_meanwhile() -> None:
    gone = set_presence(replace(LI, untaken=MISSED_TWICE), Presence.OFFLINE, NOON, 90)

    still_gone = missed(gone, CALL, NOON, misses_before_away=3)

    assert (still_gone.presence, still_gone.sent_away_at) == (Presence.OFFLINE, None)


def test_whoever_declines_gets_no_offer_for_a_while() -> None:
    missed_twice = replace(LI, untaken=MISSED_TWICE)
    turned_down = declined(missed_twice, CALL, NOON, 60, declines_before_away=3)

    assert claimable(turned_down, NEEDS_COUNSELOR, None, NOON + 59 * SECOND) is (
        RefusalCode.COUNSELOR_BUSY
    )
    assert claimable(turned_down, NEEDS_COUNSELOR, None, NOON + 60 * SECOND) is None
    assert [one.why for one in turned_down.untaken] == ["declined"]  # being there, they miss none


@pytest.mark.rule("D12")
def test_after_a_talk_the_counselor_has_time_for_the_notes() -> None:
    writing = freed(LI, NOON, wrap_up_seconds=60)

    assert activity_of(writing, None, NOON + 59 * SECOND) is Activity.WRAP_UP
    assert activity_of(writing, None, NOON + 60 * SECOND) is Activity.FREE
    assert writing.idle_since == NOON + 60 * SECOND


def test_notes_written_early_free_the_counselor_and_late_ones_change_nothing() -> None:
    writing = freed(LI, NOON, wrap_up_seconds=60)
    done = wrapped_up(writing, NOON + 10 * SECOND)

    assert activity_of(done, None, NOON + 10 * SECOND) is Activity.FREE
    assert done.idle_since == NOON + 10 * SECOND
    assert wrapped_up(writing, NOON + MINUTE) == writing
    assert freed(LI, NOON, wrap_up_seconds=0).wrap_up_until is None


def test_a_pool_takes_who_has_been_idle_longest_unless_the_preferred_is_free() -> None:
    everybody = [(LI, None), (WANG, None), (ZHAO, None)]

    assert choose(everybody, NEEDS_COUNSELOR, NOON) == ZHAO
    assert choose(everybody, NEEDS_COUNSELOR, NOON, prefer=LI.id) == LI
    assert choose([(LI, CALL), (WANG, None)], NEEDS_COUNSELOR, NOON, prefer=LI.id) == WANG
    assert choose([(LI, CALL)], NEEDS_COUNSELOR, NOON) is None


def test_who_missed_an_offer_stands_behind_the_others() -> None:
    missing = missed(claimed(ZHAO, NOON), CALL, NOON, misses_before_away=3)

    assert choose([(missing, None), (LI, None)], NEEDS_COUNSELOR, NOON) == LI


@pytest.mark.rule("X04")
@pytest.mark.parametrize(
    ("allowed", "state", "hours_later", "offered"),
    [
        (True, AWAY, 10, True),
        (True, AWAY, 9, False),  # 21:00: the counselor may still come
        (True, FREE, 10, False),
        (False, AWAY, 10, False),
    ],
)
def test_release_from_an_absent_counselor_is_offered_when_the_day_is_over(
    allowed: bool, state: CounselorState, hours_later: int, offered: bool
) -> None:
    table = {"hours": "10:00-22:00", "zone": "Asia/Shanghai", "matching": "named", "role": "x"}
    policy = parse({**table, "release_when_offline": allowed})

    assert release_offered(policy, state, NOON + hours_later * HOUR, Workdays()) is offered


@pytest.mark.rule("X04")
def test_by_default_the_caller_stays_bound_to_the_counselor() -> None:
    policy = parse({"hours": "24h", "matching": "named", "role": "x"})

    assert policy.release_when_offline is False


Step = Callable[[Counselor, timedelta], Counselor]
STEPS: list[Step] = [
    lambda c, at: set_presence(c, Presence.AVAILABLE, NOON + at, 90),
    lambda c, at: set_presence(c, Presence.BREAK, NOON + at, 90),
    lambda c, at: set_presence(c, Presence.OFFLINE, NOON + at, 90),
    lambda c, at: renewed(c, NOON + at, 90),
    lambda c, at: claimed(c, NOON + at),
    lambda c, at: accepted(c),
    lambda c, at: missed(c, CALL, NOON + at, 3),
    lambda c, at: declined(c, CALL, NOON + at, 60, 3),
    lambda c, at: freed(c, NOON + at, 60),
    lambda c, at: wrapped_up(c, NOON + at),
]


@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 200)), max_size=30))
def test_whatever_happens_a_counselor_who_says_nothing_more_comes_to_rest_offline(
    steps: list[tuple[Step, int]],
) -> None:
    counselor, elapsed = LI, timedelta()
    counselor = set_presence(counselor, Presence.AVAILABLE, NOON, 90)
    for step, seconds in steps:
        elapsed += timedelta(seconds=seconds)
        counselor = step(counselor, elapsed)
        assert bool(led_away(counselor)) == (counselor.sent_away_at is not None)

    assert state_of(counselor, None, NOON + elapsed + timedelta(seconds=90)) is AWAY
    back = set_presence(counselor, Presence.AVAILABLE, NOON + elapsed + HOUR, 90)
    assert claimable(back, NEEDS_COUNSELOR, None, NOON + elapsed + HOUR) is None
