"""What every carrier tells, and that it tells it in the end."""

import asyncio

import pytest

from dialer.carriers import (
    LegAnswered,
    LegEnded,
    LegRinging,
    LiveLeg,
    MediaHeard,
    MediaLost,
    ReleaseSide,
)
from tests.dialer.carriers.joined import live, talk
from tests.dialer.carriers.rig import Behaviour, Rig


class TellingConformance:
    """Who let go, what stands, what was lost."""

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
        assert await rig.comes_to_hear(call.counselor, call.caller)
        assert set(await live(rig, call.call)) == {call.caller_leg, call.counselor_leg}

    async def test_legs_stand_while_nobody_listens(self, rig: Rig) -> None:
        call = await talk(rig)
        await rig.settle()
        await rig.carrier.close()
        await rig.put_down(call.counselor)

        await rig.carrier.open(rig.receive)

        assert (await rig.news(LegEnded, call.counselor_leg)).by is ReleaseSide.PARTY
        assert list(await live(rig, call.call)) == [call.caller_leg]
