"""Late, repeated and unknown: in every state it changes nothing, or cleans up."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest

from dialer import machine
from dialer.call import ENGAGED, Call, EndReason, State, Transfer
from dialer.carriers import (
    KeyPressed,
    LegAnswered,
    LegBridged,
    LegEnded,
    LegRinging,
    MediaLost,
    News,
    ReleaseSide,
)
from dialer.events import CallerHungUp, Timer, TimerFired, TimerKind
from dialer.orders import HangUp
from terms.ids import LegId
from terms.verdict import Role
from tests.dialer.stories import (
    CALLER_LEG,
    EVERY_STATE,
    POLICE,
    Story,
    begin,
    parted,
    talking,
)

Begun = Callable[[], Story]
IN_EVERY_STATE = pytest.mark.parametrize("begun", EVERY_STATE.values(), ids=EVERY_STATE.keys())


def told_so_far(call: Call) -> list[News]:
    """The news whose facts the call holds, as the carrier would tell them again."""
    news: list[News] = []
    for leg in call.legs:
        if leg.ringing_at is not None:
            news.append(LegRinging(leg=leg.id, at=leg.ringing_at))
        if leg.answered_at is not None:
            news.append(LegAnswered(leg=leg.id, at=leg.answered_at))
        if leg.accepted_at is not None:
            news.append(KeyPressed(leg=leg.id, at=leg.accepted_at, digit="1"))
        if leg.bridged_at is not None:
            news.append(LegBridged(leg=leg.id, at=leg.bridged_at))
        if (release := leg.release) is not None:
            news.append(LegEnded(leg=leg.id, at=release.at, by=release.by, q850=release.q850))
    return news


def test_of_every_kind_of_news_it_is_settled_whether_the_timeline_shows_it() -> None:
    assert set(machine._TOLD_AS) == set(get_args(News))


@IN_EVERY_STATE
def test_news_told_twice_changes_nothing_and_orders_nothing(begun: Begun) -> None:
    story = begun().pass_time(1)
    before = story.call

    for news in told_so_far(before):
        assert story.tell(news).call == before
        assert story.effects == ()


@IN_EVERY_STATE
def test_a_leg_that_nobody_knows_is_let_go_and_its_end_is_no_matter(begun: Begun) -> None:
    story = begun()
    before, stray = story.call, LegId("call/caller/99")

    for news in (
        LegRinging(leg=stray, at=story.now),
        LegAnswered(leg=stray, at=story.now),
        LegBridged(leg=stray, at=story.now),
        KeyPressed(leg=stray, at=story.now, digit="1"),
        MediaLost(leg=stray, at=story.now, since=story.now),
    ):
        assert story.tell(news).effects == (HangUp(stray),)
        assert story.call == before
    ended = LegEnded(leg=stray, at=story.now, by=ReleaseSide.PARTY)
    assert story.tell(ended).effects == ()
    assert story.call == before


@IN_EVERY_STATE
def test_a_leg_let_go_that_still_comes_to_life_is_told_again_and_changes_no_state(
    begun: Begun,
) -> None:
    story = begun().tell(CallerHungUp()).pass_time(1)
    state = story.state
    for leg in story.call.legs:
        if leg.answered_at is None and leg.release is None:
            story.tell(LegAnswered(leg=leg.id, at=story.now))
            assert story.orders == (HangUp(leg.id),)
    assert story.state is state


@IN_EVERY_STATE
def test_a_stale_timer_changes_nothing(begun: Begun) -> None:
    story = begun()
    before = story.call

    for kind in TimerKind:
        stale = Timer(kind, story.now - timedelta(seconds=1))
        assert story.tell(TimerFired(stale)).call == before
        assert story.effects == ()


@IN_EVERY_STATE
def test_an_early_timer_changes_nothing(begun: Begun) -> None:
    story = begun()
    before = story.call

    for timer in before.timers:
        story.now = timer.due_at - timedelta(milliseconds=1)
        assert story.tell(TimerFired(timer)).call == before
        assert story.effects == ()


@IN_EVERY_STATE
def test_a_timer_fired_twice_acts_once(begun: Begun) -> None:
    story = begun()
    for timer in story.call.timers:
        if timer.kind is TimerKind.ATTEMPT:
            continue  # it stays due until the desk has found a counselor
        story.now = max(story.now, timer.due_at)
        story.tell(TimerFired(timer))
        before = story.call
        assert story.tell(TimerFired(timer)).call == before
        assert story.effects == ()
        break


@IN_EVERY_STATE
def test_a_counselor_is_claimed_exactly_while_engaged(begun: Begun) -> None:
    call = begun().call

    assert (call.counselor is not None) is (call.state in ENGAGED)


@pytest.mark.rule("X27")
@pytest.mark.parametrize("late", [LegAnswered, LegBridged])
def test_a_phone_answered_too_late_is_let_go_again_and_the_attempt_stays_counted(
    late: type[LegAnswered] | type[LegBridged],
) -> None:
    story = Story().rings(Role.CALLER).wait(30).pass_time(0.1)
    story.tell(late(leg=CALLER_LEG, at=story.now))

    assert story.orders == (HangUp(CALLER_LEG),)
    assert (story.state, story.call.counted) == (State.WAITING, 1)


def test_news_of_a_leg_lost_before_does_not_touch_the_one_that_took_its_place() -> None:
    story = parted(Role.CALLER)
    first = story.call.legs[0]
    state = story.state
    story.tell(LegEnded(leg=first.id, at=story.now, by=ReleaseSide.PARTY, q850=16))

    assert story.state is state
    assert story.call.standing(Role.CALLER) is not None


def test_a_key_pressed_in_a_talk_means_nothing() -> None:
    story = talking()
    before = story.call

    assert story.presses("1", Role.CALLER).orders == ()
    assert story.state is before.state


CONTRADICTIONS: dict[str, Callable[[Call], Call]] = {
    "a talk without a counselor": lambda call: replace(call, counselor=None),
    "somebody lost in a talk": lambda call: replace(call, lost=Role.CALLER),
    "an end before the end": lambda call: replace(call, end_reason=EndReason.LOST),
    "an end without a reason": lambda call: replace(call, state=State.ENDED, counselor=None),
    "a wait that claims a counselor": lambda call: replace(call, state=State.WAITING),
    "a hand-over that keeps the counselor": lambda call: replace(call, handed_over=True),
}


@pytest.mark.parametrize("broken", CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys())
def test_a_call_that_contradicts_itself_cannot_be_made(broken: Callable[[Call], Call]) -> None:
    call = talking().call

    with pytest.raises(AssertionError):
        broken(call)


def test_a_transfer_belongs_to_a_talk() -> None:
    waiting = Story(begins=begin(None, pooled=True)).call

    with pytest.raises(AssertionError):
        replace(waiting, transfer=Transfer(targets=(POLICE,)))
