"""PostgreSQL goes away under running calls: the service waits, and goes on where it was."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from tests.chaos.lateness import Outages, lateness, latest, watch_timers
from tests.chaos.postgres import FAST, IMMEDIATE, Postgres, a_postgres
from tests.chaos.reckoning import reckon
from tests.chaos.server import Nursery
from tests.chaos.stories import SETTLES_WITHIN, STORIES, act_out, cast_for
from tests.chaos.world import A_LONG_TIME, World, a_world
from tests.conftest import DEBIAN_BINARIES

_MOST_LINES = 40


@pytest.fixture
async def postgres(request: pytest.FixtureRequest) -> AsyncIterator[Postgres]:
    """A cluster that may be stopped: the embedded one, or with `--server-postgres` Debian's."""
    server = request.config.getoption("--server-postgres")
    with a_postgres(DEBIAN_BINARIES if server else None) as one:
        yield one


@pytest.fixture
async def world(nursery: Nursery, postgres: Postgres, tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(nursery, postgres.url, tmp_path) as one:
        yield one


async def restart_again_and_again(
    world: World, postgres: Postgres, rng: Random, outages: Outages
) -> None:
    for mode in (FAST, IMMEDIATE, FAST, IMMEDIATE):
        await world.timelines_grow(rng.randrange(10, _MOST_LINES), seconds=5)
        outages.began()
        await postgres.stop(mode)
        await postgres.start()
        outages.ended()


async def test_calls_end_as_they_must_though_the_database_restarts_under_them(
    world: World, postgres: Postgres
) -> None:
    outages = Outages()
    await world.server.start()
    await watch_timers(world)
    cast = [await cast_for(world, story, number) for number, story in enumerate(STORIES, 1)]
    process = world.server.process

    acting = [
        asyncio.create_task(act_out(world, story, one))
        for story, one in zip(STORIES, cast, strict=True)
    ]
    await restart_again_and_again(world, postgres, Random(1), outages)
    played = await asyncio.gather(*acting)
    late = await lateness(world, outages)
    await world.let_pass(SETTLES_WITHIN.total_seconds())
    await world.let_pass(A_LONG_TIME)

    assert world.server.process == process
    assert await reckon(world, played) == []
    print(f"{len(late)} timers, latest {late[:2]}")
    assert [one for one in late if one.by > latest()] == []
