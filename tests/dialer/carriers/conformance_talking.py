"""What every carrier does with phones that are joined."""

import pytest

from dialer.carriers import (
    CarrierRefused,
    KeyPressed,
    LegAnswered,
    LegBridged,
    LegEnded,
    LiveLeg,
    ReleaseSide,
)
from terms.ids import LegId
from tests.dialer.carriers.joined import LONG, live, talk
from tests.dialer.carriers.rig import Behaviour, Rig, holds_number


class TalkingConformance:
    """Two phones in a bridge: what they hear, how long, who joins and leaves."""

    async def test_bridged_phones_hear_each_other_and_nobody_after_the_end(self, rig: Rig) -> None:
        call = await talk(rig)
        assert await rig.comes_to_hear(call.caller, call.counselor)
        assert await rig.comes_to_hear(call.counselor, call.caller)

        await rig.put_down(call.caller)
        await rig.news(LegEnded, call.caller_leg)

        assert await rig.hears(call.caller) == set()
        assert await rig.hears(call.counselor) == set()

    async def test_phones_hear_nobody_before_the_bridge(self, rig: Rig) -> None:
        call, phones = rig.call(), [await rig.phone(Behaviour.ANSWERS) for _ in range(2)]
        for phone, role in zip(phones, ("caller", "counselor"), strict=True):
            await rig.news(LegAnswered, await rig.ring(phone, call, role))

        assert [await rig.hears(phone) for phone in phones] == [set(), set()]

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

    async def test_keys_pressed_by_hand_are_told_in_order(self, rig: Rig) -> None:
        call = await talk(rig)

        await rig.press(call.caller, "42#")
        await rig.pass_time(3)

        await rig.news(KeyPressed, call.caller_leg)
        pressed = await rig.all_news(KeyPressed, call.caller_leg)
        assert [key.digit for key in pressed] == ["4", "2", "#"]

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
        assert await rig.comes_to_hear(call.caller, call.counselor)

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
        assert await rig.comes_to_hear(call.caller, call.counselor, agency)
        assert await rig.comes_to_hear(agency, call.counselor, call.caller)

        await rig.carrier.hang_up(call.counselor_leg)
        await rig.news(LegEnded, call.counselor_leg)
        assert await rig.comes_to_hear(call.caller, agency)
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
        assert await rig.comes_to_hear(call.counselor, call.caller)

    async def test_neither_side_is_shown_the_others_number(self, rig: Rig) -> None:
        call = await talk(rig)

        for phone, other in ((call.caller, call.counselor), (call.counselor, call.caller)):
            shown = await rig.shown(phone)
            assert rig.shows in shown
            assert not holds_number(shown, other)
