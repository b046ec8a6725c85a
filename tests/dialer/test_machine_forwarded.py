"""Who dials a closed line is brought to one that is open: closed is never silence (X39)."""

import pytest

from dialer.call import Call, EndReason, State
from dialer.carriers import ReleaseSide
from dialer.events import CallerHungUp, TimerKind
from dialer.machine import start_forwarded
from dialer.orders import Answer, Bridge, CarrierOrder, FactKind, HangUp, Ring, Say
from dialer.policy import LONGEST_CALL_SECONDS
from terms.ids import LegId
from terms.verdict import EndedBy, Role, VerdictKind
from tests.dialer.stories import COUNSELOR_FIRST, DIALLED_IN, NOON, Story, begin

AGENCY_LEG = LegId("call/agency/1")


def forwarded() -> Story:
    """Their phone dialled in while nobody of ours is there."""
    story = Story(COUNSELOR_FIRST)
    begins = begin(None, None)
    story.call, story.effects = start_forwarded(begins, DIALLED_IN, story.policy, NOON)
    return story


def taken() -> Story:
    return forwarded().answers(Role.CALLER)


def talks() -> Story:
    return taken().answers(Role.AGENCY).joins(Role.CALLER).joins(Role.AGENCY)


def nobody_is_left(call: Call) -> bool:
    return call.state is State.ENDED and not list(call.all_standing())


@pytest.mark.rule("X39")
def test_a_forwarded_caller_hears_why_and_talks_with_the_other_line() -> None:
    story = forwarded()
    first: tuple[CarrierOrder, ...] = (Answer(DIALLED_IN),)
    assert story.orders == first
    assert FactKind.FORWARDED in story.facts

    story.answers(Role.CALLER)
    then: tuple[CarrierOrder, ...] = (
        Ring(AGENCY_LEG, Role.AGENCY, None, 30),
        Say(DIALLED_IN, "outside_hours"),
        Say(DIALLED_IN, "forwarding"),
    )
    assert story.orders == then
    story.answers(Role.AGENCY)
    last: tuple[CarrierOrder, ...] = (Bridge((DIALLED_IN, AGENCY_LEG), LONGEST_CALL_SECONDS),)
    assert story.orders == last
    story.joins(Role.CALLER).joins(Role.AGENCY)

    assert story.state is State.BRIDGED
    assert story.call.counselor is None
    assert story.call.due(TimerKind.CAP) is None
    story.pass_time(7000).hangs_up(Role.AGENCY)
    verdict = story.call.verdict
    assert verdict is not None
    assert (verdict.kind, verdict.by) == (VerdictKind.PARTY_ENDED, EndedBy.AGENCY)
    assert nobody_is_left(story.call)


@pytest.mark.rule("X39")
def test_a_line_that_does_not_answer_is_told_and_never_silence() -> None:
    story = taken().wait(30)

    assert Say(DIALLED_IN, "nobody_reached") in story.orders
    assert HangUp(DIALLED_IN, 6) in story.orders
    assert story.call.end_reason is EndReason.FORWARD_NOT_REACHED
    assert nobody_is_left(story.call)


@pytest.mark.parametrize("q850", [17, 21, 41])
def test_a_line_that_cannot_be_reached_ends_it_at_once(q850: int) -> None:
    story = taken().ends(Role.AGENCY, ReleaseSide.CARRIER, q850)

    assert story.call.end_reason is EndReason.FORWARD_NOT_REACHED
    assert Say(DIALLED_IN, "nobody_reached") in story.orders


def test_a_caller_who_puts_it_down_meanwhile_is_gone() -> None:
    assert taken().hangs_up(Role.CALLER).call.end_reason is EndReason.WITHDRAWN
    assert nobody_is_left(taken().tell(CallerHungUp()).call)


@pytest.mark.parametrize("fails", ["taking it", "the bridge"])
def test_a_fault_ends_it_too_for_there_is_no_attempt_to_wait_for(fails: str) -> None:
    story = forwarded() if fails == "taking it" else taken().answers(Role.AGENCY)
    story.wait(30)

    assert story.call.end_reason is EndReason.FAULT
    assert nobody_is_left(story.call)


def test_a_lost_line_of_the_other_side_is_rung_again() -> None:
    story = talks().pass_time(60).drops(Role.AGENCY)

    assert (story.state, story.call.lost) == (State.PARTED, Role.AGENCY)
    story.answers(Role.AGENCY).joins(Role.AGENCY)
    assert story.state is State.BRIDGED
