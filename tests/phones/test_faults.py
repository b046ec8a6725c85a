"""What goes wrong with real phones, a real Asterisk and our own process."""

import asyncio
import logging
import time

import pytest

from dialer.carriers import (
    CarrierUnknown,
    LegAnswered,
    LegBridged,
    LegEnded,
    LegRinging,
    MediaLost,
    ReleaseSide,
    Report,
)
from tests.dialer.carriers.joined import live, talk
from tests.dialer.carriers.rig import Behaviour
from tests.phones.rig import AsteriskRig, carrier_on
from tests.phones.town import Line
from warmline.bench.phones.engine import Engine, ready


async def gone(*lines: Line) -> float:
    """Return when the phones were told that it is over; gives the moment."""
    async with asyncio.timeout(30):
        while not all(line.closed for line in lines):  # noqa: ASYNC110 - told over the wire
            await asyncio.sleep(0.005)
    return time.monotonic()


async def test_the_cap_ends_the_talk_on_the_wire_while_we_are_away(rig: AsteriskRig) -> None:
    call = await talk(rig, limit_seconds=3)
    begun = time.monotonic()
    lines = rig.lines(call.caller, call.counselor)
    await rig.carrier.close()

    ended = await gone(*lines)

    assert ended - begun == pytest.approx(3, abs=0.5)
    await rig.carrier.open(rig.receive)
    for leg in (call.caller_leg, call.counselor_leg):
        told = await rig.news(LegEnded, leg)
        assert (told.by, told.code) == (ReleaseSide.CARRIER, "limit")


async def test_another_process_takes_living_calls_over_and_tells_the_same(
    rig: AsteriskRig, engine: Engine
) -> None:
    call = await talk(rig)
    before = {report.id for report in rig.told if isinstance(report.news, LegAnswered)}
    await rig.carrier.close()
    told: list[Report] = []

    async def receive(report: Report) -> None:
        told.append(report)

    heir = carrier_on(engine)
    await heir.open(receive)
    await rig.put_down(call.caller)
    await asyncio.sleep(0.5)
    await heir.hang_up(call.counselor_leg)
    await asyncio.sleep(0.5)
    await heir.close()
    await rig.carrier.open(rig.receive)

    answered = {r.id for r in told if isinstance(r.news, LegAnswered)}
    assert answered == before
    assert {r.news.leg for r in told if isinstance(r.news, LegBridged)} == {
        call.caller_leg,
        call.counselor_leg,
    }
    ends = {r.news.leg: r.news.by for r in told if isinstance(r.news, LegEnded)}
    assert ends == {
        call.caller_leg: ReleaseSide.PARTY,
        call.counselor_leg: ReleaseSide.PLATFORM,
    }


async def test_who_is_replaced_at_asterisk_does_not_fight_for_it(
    rig: AsteriskRig, engine: Engine
) -> None:
    heir = carrier_on(engine)
    await heir.open(rig.receive)
    await asyncio.sleep(1)

    assert (rig.asterisk.is_listening, heir.is_listening) == (False, True)
    await heir.close()


async def test_an_asterisk_that_dies_and_comes_back_is_used_again(
    frail: AsteriskRig, engine_to_kill: Engine
) -> None:
    call = await talk(frail)

    engine_to_kill.kill()
    with pytest.raises(CarrierUnknown):
        await frail.carrier.live_legs()
    engine_to_kill.launch_again()
    await ready(engine_to_kill)

    ended = await frail.news(LegEnded, call.caller_leg)
    assert (ended.by, ended.code) == (ReleaseSide.CARRIER, "engine_restarted")
    leg = await frail.ring(await frail.phone(Behaviour.ANSWERS), frail.call(), "caller")
    await frail.news(LegAnswered, leg)


async def test_a_phone_that_answers_and_never_sends_is_silent_then_let_go_by_asterisk(
    frail: AsteriskRig,
) -> None:
    phone = await frail.phone(Behaviour.BY_HAND)
    leg = await frail.ring(phone, frail.call(), "caller")
    await frail.news(LegRinging, leg)
    await frail.fall_silent(phone)
    await frail.pick_up(phone)
    answered = await frail.news(LegAnswered, leg)

    lost = await frail.news(MediaLost, leg)
    ended = await frail.news(LegEnded, leg)

    assert (lost.at - answered.at).total_seconds() < 8
    assert (ended.by, ended.q850, ended.code) == (ReleaseSide.CARRIER, 44, "rtp_timeout")
    assert (ended.at - answered.at).total_seconds() < 15 + 2


async def test_a_trunk_that_is_overloaded_is_a_fault_of_the_network(rig: AsteriskRig) -> None:
    phone = await rig.phone(Behaviour.ANSWERS)
    rig.answers(phone, 503)
    leg = await rig.ring(phone, rig.call(), "caller")

    ended = await rig.news(LegEnded, leg)

    assert (ended.by, ended.q850, ended.sip) == (ReleaseSide.CARRIER, 34, 503)


async def test_both_who_hang_up_at_once_are_named(rig: AsteriskRig) -> None:
    call = await talk(rig)

    await rig.put_down(call.caller)
    await rig.put_down(call.counselor)

    for leg in (call.caller_leg, call.counselor_leg):
        assert (await rig.news(LegEnded, leg)).by is ReleaseSide.PARTY
    assert await live(rig, call.call) == {}


async def test_a_caller_who_hangs_up_while_the_counselor_rings(rig: AsteriskRig) -> None:
    call = rig.call()
    caller = await rig.phone(Behaviour.ANSWERS)
    leg = await rig.ring(caller, call, "caller")
    ringing = await rig.ring(await rig.phone(Behaviour.BY_HAND), call, "counselor")
    await rig.news(LegAnswered, leg)
    await rig.news(LegRinging, ringing)

    await rig.put_down(caller)

    assert (await rig.news(LegEnded, leg)).by is ReleaseSide.PARTY
    assert list(await live(rig, call)) == [ringing]


async def test_a_prompt_without_a_recording_is_complained_of(
    rig: AsteriskRig, caplog: pytest.LogCaptureFixture
) -> None:
    call = await talk(rig)

    with caplog.at_level(logging.ERROR):
        await rig.carrier.say(call.caller_leg, "never_recorded", language="en")
        await rig.settle()

    assert "never_recorded" in caplog.text
    assert await rig.comes_to_hear(call.caller, call.counselor)


async def test_no_bridge_is_left_behind(rig: AsteriskRig) -> None:
    call = await talk(rig)
    for phone in (call.caller, call.counselor):
        await rig.put_down(phone)
    await rig.news(LegEnded, call.counselor_leg)
    await rig.settle()

    assert call.call not in await rig.bridges()
