"""What each decision gives, what it refuses, and which one the evidence speaks for."""

from dataclasses import replace

import pytest

import billing.voucher as vouchers
from billing.claim import Claim, Remedy, of_review
from billing.order import ClosedBy, Order, Settlement, State, cancel, expire
from billing.remedy import Evidence, Payment, propose, reissued, rejected, resumed
from billing.settling import revise, settle
from billing.voucher import Voucher, VoucherMove, carry_out, hold
from terms.ids import OrderId, VoucherId
from terms.refusals import RefusalCode, Refused
from terms.verdict import Confidence, EndedBy, Verdict, VerdictKind
from tests.billing.stories import (
    DAY,
    FIRST,
    LIN,
    LISTENING,
    MINUTE,
    NOON,
    POLICY,
    a_voucher,
    an_order,
    ended,
)
from tests.billing.test_settling import talking

LATER = NOON + 30 * MINUTE
COUNSELOR, CALLER, NOBODY = EndedBy.COUNSELOR, EndedBy.CALLER, EndedBy.UNKNOWN


def used() -> Voucher:
    """The order's voucher after a talk."""
    held, _ = hold(a_voucher(), order=OrderId("order-1"), caller=LIN, program=LISTENING, now=NOON)
    return carry_out(held, VoucherMove.CONSUME, OrderId("order-1"), NOON)[0]


def over(kind: VerdictKind = VerdictKind.PARTY_ENDED, *, talked: int = 600) -> Settlement:
    """A talk that ended at twenty past noon."""
    return settle(talking(), ended(kind, CALLER, talked=talked), POLICY, NOON + 20 * MINUTE)


def a_claim() -> Claim:
    """About that talk."""
    short = over(talked=30).review
    assert short is not None
    return of_review(short)


def given(remedy: Remedy, order: Order, voucher: Voucher | None) -> Settlement:
    """What the decision gives."""
    match remedy:
        case Remedy.RESUME:
            return resumed(order, voucher, POLICY, LATER)
        case Remedy.REISSUE:
            return reissued(order, voucher, LATER)
        case Remedy.REJECT:
            return rejected(order, a_claim())


def refusal(order: Order, voucher: Voucher | None, remedy: Remedy) -> RefusalCode:
    with pytest.raises(Refused) as refused:
        given(remedy, order, voucher)
    return refused.value.code


@pytest.mark.rule("X07")
@pytest.mark.parametrize(
    ("talked", "rest"), [(30, 1470), (600, 900), (1199, 301), (1201, 300), (1500, 300)]
)
def test_a_resumed_order_has_the_rest_of_its_talk_and_at_least_five_minutes_for_a_day(
    talked: int, rest: int
) -> None:
    again = resumed(over(talked=talked).order, used(), POLICY, LATER).order

    assert (again.state, again.remaining_seconds) == (State.INTERRUPTED, rest)
    assert again.resume_until == LATER + DAY
    assert (again.closed_at, again.closed_by) == (None, None)
    assert again.voucher == "voucher-1"


def test_a_window_that_closed_unused_and_one_that_is_open_can_be_given_anew() -> None:
    dropped = over(VerdictKind.SYSTEM_DROP).order
    closed = cancel(dropped, ClosedBy.CALLER, "no", NOON + 21 * MINUTE).order

    for order in (dropped, closed):
        again = resumed(order, used(), POLICY, LATER).order
        assert (again.state, again.resume_until) == (State.INTERRUPTED, LATER + DAY)


@pytest.mark.rule("A36", "X07")
@pytest.mark.parametrize("remedy", Remedy)
def test_no_later_verdict_takes_back_what_a_person_decided(remedy: Remedy) -> None:
    for settled in (over(), over(VerdictKind.SYSTEM_DROP)):
        decided = given(remedy, settled.order, used()).order

        for kind in VerdictKind:
            better = ended(kind, CALLER)
            assert revise(decided, better, POLICY, LATER).order == decided


def test_a_rejection_leaves_everything_as_it_was_but_final() -> None:
    order = over().order
    after = rejected(order, a_claim()).order

    assert after.settled is not None
    assert replace(after, settled=order.settled) == order
    assert after.settled.final


def test_a_rejection_about_an_earlier_call_says_nothing_about_the_last_one() -> None:
    order = over().order
    other = replace(a_claim(), call=None)

    assert rejected(order, other).order == order


@pytest.mark.parametrize("remedy", [Remedy.RESUME, Remedy.REISSUE])
def test_nothing_is_given_while_a_call_works_or_the_order_can_be_used(remedy: Remedy) -> None:
    assert refusal(talking(), used(), remedy) is RefusalCode.CALL_IN_PROGRESS
    assert refusal(an_order(), used(), remedy) is RefusalCode.NOT_NOW


def test_who_never_talked_has_no_rest_to_resume() -> None:
    expired = expire(an_order(), NOON + DAY).order

    assert refusal(expired, a_voucher(), Remedy.RESUME) is RefusalCode.NOT_NOW


def test_what_was_replaced_is_not_resumed_as_well() -> None:
    replaced = replace(used(), state=vouchers.State.REISSUED, order=None)

    assert refusal(over().order, replaced, Remedy.RESUME) is RefusalCode.NOT_NOW


def test_a_voucher_that_is_there_no_more_or_out_of_date_is_not_replaced() -> None:
    order = over().order

    assert refusal(order, None, Remedy.REISSUE) is RefusalCode.VOUCHER_INVALID
    elsewhere = replace(used(), order=OrderId("order-2"))
    assert refusal(order, elsewhere, Remedy.REISSUE) is RefusalCode.VOUCHER_INVALID
    past = replace(used(), valid_until=LATER)
    assert refusal(order, past, Remedy.REISSUE) is RefusalCode.VOUCHER_INVALID


def test_who_gets_a_new_voucher_lets_the_rest_go() -> None:
    dropped = over(VerdictKind.SYSTEM_DROP).order
    assert dropped.state is State.INTERRUPTED

    settlement = reissued(dropped, used(), LATER)

    assert (settlement.order.state, settlement.order.closed_by) == (
        State.CLOSED,
        ClosedBy.SUPPORT,
    )
    assert settlement.notices == ("order.closed",)


def verdict(kind: VerdictKind, by: EndedBy, sure: Confidence = Confidence.HIGH) -> Verdict:
    return Verdict(kind=kind, by=by, confidence=sure, reasons=())


PROPOSALS = [
    # A drop is looked at before the length: X08.
    (VerdictKind.SYSTEM_DROP, NOBODY, 40, Remedy.RESUME, "system_drop"),
    (VerdictKind.SUSPECTED_DROP, NOBODY, 600, Remedy.RESUME, "suspected_drop"),
    (VerdictKind.CAP_REACHED, EndedBy.PLATFORM, 1500, Remedy.REJECT, "time_used"),
    (VerdictKind.OPERATOR_ENDED, EndedBy.STAFF, 600, Remedy.RESUME, "staff_ended_it"),
    (VerdictKind.PARTY_ENDED, COUNSELOR, 600, Remedy.REISSUE, "counselor_ended_early"),
    (VerdictKind.PARTY_ENDED, CALLER, 59, Remedy.REISSUE, "short_call"),
    (VerdictKind.PARTY_ENDED, CALLER, 60, Remedy.REJECT, "hung_up"),
    (VerdictKind.INDETERMINATE, NOBODY, 59, Remedy.REISSUE, "short_call"),
    (VerdictKind.INDETERMINATE, NOBODY, 60, Remedy.RESUME, "nobody_can_tell"),
]


@pytest.mark.rule("X08", "X09", "X11")
@pytest.mark.parametrize(("kind", "by", "talked", "remedy", "reason"), PROPOSALS)
def test_each_end_has_its_proposal(
    kind: VerdictKind, by: EndedBy, talked: int, remedy: Remedy, reason: str
) -> None:
    order = replace(over(talked=talked).order)
    evidence = Evidence(verdict=verdict(kind, by), connected=True, talked_seconds=talked)

    proposal = propose(order, Payment(voucher=used()), evidence, POLICY, LATER)

    assert (proposal.remedy, proposal.reasons[0]) == (remedy, reason)


def test_the_counselors_word_that_it_was_cut_off_speaks_for_the_caller() -> None:
    hung_up = Evidence(
        verdict=verdict(VerdictKind.PARTY_ENDED, CALLER),
        connected=True,
        talked_seconds=600,
        counselor_mark=True,
        called_back=True,
    )

    proposal = propose(over().order, Payment(voucher=used()), hung_up, POLICY, LATER)

    assert proposal.remedy is Remedy.RESUME
    assert proposal.reasons == ("counselor_says_cut_off", "caller_called_back")


@pytest.mark.rule("X10")
def test_a_second_new_voucher_in_a_row_is_not_proposed() -> None:
    short = Evidence(
        verdict=verdict(VerdictKind.PARTY_ENDED, CALLER), connected=True, talked_seconds=30
    )
    before = replace(used(), replaces=VoucherId("voucher-0"))
    past = replace(used(), valid_until=LATER)

    for voucher, why in ((before, "replaced_before"), (past, "voucher_has_run_out")):
        proposal = propose(over(talked=30).order, Payment(voucher=voucher), short, POLICY, LATER)
        assert (proposal.remedy, proposal.reasons) == (Remedy.RESUME, ("short_call", why))
    free = propose(over(talked=30).order, Payment(), short, POLICY, LATER)
    assert (free.remedy, free.reasons) == (Remedy.RESUME, ("short_call", "no_voucher"))


@pytest.mark.rule("X15")
def test_no_new_voucher_is_proposed_for_one_whose_policy_has_ended() -> None:
    short = Evidence(
        verdict=verdict(VerdictKind.PARTY_ENDED, CALLER), connected=True, talked_seconds=30
    )

    for ended_, told in (
        (False, (Remedy.REISSUE, ("short_call",))),
        (True, (Remedy.RESUME, ("short_call", "policy_has_ended"))),
    ):
        payment = Payment(voucher=used(), policy_has_ended=ended_)
        proposal = propose(over(talked=30).order, payment, short, POLICY, LATER)
        assert (proposal.remedy, proposal.reasons) == told


def test_who_still_has_what_they_paid_for_is_proposed_nothing() -> None:
    talked = Evidence(
        verdict=verdict(VerdictKind.SYSTEM_DROP, NOBODY), connected=True, talked_seconds=600
    )
    dropped = over(VerdictKind.SYSTEM_DROP).order
    back = replace(used(), state=vouchers.State.RETURNED, order=None)

    for order, voucher, evidence, why in (
        (dropped, used(), talked, "the_order_can_be_used"),
        (an_order(), used(), Evidence(), "the_order_can_be_used"),
        (over().order, used(), Evidence(), "nothing_was_used"),
        (over().order, back, talked, "given_back_or_replaced_already"),
    ):
        proposal = propose(order, Payment(voucher=voucher), evidence, POLICY, LATER)
        assert (proposal.remedy, proposal.reasons) == (Remedy.REJECT, (why,))


def test_a_proposal_to_give_something_is_one_that_can_be_carried_out() -> None:
    for kind, by, talked, remedy, _ in PROPOSALS:
        order = over(talked=talked).order
        evidence = Evidence(verdict=verdict(kind, by), connected=True, talked_seconds=talked)
        assert propose(order, Payment(voucher=used()), evidence, POLICY, LATER).remedy is remedy
        if remedy is Remedy.RESUME:
            assert resumed(order, used(), POLICY, LATER).order.state is State.INTERRUPTED
        elif remedy is Remedy.REISSUE:
            assert reissued(order, used(), LATER).order.settled is not None


def test_the_claims_call_is_the_one_that_ended() -> None:
    assert a_claim().call == FIRST
