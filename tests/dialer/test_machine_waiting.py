"""Between attempts and in the queue: no counselor is held, and the caller may come and go."""

from datetime import timedelta

import pytest

from dialer.call import EndReason, State
from dialer.events import (
    CallerDialledIn,
    CallerHungUp,
    CapExtended,
    CounselorAccepted,
    CounselorClaimed,
    CounselorDeclined,
    CounselorHungUp,
    CounselorUnavailable,
    CrisisRaised,
    OrderWithdrawn,
    PlaceCounted,
    StaffEnded,
    TimerFired,
    TimerKind,
    TransferRequested,
)
from dialer.machine.waiting import position_prompt, wait_prompts
from dialer.orders import Answer, FactKind, HangUp, Say
from terms.refusals import Refused
from terms.verdict import Role
from tests.dialer.stories import (
    ANA,
    DIALLED_IN,
    NOON,
    POLICE,
    Story,
    begin,
    queued,
    waiting,
)


@pytest.mark.parametrize("rest", [waiting, queued])
@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (CallerHungUp(), EndReason.WITHDRAWN),
        (StaffEnded(), EndReason.STAFF),
        (OrderWithdrawn(), EndReason.ORDER_OVER),
    ],
)
def test_people_and_the_orders_end_can_stop_it(
    rest: type[Story], event: CallerHungUp | StaffEnded | OrderWithdrawn, reason: EndReason
) -> None:
    story = rest().tell(event)

    assert story.call.end_reason is reason
    assert story.call.counselor is None


@pytest.mark.parametrize("rest", [waiting, queued])
@pytest.mark.parametrize(
    "event",
    [CounselorAccepted(), CounselorHungUp(), CapExtended(60), TransferRequested((POLICE,))],
)
def test_without_a_counselor_no_counselor_can_do_anything(
    rest: type[Story],
    event: CounselorAccepted | CounselorHungUp | CapExtended | TransferRequested,
) -> None:
    story = rest()
    before = story.call

    with pytest.raises(Refused):
        story.tell(event)
    assert story.call == before


def test_a_due_attempt_waits_for_its_counselor() -> None:
    story = waiting()
    due = next(timer for timer in story.call.timers if timer.kind is TimerKind.ATTEMPT)
    story.pass_time(180)
    before = story.call

    assert story.tell(TimerFired(due)).call == before


@pytest.mark.rule("A39")
def test_a_caller_who_dials_in_between_attempts_brings_the_next_forward() -> None:
    story = waiting().pass_time(10)
    story.tell(CallerDialledIn(DIALLED_IN, story.now))

    assert story.orders == (Answer(DIALLED_IN),)
    assert story.seconds_to(TimerKind.ATTEMPT) == 0
    assert story.answers(Role.CALLER).wait(0).state is State.RINGING_SECOND


@pytest.mark.rule("X27")
def test_dialing_in_does_not_bring_an_appointment_forward() -> None:
    appointed = NOON + timedelta(hours=1)
    story = Story(begins=begin(not_before=appointed))
    story.tell(CallerDialledIn(DIALLED_IN, story.now))

    assert story.due(TimerKind.ATTEMPT) == appointed


def test_a_queued_caller_hears_that_they_wait() -> None:
    story = queued(dials_in=DIALLED_IN)
    assert Answer(DIALLED_IN) in story.orders

    assert story.answers(Role.CALLER).orders == (
        Say(DIALLED_IN, "greeting"),
        Say(DIALLED_IN, "queued"),
    )


@pytest.mark.rule("X43")
def test_a_queued_caller_is_told_their_place_at_once_and_again_until_their_turn() -> None:
    story = queued(dials_in=DIALLED_IN).answers(Role.CALLER)
    assert story.seconds_to(TimerKind.ANNOUNCE) == 0

    story.tell(PlaceCounted(3, 540, 60))

    assert story.orders == (Say(DIALLED_IN, "position_3"), Say(DIALLED_IN, "wait_10"))
    assert story.facts == (FactKind.PLACE_TOLD,)
    assert story.seconds_to(TimerKind.ANNOUNCE) == 60
    alone = story.pass_time(60).tell(PlaceCounted(1, None, 60)).orders
    assert alone == (Say(DIALLED_IN, "position_1"),)
    story.tell(CounselorClaimed(ANA))
    assert story.call.due(TimerKind.ANNOUNCE) is None


@pytest.mark.rule("X43")
@pytest.mark.parametrize(
    ("seconds", "prompts"),
    [
        (None, ()),
        (0, ("wait_1",)),
        (60, ("wait_1",)),
        (61, ("wait_2",)),
        (3600, ("wait_60",)),
        (3601, ("wait_long",)),
    ],
)
def test_an_estimate_is_never_told_shorter_than_it_is(
    seconds: int | None, prompts: tuple[str, ...]
) -> None:
    assert wait_prompts(seconds) == prompts


def test_far_back_in_the_queue_the_number_is_not_told() -> None:
    assert (position_prompt(20), position_prompt(21)) == ("position_20", "position_far")


def test_who_waits_off_the_line_is_told_nothing_by_it() -> None:
    in_app = queued()
    assert in_app.call.due(TimerKind.ANNOUNCE) is None

    gone = queued(dials_in=DIALLED_IN).answers(Role.CALLER).drops(Role.CALLER)
    assert gone.tell(PlaceCounted(1, 60, 60)).orders == ()
    assert gone.call.due(TimerKind.ANNOUNCE) is None


@pytest.mark.rule("X43")
def test_whoever_falls_back_into_the_queue_hears_their_place_anew() -> None:
    story = queued(dials_in=DIALLED_IN).answers(Role.CALLER).tell(CounselorClaimed(ANA))
    story.tell(CounselorDeclined())

    assert story.state is State.QUEUED
    assert story.seconds_to(TimerKind.ANNOUNCE) == 0


def test_a_caller_who_hangs_up_in_the_queue_leaves_it() -> None:
    story = queued(dials_in=DIALLED_IN).answers(Role.CALLER).hangs_up(Role.CALLER)

    assert story.call.end_reason is EndReason.WITHDRAWN


def test_a_caller_whose_line_fails_in_the_queue_keeps_their_place() -> None:
    story = queued(dials_in=DIALLED_IN).answers(Role.CALLER).drops(Role.CALLER)

    assert story.state is State.QUEUED


def test_a_new_phone_of_the_caller_takes_the_place_of_the_old_one() -> None:
    story = queued(dials_in=DIALLED_IN).answers(Role.CALLER)
    again = type(DIALLED_IN)("in-2")
    story.tell(CallerDialledIn(again, story.now))

    assert story.orders == (HangUp(DIALLED_IN), Answer(again))


@pytest.mark.rule("X55")
@pytest.mark.parametrize("rest", [waiting, queued])
def test_a_crisis_is_marked_once(rest: type[Story]) -> None:
    story = rest().tell(CrisisRaised())
    assert story.call.crisis
    assert story.facts == (FactKind.CRISIS_RAISED,)

    assert story.tell(CrisisRaised()).effects == ()


@pytest.mark.rule("X55")
def test_a_person_in_danger_is_kept_on_the_line_while_the_counselor_is_taken() -> None:
    story = Story(begins=begin(None), dials_in=DIALLED_IN).answers(Role.CALLER)
    story.tell(CrisisRaised())

    for _ in range(40):
        story.tell(CounselorUnavailable("counselor_busy"))

    assert story.state is State.WAITING
    assert story.seconds_to(TimerKind.ATTEMPT) == 20
    assert story.call.standing(Role.CALLER) is not None
