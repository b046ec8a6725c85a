"""A claim: somebody has to look at what a call did to its order, and decide. Pure.

`open -> decided -> appealed -> closed`. The caller files it, the desk opens it for a call that it
cannot settle by itself (a review), or a bad rating does; whoever comes later joins the open one. It
is decided by support, and by the insurer when a rejection is appealed (B65).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from billing.order import Review, ReviewReason
from billing.policy import Policy
from terms.ids import CallId, ClaimId, OrderId
from terms.refusals import RefusalCode, Refused
from terms.values import replace


class State(StrEnum):
    """What is true of the claim now."""

    OPEN = "open"  # support has to decide
    DECIDED = "decided"  # support has; a rejection may be appealed for a while
    APPEALED = "appealed"  # the insurer has to decide
    CLOSED = "closed"  # the insurer has: the last word
    WITHDRAWN = "withdrawn"  # a better verdict left nothing to look at, and nobody had asked


UNDECIDED = frozenset({State.OPEN, State.APPEALED})
"""States in which somebody's clock runs."""


class Remedy(StrEnum):
    """What a decision gives."""

    RESUME = "resume"  # the rest of the talk, at least some minutes, with the same voucher (X07)
    REISSUE = "reissue"  # a new voucher with the old end date (A36, X10)
    REJECT = "reject"  # nothing: things stay as they are


class Ground(StrEnum):
    """Why there is a claim; one may have several."""

    FILED = "filed"  # the caller asked (A28, A41)
    REVIEW = "review"  # the desk could not settle the call by itself
    LOW_RATING = "low_rating"  # B21


class Alarm(StrEnum):
    """What the clock says before, and when, it is too late."""

    ESCALATED = "escalated"
    BREACHED = "breached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Who decided what, and when. Why is written beside it, under seal."""

    remedy: Remedy
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim. `call` is None when the order never had one.

    `due_at`, `escalated_at` and `breached_at` belong to the stage at hand: support's, and after an
    appeal the insurer's. `version` is the store's: it counts what was written.
    """

    id: ClaimId
    order: OrderId
    call: CallId | None
    state: State
    opened_at: datetime
    due_at: datetime
    escalate_at: datetime
    filed_at: datetime | None = None
    review: ReviewReason | None = None
    low_rating: bool = False
    escalated_at: datetime | None = None
    breached_at: datetime | None = None
    decision: Decision | None = None
    appeal_until: datetime | None = None
    appealed_at: datetime | None = None
    sponsor: str | None = None  # whose insurer it was taken to
    appeal_decision: Decision | None = None
    version: int = 0

    def __post_init__(self) -> None:
        assert self.grounds
        decided = self.state in (State.DECIDED, State.APPEALED, State.CLOSED)
        assert (self.decision is not None) == decided
        assert (self.appealed_at is not None) == (self.state in (State.APPEALED, State.CLOSED))
        assert (self.appealed_at is None) == (self.sponsor is None)
        assert (self.appeal_decision is not None) == (self.state is State.CLOSED)
        assert self.escalate_at <= self.due_at

    @property
    def grounds(self) -> tuple[Ground, ...]:
        """Every reason for which it is there."""
        held = {
            Ground.FILED: self.filed_at is not None,
            Ground.REVIEW: self.review is not None,
            Ground.LOW_RATING: self.low_rating,
        }
        return tuple(ground for ground, holds in held.items() if holds)

    @property
    def alarm_at(self) -> datetime | None:
        """When the clock next has something to say; None once it has said all, or stands."""
        if self.state not in UNDECIDED or self.breached_at is not None:
            return None
        return self.escalate_at if self.escalated_at is None else self.due_at


def review_id(call: CallId) -> ClaimId:
    """The claim of a call's review bears the call's own number: a call is reviewed once."""
    return ClaimId(f"claim_{call.removeprefix('call_')}")


def of_review(review: Review) -> Claim:
    """The claim that a call's review opens."""
    return Claim(
        id=review_id(review.call),
        order=review.order,
        call=review.call,
        state=State.OPEN,
        opened_at=review.opened_at,
        due_at=review.due_at,
        escalate_at=review.escalate_at,
        review=review.reason,
    )


def require_in_time(ended_at: datetime | None, policy: Policy, now: datetime) -> None:
    """Raises Refused(claim_too_late) from `claim_seconds` after `ended_at` on, at whatever hour
    that is (A28, X16). What has not ended is in time.
    """
    if ended_at is None:
        return
    until = ended_at + timedelta(seconds=policy.claim_seconds)
    if now >= until:
        raise Refused(
            RefusalCode.CLAIM_TOO_LATE,
            f"A claim can be filed within {_hours(policy.claim_seconds)} of the end of the call: "
            f"this one could be until {until.isoformat(timespec='minutes')}.",
        )


def file(
    newest: Claim | None,
    *,
    id: ClaimId,
    order: OrderId,
    call: CallId | None,
    policy: Policy,
    now: datetime,
) -> Claim:
    """The caller asks. `newest` is the last claim about the same call: an open one is joined, be it
    their own, a review or a bad rating's, and its clock never runs later than it did.

    Raises Refused(not_now) when what they asked was decided: a rejection is appealed instead.
    """
    if newest is not None and newest.state is State.OPEN:
        return replace(_joined(newest, policy, now), filed_at=newest.filed_at or now)
    unheard = newest is not None and newest.state is State.DECIDED and newest.filed_at is None
    if newest is None or newest.state is State.WITHDRAWN or unheard:
        due_at, escalate_at = _clock(policy, now)
        return Claim(
            id=id,
            order=order,
            call=call,
            state=State.OPEN,
            opened_at=now,
            due_at=due_at,
            escalate_at=escalate_at,
            filed_at=now,
        )
    raise Refused(
        RefusalCode.NOT_NOW, "Your claim about this call was decided; a rejection can be appealed."
    )


def rated_low(
    newest: Claim | None,
    *,
    id: ClaimId,
    order: OrderId,
    call: CallId | None,
    policy: Policy,
    now: datetime,
) -> Claim:
    """A bad rating is looked at, with an open claim about the call or by one of its own (B21)."""
    if newest is not None and newest.state is State.OPEN:
        return replace(_joined(newest, policy, now), low_rating=True)
    due_at, escalate_at = _clock(policy, now)
    return Claim(
        id=id,
        order=order,
        call=call,
        state=State.OPEN,
        opened_at=now,
        due_at=due_at,
        escalate_at=escalate_at,
        low_rating=True,
    )


def decide(claim: Claim, remedy: Remedy, by: str, policy: Policy, now: datetime) -> Claim:
    """Support decides, once; a rejection may be appealed for `appeal_seconds`.

    Raises Refused(not_now) when it is decided already, or nothing is left to decide.
    """
    match claim.state:
        case State.OPEN:
            rejected = remedy is Remedy.REJECT
            until = now + timedelta(seconds=policy.appeal_seconds)
            return replace(
                claim,
                state=State.DECIDED,
                decision=Decision(remedy=remedy, by=by, at=now),
                appeal_until=until if rejected else None,
            )
        case State.WITHDRAWN:
            raise _not_now("A better verdict settled this call; nothing is left to decide.")
        case State.DECIDED | State.APPEALED | State.CLOSED:
            assert claim.decision is not None
            raise _not_now(f"This claim has been decided already: {claim.decision.remedy}.")


def appeal(
    claim: Claim, sponsor: str, policy: Policy, now: datetime, heard: Claim | None = None
) -> Claim:
    """The caller takes a rejection to the sponsor's insurer, once (B65), whose clock starts.

    `heard` is another claim about the same call that was decided: one appeal is enough for both.
    Raises Refused: not_now when there is no rejection, or it was appealed; claim_too_late.
    """
    if heard is not None and heard.appealed_at is not None:
        raise _not_now("This call was taken to the insurer once, who has the last word.")
    match claim.state:
        case State.OPEN:
            raise _not_now("This claim is still being looked at; it can be appealed if rejected.")
        case State.WITHDRAWN:
            raise _not_now("There is nothing to appeal: the call was settled otherwise.")
        case State.APPEALED | State.CLOSED:
            raise _not_now("This claim was appealed once; the insurer has the last word.")
        case State.DECIDED:
            if claim.appeal_until is None:
                raise _not_now("Only a rejection can be appealed.")
            if now >= claim.appeal_until:
                until = claim.appeal_until.isoformat(timespec="minutes")
                raise Refused(RefusalCode.CLAIM_TOO_LATE, f"It could be appealed until {until}.")
            due_at, escalate_at = _clock(policy, now)
            return replace(
                claim,
                state=State.APPEALED,
                appealed_at=now,
                sponsor=sponsor,
                due_at=due_at,
                escalate_at=escalate_at,
                escalated_at=None,
                breached_at=None,
            )


def decide_appeal(claim: Claim, remedy: Remedy, by: str, now: datetime) -> Claim:
    """The insurer decides: the last word (B65). Raises Refused(not_now)."""
    if claim.state is not State.APPEALED:
        raise _not_now("There is no appeal to decide, or it has been decided.")
    decision = Decision(remedy=remedy, by=by, at=now)
    return replace(claim, state=State.CLOSED, appeal_decision=decision)


def ring(claim: Claim, now: datetime) -> tuple[Claim, Alarm | None]:
    """What the clock says at `now`: first that time is running out, then that it has (B19).

    Told once each; a look that comes too late tells of the second at its next turn.
    """
    if claim.alarm_at is None or now < claim.alarm_at:
        return claim, None
    if claim.escalated_at is None:
        return replace(claim, escalated_at=now), Alarm.ESCALATED
    return replace(claim, breached_at=now), Alarm.BREACHED


def _clock(policy: Policy, now: datetime) -> tuple[datetime, datetime]:
    """When a claim that somebody has to decide from `now` on is due, and when that is told."""
    due_at = now + timedelta(seconds=policy.claim_decide_seconds)
    return due_at, due_at - timedelta(seconds=policy.claim_escalate_seconds)


def _joined(claim: Claim, policy: Policy, now: datetime) -> Claim:
    due_at, escalate_at = _clock(policy, now)
    return replace(
        claim,
        due_at=min(claim.due_at, due_at),
        escalate_at=min(claim.escalate_at, escalate_at),
    )


def _hours(seconds: int) -> str:
    return f"{seconds // 3600} hours" if seconds % 3600 == 0 else f"{seconds} seconds"


def _not_now(detail: str) -> Refused:
    return Refused(RefusalCode.NOT_NOW, detail)
