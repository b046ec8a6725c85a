import pytest

from dialer.carriers import CarrierRefused, CarrierUnknown, CarrierUnreachable
from dialer.orders import Answer, Bridge, HangUp, Limit, Ring, Say
from terms.ids import LegId
from terms.verdict import Role
from warmline.workers.asking_again import (
    MOST_TRIES,
    Next,
    after_fault,
    aside_seconds,
    is_asked_again,
    is_dropped,
)

LEG = LegId("call/caller/1")
BUSY = CarrierRefused("429")
GONE = CarrierRefused("leg_gone", sip=481)
NO_ANSWER, NEVER_SENT = CarrierUnknown(), CarrierUnreachable()


@pytest.mark.rule("X55")
def test_a_limit_that_a_busy_carrier_would_not_lift_is_lifted_in_a_moment() -> None:
    assert is_asked_again(Limit(LEG, 7200), BUSY)
    assert is_asked_again(HangUp(LEG), BUSY)


def test_nothing_is_asked_of_a_leg_that_is_gone() -> None:
    assert not is_asked_again(Limit(LEG, 7200), GONE)
    assert not is_asked_again(HangUp(LEG), GONE)


@pytest.mark.parametrize(
    "order",
    [Ring(LEG, Role.CALLER, None, 30), Bridge((LEG,), 900), Say(LEG, "queued"), Answer(LEG)],
)
def test_what_the_dialer_tries_again_by_itself_is_news_to_it(
    order: Ring | Bridge | Say | Answer,
) -> None:
    assert not is_asked_again(order, BUSY)


def test_a_prompt_is_tried_again_only_while_it_cannot_have_been_heard() -> None:
    prompt = Say(LEG, "queued")

    assert after_fault(prompt, NEVER_SENT, 1, was_sent=False) is Next.AGAIN
    assert after_fault(prompt, NO_ANSWER, 1, was_sent=False) is Next.GIVEN_UP
    assert after_fault(prompt, NEVER_SENT, 1, was_sent=True) is Next.GIVEN_UP
    assert is_dropped(prompt, was_sent=True)
    assert not is_dropped(prompt, was_sent=False)


def test_a_bridge_that_may_have_stood_is_refused_only_after_news_had_time_to_come() -> None:
    bridge = Bridge((LEG,), 900)
    again = [after_fault(bridge, GONE, tries, was_sent=True) for tries in range(1, 7)]

    assert again == [Next.AGAIN] * 5 + [Next.REFUSED]
    assert after_fault(bridge, GONE, 1, was_sent=False) is Next.REFUSED


@pytest.mark.rule("X55")
def test_a_limit_steps_aside_for_longer_each_time_and_is_never_given_up() -> None:
    for why in (BUSY, NO_ANSWER, NEVER_SENT):
        assert after_fault(Limit(LEG, 7200), why, MOST_TRIES, was_sent=True) is Next.ASIDE
    assert after_fault(Limit(LEG, 7200), GONE, 1, was_sent=False) is Next.REFUSED
    assert [aside_seconds(times) for times in (0, 1, 2, 3, 50)] == [0.5, 1, 2, 4, 4]


def test_anything_else_is_given_up_in_the_end() -> None:
    ring = Ring(LEG, Role.CALLER, None, 30)

    assert after_fault(ring, NO_ANSWER, MOST_TRIES - 1, was_sent=True) is Next.AGAIN
    assert after_fault(ring, NO_ANSWER, MOST_TRIES, was_sent=True) is Next.GIVEN_UP
    assert after_fault(ring, BUSY, 1, was_sent=False) is Next.REFUSED
