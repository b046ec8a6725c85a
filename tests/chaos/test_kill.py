"""kill -9 at random points of running calls: every one of them ends as if nothing had happened."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from random import Random

import pytest

from tests.chaos.lateness import Outages, lateness, latest, watch_timers
from tests.chaos.reckoning import presence, reckon
from tests.chaos.stories import SETTLES_WITHIN, STORIES, Played, Story, play
from tests.chaos.world import A_LONG_TIME, World

POINTS = int(os.environ.get("WARMLINE_TEST_CHAOS_POINTS", "20"))
SEED = int(os.environ.get("WARMLINE_TEST_CHAOS_SEED", "1"))
_AT_ONCE = 8
_CALL_SECONDS = 15
_LONGEST_LIFE_SECONDS = 3
_MOST_LINES = 30
_LONGEST_OUTAGE_SECONDS = 1.0


class Stream:
    """Stories one after another, several at once, until it is told to be the last."""

    def __init__(self, world: World, rng: Random) -> None:
        self._world = world
        self._shuffled = _shuffled(rng)
        self._over = False
        self.played: list[Played] = []

    async def run(self) -> None:
        """Play until `finish`. Raises what a story raises."""
        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(self._play_on())

    def finish(self) -> None:
        """Let those under way be the last."""
        self._over = True

    async def _play_on(self) -> None:
        while not self._over:
            number, story = next(self._shuffled)
            played = await play(self._world, story, number)
            self.played.append(played)
            with suppress(TimeoutError):  # the reckoning tells what became of it
                await self._world.call_is(played.order, "ended", seconds=_CALL_SECONDS)


def _shuffled(rng: Random) -> Iterator[tuple[int, Story]]:
    number = 0
    while True:
        for story in rng.sample(STORIES, len(STORIES)):
            number += 1
            yield number, story


async def kill_again_and_again(world: World, rng: Random, outages: Outages) -> None:
    """Kill at random instants, some of them before the process is up; news is late at times."""
    for point in range(POINTS):
        await world.bad(delay_ms=rng.choice((0, 0, 300, 900)))
        await world.timelines_grow(rng.randrange(_MOST_LINES), seconds=_LONGEST_LIFE_SECONDS)
        world.server.kill()
        outages.began()
        await asyncio.sleep(rng.choice((0, rng.uniform(0, _LONGEST_OUTAGE_SECONDS))))
        world.server.begin()
        if point % 5 != 4:
            await world.server.ready()
            outages.ended()
        await world.read_events()
    await world.bad()
    if POINTS % 5 == 0:
        await world.server.ready()
        outages.ended()


@pytest.mark.rule("X01")
async def test_calls_end_as_they_must_however_often_the_process_is_killed(world: World) -> None:
    rng = Random(SEED)
    outages, stream = Outages(), Stream(world, rng)
    await watch_timers(world)
    await world.server.start()

    running = asyncio.create_task(stream.run())
    await kill_again_and_again(world, rng, outages)
    stream.finish()
    await running
    late = await lateness(world, outages)
    await world.let_pass(SETTLES_WITHIN.total_seconds())
    kept_away = await presence(world)
    await world.let_pass(A_LONG_TIME)
    print(f"{len(stream.played)} calls, {len(late)} timers, latest {late[:3]}")
    assert await reckon(world, stream.played) == []
    assert kept_away == []
    assert [one for one in late if one.by > latest()] == []
