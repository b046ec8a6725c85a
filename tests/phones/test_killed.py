"""Our process killed in the middle of a call: the call goes on, and what happens meanwhile is known
to whoever comes after.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from dialer.talk import talked as talk_time
from terms.verdict import EndedBy, VerdictKind
from tests.chaos.server import Nursery
from tests.phones.deployment import Deployment, a_deployment
from warmline.bench.phones.engine import Engine

CAP_SECONDS = 6


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """Where processes are born."""
    one = Nursery()
    yield one
    one.close()


@pytest.fixture
async def one(
    engine: Engine, nursery: Nursery, database_url: str, tmp_path: Path
) -> AsyncIterator[Deployment]:
    """A process that serves over Asterisk."""
    async with a_deployment(engine, nursery, database_url, tmp_path) as deployment:
        yield deployment


@pytest.fixture
async def capped(
    engine: Engine, nursery: Nursery, database_url: str, tmp_path: Path
) -> AsyncIterator[Deployment]:
    """The same with a cap that a test can wait for."""
    async with a_deployment(
        engine, nursery, database_url, tmp_path, cap_seconds=str(CAP_SECONDS)
    ) as deployment:
        yield deployment


async def test_the_cap_still_ends_the_call_and_the_next_process_says_so(
    capped: Deployment,
) -> None:
    (server,) = capped.servers
    talk = await capped.talk(server)
    call = await capped.see_call(talk.order)
    lines = [capped.line(phone) for phone in (talk.caller, talk.counselor)]

    server.kill()
    assert await capped.rig.comes_to_hear(talk.caller, talk.counselor)

    async def both_are_told() -> bool:
        return all(line.closed for line in lines)

    await capped.comes_true(both_are_told)
    ended_at = time.time()
    await server.start()
    verdict = await capped.verdict(talk)

    bridged_at = max(leg.bridged_at for leg in call.legs if leg.bridged_at is not None)
    talked = ended_at - bridged_at.timestamp()
    assert CAP_SECONDS < talked < CAP_SECONDS + 3  # the carrier's limit is 2 s behind ours
    for line, other in (lines, lines[::-1]):
        assert CAP_SECONDS - 0.5 <= line.talked_with(other) < CAP_SECONDS + 3
    assert verdict.kind is VerdictKind.CAP_REACHED

    async def every_end_is_known() -> bool:
        return all(leg.release for leg in (await capped.see_call(talk.order)).legs)

    await capped.comes_true(every_end_is_known)
    ended = await capped.see_call(talk.order)
    recorded = talk_time(ended.legs, capped.clock.now()).total_seconds()
    assert recorded == pytest.approx(talked, abs=0.5)


async def test_who_hung_up_while_nobody_listened_is_known_to_the_next_process(
    one: Deployment,
) -> None:
    (server,) = one.servers
    talk = await one.talk(server)

    server.kill()
    await one.rig.put_down(talk.counselor)
    await asyncio.sleep(0.5)
    hung_up_at = time.time()
    await server.start()
    verdict = await one.verdict(talk)

    assert (verdict.kind, verdict.by) == (VerdictKind.PARTY_ENDED, EndedBy.COUNSELOR)
    call = await one.see_call(talk.order)
    assert call.ended_at is not None
    ended = min(leg.release.at for leg in call.legs if leg.release is not None)
    assert ended.timestamp() <= hung_up_at


async def test_a_call_that_outlives_its_process_is_taken_over_by_the_next(
    one: Deployment,
) -> None:
    (server,) = one.servers
    talk = await one.talk(server)

    server.kill()
    await server.start()
    assert await one.rig.comes_to_hear(talk.caller, talk.counselor)
    assert await one.rig.comes_to_hear(talk.counselor, talk.caller)
    await one.rig.put_down(talk.caller)
    verdict = await one.verdict(talk)

    assert (verdict.kind, verdict.by) == (VerdictKind.PARTY_ENDED, EndedBy.CALLER)
    assert (one.rang(talk.caller), one.rang(talk.counselor)) == (1, 1)


async def test_a_line_that_failed_while_nobody_listened_is_rung_again(one: Deployment) -> None:
    (server,) = one.servers
    talk = await one.talk(server)

    server.kill()
    await one.rig.drop(talk.caller)
    await server.start()

    async def rung_again() -> bool:
        return one.rang(talk.caller) == 2

    await one.comes_true(rung_again)
    assert (await one.see_call(talk.order)).ended_at is None
