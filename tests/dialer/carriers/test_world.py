"""The world by itself: what conformance cannot see, because it needs no carrier's word for it."""

import pytest

from dialer.carriers import (
    CallIn,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegRinging,
    MediaHeard,
    MediaLost,
    ReleaseSide,
)
from dialer.carriers.simulated.handset import NotPossible
from dialer.carriers.simulated.orders import (
    Bridge,
    HangUp,
    Say,
)
from dialer.carriers.simulated.script import Answers, EndsBy, Script
from terms.ids import CallId, LegId
from tests.dialer.carriers.talks import (
    ANN,
    ANN_LEG,
    BEN,
    BEN_LEG,
    NOON,
    a_world,
    after,
    ended,
    ring,
    rung,
)


def test_every_step_is_told_with_its_own_time_however_late_the_world_is_advanced() -> None:
    world = a_world()
    script = Script(answers=Answers.YES, after_seconds=3, presses="12")
    world.script(ANN.digits, script)
    world.order(ring(ANN_LEG, ANN), NOON)

    an_hour_late = world.advance(after(3600))

    assert [(type(r.news), r.news.at) for r in an_hour_late] == [
        (LegAnswered, after(3)),
        (KeyPressed, after(3.5)),
        (KeyPressed, after(4)),
    ]


def test_the_world_names_the_moment_it_wants_to_be_woken() -> None:
    world = a_world()
    assert world.next_due() is None
    world.script(ANN.digits, Script(answers=Answers.YES, after_seconds=3))
    world.order(ring(ANN_LEG, ANN), NOON)
    assert world.next_due() == after(3)

    world.order(HangUp(leg=ANN_LEG), after(1))

    assert world.next_due() is None


def test_news_made_by_a_hand_is_due_at_once() -> None:
    world = a_world()
    world.order(ring(ANN_LEG, ANN), NOON)

    world.pick_up(ANN.digits, after(2))

    assert world.next_due() == after(2)
    assert [type(r.news) for r in world.advance(after(2))] == [LegAnswered]


@pytest.mark.parametrize(
    ("ends_by", "by", "q850"),
    [(EndsBy.HANGUP, ReleaseSide.PARTY, 16), (EndsBy.DROP, ReleaseSide.CARRIER, 41)],
)
def test_a_scripted_talk_ends_as_told_counted_from_hearing_somebody(
    ends_by: EndsBy, by: ReleaseSide, q850: int
) -> None:
    world = a_world()
    talker = Script(answers=Answers.YES, talks_for_seconds=60, ends_by=ends_by)
    rung(world, talker, Script(answers=Answers.YES, after_seconds=5))
    assert ended(world.advance(after(69))) == {}

    news = ended(world.advance(after(71)))

    assert [(n.leg, n.by, n.q850, n.at) for n in news.values()] == [(ANN_LEG, by, q850, after(70))]
    assert [leg.leg for leg in world.standing_legs()] == [BEN_LEG]


def test_a_phone_that_stays_talks_until_its_limit() -> None:
    world = a_world()
    stays = Script(answers=Answers.YES, talks_for_seconds=60, ends_by=EndsBy.STAYS)
    rung(world, stays, stays)

    assert {n.at for n in ended(world.advance(after(7200))).values()} == {after(910)}


def test_a_scripted_silence_leaves_a_half_open_leg_and_frees_the_phone() -> None:
    world = a_world()
    fades = Script(answers=Answers.YES, talks_for_seconds=60, ends_by=EndsBy.SILENCE)
    rung(world, fades, Script(answers=Answers.YES))

    reports = world.advance(after(80))

    assert [r.news for r in reports] == [
        MediaLost(leg=ANN_LEG, at=after(75), since=after(70)),
    ]
    assert world.handset(BEN.digits).hears == ()
    assert len(world.standing_legs()) == 2
    again = world.order(ring(LegId("c1/caller/2"), ANN), after(81))
    assert [type(r.news) for r in again] == [LegRinging, LegAnswered]


def test_a_scripted_gap_heals_by_itself_and_both_its_ends_are_told() -> None:
    world = a_world()
    fades = Script(answers=Answers.YES, silent_after_seconds=60, silent_for_seconds=8)
    rung(world, fades, Script(answers=Answers.YES))

    reports = world.advance(after(77))
    assert [r.news for r in reports] == [MediaLost(leg=ANN_LEG, at=after(75), since=after(70))]
    assert world.handset(BEN.digits).hears == ()

    assert [r.news for r in world.advance(after(80))] == [MediaHeard(leg=ANN_LEG, at=after(78))]
    assert world.handset(BEN.digits).hears == (ANN.digits,)


def test_a_gap_too_short_for_the_switch_is_not_told() -> None:
    world = a_world()
    fades = Script(answers=Answers.YES, silent_after_seconds=60, silent_for_seconds=4.9)
    rung(world, fades, Script(answers=Answers.YES))

    assert world.advance(after(100)) == []


def test_a_half_open_leg_hears_no_prompt() -> None:
    world = a_world()
    rung(world, Script(answers=Answers.YES), Script(answers=Answers.YES))
    world.plug_out(ANN.digits, after(11))

    world.order(Say(leg=ANN_LEG, prompt="ending_soon", language="zh-CN"), after(12))

    assert world.handset(ANN.digits).heard == ()


def test_a_phone_plugged_out_is_off_until_it_is_taught_again() -> None:
    world = a_world()
    world.plug_out(ANN.digits, NOON)
    off = ended(world.order(ring(ANN_LEG, ANN), after(1)))[ANN_LEG]
    assert (off.by, off.q850, off.sip) == (ReleaseSide.CARRIER, 20, 480)
    assert world.handset(ANN.digits).shows is None

    world.script(ANN.digits, Script(answers=Answers.YES))

    reports = world.order(ring(LegId("c1/caller/2"), ANN), after(2))
    assert [type(r.news) for r in reports] == [LegRinging, LegAnswered]


def test_a_phone_plugged_out_while_ringing_is_given_up_by_the_network() -> None:
    world = a_world()
    world.script(ANN.digits, Script(answers=Answers.YES, after_seconds=10))
    world.order(ring(ANN_LEG, ANN), NOON)

    world.plug_out(ANN.digits, after(5))

    reports = world.advance(after(100))
    assert [(type(r.news), r.news.at) for r in reports] == [(LegEnded, after(35))]


def test_a_person_who_hears_nobody_gives_up_waiting() -> None:
    world = a_world()
    world.script(ANN.digits, Script(answers=Answers.YES, waits_for_seconds=20))
    world.order(ring(ANN_LEG, ANN), NOON)

    gone = ended(world.advance(after(60)))[ANN_LEG]

    assert (gone.at, gone.by) == (after(20), ReleaseSide.PARTY)


def test_a_person_who_hears_somebody_does_not_tire() -> None:
    world = a_world()
    rung(world, Script(answers=Answers.YES, waits_for_seconds=20), Script(answers=Answers.YES))

    assert ended(world.advance(after(600))) == {}


def test_a_carrier_fault_is_a_network_out_of_order() -> None:
    world = a_world()
    world.script(ANN.digits, Script(answers=Answers.FAULT, after_seconds=2))
    assert world.order(ring(ANN_LEG, ANN), NOON) == []

    fault = ended(world.advance(after(2)))[ANN_LEG]

    assert (fault.by, fault.q850, fault.sip) == (ReleaseSide.CARRIER, 38, 503)


def test_a_dial_in_nobody_takes_is_let_go_after_a_minute() -> None:
    world = a_world()
    leg = world.dial(ANN.digits, "4008001111", NOON)

    gone = ended(world.advance(after(61)))[leg]

    assert (gone.at, gone.by) == (after(60), ReleaseSide.CARRIER)


def test_a_phone_may_show_another_number_than_its_own() -> None:
    world = a_world()
    leg = world.dial(ANN.digits, "4008001111", NOON, shows=BEN.digits)

    told = world.advance(NOON)[0].news

    assert told == CallIn(leg=leg, at=NOON, caller=BEN, dialled="4008001111")


def test_a_ringing_call_put_down_is_rejected() -> None:
    world = a_world()
    world.order(ring(ANN_LEG, ANN), NOON)

    world.put_down(ANN.digits, after(3))

    told = ended(world.advance(after(3)))[ANN_LEG]
    assert (told.by, told.q850, told.sip) == (ReleaseSide.PARTY, 21, 603)


def test_hands_cannot_do_what_the_phone_cannot() -> None:
    world = a_world()
    for impossible in (world.pick_up, world.put_down, world.drop):
        with pytest.raises(NotPossible, match="not_in_call"):
            impossible(ANN.digits, NOON)
    world.dial(ANN.digits, "4008001111", NOON)
    with pytest.raises(NotPossible, match="phone_in_use"):
        world.dial(ANN.digits, "4008001111", NOON)
    with pytest.raises(NotPossible, match="not_ringing"):
        world.pick_up(ANN.digits, NOON)
    with pytest.raises(NotPossible, match="not_in_call"):
        world.press(ANN.digits, "1", NOON)
    world.plug_out(BEN.digits, NOON)
    with pytest.raises(NotPossible, match="phone_off"):
        world.dial(BEN.digits, "4008001111", NOON)
    assert len(world.standing_legs()) == 1


def test_a_leg_that_ended_is_not_rung_again_by_an_order_repeated() -> None:
    world = a_world()
    world.script(ANN.digits, Script(answers=Answers.BUSY))
    world.order(ring(ANN_LEG, ANN), NOON)
    world.script(ANN.digits, Script(answers=Answers.YES))

    assert world.order(ring(ANN_LEG, ANN), after(5)) == []
    assert world.standing_legs() == ()


def test_what_a_phone_heard_and_was_shown_is_of_its_last_call() -> None:
    world = a_world()
    rung(world, Script(answers=Answers.YES), Script(answers=Answers.YES))
    world.order(Say(leg=ANN_LEG, prompt="ending_soon", language="zh-CN"), after(11))
    world.put_down(ANN.digits, after(12))
    before = world.handset(ANN.digits)
    assert (before.state, before.heard, before.shows) == ("idle", ("ending_soon",), "4008001111")

    world.order(ring(LegId("c2/caller/1"), ANN), after(20))

    assert world.handset(ANN.digits).heard == ()
    assert world.handset(ANN.digits).call == "c2"


def test_old_steps_do_not_pile_up() -> None:
    world = a_world()
    world.script(ANN.digits, Script(answers=Answers.YES))
    for number in range(5_000):
        leg = LegId(f"c{number}/caller/1")
        world.order(ring(leg, ANN), NOON)
        world.order(Bridge(call=CallId(f"c{number}"), legs=(leg,), limit_seconds=9000), NOON)
        world.order(HangUp(leg=leg), NOON)

    assert len(world._switch._steps) < 5_000


@pytest.mark.parametrize("answers", list(Answers))
def test_every_ring_ends_by_itself_unless_answered(answers: Answers) -> None:
    world = a_world()
    world.script(ANN.digits, Script(answers=answers, after_seconds=2))
    world.order(ring(ANN_LEG, ANN), NOON)

    world.advance(after(36))

    standing = [leg.leg for leg in world.standing_legs()]
    assert standing == ([ANN_LEG] if answers is Answers.YES else [])
