"""News twice, late, in any order, or never: the end is the same, or owns to being unsure."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from billing.voucher import State as VoucherState
from dialer.store.calls import calls_of
from terms.verdict import EndedBy, VerdictKind
from tests.chaos.reckoning import nothing_left, reckon
from tests.chaos.stories import SETTLES_WITHIN, STORIES, Played, Story, act_out, cast_for, leaves
from tests.chaos.world import A_LONG_TIME, World
from tests.people import TENANT


async def play_all(world: World, stories: Sequence[Story]) -> list[Played]:
    """All stories at once, to their end."""
    await world.server.start()
    cast = [await cast_for(world, story, number) for number, story in enumerate(stories, 1)]
    played = await asyncio.gather(
        *(act_out(world, story, one) for story, one in zip(stories, cast, strict=True))
    )
    await world.let_pass(SETTLES_WITHIN.total_seconds())
    return list(played)


@pytest.mark.parametrize(
    "faults",
    [
        {},
        {"duplicate": 1.0},
        {"reorder": 1.0},
        {"duplicate": 1.0, "reorder": 1.0, "delay_ms": 700.0},
    ],
    ids=["good", "twice", "any order", "twice, in any order, and late"],
)
async def test_the_same_scripts_end_the_same_whatever_way_news_takes(
    world: World, faults: dict[str, float]
) -> None:
    await world.bad(**faults)

    played = await play_all(world, STORIES)
    await world.let_pass(A_LONG_TIME)

    assert await reckon(world, played) == []


_LONG_TALKS = (
    replace(STORIES[0], caller=leaves(60)),
    replace(STORIES[1], counselor=leaves(60, "1")),
    *STORIES[2:],
)


@pytest.mark.rule("A27")
async def test_lost_news_and_refused_orders_never_put_the_end_on_a_caller_who_stayed(
    world: World,
) -> None:
    await world.bad(lose=0.2, refuse=0.2, unknown=0.2)
    played = await play_all(world, [story for story in _LONG_TALKS * 3 if story.act is None])
    await world.bad()
    await world.let_pass(A_LONG_TIME)
    await world.all_at_rest()

    assert await nothing_left(world) == []
    for one in played:
        async with world.pool.acquire() as connection:
            calls = await calls_of(connection, TENANT, one.order)
        verdict = calls[-1].verdict
        assert verdict is not None
        if verdict.kind is VerdictKind.PARTY_ENDED:
            assert one.story.verdict is VerdictKind.PARTY_ENDED, one
            assert verdict.by in one.story.by, (one, verdict)
        if EndedBy.CALLER not in one.story.by and verdict.kind is not VerdictKind.NOT_CONNECTED:
            assert verdict.by is not EndedBy.CALLER, (one, verdict)
        used = (await world.people.see_voucher(one.order)).state is VoucherState.CONSUMED
        assert used == any(call.connected_at is not None for call in calls)
        assert one.story.talked or not used, one
        assert calls[-1].counted <= 3
