"""A talk is rated once it is over; a bad rating is never left unseen."""

from dataclasses import replace
from datetime import timedelta

import pytest

from billing.order import ClosedBy, Order, State, cancel, expire
from billing.rating import Rating, Scores, is_low, rate
from billing.settling import settle
from terms.refusals import RefusalCode, Refused
from terms.verdict import VerdictKind
from tests.billing.stories import ANA, DAY, MINUTE, NOON, POLICY, an_order, ended
from tests.billing.test_settling import talking

GOOD = Scores(timeliness=5, quality=4, attitude=3)
AFTER = NOON + 30 * MINUTE


def completed() -> Order:
    """A talk that is over."""
    return settle(talking(), ended(), POLICY, NOON + 20 * MINUTE).order


def interrupted() -> Order:
    """A talk whose rest can be used."""
    return settle(talking(), ended(VerdictKind.SYSTEM_DROP), POLICY, NOON + 20 * MINUTE).order


@pytest.mark.rule("B14", "B15", "C09", "C32")
def test_a_completed_talk_is_rated_by_three_scores() -> None:
    rating = rate(completed(), None, GOOD, POLICY, AFTER)

    assert (rating.scores.each, rating.counselor) == ((5, 4, 3), ANA)
    closed = cancel(interrupted(), ClosedBy.CALLER, "no", AFTER).order
    assert rate(closed, None, GOOD, POLICY, AFTER).order == closed.id


@pytest.mark.rule("C32")
def test_what_is_not_completed_is_not_rated() -> None:
    never = expire(an_order(), NOON + DAY).order
    assert never.state is State.EXPIRED

    for order in (an_order(), talking(), interrupted(), never):
        with pytest.raises(Refused) as refused:
            rate(order, None, GOOD, POLICY, AFTER)
        assert refused.value.code is RefusalCode.NOT_COMPLETED


def test_a_rating_can_be_changed_for_a_day_after_the_first() -> None:
    first = rate(completed(), None, GOOD, POLICY, AFTER)
    bad = replace(GOOD, attitude=1)

    changed = rate(completed(), first, bad, POLICY, AFTER + DAY - timedelta(seconds=1))

    assert changed == Rating(
        order=first.order,
        counselor=ANA,
        scores=bad,
        first_rated_at=AFTER,
        rated_at=AFTER + DAY - timedelta(seconds=1),
    )
    with pytest.raises(Refused) as refused:
        rate(completed(), changed, GOOD, POLICY, AFTER + DAY)
    assert refused.value.code is RefusalCode.NOT_NOW


@pytest.mark.rule("B21")
@pytest.mark.parametrize(
    ("scores", "low"),
    [
        ((5, 5, 5), False),
        ((3, 3, 3), False),
        ((2, 5, 5), True),
        ((5, 1, 5), True),
        ((5, 5, 2), True),
    ],
)
def test_one_bad_score_is_enough_to_be_looked_at(scores: tuple[int, int, int], low: bool) -> None:
    timeliness, quality, attitude = scores
    rating = rate(
        completed(),
        None,
        Scores(timeliness=timeliness, quality=quality, attitude=attitude),
        POLICY,
        AFTER,
    )

    assert is_low(rating, POLICY) == low
    assert not is_low(rating, replace(POLICY, low_rating=0))
