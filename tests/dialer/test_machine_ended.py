"""Nothing rings any more; late facts may still better the verdict, until it stands."""

from dataclasses import replace

import pytest

from dialer.call import Call, State
from dialer.carriers import LegAnswered, LegBridged, LegEnded, LegRinging, MediaLost, ReleaseSide
from dialer.events import (
    CalledBack,
    CallerDialledIn,
    CallerHungUp,
    CapExtended,
    CounselorAccepted,
    CounselorClaimed,
    CounselorDeclined,
    CounselorHungUp,
    CounselorMarkedCutOff,
    CounselorUnavailable,
    CrisisRaised,
    Event,
    OrderWithdrawn,
    StaffEnded,
    TimerKind,
    TransferCancelled,
    TransferConfirmed,
    TransferRequested,
)
from dialer.orders import Fact, FactKind, HangUp
from terms.refusals import RefusalCode, Refused
from terms.verdict import Confidence, EndedBy, Role, VerdictKind
from tests.dialer.stories import (
    ANA,
    CALLER_FIRST,
    CALLER_LEG,
    COUNSELOR_LEG,
    DIALLED_IN,
    POLICE,
    Story,
    bridging,
    ended,
    talking,
)


def kind(call: Call) -> VerdictKind:
    assert call.verdict is not None
    return call.verdict.kind


def test_the_first_verdict_is_provisional_and_stands_after_half_an_hour() -> None:
    story = ended()
    assert not story.call.verdict_is_final
    assert [timer.kind for timer in story.call.timers] == [TimerKind.FINAL]
    assert story.seconds_to(TimerKind.FINAL) == 1800

    story.wait(1800)

    assert story.call.verdict_is_final
    assert story.call.timers == ()
    (judged,) = [effect for effect in story.effects if isinstance(effect, Fact)]
    assert (judged.kind, judged.detail["final"]) == (FactKind.JUDGED, True)


@pytest.mark.rule("A19", "X01")
def test_a_late_bridge_makes_it_a_talk_and_uses_the_voucher() -> None:
    story = bridging().pass_time(60)
    story.hangs_up(Role.CALLER)
    assert kind(story.call) is VerdictKind.NOT_CONNECTED
    assert story.call.connected_at is None

    story.now = bridging().now
    story.joins(Role.CALLER).joins(Role.COUNSELOR)

    assert kind(story.call) is VerdictKind.PARTY_ENDED
    assert story.call.connected_at == bridging().now
    assert FactKind.CONNECTED in story.facts
    assert FactKind.JUDGED in story.facts


@pytest.mark.rule("A27")
def test_evidence_of_an_earlier_fault_betters_the_verdict() -> None:
    story = talking().pass_time(1490)
    dropped = story.now
    story.wait(10)
    assert kind(story.call) is VerdictKind.CAP_REACHED

    story.tell(LegEnded(leg=CALLER_LEG, at=dropped, by=ReleaseSide.CARRIER, q850=41))

    assert kind(story.call) is VerdictKind.SYSTEM_DROP
    assert story.call.talked(story.now).total_seconds() == 1490


@pytest.mark.rule("A28")
def test_mark_and_call_back_weigh_until_the_verdict_stands() -> None:
    story = ended().tell(CounselorMarkedCutOff(True))
    assert kind(story.call) is VerdictKind.SUSPECTED_DROP
    assert story.facts == (FactKind.MARKED_CUT_OFF, FactKind.JUDGED)
    story.tell(CounselorMarkedCutOff(False))
    assert kind(story.call) is VerdictKind.PARTY_ENDED

    story.pass_time(30).tell(CalledBack(story.now))
    assert story.call.verdict is not None
    assert story.call.verdict.confidence is Confidence.MEDIUM
    before = story.call
    assert story.pass_time(600).tell(CalledBack(story.now)).call == before


def test_a_verdict_that_stands_is_not_moved_by_anything() -> None:
    story = bridging().pass_time(60).hangs_up(Role.CALLER).wait(1800)
    verdict, now = story.call.verdict, story.now
    story.now = bridging().now
    story.joins(Role.CALLER).joins(Role.COUNSELOR)
    story.now = now
    story.tell(CounselorMarkedCutOff(True))

    assert story.call.verdict == verdict
    assert story.call.connected_at is None


@pytest.mark.parametrize("news", [LegAnswered, LegBridged])
def test_a_leg_that_comes_to_life_after_the_end_is_let_go_again(
    news: type[LegAnswered] | type[LegBridged],
) -> None:
    story = Story().tell(CallerHungUp()).pass_time(1)
    story.tell(news(leg=CALLER_LEG, at=story.now))

    assert story.orders == (HangUp(CALLER_LEG),)


def test_a_phone_that_dials_in_after_the_end_is_turned_away() -> None:
    story = ended()
    story.tell(CallerDialledIn(DIALLED_IN, story.now))

    assert story.orders == (HangUp(DIALLED_IN),)


@pytest.mark.parametrize(
    "event",
    [
        CounselorAccepted(),
        CounselorDeclined(),
        CapExtended(60),
        TransferRequested((POLICE,)),
        TransferConfirmed(),
        TransferCancelled(),
    ],
)
def test_what_cannot_be_done_any_more_is_refused(event: Event) -> None:
    story = ended()
    before = story.call

    with pytest.raises(Refused) as refused:
        story.tell(event)
    assert refused.value.code is RefusalCode.NOT_NOW
    assert story.call == before


@pytest.mark.parametrize(
    "event",
    [
        CallerHungUp(),
        CounselorHungUp(),
        CounselorClaimed(ANA),
        CounselorUnavailable("counselor_busy"),
        StaffEnded(),
        OrderWithdrawn(),
    ],
)
def test_what_comes_too_late_changes_nothing(event: Event) -> None:
    story = ended()
    before = story.call

    assert story.tell(event).call == before
    assert story.effects == ()


@pytest.mark.rule("X55")
def test_a_crisis_may_be_marked_after_the_end_once() -> None:
    story = ended().tell(CrisisRaised())
    assert story.call.crisis

    assert story.tell(CrisisRaised()).effects == ()


@pytest.mark.rule("A25")
def test_a_cap_that_ended_it_is_not_turned_by_the_releases_that_follow() -> None:
    story = talking().wait(1500)
    for role, by in ((Role.COUNSELOR, ReleaseSide.PARTY), (Role.CALLER, ReleaseSide.UNKNOWN)):
        story.pass_time(0.2).ends(role, by)

    assert kind(story.call) is VerdictKind.CAP_REACHED
    assert story.call.talked(story.now).total_seconds() == 1500


def test_a_program_may_let_verdicts_stand_at_once() -> None:
    story = ended(replace(CALLER_FIRST, verdict_final_minutes=0))

    assert story.wait(0).call.verdict_is_final


def test_what_it_hears_of_is_kept_as_evidence() -> None:
    story = ended()
    story.tell(MediaLost(leg=CALLER_LEG, at=story.now, since=talking().now))

    assert kind(story.call) is VerdictKind.SUSPECTED_DROP
    assert story.call.verdict is not None
    assert story.call.verdict.by is EndedBy.UNKNOWN


def test_a_ringing_told_late_is_only_noted() -> None:
    story = ended()
    story.tell(LegRinging(leg=COUNSELOR_LEG, at=talking().now))

    assert (story.state, story.orders) == (State.ENDED, ())
