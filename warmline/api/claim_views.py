"""How a claim looks to its caller, to support, and, much smaller, to the insurer of an appeal."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from billing.claim import Claim, Ground, Remedy
from billing.ledger import Entry
from billing.order import Order, ReviewReason
from billing.remedy import Proposal
from billing.store.claims import Words
from dialer.call import Call
from terms.verdict import Confidence, EndedBy, VerdictKind
from warmline.api.outcome_views import ClaimView, DecisionView, claim_seen, reasons_among
from warmline.api.staff import EvidenceView
from warmline.api.views import NonNegative, OrderView, VerdictView
from warmline.desk.claim_writing import opened_words
from warmline.http.model import Instant, Model
from warmline.seal import AesSeal


class StaffClaimView(ClaimView):
    """A claim as those see it who decide."""

    grounds: list[Ground]
    """Why it is there: the caller filed it, the desk wants it reviewed, a bad rating came in."""

    review: ReviewReason | None
    """What the desk could not settle by itself."""

    escalated_at: Instant | None
    breached_at: Instant | None
    decided_by: str | None

    @classmethod
    def told(cls, claim: Claim, reasons: Mapping[str, str]) -> "StaffClaimView":
        """A claim of the queue."""
        return cls(**claim_seen(claim, reasons), **_told(claim))


class ProposalView(Model):
    """What the evidence speaks for. A person decides."""

    decision: Remedy
    reasons: list[str]

    @classmethod
    def of(cls, proposal: Proposal) -> "ProposalView":
        """With its reasons, the strongest first."""
        return cls(decision=proposal.remedy, reasons=list(proposal.reasons))


class WrittenView(Model):
    """Something the caller told, or somebody wrote who decided."""

    at: Instant
    kind: str
    reason: str | None
    text: str | None

    @classmethod
    def of(cls, seal: AesSeal, words: Words) -> "WrittenView":
        """Unsealed."""
        told = opened_words(seal, words)
        return cls(at=words.at, kind=words.kind, reason=told.get("reason"), text=told.get("text"))


class EarlierCallView(Model):
    """Another call of the same caller."""

    id: str
    order: str
    started_at: Instant
    talked_seconds: Annotated[float, Field(ge=0)]
    verdict: VerdictView | None
    claim_decision: Remedy | None
    """What a claim about it led to, if there was one."""


class LedgerEntryView(Model):
    """One entry of a book."""

    number: int
    from_account: str
    to_account: str
    units: int
    reason: str
    order: str | None
    at: Instant

    @classmethod
    def of(cls, entry: Entry) -> "LedgerEntryView":
        """An entry as it stands in its book."""
        return cls(
            number=entry.number,
            from_account=entry.from_account,
            to_account=entry.to_account,
            units=entry.units,
            reason=entry.reason,
            order=entry.order,
            at=entry.at,
        )


class ClaimCaseView(StaffClaimView):
    """A claim with everything that helps to decide it."""

    written: list[WrittenView]
    proposal: ProposalView | None
    """None when nothing is left to decide."""

    order_now: OrderView
    evidence: EvidenceView | None
    """None when the order never had a call."""

    earlier_calls: list[EarlierCallView]
    voucher_ledger: list[LedgerEntryView]
    talk_ledger: list[LedgerEntryView]

    @classmethod
    def case(
        cls,
        claim: Claim,
        *,
        seal: AesSeal,
        words: Sequence[Words],
        proposal: Proposal | None,
        order: Order,
        evidence: EvidenceView | None,
        earlier_calls: list[EarlierCallView],
        voucher_ledger: Sequence[Entry],
        talk_ledger: Sequence[Entry],
    ) -> "ClaimCaseView":
        """The whole case."""
        return cls(
            **claim_seen(claim, reasons_among(seal, words)),
            **_told(claim),
            written=[WrittenView.of(seal, one) for one in words],
            proposal=None if proposal is None else ProposalView.of(proposal),
            order_now=OrderView.of(order, None),
            evidence=evidence,
            earlier_calls=earlier_calls,
            voucher_ledger=[LedgerEntryView.of(one) for one in voucher_ledger],
            talk_ledger=[LedgerEntryView.of(one) for one in talk_ledger],
        )


class AppealView(Model):
    """What an insurer needs to judge whether a rejection was fair, and nothing else (B09, B11).

    No order, no call, no person, no word that was said: with this nobody can be found again.
    """

    id: str
    program: str
    filed_at: Instant | None
    appealed_at: Instant
    due_at: Instant
    escalated_at: Instant | None
    decision: DecisionView
    """Support's rejection, which is appealed."""

    ended: VerdictKind | None
    """How the talk ended; null when there was none."""

    ended_by: EndedBy | None
    confidence: Confidence | None
    verdict_reasons: list[str]
    talked_seconds: NonNegative
    granted_seconds: NonNegative | None
    appeal_decision: DecisionView | None

    @classmethod
    def of(
        cls, claim: Claim, order: Order, call: Call | None, reasons: Mapping[str, str]
    ) -> "AppealView":
        """The facts of one appeal."""
        assert claim.appealed_at is not None
        rejection = DecisionView.of(claim.decision, reasons.get("decided", ""))
        assert rejection is not None
        verdict = None if call is None else call.verdict
        return cls(
            id=claim.id,
            program=order.program,
            filed_at=claim.filed_at,
            appealed_at=claim.appealed_at,
            due_at=claim.due_at,
            escalated_at=claim.escalated_at,
            decision=rejection,
            ended=None if verdict is None else verdict.kind,
            ended_by=None if verdict is None else verdict.by,
            confidence=None if verdict is None else verdict.confidence,
            verdict_reasons=[] if verdict is None else list(verdict.reasons),
            talked_seconds=order.talked_seconds,
            granted_seconds=order.granted_seconds,
            appeal_decision=DecisionView.of(
                claim.appeal_decision, reasons.get("appeal_decided", "")
            ),
        )


def _told(claim: Claim) -> dict[str, Any]:
    return {
        "grounds": list(claim.grounds),
        "review": claim.review,
        "escalated_at": claim.escalated_at,
        "breached_at": claim.breached_at,
        "decided_by": None if claim.decision is None else claim.decision.by,
    }
