"""Three attempts are three, however many processes are at work on one database (X27)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dialer.carriers.simulated.script import Answers
from tests.chaos.programs import ATTEMPTS
from tests.chaos.reckoning import caller_rings, reckon
from tests.chaos.server import Nursery
from tests.chaos.stories import STORIES, act_out, cast_for
from tests.chaos.world import A_LONG_TIME, World, a_world

_NOBODY = next(story for story in STORIES if story.caller.answers is Answers.NO_ANSWER)
_CALLERS = 6


@pytest.fixture
async def world(nursery: Nursery, database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(nursery, database_url, tmp_path, services=3) as one:
        yield one


@pytest.mark.rule("A39", "X27")
async def test_three_processes_make_three_attempts_and_not_one_more(world: World) -> None:
    await asyncio.gather(*(server.start() for server in world.servers))
    cast = [await cast_for(world, _NOBODY, number) for number in range(1, _CALLERS + 1)]
    played = await asyncio.gather(
        *(act_out(world, _NOBODY, one, at=at % 3) for at, one in enumerate(cast))
    )

    for step in range(30):  # two timers fall due at most in each, and three look for them
        await world.let_pass(8, at=step % 3)
        await world.read_events()
    await world.let_pass(A_LONG_TIME)

    assert await reckon(world, played) == []
    for one in played:
        (call,) = await world.calls_of(one.order)
        assert caller_rings(world.events, call) == ATTEMPTS
