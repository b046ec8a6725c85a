"""The talk: its time, its end, and what a crisis does to both."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dialer.call import EndReason, State
from dialer.carriers import MediaLost, ReleaseSide
from dialer.events import (
    BridgeRefused,
    CallerDialledIn,
    CallerHungUp,
    CapExtended,
    CounselorDeclined,
    CounselorHungUp,
    CounselorMarkedCutOff,
    CrisisRaised,
    OrderWithdrawn,
    StaffEnded,
    TimerKind,
)
from dialer.machine.capping import limit_seconds
from dialer.orders import Bridge, FactKind, HangUp, Limit, Part, Ring, Say
from dialer.policy import Policy
from terms.refusals import Refused
from terms.verdict import EndedBy, Role, VerdictKind
from tests.dialer.stories import (
    CALLER_FIRST,
    CALLER_LEG,
    COUNSELOR_LEG,
    DIALLED_IN,
    SOFT,
    UNCAPPED,
    Story,
    bridging,
    comes_back,
    talking,
)

WITH_GRACE = replace(CALLER_FIRST, cap_grace_seconds=60)


def verdict(story: Story) -> tuple[VerdictKind, EndedBy]:
    assert story.call.verdict is not None
    return story.call.verdict.kind, story.call.verdict.by


# --- the cap --------------------------------------------------------------------------------------


@pytest.mark.rule("A25", "X06")
def test_a_hard_cap_warns_both_twice_and_ends_the_talk_to_the_second() -> None:
    story = talking()
    assert story.seconds_to(TimerKind.CAP) == 1500
    assert story.seconds_to(TimerKind.WARN) == 1380

    story.wait(1380)
    assert story.orders == (Say(CALLER_LEG, "left_120"), Say(COUNSELOR_LEG, "left_120"))
    story.wait(90)
    assert story.orders == (Say(CALLER_LEG, "left_30"), Say(COUNSELOR_LEG, "left_30"))
    assert story.call.due(TimerKind.WARN) is None
    assert story.wait(29.9).state is State.BRIDGED

    story = story.wait(0.1)

    assert story.call.end_reason is EndReason.CAP
    assert story.orders == (
        *(Part(leg) for leg in (CALLER_LEG, COUNSELOR_LEG)),
        *(Say(leg, "time_is_up") for leg in (CALLER_LEG, COUNSELOR_LEG)),
        *(HangUp(leg, after_seconds=2) for leg in (CALLER_LEG, COUNSELOR_LEG)),
    )
    assert FactKind.CAP_REACHED in story.facts
    assert verdict(story) == (VerdictKind.CAP_REACHED, EndedBy.PLATFORM)
    assert story.call.talked(story.now) == timedelta(seconds=1500)


@pytest.mark.rule("A25")
def test_the_cap_starts_with_the_talk_and_not_with_the_dialing() -> None:
    story = bridging().pass_time(10).joins(Role.CALLER).pass_time(3).joins(Role.COUNSELOR)

    assert story.seconds_to(TimerKind.CAP) == 1500


@pytest.mark.rule("X06")
def test_the_carriers_own_limit_stands_behind_ours() -> None:
    assert [order.limit_seconds for order in bridging().orders if isinstance(order, Bridge)] == [
        1502
    ]
    assert bridging(WITH_GRACE).orders[-1:] == (Bridge((CALLER_LEG, COUNSELOR_LEG), 1562),)
    for policy in (SOFT, UNCAPPED):
        assert bridging(policy).orders[-1:] == (Bridge((CALLER_LEG, COUNSELOR_LEG), 7200),)


@pytest.mark.rule("A25", "X07")
def test_the_cap_counts_talk_alone_and_waits_while_one_is_lost() -> None:
    story = talking().pass_time(600).drops(Role.CALLER)
    assert story.call.due(TimerKind.CAP) is None
    assert story.call.due(TimerKind.WARN) is None

    comes_back(story.pass_time(40), Role.CALLER)

    assert story.seconds_to(TimerKind.CAP) == 900
    assert story.seconds_to(TimerKind.WARN) == 780
    assert story.wait(900).call.end_reason is EndReason.CAP


@pytest.mark.rule("X06")
def test_after_a_parting_the_carriers_limit_is_what_is_left() -> None:
    story = talking().pass_time(600).drops(Role.CALLER)
    assert Limit(COUNSELOR_LEG, 900 + 2 + 180) in story.orders

    story.answers(Role.CALLER)

    (bridge,) = [order for order in story.orders if isinstance(order, Bridge)]
    assert bridge.limit_seconds == 902


def test_a_warning_that_came_after_the_parting_is_not_said_twice() -> None:
    story = talking().wait(1390).drops(Role.CALLER)
    comes_back(story.pass_time(20), Role.CALLER)

    assert story.seconds_to(TimerKind.CAP) == 110
    assert story.seconds_to(TimerKind.WARN) == 80


def test_a_short_rest_gets_only_the_warnings_that_fit() -> None:
    story = talking(replace(CALLER_FIRST, warn_seconds=(1499, 30)))

    assert story.seconds_to(TimerKind.WARN) == 1
    story.wait(1)
    assert story.seconds_to(TimerKind.WARN) == 1469


@pytest.mark.rule("X06")
def test_with_grace_both_are_told_at_the_cap_and_cut_when_the_grace_is_over() -> None:
    story = talking(WITH_GRACE).wait(1500)
    assert story.state is State.BRIDGED
    assert Say(CALLER_LEG, "time_is_up") in story.orders
    assert story.seconds_to(TimerKind.CAP) == 60

    assert story.wait(60).call.end_reason is EndReason.CAP


@pytest.mark.rule("C18", "X33")
def test_a_soft_cap_says_so_and_leaves_it_to_the_counselor() -> None:
    story = talking(SOFT).wait(1500)

    assert story.state is State.BRIDGED
    assert Say(COUNSELOR_LEG, "time_is_up") in story.orders
    assert FactKind.CAP_REACHED in story.facts
    assert story.wait(7200).state is State.BRIDGED


@pytest.mark.rule("C18", "X33")
def test_a_soft_cap_may_be_extended_before_or_after_it_is_reached() -> None:
    story = talking(SOFT).wait(1000).tell(CapExtended(300))
    assert story.seconds_to(TimerKind.CAP) == 800
    assert story.seconds_to(TimerKind.WARN) == 680
    assert FactKind.CAP_EXTENDED in story.facts

    story.wait(800).tell(CapExtended(60))
    assert story.seconds_to(TimerKind.CAP) == 60
    assert story.call.extended_seconds == 360


@pytest.mark.rule("X33")
@pytest.mark.parametrize("policy", [CALLER_FIRST, UNCAPPED])
def test_only_a_soft_cap_can_be_extended(policy: Policy) -> None:
    with pytest.raises(Refused):
        talking(policy).tell(CapExtended(60))


@pytest.mark.rule("D24")
def test_without_a_cap_nobody_counts() -> None:
    story = talking(UNCAPPED)

    assert story.call.timers == ()
    assert story.wait(100_000).state is State.BRIDGED


def test_the_carriers_limit_counts_from_now() -> None:
    story = talking().pass_time(100)

    assert limit_seconds(story.call, story.policy, story.now) == 1402
    assert limit_seconds(story.call, story.policy, story.now + timedelta(hours=2)) == 2


# --- its end --------------------------------------------------------------------------------------


@pytest.mark.rule("A29")
@pytest.mark.parametrize(
    ("who", "by"), [(Role.CALLER, EndedBy.CALLER), (Role.COUNSELOR, EndedBy.COUNSELOR)]
)
@pytest.mark.parametrize("how", ["phone", "button"])
def test_either_may_end_it_by_hanging_up(who: Role, by: EndedBy, how: str) -> None:
    story = talking().pass_time(60)
    if how == "phone":
        story.hangs_up(who)
    else:
        story.tell(CallerHungUp() if who is Role.CALLER else CounselorHungUp())

    assert story.call.end_reason is EndReason.HUNG_UP
    assert verdict(story) == (VerdictKind.PARTY_ENDED, by)
    assert not list(story.call.all_standing())
    assert story.call.counselor is None
    for role in (Role.COUNSELOR, Role.CALLER):
        story.pass_time(0.3).ends(role, ReleaseSide.PLATFORM)
    assert verdict(story) == (VerdictKind.PARTY_ENDED, by)


def test_staff_may_end_it() -> None:
    assert verdict(talking().pass_time(60).tell(StaffEnded())) == (
        VerdictKind.OPERATOR_ENDED,
        EndedBy.STAFF,
    )


@pytest.mark.rule("X06")
def test_the_carriers_limit_ends_it_as_the_cap_would() -> None:
    story = talking().pass_time(1502).ends(Role.CALLER, ReleaseSide.CARRIER, 31, "limit")

    assert story.call.end_reason is EndReason.CAP
    assert verdict(story) == (VerdictKind.CAP_REACHED, EndedBy.CARRIER)


@pytest.mark.rule("A27")
@pytest.mark.parametrize("who", [Role.CALLER, Role.COUNSELOR])
def test_a_lost_line_is_rung_again_and_the_other_kept(who: Role) -> None:
    story = talking().pass_time(60).drops(who)
    kept = COUNSELOR_LEG if who is Role.CALLER else CALLER_LEG

    assert (story.state, story.call.lost) == (State.PARTED, who)
    assert Say(kept, "dropped_ringing_again") in story.orders
    assert any(isinstance(order, Ring) and order.role is who for order in story.orders)
    assert story.call.counselor is not None


@pytest.mark.rule("A27")
def test_a_line_from_which_nothing_is_heard_for_20_s_is_taken_for_lost() -> None:
    story = talking().pass_time(60).falls_silent(Role.CALLER)
    assert story.wait(19.9).state is State.BRIDGED

    story.wait(0.1)

    assert (story.state, story.call.lost) == (State.PARTED, Role.CALLER)
    assert HangUp(CALLER_LEG) in story.orders
    assert story.call.talked(story.now) == timedelta(seconds=60)
    story.wait(100)
    assert verdict(story) == (VerdictKind.SYSTEM_DROP, EndedBy.CARRIER)


@pytest.mark.rule("A27")
@pytest.mark.parametrize("who", [Role.CALLER, Role.COUNSELOR])
def test_a_silence_that_heals_in_time_parts_nobody_and_stays_in_the_evidence(who: Role) -> None:
    story = talking().pass_time(60).falls_silent(who).wait(19.9).speaks_again(who)
    assert story.facts == (FactKind.MEDIA_HEARD,)

    story.wait(300)

    assert story.state is State.BRIDGED
    healed = story.leg(who)
    assert healed.silent_since is not None
    assert healed.heard_at is not None
    assert (healed.heard_at - healed.silent_since).total_seconds() == 19.9
    assert story.call.talked(story.now) == timedelta(seconds=60 + 19.9 + 300)
    story.hangs_up(who)
    assert verdict(story) == (VerdictKind.PARTY_ENDED, EndedBy(who))


def test_the_healing_told_before_the_silence_parts_nobody_either() -> None:
    story = talking().pass_time(60)
    began = story.now
    story.pass_time(9).speaks_again(Role.CALLER)
    story.tell(MediaLost(leg=CALLER_LEG, at=began + timedelta(seconds=5), since=began))

    assert story.wait(120).state is State.BRIDGED


def test_each_silence_has_its_own_time() -> None:
    story = talking().falls_silent(Role.CALLER).wait(15).speaks_again(Role.CALLER)
    story.wait(60).falls_silent(Role.CALLER)

    assert story.wait(19.9).state is State.BRIDGED
    assert story.wait(0.1).call.lost is Role.CALLER


def test_the_healing_of_one_neither_saves_nor_hurries_another() -> None:
    story = talking().falls_silent(Role.CALLER).wait(8).falls_silent(Role.COUNSELOR)
    story.wait(5).speaks_again(Role.CALLER)

    assert story.wait(14.9).state is State.BRIDGED
    assert story.wait(0.1).call.lost is Role.COUNSELOR


def test_a_second_silence_does_not_prolong_the_first() -> None:
    story = talking().falls_silent(Role.COUNSELOR).pass_time(15).falls_silent(Role.CALLER)
    assert story.seconds_to(TimerKind.SILENCE) == 5

    story.wait(5)

    assert story.call.lost is Role.COUNSELOR


def test_the_one_still_silent_after_a_rejoining_is_watched_again() -> None:
    story = talking().falls_silent(Role.CALLER).pass_time(5).falls_silent(Role.COUNSELOR).wait(15)
    assert story.call.lost is Role.CALLER

    comes_back(story, Role.CALLER)

    assert story.seconds_to(TimerKind.SILENCE) == 20


def test_an_order_that_runs_out_does_not_touch_the_talk() -> None:
    story = talking()
    before = story.call

    assert story.tell(OrderWithdrawn()).call == before


def test_what_makes_no_sense_in_a_talk_changes_nothing_or_is_refused() -> None:
    story = talking()
    before = story.call

    assert story.tell(BridgeRefused()).call == before
    assert story.tell(CallerDialledIn(DIALLED_IN, story.now)).call == before
    assert story.orders == (HangUp(DIALLED_IN),)
    with pytest.raises(Refused):
        story.tell(CounselorDeclined())


@pytest.mark.rule("A28")
def test_the_counselors_mark_weighs_in_the_verdict() -> None:
    story = talking().tell(CounselorMarkedCutOff(True)).pass_time(60).hangs_up(Role.CALLER)

    assert verdict(story)[0] is VerdictKind.SUSPECTED_DROP


# --- crisis ---------------------------------------------------------------------------------------


@pytest.mark.rule("X55", "X06")
def test_a_crisis_lifts_the_carriers_limit_first_and_the_cap_with_its_warnings() -> None:
    story = talking().pass_time(60).tell(CrisisRaised())

    assert story.orders == (Limit(CALLER_LEG, 7200), Limit(COUNSELOR_LEG, 7200))
    assert isinstance(story.effects[0], Limit)
    assert story.facts == (FactKind.CRISIS_RAISED,)
    assert story.call.due(TimerKind.CAP) is None
    assert story.call.due(TimerKind.WARN) is None
    assert story.wait(10_000).state is State.BRIDGED
    assert story.tell(CrisisRaised()).effects == ()


@pytest.mark.rule("X55")
def test_the_cap_stays_lifted_after_a_parting() -> None:
    story = talking().tell(CrisisRaised()).pass_time(60).drops(Role.CALLER)
    assert [order for order in story.orders if isinstance(order, Limit)] == [
        Limit(COUNSELOR_LEG, 7200 + 180)
    ]

    comes_back(story, Role.CALLER)

    assert story.call.due(TimerKind.CAP) is None


@pytest.mark.rule("X55", "X41")
def test_a_counselor_cannot_leave_a_person_in_danger_by_the_console() -> None:
    story = talking().tell(CrisisRaised())
    before = story.call

    with pytest.raises(Refused):
        story.tell(CounselorHungUp())
    assert story.call == before


@pytest.mark.rule("X55", "X41")
def test_a_counselor_whose_phone_is_put_down_is_rung_again_and_the_caller_kept() -> None:
    story = talking().tell(CrisisRaised()).hangs_up(Role.COUNSELOR)

    assert (story.state, story.call.lost) == (State.PARTED, Role.COUNSELOR)
    assert HangUp(CALLER_LEG) not in story.orders


@pytest.mark.rule("X55")
@pytest.mark.parametrize("who", [Role.CALLER, Role.COUNSELOR])
def test_a_limit_that_struck_before_it_was_lifted_is_no_end_for_a_person_in_danger(
    who: Role,
) -> None:
    story = talking().tell(CrisisRaised()).ends(who, ReleaseSide.CARRIER, 31, "limit")

    assert (story.state, story.call.lost) == (State.PARTED, who)


@pytest.mark.rule("X55")
def test_a_person_in_danger_may_hang_up_all_the_same() -> None:
    story = talking().tell(CrisisRaised()).pass_time(60).hangs_up(Role.CALLER)

    assert verdict(story) == (VerdictKind.PARTY_ENDED, EndedBy.CALLER)
