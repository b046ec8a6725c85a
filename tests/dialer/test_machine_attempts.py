"""What counts as an attempt, how far apart they are, and when it is enough."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dialer.call import EndReason, State
from dialer.carriers import ReleaseSide
from dialer.events import CounselorClaimed, CounselorUnavailable, TimerKind
from dialer.orders import Fact, FactKind, Ring
from terms.ids import LegId
from terms.verdict import Role
from tests.dialer.stories import (
    ANA,
    CALLER_FIRST,
    DIALLED_IN,
    NOON,
    Story,
    begin,
    queued,
    ringing_first,
    waiting,
)

PARTY, _, CARRIER, UNKNOWN = ReleaseSide


@pytest.mark.rule("X27", "C25", "C27")
@pytest.mark.parametrize(
    ("by", "q850", "counted", "faults", "then"),
    [
        (PARTY, 17, 1, 0, None),
        (CARRIER, 18, 1, 0, None),
        (CARRIER, 19, 1, 0, None),
        (CARRIER, 20, 1, 0, None),
        (PARTY, 21, 1, 0, None),
        (CARRIER, 34, 0, 1, None),
        (CARRIER, 41, 0, 1, None),
        (UNKNOWN, None, 0, 1, None),
        (CARRIER, 28, 0, 1, EndReason.INVALID_NUMBER),
        (CARRIER, 1, 0, 1, EndReason.INVALID_NUMBER),
        (PARTY, 16, 0, 1, EndReason.WITHDRAWN),
    ],
)
def test_what_counts_and_what_does_not(
    by: ReleaseSide, q850: int | None, counted: int, faults: int, then: EndReason | None
) -> None:
    story = ringing_first().ends(Role.CALLER, by, q850)

    assert (story.call.counted, story.call.faults) == (counted, faults)
    assert story.call.end_reason is then
    assert story.state is (State.ENDED if then else State.WAITING)
    assert story.call.counselor is None


@pytest.mark.rule("X27")
def test_ringing_out_counts_only_if_the_phone_was_heard_to_ring() -> None:
    assert ringing_first().rings(Role.CALLER).wait(30).call.counted == 1
    assert ringing_first().wait(30).call.counted == 0


@pytest.mark.rule("X27", "C25", "C27", "C31")
def test_there_are_exactly_three_counted_attempts_spaced_as_the_program_says() -> None:
    story = ringing_first()
    spacings = []
    while story.state is not State.ENDED:
        story.ends(Role.CALLER, PARTY, 17)
        if story.state is State.WAITING:
            spacings.append(story.seconds_to(TimerKind.ATTEMPT))
            story.wait(spacings[-1])

    assert spacings == [180, 300]
    assert story.call.end_reason is EndReason.NOT_REACHED
    assert (story.call.counted, story.call.attempt) == (3, 3)
    assert sum(isinstance(effect, Ring) for effect in story.all_effects) == 3


@pytest.mark.rule("X27")
def test_attempts_of_the_orders_earlier_calls_count_too() -> None:
    story = Story(begins=begin(counted=2)).ends(Role.CALLER, PARTY, 17)

    assert (story.call.end_reason, story.call.counted) == (EndReason.NOT_REACHED, 3)


def test_the_timeline_says_whether_an_attempt_counted() -> None:
    (failed,) = [
        effect
        for effect in waiting().effects
        if isinstance(effect, Fact) and effect.kind is FactKind.ATTEMPT_FAILED
    ]

    assert failed.detail == {"failure": "busy", "counts": True, "counted": 1}


@pytest.mark.rule("X27")
def test_faults_are_bounded_apart_and_never_count() -> None:
    story = ringing_first()
    for _ in range(2):
        story.drops(Role.CALLER)
        assert story.seconds_to(TimerKind.ATTEMPT) == 20
        story.wait(20)
    story.drops(Role.CALLER)

    assert story.call.end_reason is EndReason.FAULT
    assert (story.call.counted, story.call.faults) == (0, 3)


@pytest.mark.rule("X27")
def test_a_fault_between_counted_attempts_takes_none_of_them() -> None:
    story = waiting().wait(180).drops(Role.CALLER).wait(20)
    story.ends(Role.CALLER, PARTY, 21).wait(300).ends(Role.CALLER, PARTY, 21)

    assert story.call.end_reason is EndReason.NOT_REACHED
    assert (story.call.counted, story.call.attempt) == (3, 4)


@pytest.mark.rule("X27")
def test_no_phone_rings_before_the_appointed_time() -> None:
    appointed = NOON + timedelta(hours=2)
    story = Story(begins=begin(not_before=appointed))

    assert (story.state, story.call.counselor) == (State.WAITING, None)
    assert story.due(TimerKind.ATTEMPT) == appointed
    assert story.orders == ()
    assert story.wait(7200).state is State.RINGING_FIRST


@pytest.mark.rule("X27")
def test_an_appointment_whose_time_has_come_is_rung_at_once() -> None:
    assert Story(begins=begin(not_before=NOON)).state is State.RINGING_FIRST


@pytest.mark.rule("X27")
def test_attempts_of_one_call_never_overlap() -> None:
    story = ringing_first().ends(Role.CALLER, PARTY, 17).wait(180)
    before = story.call

    assert story.tell(CounselorClaimed(ANA)).call == before
    assert story.effects == ()


def test_every_attempt_claims_the_counselor_anew_and_names_its_leg() -> None:
    story = waiting().wait(180)

    assert story.call.counselor == ANA
    assert FactKind.COUNSELOR_CLAIMED in story.facts
    assert story.orders == (Ring(LegId("call/caller/2"), Role.CALLER, None, 30),)
    assert story.call.due(TimerKind.ATTEMPT) is None


@pytest.mark.rule("A39")
def test_a_caller_who_presses_again_brings_the_attempt_forward() -> None:
    story = waiting().pass_time(10).tell(CounselorClaimed(ANA))

    assert story.state is State.RINGING_FIRST
    assert story.call.due(TimerKind.ATTEMPT) is None


def test_a_counselor_who_is_taken_is_asked_for_again_up_to_thirty_times() -> None:
    story = waiting().pass_time(180)
    for _ in range(29):
        story.tell(CounselorUnavailable("counselor_busy"))
        assert story.state is State.WAITING
        assert story.seconds_to(TimerKind.ATTEMPT) == 20
    story.tell(CounselorUnavailable("counselor_busy"))

    assert story.call.end_reason is EndReason.COUNSELOR_NOT_REACHED
    assert story.call.counted == 1


def test_each_attempt_starts_the_asking_anew() -> None:
    story = waiting().tell(CounselorUnavailable("counselor_busy")).tell(CounselorClaimed(ANA))

    assert story.call.counselor_waits == 0


def test_a_pool_has_a_queue_instead() -> None:
    story = Story(begins=begin(pooled=True)).ends(Role.CALLER, PARTY, 17)
    story.tell(CounselorUnavailable("counselor_busy"))
    assert story.state is State.QUEUED

    assert story.tell(CounselorUnavailable("counselor_busy")).effects == ()
    assert story.tell(CounselorClaimed(ANA)).state is State.RINGING_FIRST


def test_the_caller_who_came_by_phone_hears_why_there_is_nobody() -> None:
    story = Story(begins=begin(None), dials_in=DIALLED_IN).answers(Role.CALLER)
    story.tell(CounselorUnavailable("counselor_offline"))

    assert ("counselor_offline", 6) in {(getattr(order, "prompt", ""), 6) for order in story.orders}
    assert story.state is State.WAITING
    assert not list(story.call.all_standing())


@pytest.mark.rule("X27")
def test_one_attempt_may_be_all_a_program_has() -> None:
    policy = replace(CALLER_FIRST, attempts=1, attempt_spacing_seconds=())
    story = Story(policy).ends(Role.CALLER, PARTY, 17)

    assert story.call.end_reason is EndReason.NOT_REACHED


def test_a_queued_caller_who_dialled_in_is_put_to_the_counselor_when_their_turn_comes() -> None:
    story = queued(dials_in=DIALLED_IN).answers(Role.CALLER).tell(CounselorClaimed(ANA))

    assert story.state is State.RINGING_SECOND
    assert Ring(LegId("call/counselor/1"), Role.COUNSELOR, ANA, 30) in story.orders


def test_a_queued_caller_still_being_answered_is_waited_for() -> None:
    story = queued(dials_in=DIALLED_IN).tell(CounselorClaimed(ANA))
    assert story.state is State.RINGING_FIRST
    assert story.seconds_to(TimerKind.RING) == 30

    assert story.answers(Role.CALLER).state is State.RINGING_SECOND
