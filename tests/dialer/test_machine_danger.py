"""A person in danger who is not connected yet is held on to (X55)."""

import pytest

from dialer.call import EndReason, State
from dialer.events import (
    BridgeRefused,
    CounselorDeclined,
    CrisisRaised,
    OrderWithdrawn,
    StaffEnded,
    TimerKind,
)
from dialer.orders import Bridge, FactKind, Limit, Ring
from terms.refusals import Refused
from terms.verdict import Role
from tests.dialer.stories import (
    CALLER_LEG,
    COUNSELOR_LEG,
    DIALLED_IN,
    EVERY_STATE,
    bridging,
    queued,
    ringing_second,
    talking,
)


@pytest.mark.rule("X55")
def test_a_crisis_before_the_bridge_means_that_it_gets_no_cap() -> None:
    story = ringing_second().tell(CrisisRaised())
    assert story.facts == (FactKind.CRISIS_RAISED,)
    assert story.tell(CrisisRaised()).effects == ()

    story.answers(Role.COUNSELOR).presses("1")
    assert story.orders == (Bridge((CALLER_LEG, COUNSELOR_LEG), 7200),)
    story.joins(Role.CALLER).joins(Role.COUNSELOR)
    assert story.call.due(TimerKind.CAP) is None
    assert story.call.due(TimerKind.WARN) is None


@pytest.mark.rule("X55")
def test_a_crisis_while_the_bridge_is_made_lifts_the_limits_it_was_ordered_with() -> None:
    story = bridging().tell(CrisisRaised())

    assert story.orders == (Limit(CALLER_LEG, 7200), Limit(COUNSELOR_LEG, 7200))


@pytest.mark.rule("X55")
def test_a_person_in_danger_holds_the_line_however_often_the_counselor_is_missed() -> None:
    story = ringing_second().tell(CrisisRaised())

    for _ in range(10):
        story.tell(CounselorDeclined())
        assert story.call.standing(Role.CALLER) is not None
        assert story.seconds_to(TimerKind.RERING) == 5
        story.wait(5)
        assert any(isinstance(order, Ring) for order in story.orders)
    story.answers(Role.COUNSELOR).presses("1").joins(Role.CALLER).joins(Role.COUNSELOR)
    assert story.state is State.BRIDGED


@pytest.mark.rule("X55")
def test_a_person_in_danger_is_not_let_go_for_a_bridge_that_failed() -> None:
    story = bridging().tell(CrisisRaised()).tell(BridgeRefused())
    assert story.effects == ()

    story.wait(15)

    assert story.orders == (Bridge((CALLER_LEG, COUNSELOR_LEG), 7200),)
    assert story.seconds_to(TimerKind.BRIDGE) == 15


@pytest.mark.rule("X55")
@pytest.mark.parametrize("state", [state for state in EVERY_STATE if state != "ended"])
def test_staff_end_a_call_in_crisis_only_by_a_supervisors_word(
    state: str,
) -> None:
    story = EVERY_STATE[state]().tell(CrisisRaised())
    before = story.call

    with pytest.raises(Refused):
        story.tell(StaffEnded())
    assert story.call == before

    assert story.tell(StaffEnded(confirmed=True)).state is State.ENDED


@pytest.mark.rule("X55")
def test_a_person_in_danger_is_not_let_go_because_the_order_ran_out() -> None:
    story = ringing_second().tell(CrisisRaised()).tell(OrderWithdrawn())
    assert story.effects == ()

    in_queue = queued(dials_in=DIALLED_IN).answers(Role.CALLER).tell(CrisisRaised())
    assert in_queue.tell(OrderWithdrawn()).state is State.QUEUED


@pytest.mark.rule("X55")
def test_a_person_in_danger_is_not_let_go_for_being_silent() -> None:
    story = talking().tell(CrisisRaised()).falls_silent(Role.CALLER)

    story.wait(60)

    assert story.state is State.BRIDGED
    assert story.call.standing(Role.CALLER) is not None


@pytest.mark.rule("X55")
def test_a_silent_caller_in_danger_hides_no_dead_line_of_the_counselor() -> None:
    story = talking().tell(CrisisRaised()).falls_silent(Role.CALLER)
    story.wait(5).falls_silent(Role.COUNSELOR).wait(20)

    assert (story.state, story.call.lost) == (State.PARTED, Role.COUNSELOR)


@pytest.mark.rule("X55")
@pytest.mark.parametrize(
    ("first", "second"), [(Role.CALLER, Role.COUNSELOR), (Role.COUNSELOR, Role.CALLER)]
)
def test_when_every_line_fails_at_once_the_person_in_danger_is_rung_first(
    first: Role, second: Role
) -> None:
    story = talking().tell(CrisisRaised()).drops(first).drops(second)

    assert story.state is State.PARTED
    assert story.call.lost is Role.CALLER
    assert story.call.standing(Role.CALLER) is not None

    found = story.answers(Role.CALLER)
    assert found.call.lost is Role.COUNSELOR
    rejoined = found.answers(Role.COUNSELOR).presses("1")
    assert rejoined.joins(Role.CALLER).joins(Role.COUNSELOR).state is State.BRIDGED


def test_without_danger_a_talk_whose_every_line_failed_is_over() -> None:
    assert talking().drops(Role.CALLER).drops(Role.COUNSELOR).state is State.ENDED


@pytest.mark.rule("X32")
def test_a_call_waits_in_the_queue_for_an_hour_and_then_gives_its_order_back() -> None:
    assert queued().wait(3599).state is State.QUEUED

    story = queued().wait(3600)

    assert story.state is State.ENDED
    assert story.call.end_reason is EndReason.COUNSELOR_NOT_REACHED
    assert story.call.counted == 0


@pytest.mark.rule("X43", "X55")
def test_a_person_in_danger_keeps_their_place_however_long_it_takes() -> None:
    assert queued().tell(CrisisRaised()).wait(3 * 3600).state is State.QUEUED
