"""The caller's own phone dials us: it is taken, or turned away, and never lost."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from dialer.call import State
from dialer.events import (
    CallerDialledIn,
    TimerKind,
)
from dialer.orders import Answer, Bridge, HangUp, Ring
from terms.ids import LegId
from terms.verdict import Role
from tests.dialer.stories import (
    ANA,
    CALLER_LEG,
    COUNSELOR_FIRST,
    COUNSELOR_LEG,
    DIALLED_IN,
    Story,
    ringing_first,
    ringing_second,
)


def test_a_caller_who_dials_in_is_answered_and_then_the_counselor_is_rung() -> None:
    story = Story(dials_in=DIALLED_IN)
    assert story.orders == (Answer(DIALLED_IN),)
    assert story.state is State.RINGING_FIRST

    story = story.answers(Role.CALLER)

    assert story.state is State.RINGING_SECOND
    assert Ring(COUNSELOR_LEG, Role.COUNSELOR, ANA, 30) in story.orders


def test_a_dial_in_goes_before_the_programs_ring_order_and_only_for_that_attempt() -> None:
    story = Story(replace(COUNSELOR_FIRST, fault_spacing_seconds=20), dials_in=DIALLED_IN)
    assert story.call.ring_first is Role.CALLER
    story.answers(Role.CALLER).drops(Role.CALLER)

    story = story.wait(20)

    assert story.call.ring_first is Role.COUNSELOR
    assert Ring(LegId("call/counselor/2"), Role.COUNSELOR, ANA, 30) in story.orders


@pytest.mark.rule("A39")
def test_a_caller_who_dials_in_while_we_ring_them_comes_by_their_own_leg() -> None:
    story = ringing_first().pass_time(29)
    story.tell(CallerDialledIn(DIALLED_IN, story.now))

    assert story.orders == (HangUp(CALLER_LEG), Answer(DIALLED_IN))
    assert story.seconds_to(TimerKind.RING) == 30
    assert story.answers(Role.CALLER).state is State.RINGING_SECOND


def test_a_caller_who_dials_in_while_the_counselor_is_rung_first_is_joined_at_once() -> None:
    story = ringing_first(COUNSELOR_FIRST)
    story.tell(CallerDialledIn(DIALLED_IN, story.now)).answers(Role.CALLER)
    assert story.state is State.RINGING_FIRST

    story.answers(Role.COUNSELOR).presses("1")

    assert Bridge((COUNSELOR_LEG, DIALLED_IN), 1502) in story.orders


def test_a_counselor_rung_first_who_is_missed_while_the_caller_holds_is_rung_again() -> None:
    story = ringing_first(COUNSELOR_FIRST)
    story.tell(CallerDialledIn(DIALLED_IN, story.now)).answers(Role.CALLER).wait(30)
    assert story.call.standing(Role.CALLER) is not None

    story.answers(Role.COUNSELOR).presses("1")

    assert any(isinstance(order, Bridge) for order in story.orders)


def test_a_second_phone_of_the_caller_is_turned_away_once_they_are_on_the_line() -> None:
    story = ringing_second()
    story.tell(CallerDialledIn(DIALLED_IN, story.now))

    assert story.orders == (HangUp(DIALLED_IN),)
    assert story.call.leg(DIALLED_IN) is None


@pytest.mark.parametrize("tell_first", [0, 1, 2, 3])
def test_a_dial_in_told_twice_never_costs_the_caller_the_line(tell_first: int) -> None:
    story = Story(dials_in=DIALLED_IN)
    steps: tuple[Callable[[], Story], ...] = (
        lambda: story.answers(Role.CALLER),
        lambda: story.answers(Role.COUNSELOR).presses("1"),
        lambda: story.joins(Role.CALLER).joins(Role.COUNSELOR),
    )
    for step in steps[:tell_first]:
        step()
    before = story.call

    story.tell(CallerDialledIn(DIALLED_IN, story.now))

    assert (story.call, story.effects) == (before, ())


@pytest.mark.rule("X27")
def test_a_dial_in_that_we_could_not_take_is_no_attempt_of_the_callers() -> None:
    story = Story(dials_in=DIALLED_IN).wait(30)

    assert (story.state, story.call.counted, story.call.faults) == (State.WAITING, 0, 1)
