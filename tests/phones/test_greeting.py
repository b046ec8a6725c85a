"""The first word that a caller hears, on a real line."""

import asyncio

from dialer.call import State
from dialer.carriers import CallIn
from tests.dialer.carriers.rig import Behaviour
from tests.people import LISTENING
from tests.phones.house import Pair, PhoneHouse

GREETED = ["zh-CN/greeting", "zh-CN/connecting"]


async def heard(house: PhoneHouse, pair: Pair) -> list[str]:
    """What the caller was told by the time they were told that they are being connected."""
    async with asyncio.timeout(15):
        while GREETED[-1] not in house.phone(pair.caller).heard:  # noqa: ASYNC110 - over the wire
            await asyncio.sleep(0.02)
    return house.phone(pair.caller).heard


async def test_who_is_rung_first_is_greeted_while_the_counselors_phone_rings(
    phone_house: PhoneHouse,
) -> None:
    pair = await phone_house.pair(counselor=Behaviour.BY_HAND)
    await phone_house.press(pair)
    async with asyncio.timeout(15):
        while phone_house.phone(pair.counselor).line is None:  # noqa: ASYNC110 - over the wire
            await asyncio.sleep(0.005)

    assert GREETED[-1] not in phone_house.phone(pair.caller).heard  # it rings before that
    assert await heard(phone_house, pair) == GREETED
    await phone_house.rig.pick_up(pair.counselor)
    async with asyncio.timeout(15):
        while phone_house.phone(pair.counselor).heard != ["zh-CN/press_1"]:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await phone_house.rig.press(pair.counselor, "1")
    await phone_house.until(pair, State.BRIDGED)

    assert phone_house.phone(pair.caller).heard == GREETED


async def test_who_dials_in_is_greeted(phone_house: PhoneHouse) -> None:
    pair = await phone_house.pair(counselor=Behaviour.BY_HAND)
    rig = phone_house.rig
    rig.service_number = phone_house.programs[LISTENING].routing.service_numbers[0].number.digits

    await rig.dial_in(pair.caller)
    await rig.news(CallIn)

    assert await heard(phone_house, pair) == GREETED
