"""The conformance suite through the real SDK, over real HTTP, to the stand-in and back.

Where Twilio cannot do what the suite asks of a carrier, the test says what is true instead.
"""

import pytest

from dialer.carriers import KeyPressed, LegAnswered, LegEnded, MediaHeard, MediaLost, ReleaseSide
from tests.dialer.carriers.conformance import CarrierConformance
from tests.dialer.carriers.joined import live, talk
from tests.dialer.carriers.rig import Behaviour, Rig
from tests.dialer.carriers.twilio.rig import TwilioRig


class OverTwilio(CarrierConformance):
    """What every carrier does, and what Twilio leaves undone."""

    async def test_keys_pressed_by_hand_are_told_in_order(self, rig: Rig) -> None:
        """Twilio hears keys while it asks for one (<Gather>): never in a conference."""
        call = await talk(rig)
        await rig.press(call.caller, "42#")
        await rig.pass_time(3)
        assert await rig.all_news(KeyPressed, call.caller_leg) == []

        held = await rig.phone(Behaviour.ANSWERS)
        leg = await rig.ring(held, rig.call(), "caller")
        await rig.news(LegAnswered, leg)
        for key in "42#":
            await rig.press(held, key)

        pressed = await rig.all_news(KeyPressed, leg)
        assert [key.digit for key in pressed] == ["4", "2", "#"]

    async def test_a_phone_that_dies_is_reported_silent_and_its_leg_stands(self, rig: Rig) -> None:
        """Twilio tells nothing of silence; the leg stands until somebody ends it."""
        call = await talk(rig)

        await rig.kill(call.caller)
        await rig.pass_time(10)

        assert await rig.all_news(MediaLost, call.caller_leg) == []
        assert await rig.hears(call.counselor) == set()
        assert set(await live(rig, call.call)) == {call.caller_leg, call.counselor_leg}
        await rig.carrier.hang_up(call.caller_leg)
        assert (await rig.news(LegEnded, call.caller_leg)).by is ReleaseSide.PLATFORM

    async def test_a_silence_that_heals_is_told_from_its_beginning_to_its_end(
        self, rig: Rig
    ) -> None:
        """Neither its beginning nor its end is told."""
        call = await talk(rig)

        await rig.fall_silent(call.caller)
        await rig.pass_time(10)
        assert await rig.hears(call.counselor) == set()
        await rig.speak(call.caller)

        assert await rig.hears(call.counselor) == {call.caller}
        assert await rig.all_news(MediaLost, call.caller_leg) == []
        assert await rig.all_news(MediaHeard, call.caller_leg) == []
        assert set(await live(rig, call.call)) == {call.caller_leg, call.counselor_leg}

    async def test_a_phone_out_of_reach_looks_as_if_it_had_hung_up(self, rig: Rig) -> None:
        """A public network ends a lost line as it ends any other: this is no proof of a drop."""
        call = await talk(rig)

        await rig.put_down(call.caller)

        ended = await rig.news(LegEnded, call.caller_leg)
        assert (ended.by, ended.sip) == (ReleaseSide.PARTY, 200)


class TestTwilioCarrier(OverTwilio):
    """With a book in memory. `rig` is in conftest."""


class TestTwilioCarrierWithPostgreSQL(OverTwilio):
    """With the book that is shipped."""

    @pytest.fixture
    def rig(self, kept: TwilioRig) -> TwilioRig:
        return kept
