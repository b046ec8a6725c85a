"""What a decision about a claim gives, and which one the evidence speaks for. Pure.

A decision makes the settling of the call final: no later verdict takes back what a person decided.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import billing.voucher as vouchers
from billing import talk
from billing.claim import Claim, Remedy
from billing.ledger import post
from billing.order import ClosedBy, Order, Settlement, State, finalise, rest
from billing.policy import Policy
from billing.voucher import Voucher
from terms.ids import OrderId
from terms.refusals import RefusalCode, Refused
from terms.values import replace
from terms.verdict import Confidence, EndedBy, Verdict, VerdictKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What the evidence speaks for; a person decides. `reasons` are stable words."""

    remedy: Remedy
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known about the call a claim is about; without a call all of it is empty."""

    verdict: Verdict | None = None
    connected: bool = False
    talked_seconds: int = 0
    counselor_mark: bool | None = None  # the counselor's own word that it was cut off
    called_back: bool = False  # the caller tried again right after the end


def rejected(order: Order, claim: Claim) -> Settlement:
    """Things stay as they are, for good.

    Raises Refused(call_in_progress) while the very call it is about goes on: nobody knows yet how
    it ends, and what was decided would keep it from being looked at.
    """
    if claim.call is not None and order.call == claim.call:
        raise _call_in_progress()
    last = order.settled is not None and order.settled.call == claim.call
    return Settlement(order=finalise(order) if last else order)


def resumed(order: Order, voucher: Voucher | None, policy: Policy, now: datetime) -> Settlement:
    """The order interrupted again: the rest of its talk, at least `resume_min_seconds`, for
    `resume_seconds` from now, with the same voucher (X07).

    Raises Refused: call_in_progress while a call works; not_now where there is no talk to go on
    with, or its voucher was replaced.
    """
    _must_rest(order)
    if order.connected_at is None:
        raise Refused(
            RefusalCode.NOT_NOW, "The two never talked, so nothing was used: there is no rest."
        )
    if voucher is not None and not _paid_with(voucher, order.id):
        raise Refused(
            RefusalCode.NOT_NOW, "Its voucher was given back or replaced; use that one instead."
        )
    again = replace(
        order,
        state=State.INTERRUPTED,
        remaining_seconds=_rest_of(order, policy),
        resume_until=now + timedelta(seconds=policy.resume_seconds),
        closed_at=None,
        closed_by=None,
        closed_reason=None,
    )
    return Settlement(order=finalise(again), notices=("order.interrupted",))


def reissued(order: Order, voucher: Voucher | None, now: datetime) -> Settlement:
    """The order beside a voucher that is being replaced (`voucher.reissue`): its rest is let go.

    Raises Refused: call_in_progress while a call works; voucher_invalid where no voucher is to be
    replaced, another order has it, or its time is over and a new one could not be used.
    """
    _must_rest(order)
    if voucher is None:
        raise _invalid("This order was opened without a voucher; its talk can be resumed.")
    if voucher.order not in (None, order.id):
        raise _invalid("The voucher came back and serves another order since.")
    if now >= voucher.valid_until:
        raise _invalid("The voucher's end date has passed, and a new one would bear the same.")
    if order.state is not State.INTERRUPTED:
        return Settlement(order=finalise(order))
    closed = rest(order, State.CLOSED, ClosedBy.SUPPORT, "voucher_reissued", now)
    return Settlement(order=finalise(closed), notices=("order.closed",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """What paid for the order: its voucher, and whether the policy behind that has ended."""

    voucher: Voucher | None = None
    policy_has_ended: bool = False

    def why_not_replaceable(self, now: datetime) -> str | None:
        """What stands against a new voucher, as a stable word; None where support may give one."""
        if self.voucher is None:
            return "no_voucher"
        if self.policy_has_ended:
            return "policy_has_ended"
        if now >= self.voucher.valid_until:
            return "voucher_has_run_out"
        return None if self.voucher.replaces is None else "replaced_before"


def propose(
    order: Order, payment: Payment, evidence: Evidence, policy: Policy, now: datetime
) -> Proposal:
    """The decision that verdict and evidence speak for: the first line that fits.

    Where no new voucher is to be had, the talk is resumed: one that was replaced once is a
    supervisor's matter (X10), and nothing takes the place of one whose policy has ended (X15).
    """
    voucher = payment.voucher
    if order.state in (State.OPEN, State.IN_CALL, State.INTERRUPTED):
        return _reject("the_order_can_be_used")
    if evidence.verdict is None or not evidence.connected:
        return _reject("nothing_was_used")
    if voucher is not None and not _paid_with(voucher, order.id):
        return _reject("given_back_or_replaced_already")
    wanted = _wanted(order, evidence, evidence.verdict, policy)
    why_not = payment.why_not_replaceable(now)
    if wanted.remedy is not Remedy.REISSUE or why_not is None:
        return wanted
    return Proposal(remedy=Remedy.RESUME, reasons=(*wanted.reasons, why_not))


def _wanted(order: Order, evidence: Evidence, verdict: Verdict, policy: Policy) -> Proposal:
    """What would be fair if every remedy were to be had."""
    signs = _signs(evidence)
    short = evidence.talked_seconds < policy.short_call_seconds
    match verdict.kind:
        case VerdictKind.SYSTEM_DROP | VerdictKind.SUSPECTED_DROP:
            if order.remaining_seconds == 0:
                return _reject("time_used")
            return Proposal(remedy=Remedy.RESUME, reasons=(verdict.kind, *signs))
        case VerdictKind.CAP_REACHED:
            if verdict.confidence is Confidence.LOW:
                return Proposal(remedy=Remedy.RESUME, reasons=("the_evidence_is_weak", *signs))
            return _reject("time_used")
        case VerdictKind.OPERATOR_ENDED:
            return Proposal(remedy=Remedy.RESUME, reasons=("staff_ended_it",))
        case VerdictKind.PARTY_ENDED if verdict.by is EndedBy.COUNSELOR:
            if order.remaining_seconds == 0:
                return _reject("time_used")
            return Proposal(remedy=Remedy.REISSUE, reasons=("counselor_ended_early",))
        case VerdictKind.PARTY_ENDED if short:
            return Proposal(remedy=Remedy.REISSUE, reasons=("short_call", *signs))
        case VerdictKind.PARTY_ENDED if evidence.counselor_mark:
            return Proposal(remedy=Remedy.RESUME, reasons=signs)
        case VerdictKind.PARTY_ENDED:
            return _reject("hung_up")
        case VerdictKind.INDETERMINATE | VerdictKind.NOT_CONNECTED:
            if short:
                return Proposal(remedy=Remedy.REISSUE, reasons=("short_call", *signs))
            return Proposal(remedy=Remedy.RESUME, reasons=("nobody_can_tell", *signs))


def _signs(evidence: Evidence) -> tuple[str, ...]:
    seen = {
        "counselor_says_cut_off": bool(evidence.counselor_mark),
        "caller_called_back": evidence.called_back,
    }
    return tuple(sign for sign, there in seen.items() if there)


def _paid_with(voucher: Voucher, order: OrderId) -> bool:
    return voucher.state is vouchers.State.CONSUMED and voucher.order == order


def on_record(
    before: Order, settlement: Settlement, claim: Claim, remedy: Remedy, now: datetime
) -> Settlement:
    """The settlement with its entries in the order's book, which names the decision in any case:
    one that moves no talk is booked with 0 seconds.
    """
    booked = talk.booked(before, settlement, now, f"claim_{remedy}")
    if booked.talk:
        return booked
    head, entry = post(
        talk.book_of(before.id),
        before.head,
        from_account=talk.REMAINING,
        to_account=talk.REMAINING,
        units=0,
        reason=f"claim_{remedy}",
        order=before.id,
        at=now,
        call=claim.call,
        recurs=True,
    )
    return replace(booked, order=replace(booked.order, head=head), talk=(entry,))


def _must_rest(order: Order) -> None:
    if order.state is State.IN_CALL:
        raise _call_in_progress()
    if order.state is State.OPEN:
        raise Refused(RefusalCode.NOT_NOW, "This order can still be used; nothing is lost.")


def _rest_of(order: Order, policy: Policy) -> int | None:
    if order.remaining_seconds is None or order.granted_seconds is None:
        return None
    return min(order.granted_seconds, max(order.remaining_seconds, policy.resume_min_seconds))


def _reject(reason: str) -> Proposal:
    return Proposal(remedy=Remedy.REJECT, reasons=(reason,))


def _call_in_progress() -> Refused:
    return Refused(RefusalCode.CALL_IN_PROGRESS, "A call works for this order; let it end.")


def _invalid(detail: str) -> Refused:
    return Refused(RefusalCode.VOUCHER_INVALID, detail)
