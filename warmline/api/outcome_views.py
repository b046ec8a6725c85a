"""What came of a talk, as its caller may see it: their rating, their claim."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from billing.claim import Claim, Decision, Remedy, State
from billing.rating import Rating
from billing.store.claims import Words
from warmline.desk.claim_writing import opened_words
from warmline.http.model import Instant, Model
from warmline.seal import AesSeal


class DecisionView(Model):
    """What was decided, and why in the words of whoever did."""

    decision: Remedy
    reason: str
    decided_at: Instant

    @classmethod
    def of(cls, decision: Decision | None, reason: str) -> "DecisionView | None":
        """None while nothing is decided."""
        if decision is None:
            return None
        return cls(decision=decision.remedy, reason=reason, decided_at=decision.at)


class ClaimView(Model):
    """A claim of one's own."""

    id: str
    order: str
    call: str | None
    state: State
    opened_at: Instant
    filed_at: Instant | None
    due_at: Instant
    """By when it is decided, by support or on appeal by the insurer."""

    decision: DecisionView | None
    appeal_until: Instant | None
    """A rejection may be appealed until then."""

    appealed_at: Instant | None
    appeal_decision: DecisionView | None
    """The insurer's: the last word."""

    @classmethod
    def of(cls, claim: Claim, reasons: Mapping[str, str]) -> "ClaimView":
        """A claim as its caller sees it; `reasons` by the kind of the decision."""
        return cls(**claim_seen(claim, reasons))


class RatingView(Model):
    """A rating as it stands."""

    order: str
    timeliness: int
    quality: int
    attitude: int
    rated_at: Instant
    change_until: Instant | None
    """Until when another may take its place; null where the time is unknown."""

    @classmethod
    def of(cls, rating: Rating, change_seconds: int | None) -> "RatingView":
        """The three scores; for `change_seconds` from the first they may be given anew."""
        scores, until = rating.scores, None
        if change_seconds is not None:
            until = rating.first_rated_at + timedelta(seconds=change_seconds)
        return cls(
            order=rating.order,
            timeliness=scores.timeliness,
            quality=scores.quality,
            attitude=scores.attitude,
            rated_at=rating.rated_at,
            change_until=until,
        )


def claim_seen(claim: Claim, reasons: Mapping[str, str]) -> dict[str, Any]:
    """What everybody who may see the claim sees of it."""
    return {
        "id": claim.id,
        "order": claim.order,
        "call": claim.call,
        "state": claim.state,
        "opened_at": claim.opened_at,
        "filed_at": claim.filed_at,
        "due_at": claim.due_at,
        "decision": DecisionView.of(claim.decision, reasons.get("decided", "")),
        "appeal_until": claim.appeal_until,
        "appealed_at": claim.appealed_at,
        "appeal_decision": DecisionView.of(
            claim.appeal_decision, reasons.get("appeal_decided", "")
        ),
    }


def reasons_among(seal: AesSeal, words: Sequence[Words]) -> dict[str, str]:
    """Why it was decided so, by the kind of the decision: `decided`, `appeal_decided`."""
    return {
        one.kind: opened_words(seal, one).get("reason", "")
        for one in words
        if one.kind in ("decided", "appeal_decided")
    }
