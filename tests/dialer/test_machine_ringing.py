"""Bringing the two to the line: either may be rung first, and a person has to say yes."""

from dataclasses import replace

import pytest

from dialer.call import EndReason, State
from dialer.carriers import ReleaseSide
from dialer.events import (
    BridgeRefused,
    CallerDialledIn,
    CallerHungUp,
    CounselorAccepted,
    CounselorClaimed,
    CounselorDeclined,
    CounselorHungUp,
    CrisisRaised,
    OrderWithdrawn,
    StaffEnded,
    TimerKind,
)
from dialer.leg import LetGoReason
from dialer.orders import Bridge, CarrierOrder, FactKind, HangUp, Part, Ring, Say
from dialer.policy import CallerAccepts
from terms.ids import LegId
from terms.refusals import Refused
from terms.verdict import EndedBy, Role, VerdictKind
from tests.dialer.stories import (
    ANA,
    CALLER_FIRST,
    CALLER_LEG,
    COUNSELOR_FIRST,
    COUNSELOR_LEG,
    DIALLED_IN,
    Story,
    begin,
    bridging,
    ringing_first,
    ringing_second,
    talking,
)

UNACCEPTED = replace(CALLER_FIRST, press_to_accept=False)


@pytest.mark.rule("A03", "A15")
def test_the_caller_is_rung_first_and_the_counselor_once_they_are_on_the_line() -> None:
    story = ringing_first()
    assert story.orders == (Ring(CALLER_LEG, Role.CALLER, None, 30),)
    assert story.call.counselor == ANA
    assert story.seconds_to(TimerKind.RING) == 30

    story = story.answers(Role.CALLER)

    assert story.state is State.RINGING_SECOND
    assert story.orders == (
        Ring(COUNSELOR_LEG, Role.COUNSELOR, ANA, 30),
        Say(CALLER_LEG, "greeting"),
        Say(CALLER_LEG, "connecting"),
    )


def said(story: Story) -> list[str]:
    return [one.prompt for one in story.orders if isinstance(one, Say)]


@pytest.mark.rule("D42")
def test_a_program_greets_in_words_of_its_own_or_not_at_all() -> None:
    own = ringing_first(replace(CALLER_FIRST, greeting="greeting_helpline"))
    assert said(own.answers(Role.CALLER)) == ["greeting_helpline", "connecting"]

    none = ringing_first(replace(CALLER_FIRST, greeting=""))
    assert said(none.answers(Role.CALLER)) == ["connecting"]


@pytest.mark.rule("X01")
def test_only_a_person_is_greeted_where_callers_press_1() -> None:
    story = ringing_first(replace(CALLER_FIRST, caller_accepts=CallerAccepts.ALWAYS))

    assert said(story.answers(Role.CALLER)) == ["press_1"]
    assert said(story.presses("1", Role.CALLER)) == ["greeting", "connecting"]


def test_the_counselor_and_who_is_rung_second_are_asked_at_once_and_not_greeted() -> None:
    story = ringing_first(COUNSELOR_FIRST)

    assert said(story.answers(Role.COUNSELOR)) == ["press_1"]
    assert said(story.presses("1")) == ["connecting"]
    assert said(story.answers(Role.CALLER)) == ["press_1"]


def test_who_is_greeted_by_the_queue_is_not_greeted_again_when_their_turn_comes() -> None:
    story = Story(begins=begin(None, pooled=True), dials_in=DIALLED_IN)

    assert said(story.answers(Role.CALLER)) == ["greeting", "queued"]
    assert said(story.tell(CounselorClaimed(ANA))) == ["connecting"]


def test_who_dials_in_to_a_counselor_who_is_free_is_greeted_once() -> None:
    story = Story(dials_in=DIALLED_IN)

    assert said(story.answers(Role.CALLER)) == ["greeting", "connecting"]
    assert said(story.ends(Role.COUNSELOR, ReleaseSide.CARRIER, 38)) == []


@pytest.mark.rule("X01")
def test_the_counselor_may_be_rung_first_and_has_to_accept_before_the_caller_is_rung() -> None:
    story = ringing_first(COUNSELOR_FIRST)
    assert story.orders == (Ring(COUNSELOR_LEG, Role.COUNSELOR, ANA, 30),)

    story = story.answers(Role.COUNSELOR)
    assert story.state is State.RINGING_FIRST
    assert story.orders == (Say(COUNSELOR_LEG, "press_1"),)

    story = story.presses("1")
    assert story.state is State.RINGING_SECOND
    assert Ring(CALLER_LEG, Role.CALLER, None, 30) in story.orders

    story.answers(Role.CALLER)
    assert story.orders == (Say(CALLER_LEG, "press_1"),)
    joined: tuple[CarrierOrder, ...] = (Bridge((COUNSELOR_LEG, CALLER_LEG), 1502),)
    assert story.presses("1", Role.CALLER).orders == joined


@pytest.mark.rule("X01")
def test_a_caller_who_is_rung_second_and_whose_voicemail_answers_is_a_caller_not_reached() -> None:
    story = ringing_second(COUNSELOR_FIRST).answers(Role.CALLER)
    assert story.seconds_to(TimerKind.ACCEPT) == 20

    story.wait(20)

    assert story.state is State.WAITING
    assert story.call.connected_at is None
    assert (story.call.counted, story.call.faults) == (1, 0)
    assert not any(isinstance(one, Bridge) for one in story.all_effects)
    assert story.leg(Role.CALLER).let_go_why is LetGoReason.NOT_ACCEPTED


@pytest.mark.rule("X55")
def test_a_caller_who_may_be_in_danger_is_not_asked_to_press_anything() -> None:
    story = ringing_second(COUNSELOR_FIRST).tell(CrisisRaised()).answers(Role.CALLER)
    assert any(isinstance(one, Bridge) for one in story.orders)

    asked = ringing_second(COUNSELOR_FIRST).answers(Role.CALLER).tell(CrisisRaised())
    assert any(isinstance(one, Bridge) for one in asked.wait(20).orders)


def test_a_caller_who_dials_in_is_there_and_need_not_press() -> None:
    story = ringing_second(COUNSELOR_FIRST)
    story.tell(CallerDialledIn(DIALLED_IN, story.now)).answers(Role.CALLER)

    assert any(isinstance(one, Bridge) for one in story.orders)


@pytest.mark.rule("X01")
@pytest.mark.parametrize(
    ("mode", "rung_first", "again", "after_a_drop"),
    [
        (CallerAccepts.NEVER, False, False, False),
        (CallerAccepts.SECOND, False, False, False),
        (CallerAccepts.UNASKED, False, True, True),
        (CallerAccepts.ALWAYS, True, True, True),
    ],
)
def test_a_program_says_when_callers_press_1(
    mode: CallerAccepts, rung_first: bool, again: bool, after_a_drop: bool
) -> None:
    policy = replace(CALLER_FIRST, caller_accepts=mode)

    def asks(story: Story) -> bool:
        story.answers(Role.CALLER)
        return any(isinstance(one, Say) and one.prompt == "press_1" for one in story.orders)

    assert asks(ringing_first(policy)) is rung_first
    busy = ringing_first(policy).ends(Role.CALLER, ReleaseSide.PARTY, 17).wait(180)
    assert asks(busy) is again
    talk = ringing_first(policy).answers(Role.CALLER).presses("1", Role.CALLER)
    talk.answers(Role.COUNSELOR).presses("1").joins(Role.CALLER).joins(Role.COUNSELOR)
    lost = talk.drops(Role.CALLER)
    assert asks(lost) is after_a_drop
    if after_a_drop:
        lost.presses("1", Role.CALLER)
    assert lost.joins(Role.CALLER).state is State.BRIDGED


@pytest.mark.rule("X01")
def test_only_pressing_1_brings_the_bridge() -> None:
    story = ringing_second().answers(Role.COUNSELOR)
    assert story.orders == (Say(COUNSELOR_LEG, "press_1"),)
    assert story.presses("5").orders == ()

    story = story.presses("1")

    assert story.orders == (Bridge((CALLER_LEG, COUNSELOR_LEG), 1502),)
    assert FactKind.COUNSELOR_ACCEPTED in story.facts
    assert story.state is State.RINGING_SECOND


@pytest.mark.rule("X01")
def test_accepting_in_the_console_stands_for_pressing_1_once_the_phone_is_answered() -> None:
    with pytest.raises(Refused):
        ringing_second().tell(CounselorAccepted())

    after = ringing_second().answers(Role.COUNSELOR).tell(CounselorAccepted())
    assert after.orders == (Bridge((CALLER_LEG, COUNSELOR_LEG), 1502),)
    assert after.tell(CounselorAccepted()).effects == ()


def test_without_a_ringing_phone_there_is_nothing_to_accept() -> None:
    with pytest.raises(Refused):
        ringing_first().tell(CounselorAccepted())


def test_a_key_pressed_tells_of_the_answer_too() -> None:
    assert ringing_second().presses("1").orders == (Bridge((CALLER_LEG, COUNSELOR_LEG), 1502),)


def test_a_program_may_do_without_pressing_1() -> None:
    story = ringing_second(UNACCEPTED).answers(Role.COUNSELOR)

    assert story.orders == (Bridge((CALLER_LEG, COUNSELOR_LEG), 1502),)


@pytest.mark.rule("A19", "X01")
def test_they_are_connected_once_both_are_known_to_have_joined() -> None:
    story = bridging().pass_time(2).joins(Role.CALLER)
    assert story.state is State.RINGING_SECOND
    assert story.call.connected_at is None

    story = story.joins(Role.COUNSELOR)

    assert story.state is State.BRIDGED
    assert story.call.connected_at == story.now
    assert story.facts == (FactKind.CONNECTED,)


@pytest.mark.rule("X01", "A30")
def test_a_voicemail_never_connects() -> None:
    story = ringing_second().answers(Role.COUNSELOR).wait(20)

    assert HangUp(COUNSELOR_LEG) in story.orders
    assert Ring(LegId("call/counselor/2"), Role.COUNSELOR, ANA, 30) in story.orders

    story.answers(Role.COUNSELOR).wait(20)

    assert story.state is State.ENDED
    assert story.call.end_reason is EndReason.COUNSELOR_NOT_REACHED
    assert story.call.connected_at is None
    assert story.call.counted == 0
    assert not any(isinstance(effect, Bridge) for effect in story.all_effects)


@pytest.mark.rule("A30", "X27")
def test_a_counselor_who_does_not_answer_is_rung_again_with_the_caller_kept() -> None:
    story = ringing_second().rings(Role.COUNSELOR).wait(30)

    assert story.state is State.RINGING_SECOND
    assert story.orders == (
        HangUp(COUNSELOR_LEG),
        Ring(LegId("call/counselor/2"), Role.COUNSELOR, ANA, 30),
    )
    assert story.seconds_to(TimerKind.RING) == 30
    story = story.wait(30)
    assert story.call.end_reason is EndReason.COUNSELOR_NOT_REACHED
    assert Say(CALLER_LEG, "nobody_reached") in story.orders
    assert HangUp(CALLER_LEG, after_seconds=6) in story.orders
    assert story.call.counted == 0


def test_the_time_to_accept_belongs_to_the_ring_that_was_answered() -> None:
    story = ringing_second().answers(Role.COUNSELOR).pass_time(5).hangs_up(Role.COUNSELOR)

    assert story.call.due(TimerKind.ACCEPT) is None
    assert story.wait(16).call.counselor_misses == 1


@pytest.mark.rule("A26", "A30")
@pytest.mark.parametrize("how", ["console", "phone"])
def test_a_named_counselor_who_declines_ends_it_for_the_caller_chose_nobody_else(how: str) -> None:
    story = ringing_second()
    if how == "console":
        story.tell(CounselorDeclined())
    else:
        story.ends(Role.COUNSELOR, ReleaseSide.PARTY, 21)

    assert story.call.end_reason is EndReason.COUNSELOR_NOT_REACHED
    assert story.call.counted == 0
    assert story.call.verdict is not None
    assert story.call.verdict.by is EndedBy.COUNSELOR


def test_in_a_pool_a_miss_sends_the_caller_back_to_the_queue_and_keeps_them_on_the_line() -> None:
    story = Story(begins=begin(pooled=True)).answers(Role.CALLER).tell(CounselorDeclined())

    assert story.state is State.QUEUED
    assert story.call.counselor is None
    assert story.orders == (HangUp(COUNSELOR_LEG), Say(CALLER_LEG, "queued"))
    caller = story.call.standing(Role.CALLER)
    assert caller is not None


def test_misses_are_bounded_in_a_pool_too() -> None:
    policy = replace(CALLER_FIRST, counselor_tries=1)
    story = Story(policy, begin(pooled=True)).answers(Role.CALLER).tell(CounselorDeclined())

    assert story.call.end_reason is EndReason.COUNSELOR_NOT_REACHED


@pytest.mark.rule("X27")
def test_a_counselor_rung_first_who_is_missed_is_tried_again_after_a_pause() -> None:
    story = ringing_first(COUNSELOR_FIRST).rings(Role.COUNSELOR).wait(30)

    assert story.state is State.WAITING
    assert story.seconds_to(TimerKind.ATTEMPT) == 20
    assert (story.call.counted, story.call.counselor) == (0, None)
    story.wait(20).rings(Role.COUNSELOR).wait(30)
    assert story.call.end_reason is EndReason.COUNSELOR_NOT_REACHED


def test_a_counselor_rung_first_who_leaves_takes_the_ringing_of_the_caller_with_them() -> None:
    story = ringing_second(COUNSELOR_FIRST).hangs_up(Role.COUNSELOR)

    assert story.state is State.WAITING
    assert HangUp(CALLER_LEG) in story.orders
    assert story.call.counted == 0


@pytest.mark.rule("A39")
def test_a_caller_who_gives_up_before_the_talk_withdraws_and_nothing_counts() -> None:
    story = ringing_second().hangs_up(Role.CALLER)

    assert story.call.end_reason is EndReason.WITHDRAWN
    assert story.call.counted == 0
    assert HangUp(COUNSELOR_LEG) in story.orders
    assert story.call.verdict is not None
    assert (story.call.verdict.kind, story.call.verdict.by) == (
        VerdictKind.NOT_CONNECTED,
        EndedBy.CALLER,
    )


@pytest.mark.parametrize("ring", [ringing_first, ringing_second])
def test_hanging_up_in_the_app_withdraws_too(ring: type[Story]) -> None:
    story = ring().tell(CallerHungUp())

    assert story.call.end_reason is EndReason.WITHDRAWN
    assert story.call.verdict is not None
    assert story.call.verdict.by is EndedBy.CALLER


@pytest.mark.rule("X27")
def test_a_caller_we_rang_unasked_who_puts_it_down_has_rejected_it() -> None:
    policy = replace(COUNSELOR_FIRST, bridge_seconds=15)
    story = ringing_second(policy).hangs_up(Role.CALLER)

    assert story.state is State.WAITING
    assert story.call.counted == 1


def test_a_caller_who_called_us_and_puts_it_down_withdraws_whoever_is_rung_first() -> None:
    story = ringing_first(COUNSELOR_FIRST).tell(CallerDialledIn(DIALLED_IN, ringing_first().now))
    story.answers(Role.CALLER).hangs_up(Role.CALLER)

    assert story.call.end_reason is EndReason.WITHDRAWN


@pytest.mark.parametrize("event", [StaffEnded(), OrderWithdrawn()])
@pytest.mark.parametrize("ring", [ringing_first, ringing_second])
def test_staff_and_the_orders_end_stop_the_ringing(
    ring: type[Story], event: StaffEnded | OrderWithdrawn
) -> None:
    story = ring().tell(event)

    assert story.state is State.ENDED
    assert not list(story.call.all_standing())


def test_an_order_given_up_while_the_two_are_being_joined_does_not_touch_them() -> None:
    story = bridging().tell(OrderWithdrawn())

    assert story.effects == ()
    assert story.joins(Role.CALLER).joins(Role.COUNSELOR).state is State.BRIDGED


def test_a_bridge_that_never_stands_is_our_fault_and_does_not_count() -> None:
    story = bridging()
    assert story.seconds_to(TimerKind.BRIDGE) == 15

    story.wait(15)

    assert story.state is State.WAITING
    assert (story.call.counted, story.call.faults) == (0, 1)
    assert story.call.connected_at is None
    assert not list(story.call.all_standing())
    assert story.seconds_to(TimerKind.ATTEMPT) == 20


@pytest.mark.rule("A25")
def test_two_who_were_joined_without_our_knowing_are_parted_before_they_are_told_otherwise() -> (
    None
):
    orders = bridging().wait(15).orders

    assert orders[:2] == (Part(CALLER_LEG), Part(COUNSELOR_LEG))
    assert orders[2:4] == (
        Say(CALLER_LEG, "caller_not_reached"),
        Say(COUNSELOR_LEG, "caller_not_reached"),
    )


def test_a_refused_bridge_fails_at_once_and_a_refusal_told_late_changes_nothing() -> None:
    story = bridging().tell(BridgeRefused())
    assert (story.state, story.call.faults) == (State.WAITING, 1)

    ringing = ringing_second()
    assert ringing.tell(BridgeRefused()).state is State.RINGING_SECOND
    assert ringing.effects == ()


@pytest.mark.rule("A27")
def test_a_line_that_fails_while_the_bridge_is_made_is_rung_again() -> None:
    story = bridging().drops(Role.COUNSELOR)

    assert story.state is State.PARTED
    assert story.call.lost is Role.COUNSELOR


def test_a_hang_up_while_the_bridge_is_made_is_the_end_whichever_is_told_first() -> None:
    in_order = bridging().pass_time(1).joins(Role.CALLER).joins(Role.COUNSELOR)
    in_order.pass_time(3).hangs_up(Role.CALLER)

    reordered = bridging().pass_time(1)
    joined = reordered.now
    reordered.pass_time(3).hangs_up(Role.CALLER)
    now, reordered.now = reordered.now, joined
    reordered.joins(Role.COUNSELOR).joins(Role.CALLER)
    reordered.now = now

    assert reordered.call.verdict == in_order.call.verdict
    assert reordered.call.connected_at == in_order.call.connected_at


def test_a_counselor_who_hangs_up_in_the_console_while_the_bridge_is_made_is_rung_again() -> None:
    story = bridging().tell(CounselorHungUp())
    assert story.call.due(TimerKind.BRIDGE) is None

    story.answers(Role.COUNSELOR).presses("1")

    assert any(isinstance(order, Bridge) for order in story.orders)


def test_silence_told_before_the_bridge_is_watched_from_the_bridge_on() -> None:
    story = bridging().falls_silent(Role.COUNSELOR).joins(Role.CALLER).joins(Role.COUNSELOR)

    assert story.seconds_to(TimerKind.SILENCE) == 20


def test_legs_of_a_failed_attempt_are_let_go_because_nobody_wants_them() -> None:
    story = bridging().wait(15)

    assert {leg.let_go_why for leg in story.call.legs} == {LetGoReason.NOT_WANTED}


def test_a_late_bridge_of_legs_let_go_still_makes_it_a_talk() -> None:
    story = bridging().wait(15)
    assert story.call.connected_at is None
    joined = story.now
    story.now = bridging().now
    story.joins(Role.CALLER).joins(Role.COUNSELOR)
    story.now = joined

    assert story.call.connected_at == story.leg(Role.CALLER).bridged_at
    assert FactKind.CONNECTED in story.facts


def test_both_ring_orders_lead_to_the_same_talk() -> None:
    for policy in (CALLER_FIRST, COUNSELOR_FIRST):
        story = talking(policy)
        assert story.state is State.BRIDGED
        assert story.seconds_to(TimerKind.CAP) == 1500
