"""How a leg ended, where somebody asked for its end before we began to listen."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from dialer.carriers import CallIn, LegAnswered, LegEnded, ReleaseSide, Report
from tests.dialer.carriers.joined import talk
from tests.dialer.carriers.rig import Behaviour
from tests.phones.engine import start
from tests.phones.required import require
from tests.phones.rig import AsteriskRig, carrier_on
from warmline.bench.phones.engine import Engine, ready

_SLOW_SECONDS, _UNDER_WAY_SECONDS = 0.6, 0.15
_CONTEXT = "[warmline-ended]\nexten => s,1,"


def slow_to_end(directory: Path) -> None:
    """Every channel takes its time between being asked to end and its end, as under heavy load."""
    extensions = directory / "warmline-extensions.conf"
    text = extensions.read_text()
    assert _CONTEXT in text
    slow = f"{_CONTEXT}NoOp(${{SHELL(sleep {_SLOW_SECONDS})}})\n same => n,"
    extensions.write_text(text.replace(_CONTEXT, slow))
    for file, line in (
        ("modules.conf", "load = func_shell.so\n"),
        ("asterisk.conf", "live_dangerously = yes\n"),
    ):
        with (directory / file).open("a") as configuration:
            configuration.write(line)


@pytest.fixture(scope="module")
def slow_engine() -> Iterator[Engine]:
    require()
    engine = start("slow", mend=slow_to_end)
    yield engine
    engine.stop()


@pytest.fixture
async def slow(slow_engine: Engine) -> AsyncIterator[AsteriskRig]:
    await ready(slow_engine)
    rig = AsteriskRig(slow_engine)
    await rig.town.open(slow_engine.phones_port)
    await rig.carrier.open(rig.receive)
    yield rig
    await rig.clear()
    await rig.carrier.close()
    await rig.town.close()


async def test_a_phone_that_hung_up_just_before_we_listened_is_who_let_go(
    slow: AsteriskRig,
) -> None:
    call = await talk(slow)
    await slow.carrier.close()
    await slow.put_down(call.counselor)
    await asyncio.sleep(_UNDER_WAY_SECONDS)

    await slow.carrier.open(slow.receive)

    ended = await slow.news(LegEnded, call.counselor_leg)
    assert (ended.by, ended.q850) == (ReleaseSide.PARTY, 16)
    await slow.put_down(call.caller)  # of whom we hear all
    assert (await slow.news(LegEnded, call.caller_leg)).by is ReleaseSide.PARTY


async def test_one_that_dialled_in_and_hung_up_just_before_we_listened_is_who_let_go(
    slow: AsteriskRig,
) -> None:
    phone = await slow.phone(Behaviour.BY_HAND)
    await slow.dial_in(phone)
    leg = (await slow.news(CallIn)).leg
    await slow.carrier.answer(leg)
    await slow.news(LegAnswered, leg)
    await slow.settle()
    await slow.carrier.close()
    await slow.put_down(phone)
    await asyncio.sleep(_UNDER_WAY_SECONDS)

    await slow.carrier.open(slow.receive)

    ended = await slow.news(LegEnded, leg)
    assert (ended.by, ended.q850) == (ReleaseSide.PARTY, 16)


async def test_another_process_that_begins_to_listen_just_then_tells_the_same(
    slow: AsteriskRig, slow_engine: Engine
) -> None:
    call = await talk(slow)
    await slow.carrier.close()
    await slow.put_down(call.counselor)
    await asyncio.sleep(_UNDER_WAY_SECONDS)
    told: list[Report] = []

    async def receive(report: Report) -> None:
        told.append(report)

    heir = carrier_on(slow_engine)
    await heir.open(receive)
    async with asyncio.timeout(10):
        while not (ends := [one for one in told if isinstance(one.news, LegEnded)]):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await heir.close()
    await slow.carrier.open(slow.receive)

    assert [(one.news.leg, one.news.by) for one in ends if isinstance(one.news, LegEnded)] == [
        (call.counselor_leg, ReleaseSide.PARTY)
    ]


async def test_who_is_left_behind_until_the_limit_did_not_hang_up(rig: AsteriskRig) -> None:
    call = await talk(rig, limit_seconds=2)
    lines = rig.lines(call.caller, call.counselor)
    await rig.settle()
    await rig.carrier.close()
    await rig.put_down(call.caller)
    async with asyncio.timeout(10):
        while not all(line.closed for line in lines):  # noqa: ASYNC110 - told over the wire
            await asyncio.sleep(0.02)

    await rig.carrier.open(rig.receive)

    assert (await rig.news(LegEnded, call.caller_leg)).by is ReleaseSide.PARTY
    left = await rig.news(LegEnded, call.counselor_leg)
    assert (left.by, left.code) == (ReleaseSide.CARRIER, "limit")
