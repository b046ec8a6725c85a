"""Audio, proven by tones: who hears whom and what, from the first packet to after the last."""

import asyncio
from itertools import cycle

import pytest

from dialer.call import State
from tests.dialer.carriers.rig import Behaviour
from tests.phones.house import (
    CAP_SECONDS,
    CAPPED,
    COUNSELOR_FIRST,
    WARNED_SECONDS,
    Pair,
    PhoneHouse,
)
from tests.phones.town import Line

WARNING = f"zh-CN/left_{WARNED_SECONDS}"
TIME_IS_UP = "zh-CN/time_is_up"
_ON_ITS_WAY_SECONDS = 0.2
_ROUNDS = 10


async def heard_both_ways(house: PhoneHouse, pair: Pair) -> None:
    """Each hears the other, and nobody of the other calls."""
    rig = house.rig
    assert await rig.hears(pair.caller) == {pair.counselor}
    assert await rig.hears(pair.counselor) == {pair.caller}


async def over(*lines: Line) -> None:
    """Return when the phones were told that the call is over."""
    async with asyncio.timeout(30):
        while not all(line.closed for line in lines):  # noqa: ASYNC110 - told over the wire
            await asyncio.sleep(0.01)


async def whole_talk(house: PhoneHouse, counselor_hangs_up: bool) -> str:
    """One call from the button to silence; names what was not as it must be."""
    pair = await house.pair(CAPPED, caller=Behaviour.ACCEPTS)
    await house.press(pair)
    await house.until(pair, State.BRIDGED)
    lines = house.line(pair.caller), house.line(pair.counselor)
    await heard_both_ways(house, pair)
    async with asyncio.timeout(CAP_SECONDS):
        while not all(WARNING in line.phone.heard for line in lines):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await asyncio.sleep(1)  # the warning is half a second long
    await heard_both_ways(house, pair)
    if counselor_hangs_up:
        await house.rig.put_down(pair.counselor)
        await house.until(pair, State.ENDED)
    await over(*lines)
    told = [TIME_IS_UP in line.phone.heard for line in lines]
    assert told == [not counselor_hangs_up] * 2
    await asyncio.sleep(1)
    after = max(line.heard_after_the_end for line in lines)
    return "" if after < _ON_ITS_WAY_SECONDS else f"audio for {after} s after the end"


async def test_ten_of_ten_talks_are_heard_both_ways_with_their_warnings_and_never_after(
    phone_house: PhoneHouse,
) -> None:
    endings = cycle((True, False))
    talks = (whole_talk(phone_house, next(endings)) for _ in range(_ROUNDS))

    faults = await asyncio.gather(*talks, return_exceptions=True)

    assert faults == [""] * _ROUNDS


async def test_ten_of_ten_talks_are_heard_both_ways_when_the_counselor_is_rung_first(
    phone_house: PhoneHouse,
) -> None:
    async def talk() -> str:
        pair = await phone_house.talk(COUNSELOR_FIRST)
        lines = phone_house.line(pair.caller), phone_house.line(pair.counselor)
        await heard_both_ways(phone_house, pair)
        await phone_house.rig.put_down(pair.caller)
        await over(*lines)
        await asyncio.sleep(1)
        return "" if max(line.heard_after_the_end for line in lines) < 0.2 else "audio after"

    assert await asyncio.gather(*(talk() for _ in range(_ROUNDS))) == [""] * _ROUNDS


# --- the cap, on the wire -------------------------------------------------------------------------


async def test_the_cap_holds_on_the_wire(phone_house: PhoneHouse) -> None:
    pair = await phone_house.talk(CAPPED)
    lines = phone_house.line(pair.caller), phone_house.line(pair.counselor)

    await over(*lines)

    for line, other in (lines, lines[::-1]):
        assert line.talked_with(other) == pytest.approx(CAP_SECONDS, abs=0.5)


async def test_the_cap_holds_on_the_wire_when_nobody_of_ours_is_alive(
    phone_house: PhoneHouse,
) -> None:
    pair = await phone_house.talk(CAPPED)
    lines = phone_house.line(pair.caller), phone_house.line(pair.counselor)
    await phone_house.crew.stop()
    await phone_house.rig.carrier.close()

    await over(*lines)

    for line, other in (lines, lines[::-1]):
        assert CAP_SECONDS - 0.5 <= line.talked_with(other) < CAP_SECONDS + 3
    await phone_house.reopen()
