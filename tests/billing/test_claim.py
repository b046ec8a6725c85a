"""A claim's life: joined, decided once, appealed once, and never later than its clock allows."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from billing.claim import (
    Alarm,
    Claim,
    Ground,
    Remedy,
    State,
    appeal,
    decide,
    decide_appeal,
    file,
    of_review,
    rated_low,
    require_in_time,
    review_id,
    ring,
)
from billing.order import ReviewReason
from billing.settling import settle
from terms.ids import CallId, ClaimId, OrderId
from terms.refusals import RefusalCode, Refused
from terms.verdict import EndedBy
from tests.billing.stories import DAY, FIRST, MINUTE, NOON, POLICY, an_order, ended
from tests.billing.test_settling import talking

ORDER = OrderId("order-1")
HOUR = timedelta(hours=1)


def filed(newest: Claim | None = None, *, hours: int = 0, name: str = "claim-1") -> Claim:
    """The caller asks, some hours after noon."""
    return file(
        newest,
        id=ClaimId(name),
        order=ORDER,
        call=FIRST,
        policy=POLICY,
        now=NOON + hours * HOUR,
    )


def rated(newest: Claim | None = None, *, name: str = "claim-9") -> Claim:
    """A bad rating at one o'clock."""
    return rated_low(
        newest, id=ClaimId(name), order=ORDER, call=FIRST, policy=POLICY, now=NOON + HOUR
    )


def reviewed() -> Claim:
    """The desk's own: a short call that ended at noon."""
    settled = settle(talking(), ended(by=EndedBy.CALLER, talked=30), POLICY, NOON)
    assert settled.review is not None
    return of_review(settled.review)


def rejected(claim: Claim, *, hours: int = 2) -> Claim:
    """Support says no."""
    return decide(claim, Remedy.REJECT, "staff:s", POLICY, NOON + hours * HOUR)


def appealed(claim: Claim, *, hours: int = 3) -> Claim:
    """The caller goes on to the insurer."""
    return appeal(claim, "default", POLICY, NOON + hours * HOUR)


def refusal(what: Callable[[], object]) -> RefusalCode:
    with pytest.raises(Refused) as refused:
        what()
    return refused.value.code


@pytest.mark.rule("A28", "X16")
@pytest.mark.parametrize("ended_hour", range(0, 24, 5))
def test_a_claim_is_in_time_for_24_hours_after_the_end_whatever_the_hour(ended_hour: int) -> None:
    end = NOON + ended_hour * HOUR

    require_in_time(end, POLICY, end + DAY - timedelta(microseconds=1))

    assert refusal(lambda: require_in_time(end, POLICY, end + DAY)) is RefusalCode.CLAIM_TOO_LATE


def test_a_call_that_goes_on_is_in_time_however_long_it_takes_until_it_ends() -> None:
    late = NOON + 400 * DAY

    assert refusal(lambda: require_in_time(NOON, POLICY, late)) is RefusalCode.CLAIM_TOO_LATE
    require_in_time(None, POLICY, late)


def test_the_refusal_says_how_long_there_was_time() -> None:
    with pytest.raises(Refused) as refused:
        require_in_time(NOON, POLICY, NOON + 2 * DAY)

    assert "24 hours" in refused.value.detail
    assert "2030-01-02T04:00+00:00" in refused.value.detail


@pytest.mark.rule("B19")
def test_a_claim_is_due_a_day_after_it_was_filed() -> None:
    claim = filed()

    assert (claim.state, claim.grounds) == (State.OPEN, (Ground.FILED,))
    assert claim.due_at == NOON + DAY
    assert claim.escalate_at == NOON + 20 * HOUR


def test_a_second_claim_joins_the_open_one_and_does_not_set_its_clock_back() -> None:
    first = filed()

    assert filed(first, hours=5, name="claim-2") == first


@pytest.mark.rule("A35", "X10")
def test_the_callers_claim_joins_the_review_of_the_same_call() -> None:
    review = reviewed()

    joined = filed(review, hours=5)

    assert joined.id == review.id == review_id(FIRST)
    assert joined.grounds == (Ground.FILED, Ground.REVIEW)
    assert joined.review is ReviewReason.SHORT_CALL
    assert joined.due_at == review.due_at


def test_what_a_better_verdict_withdrew_can_still_be_claimed_anew() -> None:
    withdrawn = replace(reviewed(), state=State.WITHDRAWN)

    claim = filed(withdrawn, hours=5)

    assert (claim.id, claim.grounds) == (ClaimId("claim-1"), (Ground.FILED,))


def test_a_review_that_was_decided_without_the_caller_does_not_take_their_claim_away() -> None:
    claim = filed(rejected(reviewed()), hours=5)

    assert (claim.id, claim.state) == (ClaimId("claim-1"), State.OPEN)


@pytest.mark.parametrize(
    "decided",
    [
        rejected(filed()),
        appealed(rejected(filed())),
        decide(filed(), Remedy.RESUME, "staff:s", POLICY, NOON),
    ],
)
def test_what_was_decided_on_the_callers_word_is_not_claimed_again(decided: Claim) -> None:
    assert refusal(lambda: filed(decided, hours=5)) is RefusalCode.NOT_NOW


@pytest.mark.rule("B21")
def test_a_bad_rating_joins_an_open_claim_or_opens_one() -> None:
    assert rated(filed()).grounds == (Ground.FILED, Ground.LOW_RATING)
    assert rated(filed()).id == ClaimId("claim-1")
    assert rated().grounds == (Ground.LOW_RATING,)
    assert rated(rejected(filed())).state is State.OPEN


@pytest.mark.parametrize("remedy", Remedy)
def test_a_claim_is_decided_once(remedy: Remedy) -> None:
    decided = decide(filed(), remedy, "staff:s", POLICY, NOON + HOUR)

    assert decided.state is State.DECIDED
    assert decided.decision is not None
    assert (decided.decision.remedy, decided.decision.by) == (remedy, "staff:s")
    assert decided.alarm_at is None
    assert refusal(lambda: rejected(decided)) is RefusalCode.NOT_NOW


def test_what_was_withdrawn_is_not_decided() -> None:
    withdrawn = replace(reviewed(), state=State.WITHDRAWN)

    assert refusal(lambda: rejected(withdrawn)) is RefusalCode.NOT_NOW


@pytest.mark.rule("B20", "B65")
def test_a_rejection_is_appealed_once_and_the_insurers_word_is_the_last() -> None:
    on_appeal = appealed(rejected(filed()))
    closed = decide_appeal(on_appeal, Remedy.REISSUE, "staff:i", NOON + 5 * HOUR)

    assert (on_appeal.state, on_appeal.sponsor) == (State.APPEALED, "default")
    assert closed.state is State.CLOSED
    assert closed.decision is not None
    assert closed.decision.remedy is Remedy.REJECT
    assert closed.appeal_decision is not None
    assert closed.appeal_decision.remedy is Remedy.REISSUE
    for once in (on_appeal, closed):
        assert refusal(lambda once=once: appealed(once)) is RefusalCode.NOT_NOW  # type: ignore[misc]
    assert refusal(lambda: rejected(on_appeal)) is RefusalCode.NOT_NOW
    assert (
        refusal(lambda: decide_appeal(closed, Remedy.REJECT, "staff:i", NOON))
        is RefusalCode.NOT_NOW
    )


@pytest.mark.rule("B18", "B20")
def test_there_is_no_appeal_before_support_has_decided_nor_against_what_was_given() -> None:
    given = decide(filed(), Remedy.REISSUE, "staff:s", POLICY, NOON)

    assert refusal(lambda: appealed(filed())) is RefusalCode.NOT_NOW
    assert refusal(lambda: appealed(given)) is RefusalCode.NOT_NOW
    assert refusal(lambda: appealed(replace(reviewed(), state=State.WITHDRAWN))) is (
        RefusalCode.NOT_NOW
    )


def test_an_appeal_has_a_week() -> None:
    no = rejected(filed(), hours=0)

    assert appealed(no, hours=7 * 24 - 1).state is State.APPEALED
    assert refusal(lambda: appealed(no, hours=7 * 24)) is RefusalCode.CLAIM_TOO_LATE


@pytest.mark.rule("B19")
def test_the_clock_warns_once_before_it_is_too_late_and_once_when_it_is() -> None:
    claim = filed()
    quiet, nothing = ring(claim, NOON + 20 * HOUR - MINUTE)
    escalated, warning = ring(claim, NOON + 20 * HOUR)
    still, silence = ring(escalated, NOON + 21 * HOUR)
    late, breach = ring(escalated, NOON + DAY)

    assert (quiet, nothing) == (claim, None)
    assert (escalated.escalated_at, warning) == (NOON + 20 * HOUR, Alarm.ESCALATED)
    assert (still, silence) == (escalated, None)
    assert (late.breached_at, breach) == (NOON + DAY, Alarm.BREACHED)
    assert (late.alarm_at, ring(late, NOON + 9 * DAY)) == (None, (late, None))


def test_a_clock_that_nobody_looked_at_says_both_one_after_the_other() -> None:
    first, warning = ring(filed(), NOON + 2 * DAY)
    second, breach = ring(first, NOON + 2 * DAY)

    assert (warning, breach) == (Alarm.ESCALATED, Alarm.BREACHED)
    assert second.alarm_at is None


@pytest.mark.rule("B19")
def test_an_appeal_has_a_clock_of_its_own() -> None:
    breached = replace(filed(), escalated_at=NOON + 20 * HOUR, breached_at=NOON + DAY)
    on_appeal = appealed(rejected(breached, hours=30), hours=40)

    assert (on_appeal.escalated_at, on_appeal.breached_at) == (None, None)
    assert on_appeal.alarm_at == NOON + 60 * HOUR
    assert on_appeal.due_at == NOON + 64 * HOUR
    assert decide_appeal(on_appeal, Remedy.REJECT, "staff:i", NOON).alarm_at is None


def test_an_order_without_a_call_can_be_claimed_too() -> None:
    claim = file(None, id=ClaimId("c"), order=an_order().id, call=None, policy=POLICY, now=NOON)

    assert claim.call is None
    assert review_id(CallId("call_01abc")) == "claim_01abc"
