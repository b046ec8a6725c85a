"""What every carrier must do, told once. A carrier's test module subclasses `CarrierConformance`
and gives it a `rig`; nothing here knows which carrier it tests.
"""

import asyncio

import pytest

from dialer.carriers import (
    CallIn,
    CarrierRefused,
    KeyPressed,
    LegAnswered,
    LegBridged,
    LegEnded,
    LegRinging,
    LiveLeg,
    MediaHeard,
    MediaLost,
    ReleaseSide,
)
from terms.ids import CallId, LegId
from terms.phone import PhoneNumber
from tests.dialer.carriers.rig import Behaviour, Rig, holds_number

LONG = 600


class Talk:
    """Two phones in one bridge."""

    def __init__(self, call: CallId, phones: list[PhoneNumber], legs: list[LegId]) -> None:
        self.call = call
        self.caller, self.counselor = phones
        self.caller_leg, self.counselor_leg = legs


async def talk(rig: Rig, *, limit_seconds: int = LONG) -> Talk:
    call = rig.call()
    phones = [await rig.phone(Behaviour.ANSWERS) for _ in range(2)]
    caller_leg = await rig.ring(phones[0], call, "caller")
    counselor_leg = await rig.ring(phones[1], call, "counselor")
    legs = [caller_leg, counselor_leg]
    for leg in legs:
        await rig.news(LegAnswered, leg)
    await rig.carrier.bridge(call, tuple(legs), limit_seconds=limit_seconds)
    for leg in legs:
        await rig.news(LegBridged, leg)
    return Talk(call, phones, legs)


async def live(rig: Rig, call: CallId) -> dict[LegId, LiveLeg]:
    legs = await rig.carrier.live_legs()
    assert len({leg.leg for leg in legs}) == len(legs)
    return {leg.leg: leg for leg in legs if leg.leg.startswith(f"{call}/")}


class CarrierConformance:
    """The suite. `rig` is a fixture of the subclass; the carrier is open and its world is empty."""

    async def test_a_rung_phone_rings_and_then_answers(self, rig: Rig) -> None:
        phone = await rig.phone(Behaviour.BY_HAND)
        leg = await rig.ring(phone, rig.call(), "caller")
        ringing = await rig.news(LegRinging, leg)
        assert await rig.all_news(LegAnswered, leg) == []

        await rig.pick_up(phone)

        assert (await rig.news(LegAnswered, leg)).at >= ringing.at

    async def test_bridged_phones_hear_each_other_and_nobody_after_the_end(self, rig: Rig) -> None:
        call = await talk(rig)
        assert await rig.hears(call.caller) == {call.counselor}
        assert await rig.hears(call.counselor) == {call.caller}

        await rig.put_down(call.caller)
        await rig.news(LegEnded, call.caller_leg)

        assert await rig.hears(call.caller) == set()
        assert await rig.hears(call.counselor) == set()

    async def test_phones_hear_nobody_before_the_bridge(self, rig: Rig) -> None:
        call, phones = rig.call(), [await rig.phone(Behaviour.ANSWERS) for _ in range(2)]
        for phone, role in zip(phones, ("caller", "counselor"), strict=True):
            await rig.news(LegAnswered, await rig.ring(phone, call, role))

        assert [await rig.hears(phone) for phone in phones] == [set(), set()]

    @pytest.mark.parametrize("who", ["caller", "counselor"])
    async def test_a_person_who_hangs_up_is_named_by_the_release(self, rig: Rig, who: str) -> None:
        call = await talk(rig)
        phone, leg, other = (
            (call.caller, call.caller_leg, call.counselor_leg)
            if who == "caller"
            else (call.counselor, call.counselor_leg, call.caller_leg)
        )

        await rig.put_down(phone)

        ended = await rig.news(LegEnded, leg)
        assert (ended.by, ended.q850) == (ReleaseSide.PARTY, 16)
        assert list(await live(rig, call.call)) == [other]

    async def test_a_leg_we_hang_up_ends_by_the_platform(self, rig: Rig) -> None:
        call = await talk(rig)

        await rig.carrier.hang_up(call.counselor_leg)

        ended = await rig.news(LegEnded, call.counselor_leg)
        assert (ended.by, ended.q850) == (ReleaseSide.PLATFORM, 16)
        assert list(await live(rig, call.call)) == [call.caller_leg]

    async def test_hanging_up_a_ringing_leg_stops_the_ringing(self, rig: Rig) -> None:
        call = rig.call()
        leg = await rig.ring(await rig.phone(Behaviour.BY_HAND), call, "caller")
        await rig.news(LegRinging, leg)

        await rig.carrier.hang_up(leg)

        assert (await rig.news(LegEnded, leg)).by is ReleaseSide.PLATFORM
        assert await live(rig, call) == {}
        assert await rig.all_news(LegAnswered, leg) == []

    @pytest.mark.parametrize(
        ("behaviour", "by", "q850", "sip"),
        [
            (Behaviour.BUSY, ReleaseSide.PARTY, 17, 486),
            (Behaviour.REJECTS, ReleaseSide.PARTY, 21, 603),
            (Behaviour.OFF, ReleaseSide.CARRIER, 20, 480),
            (Behaviour.UNKNOWN, ReleaseSide.CARRIER, 1, 404),
        ],
    )
    async def test_a_phone_that_is_not_reached_says_why(
        self, rig: Rig, behaviour: Behaviour, by: ReleaseSide, q850: int, sip: int
    ) -> None:
        call = rig.call()
        leg = await rig.ring(await rig.phone(behaviour), call, "caller")

        ended = await rig.news(LegEnded, leg)

        assert (ended.by, ended.q850, ended.sip) == (by, q850, sip)
        assert await rig.all_news(LegAnswered, leg) == []
        assert await live(rig, call) == {}

    async def test_a_phone_in_a_call_is_busy(self, rig: Rig) -> None:
        first = await talk(rig)

        leg = await rig.ring(first.caller, rig.call(), "caller")

        assert (await rig.news(LegEnded, leg)).q850 == 17
        assert await rig.hears(first.caller) == {first.counselor}

    async def test_the_carrier_gives_up_ringing_by_itself(self, rig: Rig) -> None:
        call = rig.call()
        leg = await rig.ring(await rig.phone(Behaviour.NO_ANSWER), call, "caller", ring_seconds=4)
        ringing = await rig.news(LegRinging, leg)
        await rig.pass_time(4)
        assert await rig.all_news(LegEnded, leg) == []  # our own timer comes first

        await rig.pass_time(6)

        ended = await rig.news(LegEnded, leg)
        assert (ended.by, ended.q850, ended.sip) == (ReleaseSide.CARRIER, 19, 480)
        assert 4 < (ended.at - ringing.at).total_seconds() < 11
        assert await live(rig, call) == {}

    async def test_a_leg_rung_twice_rings_once(self, rig: Rig) -> None:
        call, phone = rig.call(), await rig.phone(Behaviour.BY_HAND)
        leg = await rig.ring(phone, call, "caller")
        await rig.news(LegRinging, leg)

        assert await rig.ring(phone, call, "caller") == leg

        assert len(await rig.all_news(LegRinging, leg)) == 1
        assert await rig.all_news(LegEnded, leg) == []
        assert list(await live(rig, call)) == [leg]

    async def test_hanging_up_a_leg_that_is_gone_is_done(self, rig: Rig) -> None:
        call = await talk(rig)
        await rig.carrier.hang_up(call.caller_leg)
        await rig.news(LegEnded, call.caller_leg)

        await rig.carrier.hang_up(call.caller_leg)
        await rig.carrier.hang_up(LegId("never/was/1"))

        assert len(await rig.all_news(LegEnded, call.caller_leg)) == 1

    async def test_orders_for_a_leg_that_is_gone_are_refused(self, rig: Rig) -> None:
        call = await talk(rig)
        await rig.carrier.hang_up(call.caller_leg)
        await rig.news(LegEnded, call.caller_leg)
        legs = (call.caller_leg, call.counselor_leg)

        with pytest.raises(CarrierRefused):
            await rig.carrier.say(call.caller_leg, "ending_soon", language="zh-CN")
        with pytest.raises(CarrierRefused):
            await rig.carrier.bridge(call.call, legs, limit_seconds=LONG)
        with pytest.raises(CarrierRefused):
            await rig.carrier.limit(call.caller_leg, limit_seconds=LONG)

    async def test_a_pressed_key_is_told(self, rig: Rig) -> None:
        leg = await rig.ring(await rig.phone(Behaviour.ACCEPTS), rig.call(), "counselor")
        answered = await rig.news(LegAnswered, leg)

        await rig.pass_time(3)

        pressed = await rig.news(KeyPressed, leg)
        assert pressed.digit == "1"
        assert pressed.at >= answered.at

    async def test_keys_pressed_by_hand_are_told_in_order(self, rig: Rig) -> None:
        call = await talk(rig)

        await rig.press(call.caller, "42#")
        await rig.pass_time(3)

        await rig.news(KeyPressed, call.caller_leg)
        pressed = await rig.all_news(KeyPressed, call.caller_leg)
        assert [key.digit for key in pressed] == ["4", "2", "#"]

    async def test_voicemail_answers_and_presses_nothing(self, rig: Rig) -> None:
        leg = await rig.ring(await rig.phone(Behaviour.VOICEMAIL), rig.call(), "counselor")
        await rig.news(LegAnswered, leg)

        await rig.pass_time(3)

        assert await rig.all_news(KeyPressed, leg) == []

    async def test_a_prompt_reaches_one_leg_only(self, rig: Rig) -> None:
        call = await talk(rig)

        await rig.carrier.say(call.caller_leg, "ending_soon", language="zh-CN")
        await rig.settle()

        assert await rig.heard(call.caller) == ["ending_soon"]
        assert await rig.heard(call.counselor) == []

    async def test_a_prompt_said_to_both_reaches_both(self, rig: Rig) -> None:
        call = await talk(rig)

        for leg in (call.caller_leg, call.counselor_leg):
            await rig.carrier.say(leg, "ending_soon", language="en")
        await rig.settle()

        assert await rig.heard(call.caller) == ["ending_soon"]
        assert await rig.heard(call.counselor) == ["ending_soon"]
        assert await rig.hears(call.caller) == {call.counselor}

    async def test_the_limit_ends_both_legs_with_nobody_commanding(self, rig: Rig) -> None:
        call = await talk(rig, limit_seconds=4)
        await rig.pass_time(2)
        assert len(await live(rig, call.call)) == 2

        await rig.pass_time(3)

        for leg in (call.caller_leg, call.counselor_leg):
            ended = await rig.news(LegEnded, leg)
            assert (ended.by, ended.code) == (ReleaseSide.CARRIER, "limit")
            talked = ended.at - (await rig.news(LegBridged, leg)).at
            assert talked.total_seconds() == pytest.approx(4, abs=0.5)
        assert await live(rig, call.call) == {}

    async def test_a_limit_replaced_counts_from_now(self, rig: Rig) -> None:
        call = await talk(rig, limit_seconds=4)

        await rig.carrier.limit(call.caller_leg, limit_seconds=LONG)
        await rig.pass_time(5)

        await rig.news(LegEnded, call.counselor_leg)
        assert list(await live(rig, call.call)) == [call.caller_leg]

    async def test_a_limit_can_be_shortened(self, rig: Rig) -> None:
        call = await talk(rig)

        await rig.carrier.limit(call.caller_leg, limit_seconds=2)
        await rig.pass_time(3)

        assert (await rig.news(LegEnded, call.caller_leg)).code == "limit"

    async def test_a_bridge_ordered_twice_does_not_prolong_the_talk(self, rig: Rig) -> None:
        call = await talk(rig, limit_seconds=4)
        legs = (call.caller_leg, call.counselor_leg)

        await rig.carrier.bridge(call.call, legs, limit_seconds=LONG)
        await rig.pass_time(5)

        for leg in legs:
            await rig.news(LegEnded, leg)
            assert len(await rig.all_news(LegBridged, leg)) == 1

    async def test_a_third_party_joins_and_the_counselor_leaves(self, rig: Rig) -> None:
        call = await talk(rig)
        agency = await rig.phone(Behaviour.ANSWERS)
        agency_leg = await rig.ring(agency, call.call, "agency")
        await rig.news(LegAnswered, agency_leg)

        await rig.carrier.bridge(call.call, (agency_leg,), limit_seconds=LONG)
        await rig.news(LegBridged, agency_leg)
        assert await rig.hears(call.caller) == {call.counselor, agency}
        assert await rig.hears(agency) == {call.counselor, call.caller}

        await rig.carrier.hang_up(call.counselor_leg)
        await rig.news(LegEnded, call.counselor_leg)
        assert await rig.hears(call.caller) == {agency}
        assert set(await live(rig, call.call)) == {call.caller_leg, agency_leg}

    async def test_a_parted_leg_stays_on_the_line_and_can_come_back(self, rig: Rig) -> None:
        call = await talk(rig)

        await rig.carrier.part(call.caller_leg)
        await rig.carrier.part(call.caller_leg)

        assert await rig.hears(call.caller) == set()
        assert await rig.hears(call.counselor) == set()
        assert (await live(rig, call.call))[call.caller_leg] == LiveLeg(
            leg=call.caller_leg, answered=True, bridged=False
        )
        await rig.carrier.bridge(call.call, (call.caller_leg,), limit_seconds=LONG)
        assert await rig.hears(call.counselor) == {call.caller}

    async def test_a_leg_not_answered_cannot_be_bridged(self, rig: Rig) -> None:
        call = rig.call()
        leg = await rig.ring(await rig.phone(Behaviour.BY_HAND), call, "caller")
        await rig.news(LegRinging, leg)

        with pytest.raises(CarrierRefused):
            await rig.carrier.bridge(call, (leg,), limit_seconds=LONG)

        assert not (await live(rig, call))[leg].bridged

    async def test_a_phone_that_dials_in_stands_until_it_is_taken(self, rig: Rig) -> None:
        phone = await rig.phone(Behaviour.BY_HAND)

        await rig.dial_in(phone)

        call_in = await rig.news(CallIn)
        assert (call_in.caller, call_in.dialled) == (phone, rig.service_number)
        assert await rig.all_news(LegAnswered, call_in.leg) == []
        assert LiveLeg(leg=call_in.leg, answered=False, bridged=False) in (
            await rig.carrier.live_legs()
        )
        await rig.carrier.answer(call_in.leg)
        await rig.news(LegAnswered, call_in.leg)
        await rig.carrier.say(call_in.leg, "welcome", language="zh-CN")
        await rig.settle()
        assert await rig.heard(phone) == ["welcome"]

    async def test_a_withheld_number_stays_withheld(self, rig: Rig) -> None:
        await rig.dial_in(await rig.phone(Behaviour.BY_HAND), withhold=True)

        assert (await rig.news(CallIn)).caller is None

    async def test_a_dial_in_can_be_let_go_untaken(self, rig: Rig) -> None:
        await rig.dial_in(await rig.phone(Behaviour.BY_HAND))
        leg = (await rig.news(CallIn)).leg

        await rig.carrier.hang_up(leg)

        assert (await rig.news(LegEnded, leg)).by is ReleaseSide.PLATFORM

    async def test_a_caller_who_dialled_in_can_give_up(self, rig: Rig) -> None:
        phone = await rig.phone(Behaviour.BY_HAND)
        await rig.dial_in(phone)
        leg = (await rig.news(CallIn)).leg

        await rig.put_down(phone)

        assert (await rig.news(LegEnded, leg)).by is ReleaseSide.PARTY

    async def test_live_legs_tell_exactly_what_stands(self, rig: Rig) -> None:
        call = await talk(rig)
        ringing = await rig.ring(await rig.phone(Behaviour.BY_HAND), call.call, "agency")
        waiting = await rig.ring(await rig.phone(Behaviour.ANSWERS), call.call, "supervisor")
        gone = await rig.ring(await rig.phone(Behaviour.BUSY), call.call, "operator")
        await rig.news(LegRinging, ringing)
        await rig.news(LegAnswered, waiting)
        await rig.news(LegEnded, gone)

        assert await live(rig, call.call) == {
            leg: LiveLeg(leg=leg, answered=answered, bridged=bridged)
            for leg, answered, bridged in (
                (call.caller_leg, True, True),
                (call.counselor_leg, True, True),
                (ringing, False, False),
                (waiting, True, False),
            )
        }

    @pytest.mark.parametrize("failures", [1, 2, 3])
    async def test_news_that_could_not_be_stored_is_told_again_in_order(
        self, rig: Rig, failures: int
    ) -> None:
        rig.reports_to_refuse = failures
        leg = await rig.ring(await rig.phone(Behaviour.ANSWERS), rig.call(), "caller")

        ringing, answered = await rig.news(LegRinging, leg), await rig.news(LegAnswered, leg)

        assert rig.reports_to_refuse == 0
        order = [report.news for report in rig.told]
        assert order.index(ringing) < order.index(answered)

    async def test_every_piece_of_news_has_an_id_of_its_own(self, rig: Rig) -> None:
        talks = await asyncio.gather(*(talk(rig) for _ in range(5)))
        for one in talks:
            await rig.put_down(one.caller)
            await rig.news(LegEnded, one.caller_leg)
        await rig.settle()

        by_id = {report.id: report.news for report in rig.told}

        assert len(by_id) == len({(type(n), n.leg, n.at) for n in by_id.values()}) >= 5 * 7

    async def test_a_lost_line_is_told_from_a_hang_up(self, rig: Rig) -> None:
        call = await talk(rig)

        await rig.drop(call.caller)
        await rig.put_down(call.counselor)

        dropped = await rig.news(LegEnded, call.caller_leg)
        hung_up = await rig.news(LegEnded, call.counselor_leg)
        assert (dropped.by, hung_up.by) == (ReleaseSide.CARRIER, ReleaseSide.PARTY)
        assert dropped.q850 in (27, 31, 38, 41, 44, 127)

    async def test_a_phone_that_dies_is_reported_silent_and_its_leg_stands(self, rig: Rig) -> None:
        call = await talk(rig)

        await rig.kill(call.caller)
        await rig.pass_time(10)

        lost = await rig.news(MediaLost, call.caller_leg)
        assert lost.since < lost.at
        assert await rig.hears(call.counselor) == set()
        assert set(await live(rig, call.call)) == {call.caller_leg, call.counselor_leg}
        await rig.carrier.hang_up(call.caller_leg)
        assert (await rig.news(LegEnded, call.caller_leg)).by is ReleaseSide.PLATFORM

    async def test_a_silence_that_heals_is_told_from_its_beginning_to_its_end(
        self, rig: Rig
    ) -> None:
        call = await talk(rig)

        await rig.fall_silent(call.caller)
        await rig.pass_time(10)
        lost = await rig.news(MediaLost, call.caller_leg)
        assert await rig.hears(call.counselor) == set()
        await rig.speak(call.caller)

        assert (await rig.news(MediaHeard, call.caller_leg)).at > lost.since
        assert await rig.all_news(MediaHeard, call.counselor_leg) == []
        assert await rig.hears(call.counselor) == {call.caller}
        assert set(await live(rig, call.call)) == {call.caller_leg, call.counselor_leg}

    async def test_neither_side_is_shown_the_others_number(self, rig: Rig) -> None:
        call = await talk(rig)

        for phone, other in ((call.caller, call.counselor), (call.counselor, call.caller)):
            shown = await rig.shown(phone)
            assert rig.shows in shown
            assert not holds_number(shown, other)

    async def test_legs_stand_while_nobody_listens(self, rig: Rig) -> None:
        call = await talk(rig)
        await rig.settle()
        await rig.carrier.close()
        await rig.put_down(call.counselor)

        await rig.carrier.open(rig.receive)

        assert (await rig.news(LegEnded, call.counselor_leg)).by is ReleaseSide.PARTY
        assert list(await live(rig, call.call)) == [call.caller_leg]
