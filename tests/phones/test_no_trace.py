"""No phone learns another's number: everything that each was ever sent is searched for it."""

import asyncio
import re

from dialer.call import State
from dialer.carriers import CallIn
from dialer.events import CrisisRaised, TransferConfirmed, TransferRequested
from routing.store.targets import put_target
from routing.transfer import AgencyKind, TransferTarget
from terms.ids import TargetId
from terms.phone import PhoneNumber
from tests.dialer.carriers.rig import Behaviour
from tests.people import LISTENING, TENANT
from tests.phones.house import COUNSELOR_FIRST, Pair, PhoneHouse

_LEAST_MESSAGES = 3  # of a whole call: INVITE, ACK, BYE or the answer to it


def traces(house: PhoneHouse, number: PhoneNumber, of: PhoneNumber) -> list[str]:
    """Messages to the phone, headers and bodies, with the other's number in any notation."""
    messages = house.phone(number).messages
    assert len(messages) >= _LEAST_MESSAGES, messages
    bare = of.digits.removeprefix("+86")
    return [text for text in messages if bare in re.sub(r"[\s().+-]", "", text)]


def assert_strangers(house: PhoneHouse, *phones: PhoneNumber) -> None:
    for one in phones:
        for other in phones:
            if one != other:
                assert traces(house, one, other) == []


async def over(house: PhoneHouse, pair: Pair) -> None:
    await house.rig.put_down(pair.caller)
    await house.until(pair, State.ENDED)
    await house.rig.settle()


async def test_whoever_is_rung_first_neither_learns_the_others_number(
    phone_house: PhoneHouse,
) -> None:
    async def strangers(pair: Pair) -> None:
        await over(phone_house, pair)
        assert_strangers(phone_house, pair.caller, pair.counselor)

    pairs = [await phone_house.talk(program) for program in (LISTENING, COUNSELOR_FIRST)]
    await asyncio.gather(*map(strangers, pairs))


async def test_a_caller_who_dials_in_leaves_no_trace_with_the_counselor(
    phone_house: PhoneHouse,
) -> None:
    pair = await phone_house.pair()
    rig = phone_house.rig
    rig.service_number = phone_house.programs[LISTENING].routing.service_numbers[0].number.digits

    await rig.dial_in(pair.caller)
    await rig.news(CallIn)
    await phone_house.until(pair, State.BRIDGED)
    assert await rig.comes_to_hear(pair.counselor, pair.caller)
    await over(phone_house, pair)

    assert_strangers(phone_house, pair.caller, pair.counselor)


async def test_a_line_that_broke_and_is_rung_again_leaves_no_trace(phone_house: PhoneHouse) -> None:
    pair = await phone_house.talk()
    rig = phone_house.rig
    rig.town.put_down(phone_house.phone(pair.counselor), "Q.850;cause=41")
    await phone_house.until(pair, State.PARTED)
    await phone_house.until(pair, State.BRIDGED)
    assert await rig.comes_to_hear(pair.caller, pair.counselor)
    await over(phone_house, pair)

    assert_strangers(phone_house, pair.caller, pair.counselor)


async def test_the_callers_number_goes_to_the_agency_and_to_nobody_else(
    phone_house: PhoneHouse,
) -> None:
    pair = await phone_house.talk()
    rig = phone_house.rig
    agency = await rig.phone(Behaviour.ANSWERS)
    target = TargetId("near")
    async with phone_house.pool.acquire() as connection:
        await put_target(
            connection,
            phone_house.seal,
            TENANT,
            TransferTarget(
                id=target, name="near", kind=AgencyKind.POLICE, region=None, preference=0
            ),
            agency,
        )

    await phone_house.command(pair, CrisisRaised())
    await phone_house.command(pair, TransferRequested((target,)))
    async with asyncio.timeout(10):
        while agency not in await rig.hears(pair.caller):  # it takes its time by itself
            pass
    assert await rig.comes_to_hear(agency, pair.caller, pair.counselor)
    assert await rig.comes_to_hear(pair.counselor, pair.caller, agency)
    await phone_house.command(pair, TransferConfirmed())
    async with asyncio.timeout(10):
        while phone_house.phone(pair.counselor).line is not None:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert await rig.comes_to_hear(pair.caller, agency)
    await over(phone_house, pair)

    assert_strangers(phone_house, pair.caller, pair.counselor)
    assert traces(phone_house, agency, pair.counselor) == []
    assert traces(phone_house, pair.caller, agency) == []
    assert traces(phone_house, pair.counselor, agency) == []
    assert pair.caller.digits in await rig.shown(agency)
