"""SIGTERM under load: the transaction in hand is finished, the rest is left to others, at once."""

import asyncio
from random import Random

from tests.chaos.reckoning import reckon
from tests.chaos.stories import SETTLES_WITHIN, STORIES, act_out, cast_for
from tests.chaos.world import A_LONG_TIME, World

_LONGEST_SECONDS = 5.0


async def test_a_service_told_to_stop_is_gone_within_seconds_and_loses_nothing(
    world: World,
) -> None:
    rng = Random(1)
    await world.server.start()
    cast = [await cast_for(world, story, number) for number, story in enumerate(STORIES, 1)]
    acting = [
        asyncio.create_task(act_out(world, story, one))
        for story, one in zip(STORIES, cast, strict=True)
    ]

    stops = []
    for _ in range(4):
        await world.timelines_grow(rng.randrange(5, 30), seconds=5)
        stops.append(await world.server.stop())
        await world.server.start()
    played = await asyncio.gather(*acting)
    await world.let_pass(SETTLES_WITHIN.total_seconds())
    await world.let_pass(A_LONG_TIME)

    assert [status for status, _ in stops] == [0, 0, 0, 0]
    assert max(seconds for _, seconds in stops) < _LONGEST_SECONDS
    assert await reckon(world, played) == []
    assert [line for line in world.server.said.splitlines() if "Traceback" in line] == []
