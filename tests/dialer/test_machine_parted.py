"""A line failed: the other is kept and told, the lost one rung again, for a grace."""

from datetime import timedelta

import pytest

from dialer.call import EndReason, State
from dialer.carriers import LegBridged
from dialer.events import (
    BridgeRefused,
    CallerDialledIn,
    CallerHungUp,
    CapExtended,
    CounselorAccepted,
    CounselorDeclined,
    CounselorHungUp,
    CounselorMarkedCutOff,
    CrisisRaised,
    OrderWithdrawn,
    StaffEnded,
    TimerKind,
    TransferRequested,
)
from dialer.orders import Answer, Bridge, FactKind, HangUp, Limit, Ring, Say
from terms.ids import LegId
from terms.refusals import Refused
from terms.verdict import EndedBy, Role, VerdictKind
from tests.dialer.stories import (
    ANA,
    CALLER_LEG,
    COUNSELOR_LEG,
    DIALLED_IN,
    POLICE,
    Story,
    bridging,
    comes_back,
    parted,
    talking,
)

BOTH = pytest.mark.parametrize("lost", [Role.CALLER, Role.COUNSELOR])
SECOND = {Role.CALLER: LegId("call/caller/2"), Role.COUNSELOR: LegId("call/counselor/2")}


def verdict(story: Story) -> tuple[VerdictKind, EndedBy]:
    assert story.call.verdict is not None
    return story.call.verdict.kind, story.call.verdict.by


@pytest.mark.rule("A27")
@BOTH
def test_the_lost_one_comes_back_and_the_talk_goes_on(lost: Role) -> None:
    story = parted(lost)
    assert story.call.counselor == ANA
    assert story.seconds_to(TimerKind.PARTED) == 90
    party = ANA if lost is Role.COUNSELOR else None
    assert Ring(SECOND[lost], lost, party, 30) in story.orders

    comes_back(story.pass_time(10), lost)

    assert (story.state, story.call.lost) == (State.BRIDGED, None)
    assert story.facts == (FactKind.REJOINED,)
    assert {timer.kind for timer in story.call.timers} == {TimerKind.CAP, TimerKind.WARN}
    assert story.call.talked(story.now) == timedelta(seconds=60)


@pytest.mark.rule("X01")
def test_a_counselor_who_comes_back_presses_1_again_for_a_voicemail_may_answer_now() -> None:
    story = parted(Role.COUNSELOR).answers(Role.COUNSELOR)
    assert story.orders == (Say(SECOND[Role.COUNSELOR], "press_1"),)

    story = story.wait(20)
    assert HangUp(SECOND[Role.COUNSELOR]) in story.orders
    assert story.seconds_to(TimerKind.RERING) == 5
    assert not any(isinstance(order, Bridge) for order in story.orders)


def test_a_counselor_who_comes_back_may_accept_in_the_console() -> None:
    story = parted(Role.COUNSELOR).answers(Role.COUNSELOR).tell(CounselorAccepted())

    assert any(isinstance(order, Bridge) for order in story.orders)
    assert parted(Role.CALLER).tell(CounselorAccepted()).effects == ()


@BOTH
def test_somebody_not_found_yet_is_rung_again_after_a_moment(lost: Role) -> None:
    story = parted(lost).pass_time(3).hangs_up(lost)
    assert story.orders == ()
    assert story.call.due(TimerKind.RING) is None

    story = story.wait(5)

    assert [order.leg for order in story.orders if isinstance(order, Ring)] == [
        LegId(f"call/{lost}/3")
    ]


@BOTH
def test_a_ring_that_nobody_takes_is_let_go_and_tried_again(lost: Role) -> None:
    story = parted(lost).wait(30)
    assert HangUp(SECOND[lost]) in story.orders

    assert any(isinstance(order, Ring) for order in story.wait(5).orders)


@pytest.mark.rule("A27")
@BOTH
def test_when_the_grace_is_over_the_one_kept_is_told_and_it_was_a_drop(lost: Role) -> None:
    story = parted(lost).wait(90)
    kept = COUNSELOR_LEG if lost is Role.CALLER else CALLER_LEG

    assert story.call.end_reason is EndReason.LOST
    assert Say(kept, "nobody_reached") in story.orders
    assert HangUp(kept, after_seconds=6) in story.orders
    assert verdict(story) == (VerdictKind.SYSTEM_DROP, EndedBy.CARRIER)
    assert story.call.talked(story.now) == timedelta(seconds=60)


@BOTH
def test_somebody_who_is_back_when_the_grace_ends_is_waited_for(lost: Role) -> None:
    story = parted(lost).wait(85)
    story.answers(lost)
    if lost is Role.COUNSELOR:
        story.presses("1")
    story.wait(6)
    assert story.state is State.PARTED

    assert story.joins(lost).state is State.BRIDGED


@BOTH
def test_waiting_for_the_bridge_of_one_who_is_back_has_an_end(lost: Role) -> None:
    story = parted(lost).wait(85)
    story.answers(lost)
    if lost is Role.COUNSELOR:
        story.presses("1")

    assert story.wait(40).call.end_reason is EndReason.LOST


@BOTH
def test_with_both_lost_it_is_over(lost: Role) -> None:
    kept = Role.COUNSELOR if lost is Role.CALLER else Role.CALLER
    story = parted(lost).drops(kept)

    assert story.call.end_reason is EndReason.LOST
    assert verdict(story)[0] is VerdictKind.SYSTEM_DROP
    assert not list(story.call.all_standing())


@pytest.mark.rule("A27")
@pytest.mark.parametrize("event", [CallerHungUp(), CounselorHungUp()])
@BOTH
def test_giving_up_the_search_does_not_turn_the_drop_into_a_hang_up(
    lost: Role, event: CallerHungUp | CounselorHungUp
) -> None:
    story = parted(lost).tell(event)

    assert story.call.end_reason is EndReason.LOST
    assert verdict(story)[0] is VerdictKind.SYSTEM_DROP


@pytest.mark.parametrize(
    ("event", "by"),
    [(CallerHungUp(), EndedBy.CALLER), (CounselorHungUp(), EndedBy.COUNSELOR)],
)
def test_hanging_up_in_a_talk_that_had_gone_on_unknown_to_us_is_still_a_hang_up(
    event: CallerHungUp | CounselorHungUp, by: EndedBy
) -> None:
    story = parted().answers(Role.CALLER)
    joined = story.now
    story.pass_time(10).tell(event)
    now, story.now = story.now, joined
    story.joins(Role.CALLER)
    story.now = now

    assert verdict(story) == (VerdictKind.PARTY_ENDED, by)


def test_staff_may_end_the_search_and_the_orders_end_does_not() -> None:
    assert parted().tell(OrderWithdrawn()).state is State.PARTED
    assert parted().tell(StaffEnded()).call.end_reason is EndReason.STAFF


def test_what_needs_both_is_refused() -> None:
    for event in (CapExtended(60), TransferRequested((POLICE,)), CounselorDeclined()):
        with pytest.raises(Refused):
            parted().tell(event)


def test_the_counselors_mark_is_kept() -> None:
    assert parted().tell(CounselorMarkedCutOff(True)).call.counselor_mark is True


def test_a_refused_bridge_is_tried_with_a_new_ring_and_a_late_refusal_changes_nothing() -> None:
    story = parted().answers(Role.CALLER).tell(BridgeRefused())
    assert story.orders == (HangUp(SECOND[Role.CALLER]),)
    assert story.seconds_to(TimerKind.RERING) == 5

    before = story.call
    assert story.tell(BridgeRefused()).call == before


def test_a_bridge_that_never_stands_is_tried_with_a_new_ring() -> None:
    story = parted().answers(Role.CALLER).wait(15)

    assert story.orders == (HangUp(SECOND[Role.CALLER]),)


def test_an_answer_told_twice_orders_one_bridge() -> None:
    story = parted().pass_time(5).answers(Role.CALLER).pass_time(-1)

    assert story.answers(Role.CALLER).orders == ()


# --- the caller dials back in ---------------------------------------------------------------------


@pytest.mark.parametrize("when", ["ringing", "between rings", "voicemail answered"])
def test_a_lost_caller_who_dials_back_in_comes_by_their_own_leg(when: str) -> None:
    story = parted().pass_time(10)
    if when == "between rings":
        story.hangs_up(Role.CALLER)
    if when == "voicemail answered":
        story.answers(Role.CALLER)
    story.tell(CallerDialledIn(DIALLED_IN, story.now))
    assert Answer(DIALLED_IN) in story.orders
    assert story.seconds_to(TimerKind.RING) == 30

    story.answers(Role.CALLER)
    (bridge,) = [order for order in story.orders if isinstance(order, Bridge)]
    assert bridge.legs == (COUNSELOR_LEG, DIALLED_IN)
    assert story.joins(Role.CALLER).state is State.BRIDGED


def test_a_caller_who_is_kept_needs_no_second_phone() -> None:
    story = parted(Role.COUNSELOR)
    story.tell(CallerDialledIn(DIALLED_IN, story.now))

    assert story.orders == (HangUp(DIALLED_IN),)


# --- news out of order ----------------------------------------------------------------------------


def test_a_first_talk_that_becomes_known_after_the_parting_counts_from_its_beginning() -> None:
    story = bridging()
    joined = story.now
    story.pass_time(30).drops(Role.CALLER)
    assert story.call.connected_at is None

    for role in (Role.COUNSELOR, Role.CALLER):
        first = next(leg for leg in story.call.legs if leg.role is role)
        story.tell(LegBridged(leg=first.id, at=joined))

    assert story.call.connected_at == joined
    assert FactKind.CONNECTED in story.facts
    assert story.call.talked(story.now) == timedelta(seconds=30)


# --- crisis ---------------------------------------------------------------------------------------


@pytest.mark.rule("X55")
def test_a_crisis_may_be_raised_while_one_is_lost() -> None:
    story = parted(Role.COUNSELOR).tell(CrisisRaised())

    assert story.orders == (Limit(CALLER_LEG, 7200),)
    comes_back(story, Role.COUNSELOR)
    assert story.call.due(TimerKind.CAP) is None


@pytest.mark.rule("X55")
def test_a_person_in_danger_is_kept_as_long_as_it_takes() -> None:
    story = parted(Role.COUNSELOR).tell(CrisisRaised()).wait(3600)

    assert story.state is State.PARTED
    assert HangUp(CALLER_LEG) not in story.all_effects
    assert comes_back(story.wait(40), Role.COUNSELOR).call.leg(CALLER_LEG) is not None


@pytest.mark.rule("X55")
def test_a_counselor_cannot_stop_looking_for_a_person_in_danger() -> None:
    with pytest.raises(Refused):
        parted().tell(CrisisRaised()).tell(CounselorHungUp())


@pytest.mark.rule("X55")
def test_a_person_in_danger_who_is_back_is_kept_when_the_bridge_fails() -> None:
    story = parted().tell(CrisisRaised()).answers(Role.CALLER)
    assert story.tell(BridgeRefused()).state is State.PARTED

    story.wait(15)

    assert any(isinstance(order, Bridge) for order in story.orders)
    assert HangUp(SECOND[Role.CALLER]) not in story.all_effects


@pytest.mark.rule("X55")
def test_a_person_in_danger_who_is_back_is_kept_when_the_counselor_is_lost_meanwhile() -> None:
    story = parted().tell(CrisisRaised()).answers(Role.CALLER).drops(Role.COUNSELOR)

    assert (story.state, story.call.lost) == (State.PARTED, Role.COUNSELOR)
    story.answers(Role.COUNSELOR).presses("1")
    (bridge,) = [order for order in story.orders if isinstance(order, Bridge)]
    assert bridge.legs == (SECOND[Role.CALLER], SECOND[Role.COUNSELOR])
    assert story.joins(Role.CALLER).joins(Role.COUNSELOR).state is State.BRIDGED


def test_the_search_of_a_person_in_danger_who_is_gone_ends_with_the_grace() -> None:
    story = talking().tell(CrisisRaised()).pass_time(60).drops(Role.CALLER).wait(90)

    assert story.call.end_reason is EndReason.LOST
