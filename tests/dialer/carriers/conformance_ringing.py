"""What every carrier does with a phone that rings, or that dials in."""

import pytest

from dialer.carriers import (
    CallIn,
    CarrierRefused,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegRinging,
    LiveLeg,
    ReleaseSide,
)
from tests.dialer.carriers.joined import LONG, live, talk
from tests.dialer.carriers.rig import Behaviour, Rig


class RingingConformance:
    """Phones that are rung, and phones that dial in."""

    async def test_a_rung_phone_rings_and_then_answers(self, rig: Rig) -> None:
        phone = await rig.phone(Behaviour.BY_HAND)
        leg = await rig.ring(phone, rig.call(), "caller")
        ringing = await rig.news(LegRinging, leg)
        assert await rig.all_news(LegAnswered, leg) == []

        await rig.pick_up(phone)

        assert (await rig.news(LegAnswered, leg)).at >= ringing.at

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
        assert await rig.comes_to_hear(first.caller, first.counselor)

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

    async def test_a_pressed_key_is_told(self, rig: Rig) -> None:
        leg = await rig.ring(await rig.phone(Behaviour.ACCEPTS), rig.call(), "counselor")
        answered = await rig.news(LegAnswered, leg)

        await rig.pass_time(3)

        pressed = await rig.news(KeyPressed, leg)
        assert pressed.digit == "1"
        assert pressed.at >= answered.at

    async def test_voicemail_answers_and_presses_nothing(self, rig: Rig) -> None:
        leg = await rig.ring(await rig.phone(Behaviour.VOICEMAIL), rig.call(), "counselor")
        await rig.news(LegAnswered, leg)

        await rig.pass_time(3)

        assert await rig.all_news(KeyPressed, leg) == []

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
