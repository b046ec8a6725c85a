"""What a caller thinks of a talk: three scores, once it is over (B14, B15, C09, C32). Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.order import Order, State
from billing.policy import HIGHEST_SCORE, Policy
from terms.ids import CounselorId, OrderId
from terms.refusals import RefusalCode, Refused

_OVER = frozenset({State.COMPLETED, State.CLOSED})
"""They talked, and no more of the talk can be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """From 1, bad, to 5, good."""

    timeliness: int
    quality: int
    attitude: int

    def __post_init__(self) -> None:
        assert all(1 <= score <= HIGHEST_SCORE for score in self.each)

    @property
    def each(self) -> tuple[int, int, int]:
        """All three."""
        return self.timeliness, self.quality, self.attitude


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """One order's rating. What was written beside it is not here: it is kept under seal."""

    order: OrderId
    counselor: CounselorId | None
    scores: Scores
    first_rated_at: datetime
    rated_at: datetime


def rate(
    order: Order, before: Rating | None, scores: Scores, policy: Policy, now: datetime
) -> Rating:
    """The order rated; for `rating_change_seconds` a later rating takes the place of the first.

    Raises Refused: not_completed while the service goes on or never took place, not_now when it was
    rated and the time to change that is over.
    """
    if order.state not in _OVER:
        raise Refused(
            RefusalCode.NOT_COMPLETED, "A talk can be rated once it is over; this order is not."
        )
    if before is not None:
        until = before.first_rated_at + timedelta(seconds=policy.rating_change_seconds)
        if now >= until:
            raise Refused(
                RefusalCode.NOT_NOW, "You have rated this talk; it can be no longer changed."
            )
    return Rating(
        order=order.id,
        counselor=order.counselor,
        scores=scores,
        first_rated_at=now if before is None else before.first_rated_at,
        rated_at=now,
    )


def is_low(rating: Rating, policy: Policy) -> bool:
    """Whether somebody has to look at it: one score is enough (B21)."""
    return min(rating.scores.each) <= policy.low_rating
