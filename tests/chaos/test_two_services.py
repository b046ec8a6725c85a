"""Two services on one database and one Redis, any of which may die at any moment."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import aiohttp
import pytest

from terms.ids import StaffId
from tests.chaos.lateness import Outages, lateness, latest, watch_timers
from tests.chaos.reckoning import Rung, reckon, rung
from tests.chaos.redis import RedisServer
from tests.chaos.server import Nursery
from tests.chaos.stories import ACCEPTS, SETTLES_WITHIN, STORIES, act_out, cast_for, leaves
from tests.chaos.world import A_LONG_TIME, World, a_world
from tests.people import TENANT
from warmline.people import StaffRole
from warmline.people.store import StaffMember

pytestmark = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="needs redis-server (apt-get install redis-server)"
)

HERE, THERE = 0, 1
_TOKEN = "ws_supervisor".ljust(46, "x")
_TAKEN_OVER_SECONDS = 10
_LEASE = timedelta(seconds=1)  # whoever died may have held a timer for so long


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[RedisServer]:
    server = RedisServer(tmp_path)
    await server.start()
    yield server
    server.kill()


@pytest.fixture
async def world(
    nursery: Nursery, database_url: str, tmp_path: Path, redis: RedisServer
) -> AsyncIterator[World]:
    """Both services run."""
    async with a_world(nursery, database_url, tmp_path, services=2, redis_url=redis.url) as one:
        await asyncio.gather(*(server.start() for server in one.servers))
        yield one


class Follower:
    """Somebody who sees every line, over a WebSocket, and comes back when it is cut."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.seen: list[int] = []
        self.cut = 0
        self._listens = asyncio.Event()

    @asynccontextmanager
    async def at(self, service: int) -> AsyncIterator["Follower"]:
        """Follow there for as long as the block runs."""
        member = StaffMember(
            tenant=TENANT,
            id=StaffId("staff-supervisor"),
            email="supervisor@example.org",
            roles=frozenset({StaffRole.SUPERVISOR}),
            password_hash="$argon2id$never",
            totp_secret=b"never asked for",
        )
        await self._world.sign_in(member, _TOKEN)
        following = asyncio.create_task(self._follow(f"{self._world.servers[service].url}/v1/live"))
        await self._listens.wait()
        try:
            yield self
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def has_seen_all(self) -> None:
        """Wait until nothing was written that was not seen."""

        async def holds() -> bool:
            newest = await self._world.pool.fetchval("SELECT coalesce(max(seq), 0) FROM timeline")
            return bool(self.seen) and self.seen[-1] >= newest

        await self._world.until(holds)

    async def _follow(self, url: str) -> None:
        headers = {"Authorization": f"Bearer {_TOKEN}"}
        while True:
            asked = f"{url}?after={self.seen[-1]}" if self.seen else url
            try:
                async with self._world.client.ws_connect(asked, headers=headers) as socket:
                    async for message in socket:
                        self._take(message.json())
            except aiohttp.ClientError:
                await asyncio.sleep(0.02)
            self.cut += 1

    def _take(self, told: dict[str, Any]) -> None:
        if told["type"] == "event":
            self.seen.append(told["seq"])
        self._listens.set()


async def _all_lines(world: World) -> list[int]:
    rows = await world.pool.fetch(
        "SELECT seq FROM timeline WHERE 'staff' = ANY (visible) ORDER BY seq"
    )
    return [row["seq"] for row in rows]


async def test_what_happens_at_one_service_is_followed_at_the_other_though_redis_dies(
    world: World, redis: RedisServer
) -> None:
    cast = [await cast_for(world, story, number) for number, story in enumerate(STORIES, 1)]
    async with Follower(world).at(THERE) as follower:
        acting = [
            asyncio.create_task(act_out(world, story, one, at=HERE))
            for story, one in zip(STORIES, cast, strict=True)
        ]
        for _ in range(2):
            await world.timelines_grow(30, seconds=5)
            redis.kill()
            await world.timelines_grow(30, seconds=5)
            await redis.start()
        played = await asyncio.gather(*acting)
        await world.let_pass(SETTLES_WITHIN.total_seconds())
        await follower.has_seen_all()

        assert follower.seen == await _all_lines(world)
        assert follower.cut == 0
    await world.let_pass(A_LONG_TIME)
    assert await reckon(world, played) == []


async def _in_hand(world: World) -> list[int]:
    """The orders that somebody has promised to send."""
    rows = await world.pool.fetch(
        "SELECT seq FROM carrier_orders WHERE outcome IS NULL AND due_at <= $1", world.now()
    )
    return [row["seq"] for row in rows]


async def _until_settled(world: World, orders: list[int]) -> None:
    """Wait until somebody has sent them, and knows it."""

    async def holds() -> bool:
        pending = "SELECT 1 FROM carrier_orders WHERE outcome IS NULL AND seq = ANY ($1) LIMIT 1"
        return await world.pool.fetchval(pending, orders) is None

    await world.until(holds, seconds=_TAKEN_OVER_SECONDS)


async def test_a_service_takes_over_the_calls_of_one_that_was_killed(world: World) -> None:
    await watch_timers(world)
    cast = [await cast_for(world, story, number) for number, story in enumerate(STORIES, 1)]
    async with Follower(world).at(THERE) as follower:
        acting = [
            asyncio.create_task(act_out(world, story, one, at=number % 2))
            for number, (story, one) in enumerate(zip(STORIES, cast, strict=True))
        ]
        await world.timelines_grow(40, seconds=5)
        world.servers[HERE].kill()
        killed = monotonic()
        left = await _in_hand(world)
        await _until_settled(world, left)
        print(f"{len(left)} orders taken over after {monotonic() - killed:.2f} s")
        await world.servers[HERE].start()  # callers who pressed there are answered again
        played = await asyncio.gather(*acting)
        late = await lateness(world, Outages())
        await world.let_pass(SETTLES_WITHIN.total_seconds(), at=THERE)
        await follower.has_seen_all()
        assert follower.seen == await _all_lines(world)
    await world.let_pass(A_LONG_TIME, at=THERE)
    assert await reckon(world, played) == []
    assert [one for one in late if one.by > latest() + _LEASE] == []


async def test_a_service_that_froze_sends_nothing_again_that_another_has_sent(
    world: World,
) -> None:
    played = []
    for turn, lines in enumerate((4, 9, 16, 25)):
        first = turn * len(STORIES) + 1
        cast = [await cast_for(world, story, number) for number, story in enumerate(STORIES, first)]
        acting = [
            asyncio.create_task(act_out(world, story, one, at=HERE))
            for story, one in zip(STORIES, cast, strict=True)
        ]
        await world.timelines_grow(lines, seconds=5)
        world.servers[HERE].freeze()
        await _until_settled(world, await _in_hand(world))
        world.servers[HERE].thaw()
        played += await asyncio.gather(*acting)
    await world.let_pass(SETTLES_WITHIN.total_seconds(), at=THERE)
    await world.let_pass(A_LONG_TIME, at=THERE)

    found = await reckon(world, played)
    asked = rung(await world.read_events())
    here, there = (server.port for server in world.servers)
    assert {one.by for rings in asked.values() for one in rings} == {here, there}
    assert [leg for leg, rings in asked.items() if _comes_after(here, there, rings)] == []
    # What was on its way before the freeze nobody can know of. Even then no phone rang twice.
    assert set(found) <= {
        f"{leg} was rung {len(rings)} times"
        for leg, rings in asked.items()
        if _comes_after(there, here, rings)
    }


def _comes_after(late: int, early: int, rings: list[Rung]) -> bool:
    """Whether one of them asked for a ring that the other had asked for before."""
    by = [one.by for one in rings]
    return early in by and late in by[by.index(early) :]


async def test_tries_to_sign_in_are_counted_together(world: World) -> None:
    answers = []
    for number in range(14):
        status, _ = await world.ask(
            "POST",
            "/v1/sessions",
            body={"email": "nobody@example.org", "password": "wrong"},
            at=number % 2,
        )
        answers.append(status)

    assert answers == [401] * 10 + [429] * 4


async def test_a_service_that_did_not_move_the_clock_still_hears_the_news_in_its_time(
    world: World,
) -> None:
    at_once = replace(
        STORIES[0],
        caller=replace(leaves(1), after_seconds=0),
        counselor=replace(ACCEPTS, after_seconds=0),
    )
    for number in range(1, 7):
        cast = await cast_for(world, at_once, number)
        await world.let_pass(3600, at=HERE)
        before = world.now()
        await act_out(world, at_once, cast, at=HERE)
        await world.call_is(cast.order, "ended")

        call = await world.people.see_call(cast.order)
        assert min(leg.answered_at or before for leg in call.legs) >= before
        assert (call.counted, call.counselor_misses) == (0, 0)
