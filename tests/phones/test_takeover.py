"""Several processes over one Asterisk: one holds it, and another takes over."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from dialer.call import State
from dialer.carriers import CallIn, LegAnswered
from terms.verdict import EndedBy, VerdictKind
from tests.chaos.server import Nursery
from tests.dialer.carriers.rig import Behaviour
from tests.phones.deployment import Deployment, a_deployment
from tests.phones.rig import AsteriskRig
from warmline.bench.phones.engine import Engine


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """Where processes are born."""
    one = Nursery()
    yield one
    one.close()


@pytest.fixture
async def two(
    engine: Engine, nursery: Nursery, database_url: str, tmp_path: Path
) -> AsyncIterator[Deployment]:
    """Two processes; the first holds Asterisk."""
    async with a_deployment(engine, nursery, database_url, tmp_path, processes=2) as deployment:
        yield deployment


async def taken_over(two: Deployment, before: str) -> float:
    async def is_another() -> bool:
        return await two.holder() != before

    return await two.comes_true(is_another)


async def test_what_one_process_decides_the_other_has_rung(two: Deployment) -> None:
    _, standing_by = two.servers
    assert "standing_by" in standing_by.said

    talk = await two.talk(standing_by)

    assert await two.rig.comes_to_hear(talk.caller, talk.counselor)
    assert (two.rang(talk.caller), two.rang(talk.counselor)) == (1, 1)


async def test_a_holder_that_dies_is_followed_within_five_seconds(two: Deployment) -> None:
    first, second = two.servers
    talk = await two.talk(first)
    before = await two.holder()

    first.kill()
    assert await taken_over(two, before) < 5
    assert await two.rig.comes_to_hear(talk.caller, talk.counselor)
    await two.rig.put_down(talk.caller)
    verdict = await two.verdict(talk)

    assert (verdict.kind, verdict.by) == (VerdictKind.PARTY_ENDED, EndedBy.CALLER)

    async def has_compared() -> bool:
        return "legs_compared" in second.said

    await two.comes_true(has_compared)
    assert (two.rang(talk.caller), two.rang(talk.counselor)) == (1, 1)


async def test_a_call_pressed_while_nobody_holds_is_rung_by_whoever_takes_over(
    two: Deployment,
) -> None:
    first, second = two.servers
    first.kill()

    talk = await two.talk(second)

    assert (two.rang(talk.caller), two.rang(talk.counselor)) == (1, 1)


async def test_a_holder_that_is_frozen_is_followed_and_does_nothing_when_it_wakes(
    two: Deployment,
) -> None:
    first = two.servers[0]
    talk = await two.talk(first)
    before = await two.holder()

    first.freeze()
    assert await taken_over(two, before) < 5
    heir = await two.holder()
    first.thaw()
    other = await two.pair()
    await two.press(other, first)
    await two.until(other, State.BRIDGED)
    for one in (talk, other):
        await two.rig.put_down(one.counselor)
        verdict = await two.verdict(one)
        assert (verdict.kind, verdict.by) == (VerdictKind.PARTY_ENDED, EndedBy.COUNSELOR)

    assert await two.holder() == heir
    assert "carrier_lost" in first.said
    assert [two.rang(p) for p in (other.caller, other.counselor)] == [1, 1]


async def test_a_holder_that_stops_is_followed_at_once(two: Deployment) -> None:
    first, second = two.servers
    before = await two.holder()
    stopping = asyncio.create_task(first.stop())

    assert await taken_over(two, before) < 2
    assert (await stopping)[0] == 0
    await two.talk(second)


async def test_who_dials_in_while_nobody_listens_is_offered_to_whoever_comes(
    rig: AsteriskRig,
) -> None:
    await rig.carrier.close()
    phone = await rig.phone(Behaviour.ANSWERS)
    await rig.dial_in(phone)
    await asyncio.sleep(1.5)
    assert rig.lines(phone)

    await rig.carrier.open(rig.receive)
    came = await rig.news(CallIn)
    await rig.carrier.answer(came.leg)

    assert came.caller == phone
    await rig.news(LegAnswered, came.leg)
