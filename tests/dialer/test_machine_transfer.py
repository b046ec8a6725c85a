"""Warm transfer: the agency joins while both stay, and the caller is always kept (X41)."""

import pytest

from dialer.call import EndReason, State
from dialer.events import (
    BridgeRefused,
    CounselorHungUp,
    CrisisRaised,
    TimerKind,
    TransferCancelled,
    TransferConfirmed,
    TransferRequested,
)
from dialer.leg import LetGoReason
from dialer.orders import Bridge, FactKind, HangUp, Limit, Ring
from terms.ids import LegId
from terms.refusals import Refused
from terms.verdict import EndedBy, Role, VerdictKind
from tests.dialer.stories import (
    AMBULANCE,
    CALLER_LEG,
    COUNSELOR_LEG,
    POLICE,
    Story,
    bridging,
    parted,
    talking,
)

AGENCY_LEG, SECOND_AGENCY_LEG = LegId("call/agency/1"), LegId("call/agency/2")


def asked() -> Story:
    """A minute into the talk the counselor asks for the police, else an ambulance."""
    return talking().pass_time(60).tell(TransferRequested((POLICE, AMBULANCE)))


def joined() -> Story:
    return asked().pass_time(5).answers(Role.AGENCY).pass_time(1).joins(Role.AGENCY)


def handed_over() -> Story:
    return joined().pass_time(30).tell(TransferConfirmed())


def caller_was_never_let_go(story: Story) -> bool:
    return not any(
        isinstance(effect, HangUp) and effect.leg == CALLER_LEG for effect in story.all_effects
    )


@pytest.mark.rule("D35", "D08", "X41")
def test_the_agency_is_rung_while_both_stay_and_the_caps_are_lifted() -> None:
    story = asked()

    assert story.state is State.BRIDGED
    assert story.orders == (
        Limit(CALLER_LEG, 7200),
        Limit(COUNSELOR_LEG, 7200),
        Ring(AGENCY_LEG, Role.AGENCY, POLICE, 30),
    )
    assert story.call.crisis
    assert story.call.due(TimerKind.CAP) is None
    assert story.seconds_to(TimerKind.TRANSFER) == 30


def test_a_crisis_marked_before_is_not_marked_again() -> None:
    story = talking().tell(CrisisRaised()).tell(TransferRequested((POLICE,)))

    assert story.facts == (FactKind.TRANSFER_STARTED,)


@pytest.mark.rule("D08", "X41")
def test_the_agency_joins_both() -> None:
    story = asked().pass_time(5).answers(Role.AGENCY)
    assert story.orders == (Bridge((AGENCY_LEG,), 7200),)

    story.joins(Role.AGENCY)

    assert story.facts == (FactKind.TRANSFER_JOINED,)
    assert story.call.due(TimerKind.TRANSFER) is None
    assert {leg.role for leg in story.call.all_standing()} == {
        Role.CALLER,
        Role.COUNSELOR,
        Role.AGENCY,
    }
    assert story.wait(3600).state is State.BRIDGED


@pytest.mark.rule("X41", "D35")
def test_after_30_s_the_next_agency_is_rung() -> None:
    story = asked().wait(30)

    assert story.orders == (
        HangUp(AGENCY_LEG),
        Ring(SECOND_AGENCY_LEG, Role.AGENCY, AMBULANCE, 30),
    )
    assert story.seconds_to(TimerKind.TRANSFER) == 30
    story.wait(30)
    assert story.call.transfer is None
    assert FactKind.TRANSFER_FAILED in story.facts
    assert (story.state, story.call.counselor) == (State.BRIDGED, "ana")
    assert caller_was_never_let_go(story)


@pytest.mark.rule("X41")
@pytest.mark.parametrize("when", ["ringing", "answered", "joined"])
def test_an_agency_that_is_gone_makes_room_for_the_next(when: str) -> None:
    story = asked().pass_time(5)
    if when != "ringing":
        story.answers(Role.AGENCY)
    if when == "joined":
        story.joins(Role.AGENCY)
    story.hangs_up(Role.AGENCY)

    assert story.orders == (Ring(SECOND_AGENCY_LEG, Role.AGENCY, AMBULANCE, 30),)
    assert story.state is State.BRIDGED
    assert story.call.transfer is not None
    assert not story.call.transfer.joined


@pytest.mark.rule("X41")
def test_an_agency_that_cannot_be_joined_makes_room_for_the_next() -> None:
    refused = asked().answers(Role.AGENCY).tell(BridgeRefused())
    assert HangUp(AGENCY_LEG) in refused.orders
    assert Ring(SECOND_AGENCY_LEG, Role.AGENCY, AMBULANCE, 30) in refused.orders

    never_told = asked().answers(Role.AGENCY)
    assert never_told.seconds_to(TimerKind.TRANSFER) == 15
    assert HangUp(AGENCY_LEG) in never_told.wait(15).orders

    ringing = asked()
    assert ringing.tell(BridgeRefused()).effects == ()


@pytest.mark.rule("X41", "D08")
def test_the_counselor_leaves_only_after_the_agency_has_confirmed() -> None:
    story = handed_over()

    assert story.orders == (HangUp(COUNSELOR_LEG),)
    assert (story.state, story.call.counselor) == (State.BRIDGED, None)
    assert story.call.handed_over
    assert story.leg(Role.COUNSELOR).let_go_why is LetGoReason.HANDED_OVER
    assert caller_was_never_let_go(story)


@pytest.mark.rule("X41")
def test_nothing_can_be_confirmed_before_the_agency_is_on_the_line() -> None:
    for story in (talking(), asked(), asked().answers(Role.AGENCY)):
        before = story.call
        with pytest.raises(Refused):
            story.tell(TransferConfirmed())
        assert story.call == before


@pytest.mark.rule("X41")
@pytest.mark.parametrize("when", ["ringing", "joined"])
def test_the_counselor_may_go_on_without_the_agency(when: str) -> None:
    story = (asked() if when == "ringing" else joined()).tell(TransferCancelled())

    assert story.orders == (HangUp(AGENCY_LEG),)
    assert story.call.transfer is None
    assert story.call.due(TimerKind.TRANSFER) is None
    assert story.state is State.BRIDGED
    assert story.call.crisis
    with pytest.raises(Refused):
        story.tell(TransferCancelled())


def test_after_a_cancel_another_transfer_may_begin() -> None:
    story = asked().tell(TransferCancelled()).tell(TransferRequested((AMBULANCE,)))

    assert story.orders == (Ring(SECOND_AGENCY_LEG, Role.AGENCY, AMBULANCE, 30),)


def test_one_transfer_at_a_time_to_somebody_after_the_talk_began() -> None:
    for story, targets in (
        (asked(), (POLICE,)),
        (joined(), (POLICE,)),
        (handed_over(), (POLICE,)),
        (talking(), ()),
        (bridging(), (POLICE,)),
        (parted(), (POLICE,)),
    ):
        before = story.call
        with pytest.raises(Refused):
            story.tell(TransferRequested(targets))
        assert story.call == before


@pytest.mark.rule("X41")
@pytest.mark.parametrize("how", ["console", "phone", "line"])
def test_a_counselor_who_is_gone_once_the_agency_joined_has_handed_over_unconfirmed(
    how: str,
) -> None:
    story = joined()
    if how == "console":
        story.tell(CounselorHungUp())
    elif how == "phone":
        story.hangs_up(Role.COUNSELOR)
    else:
        story.drops(Role.COUNSELOR)

    assert (story.state, story.call.handed_over) == (State.BRIDGED, True)
    assert FactKind.HANDED_OVER in story.facts
    assert caller_was_never_let_go(story)


@pytest.mark.rule("X41")
def test_a_counselor_lost_while_the_agency_rings_is_rung_again_beside_it() -> None:
    story = asked().pass_time(5).drops(Role.COUNSELOR)
    assert (story.state, story.call.lost) == (State.PARTED, Role.COUNSELOR)
    assert story.seconds_to(TimerKind.TRANSFER) == 25

    story.wait(25)
    assert Ring(SECOND_AGENCY_LEG, Role.AGENCY, AMBULANCE, 30) in story.orders
    assert caller_was_never_let_go(story)


@pytest.mark.rule("X41")
def test_an_agency_that_joins_while_the_counselor_is_lost_has_taken_over() -> None:
    story = asked().pass_time(5).drops(Role.COUNSELOR)
    story.answers(Role.AGENCY).joins(Role.AGENCY)

    assert (story.state, story.call.lost, story.call.handed_over) == (State.BRIDGED, None, True)
    assert story.call.timers == ()
    assert HangUp(LegId("call/counselor/2")) in story.orders
    assert story.wait(3600).state is State.BRIDGED


@pytest.mark.rule("X41")
def test_an_agency_gone_or_cancelled_while_the_counselor_is_lost_leaves_the_search_alone() -> None:
    gone = asked().drops(Role.COUNSELOR).hangs_up(Role.AGENCY)
    assert (gone.state, gone.call.lost) == (State.PARTED, Role.COUNSELOR)

    cancelled = asked().drops(Role.COUNSELOR).tell(TransferCancelled())
    assert cancelled.state is State.PARTED


@pytest.mark.rule("X41")
def test_a_caller_lost_during_the_transfer_is_rung_again_and_agency_and_counselor_stay() -> None:
    story = joined().drops(Role.CALLER)
    assert (story.state, story.call.lost) == (State.PARTED, Role.CALLER)

    story.answers(Role.CALLER)
    assert story.joins(Role.CALLER).state is State.BRIDGED
    assert story.call.transfer is not None
    assert story.call.transfer.joined


@pytest.mark.rule("X41")
@pytest.mark.parametrize("how", ["confirms", "hangs up"])
def test_a_counselor_may_leave_the_search_for_the_caller_to_the_agency(how: str) -> None:
    story = joined().drops(Role.CALLER)
    if how == "confirms":
        story.tell(TransferConfirmed())
    else:
        story.hangs_up(Role.COUNSELOR)
    assert (story.state, story.call.handed_over) == (State.PARTED, True)

    story.answers(Role.CALLER)
    assert story.joins(Role.CALLER).state is State.BRIDGED


@pytest.mark.rule("X41")
@pytest.mark.parametrize("how", ["phone", "line"])
def test_an_agency_lost_after_the_hand_over_is_rung_again_and_the_caller_kept(how: str) -> None:
    story = handed_over().pass_time(10)
    story = story.hangs_up(Role.AGENCY) if how == "phone" else story.drops(Role.AGENCY)

    assert (story.state, story.call.lost) == (State.PARTED, Role.AGENCY)
    assert Ring(SECOND_AGENCY_LEG, Role.AGENCY, POLICE, 30) in story.orders
    assert caller_was_never_let_go(story)
    assert story.wait(1000).state is State.PARTED
    story.wait(40).answers(Role.AGENCY).joins(Role.AGENCY)
    assert story.state is State.BRIDGED


def test_a_handed_over_talk_ends_when_one_of_the_two_left_wants_it() -> None:
    story = handed_over().pass_time(10).hangs_up(Role.CALLER)

    assert story.call.end_reason is EndReason.HUNG_UP
    assert story.call.verdict is not None
    assert (story.call.verdict.kind, story.call.verdict.by) == (
        VerdictKind.PARTY_ENDED,
        EndedBy.CALLER,
    )
    assert story.call.talked(story.now).total_seconds() == 60 + 5 + 1 + 30 + 10


def test_a_counselor_who_has_handed_over_has_nothing_to_hang_up() -> None:
    with pytest.raises(Refused):
        handed_over().tell(CounselorHungUp())


@pytest.mark.rule("X41")
def test_a_silent_agency_makes_room_for_the_next() -> None:
    story = joined().falls_silent(Role.AGENCY).wait(20)

    assert story.orders == (
        HangUp(AGENCY_LEG),
        Ring(SECOND_AGENCY_LEG, Role.AGENCY, AMBULANCE, 30),
    )


def test_another_silence_is_watched_on_when_the_silent_agency_is_gone() -> None:
    story = joined().falls_silent(Role.AGENCY).pass_time(5).falls_silent(Role.CALLER).wait(15)

    assert story.state is State.BRIDGED
    assert story.seconds_to(TimerKind.SILENCE) == 20


def test_what_an_agency_says_twice_is_done_once() -> None:
    story = asked().pass_time(5).answers(Role.AGENCY).joins(Role.AGENCY).pass_time(-1)

    assert story.joins(Role.AGENCY).orders == ()
    assert story.answers(Role.AGENCY).orders == ()
