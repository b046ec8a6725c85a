"""The end of the granted time, as both phones hear it."""

import asyncio

from dialer.call import State
from tests.phones.house import CAPPED, PhoneHouse

_GENEROUS_SECONDS = 30


async def test_at_the_cap_neither_hears_the_other_and_both_are_told_why(
    phone_house: PhoneHouse,
) -> None:
    pair = await phone_house.talk(CAPPED)
    lines = phone_house.line(pair.caller), phone_house.line(pair.counselor)
    phones = phone_house.phone(pair.caller), phone_house.phone(pair.counselor)

    await phone_house.until(pair, State.ENDED)
    await asyncio.sleep(0.3)  # what was on its way when they were parted
    still_heard = await phone_house.rig.hears(pair.caller)
    async with asyncio.timeout(_GENEROUS_SECONDS):
        while not all(line.closed for line in lines):  # noqa: ASYNC110 - told over the wire
            await asyncio.sleep(0.02)

    assert still_heard == set()
    for phone in phones:
        assert phone.heard[-1] == "zh-CN/time_is_up"
