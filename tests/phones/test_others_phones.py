"""Somebody else's SIP and RTP: baresip registered at Asterisk, SIPp behind the trunk.

Our own phones might agree with themselves alone.
"""

import asyncio
import re
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from dialer.carriers import (
    CallIn,
    CarrierRefused,
    KeyPressed,
    LegAnswered,
    LegBridged,
    LegEnded,
    LegRinging,
    MediaLost,
    ReleaseSide,
)
from terms.ids import CallId, LegId
from terms.phone import PhoneNumber
from tests.phones import sipp
from tests.phones.baresip import Baresip
from tests.phones.capture import captured
from tests.phones.engine import SHORTEST_RTP_TIMEOUT_SECONDS
from tests.phones.required import require
from tests.phones.rig import AsteriskRig
from warmline.bench.phones.engine import Engine, ready

ANN, BEN = PhoneNumber("+8613700000001"), PhoneNumber("+8613700000002")
NOBODY = PhoneNumber("+8613700000003")  # may register and does not
BEHIND_THE_TRUNK = PhoneNumber("+8613600000001")
HERTZ = {ANN: 440, BEN: 1000}
TALK_SECONDS, PROMPT_SECONDS = 2.0, 0.5

Begin = Callable[..., Awaitable[Baresip]]


@pytest.fixture
async def line(short_sighted: Engine) -> AsyncIterator[AsteriskRig]:
    """A carrier that is open, with no phones of ours."""
    await ready(short_sighted)
    rig = AsteriskRig(short_sighted)
    await rig.carrier.open(rig.receive)
    yield rig
    await rig.clear()
    await rig.carrier.close()


@pytest.fixture
async def begin(short_sighted: Engine, tmp_path: Path) -> AsyncIterator[Begin]:
    """Starts a baresip of that number."""
    require("baresip")
    async with AsyncExitStack() as stack:

        async def one(number: PhoneNumber, answers: str = "auto") -> Baresip:
            phone = Baresip(
                number=number.digits,
                password=short_sighted.softphones[number.digits],
                hertz=HERTZ[number],
                directory=tmp_path / str(HERTZ[number]),
                registrar=f"127.0.0.1:{short_sighted.sip_port}",
                answers=answers,
            )
            stack.push_async_callback(phone.stop)
            await phone.start()
            return phone

        yield one


async def joined(rig: AsteriskRig, *numbers: PhoneNumber) -> tuple[CallId, list[LegId]]:
    """Ring them, and join them once they answered."""
    call = rig.call()
    legs = [
        await rig.ring(number, call, role)
        for number, role in zip(numbers, ("caller", "counselor"), strict=True)
    ]
    for leg in legs:
        await rig.news(LegAnswered, leg)
    await rig.carrier.bridge(call, tuple(legs), limit_seconds=600)
    for leg in legs:
        await rig.news(LegBridged, leg)
    return call, legs


async def test_two_softphones_talk_press_a_key_hear_a_prompt_and_hang_up(
    line: AsteriskRig, begin: Begin
) -> None:
    ann, ben = await begin(ANN), await begin(BEN)
    _, (ann_leg, ben_leg) = await joined(line, ANN, BEN)
    await asyncio.sleep(TALK_SECONDS)

    ben.command("sndcode", "1")
    assert (await line.news(KeyPressed, ben_leg)).digit == "1"
    await line.carrier.say(ann_leg, "ending_soon", language="en")
    await asyncio.sleep(PROMPT_SECONDS + TALK_SECONDS)  # some phones hear nothing after a prompt
    ann.command("hangup")

    ended = await line.news(LegEnded, ann_leg)
    assert (ended.by, ended.q850) == (ReleaseSide.PARTY, 16)
    await line.carrier.hang_up(ben_leg)
    await ben.happens("CALL_CLOSED")
    await ann.stop()
    await ben.stop()
    assert ann.heard_seconds(HERTZ[BEN]) >= 2 * TALK_SECONDS - 0.4
    assert ben.heard_seconds(HERTZ[ANN]) >= 2 * TALK_SECONDS - 0.4
    assert ann.heard_seconds(3200) >= 0.4  # the prompt
    assert ben.heard_seconds(3200) == 0
    assert ann.heard_seconds(HERTZ[ANN]) == 0  # nobody hears their own echo


async def test_a_softphone_dials_in_under_its_own_number(line: AsteriskRig, begin: Begin) -> None:
    ann = await begin(ANN)

    ann.command("dial", f"sip:{line.service_number}@{ann.registrar}")
    call_in = await line.news(CallIn)
    assert (call_in.caller, call_in.dialled) == (ANN, line.service_number)
    await line.carrier.answer(call_in.leg)
    await line.carrier.say(call_in.leg, "welcome", language="zh-CN")
    await asyncio.sleep(1)
    ann.command("hangup")

    assert (await line.news(LegEnded, call_in.leg)).by is ReleaseSide.PARTY
    await ann.stop()
    assert ann.heard_seconds(2600) >= 0.4


def names(messages: list[bytes], number: PhoneNumber) -> list[bytes]:
    """Those of them with the number in them, however it is written."""
    bare = number.digits.removeprefix("+86").encode()
    return [one for one in messages if bare in re.sub(rb"[\s().+-]", b"", one)]


async def test_nothing_on_the_wire_of_a_softphone_names_the_other(
    line: AsteriskRig, begin: Begin
) -> None:
    with captured() as wire:
        ann, ben = await begin(ANN), await begin(BEN)
        ann.command("dial", f"sip:{line.service_number}@{ann.registrar}")
        call, ann_leg = line.call(), (await line.news(CallIn)).leg
        await line.carrier.answer(ann_leg)
        ben_leg = await line.ring(BEN, call, "counselor")
        for leg in (ann_leg, ben_leg):
            await line.news(LegAnswered, leg)
        await line.carrier.bridge(call, (ann_leg, ben_leg), limit_seconds=600)
        await line.carrier.say(ben_leg, "ending_soon", language="en")
        await asyncio.sleep(TALK_SECONDS)
        ann.command("hangup")
        await line.news(LegEnded, ann_leg)
        await line.carrier.hang_up(ben_leg)
        await ben.happens("CALL_CLOSED")

    for phone, own, other in ((ann, ANN, BEN), (ben, BEN, ANN)):
        messages = wire.of(phone.ports)
        assert len(messages) > 50 * TALK_SECONDS  # its audio, too
        assert any(one.startswith(b"INVITE") and b"m=audio" in one for one in messages)
        assert names(messages, own)
        assert names(messages, other) == []


async def test_a_softphone_rejects(line: AsteriskRig, begin: Begin) -> None:
    ann = await begin(ANN, answers="manual")
    leg = await line.ring(ANN, line.call(), "caller")
    await line.news(LegRinging, leg)

    ann.command("hangup")

    ended = await line.news(LegEnded, leg)
    assert (ended.by, ended.q850) in {(ReleaseSide.PARTY, 17), (ReleaseSide.PARTY, 21)}


async def test_a_softphone_that_is_not_there_is_switched_off(line: AsteriskRig) -> None:
    with pytest.raises(CarrierRefused) as refused:
        await line.ring(NOBODY, line.call(), "caller")

    assert (refused.value.q850, refused.value.sip) == (20, 480)
    assert await line.carrier.live_legs() == ()


async def test_programs_that_die_or_freeze_are_noticed(line: AsteriskRig, begin: Begin) -> None:
    ann, ben = await begin(ANN), await begin(BEN)
    _, legs = await joined(line, ANN, BEN)

    ann.send_signal(signal.SIGKILL)
    ben.send_signal(signal.SIGSTOP)

    for leg in legs:
        lost = await line.news(MediaLost, leg)
        ended = await line.news(LegEnded, leg)
        assert (ended.by, ended.q850, ended.code) == (ReleaseSide.CARRIER, 44, "rtp_timeout")
        assert (ended.at - lost.since).total_seconds() < SHORTEST_RTP_TIMEOUT_SECONDS + 2


# --- behind the trunk -----------------------------------------------------------------------------


@pytest.fixture
async def provider(
    short_sighted: Engine, tmp_path: Path
) -> AsyncIterator[Callable[[str], Awaitable[sipp.Sipp]]]:
    """Starts SIPp where the trunk points to."""
    require("sipp")
    async with AsyncExitStack() as stack:

        async def one(scenario: str) -> sipp.Sipp:
            run = await sipp.start(tmp_path / "sipp", short_sighted.phones_port, scenario)
            stack.push_async_callback(run.stop)
            return run

        yield one


Provider = Callable[[str], Awaitable[sipp.Sipp]]


async def test_audio_goes_to_the_trunk_and_comes_back(
    line: AsteriskRig, begin: Begin, provider: Provider
) -> None:
    ann, run = await begin(ANN), await provider(sipp.answers_and_waits())
    _, legs = await joined(line, ANN, BEHIND_THE_TRUNK)
    await asyncio.sleep(TALK_SECONDS)

    for leg in legs:
        await line.carrier.hang_up(leg)
        assert (await line.news(LegEnded, leg)).by is ReleaseSide.PLATFORM

    assert await run.well()  # one BYE came, and nothing that the scenario does not know
    await ann.happens("CALL_CLOSED")
    await ann.stop()
    assert ann.heard_seconds(HERTZ[ANN]) >= TALK_SECONDS - 0.5  # SIPp sends back what it hears


@pytest.mark.parametrize(
    ("status", "by", "q850"),
    [
        ("486 Busy Here", ReleaseSide.PARTY, 17),
        ("603 Decline", ReleaseSide.PARTY, 21),
        ("404 Not Found", ReleaseSide.CARRIER, 1),
        ("503 Service Unavailable", ReleaseSide.CARRIER, 34),
    ],
)
async def test_what_a_provider_refuses_is_told(
    line: AsteriskRig, provider: Provider, status: str, by: ReleaseSide, q850: int
) -> None:
    run = await provider(sipp.refuses(status))
    leg = await line.ring(BEHIND_THE_TRUNK, line.call(), "caller")

    ended = await line.news(LegEnded, leg)

    assert (ended.by, ended.q850, ended.sip) == (by, q850, int(status[:3]))
    assert await run.well()


@pytest.mark.parametrize(
    ("reason", "by", "q850"),
    [
        ("", ReleaseSide.PARTY, 16),
        ("Q.850;cause=16", ReleaseSide.PARTY, 16),
        ("Q.850;cause=38", ReleaseSide.CARRIER, 38),
    ],
)
async def test_a_goodbye_of_the_provider_says_whose_it_is(
    line: AsteriskRig, provider: Provider, reason: str, by: ReleaseSide, q850: int
) -> None:
    run = await provider(sipp.answers_and_hangs_up(300, reason))
    leg = await line.ring(BEHIND_THE_TRUNK, line.call(), "caller")

    ended = await line.news(LegEnded, leg)

    assert (ended.by, ended.q850) == (by, q850)
    assert await run.well()
