"""Waiting: for an instant, for a wake-up, or for somebody who moves the clock."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from warmline.clock import Clock, SystemClock, VirtualClock
from warmline.ids import new_id

PATIENCE_SECONDS = 5


async def settled() -> None:
    """Let every task that can run do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_waiter_returns_when_the_instant_is_reached(noon: datetime) -> None:
    clock = VirtualClock(noon)
    waiting = asyncio.create_task(clock.wait_until(noon + timedelta(seconds=60), asyncio.Event()))
    clock.advance(59.9)
    await settled()
    assert not waiting.done()

    clock.advance(0.1)

    await asyncio.wait_for(waiting, PATIENCE_SECONDS)
    assert clock.now() == noon + timedelta(seconds=60)


@pytest.mark.parametrize("clock", [SystemClock(), VirtualClock(datetime(2030, 1, 1, tzinfo=UTC))])
async def test_a_wake_up_ends_any_wait_and_stays_set(clock: Clock) -> None:
    wake = asyncio.Event()
    for instant in (None, clock.now() + timedelta(hours=1)):
        wake.clear()
        waiting = asyncio.create_task(clock.wait_until(instant, wake))
        await settled()
        assert not waiting.done()

        wake.set()

        await asyncio.wait_for(waiting, PATIENCE_SECONDS)
        assert wake.is_set()


async def test_an_instant_that_has_passed_is_not_waited_for(noon: datetime) -> None:
    await asyncio.wait_for(VirtualClock(noon).wait_until(noon, asyncio.Event()), PATIENCE_SECONDS)


async def test_moving_the_clock_ends_the_waits_of_everybody_who_is_due() -> None:
    clock = SystemClock()
    start = clock.now()
    minute, hour = (
        asyncio.create_task(clock.wait_until(start + timedelta(seconds=s), asyncio.Event()))
        for s in (60, 3600)
    )
    await settled()

    clock.advance(120)

    await asyncio.wait_for(minute, PATIENCE_SECONDS)
    assert clock.offset == timedelta(seconds=120)
    assert clock.now() >= start + timedelta(seconds=120)
    assert not hour.done()
    hour.cancel()


async def test_the_machine_s_time_ends_a_wait_by_itself() -> None:
    clock = SystemClock()
    due = clock.now() + timedelta(milliseconds=20)

    await asyncio.wait_for(clock.wait_until(due, asyncio.Event()), PATIENCE_SECONDS)

    assert clock.now() >= due


async def test_a_wait_that_is_cancelled_leaves_nothing_waiting() -> None:
    clock = SystemClock()
    waiting = asyncio.create_task(clock.wait_until(None, asyncio.Event()))
    await settled()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await settled()

    assert asyncio.all_tasks() == {asyncio.current_task()}
    clock.advance(1)


def test_a_virtual_clock_does_not_go_back(noon: datetime) -> None:
    with pytest.raises(ValueError, match="does not go back"):
        VirtualClock(noon).move_to(noon - timedelta(seconds=1))


def test_ids_sort_by_the_time_they_were_made(noon: datetime) -> None:
    made = [
        new_id("call", now=noon + timedelta(milliseconds=step), random_bytes=lambda n: b"\xff" * n)
        for step in range(3)
    ]

    assert made == sorted(set(made))
    assert [len(name) for name in made] == [31, 31, 31]


def test_the_time_is_written_as_a_ulid_writes_it() -> None:
    instant = datetime.fromtimestamp(1469918176.385, UTC)

    assert new_id("x", now=instant).startswith("x_01aryz6s41")


def test_ids_of_one_instant_differ(noon: datetime) -> None:
    assert len({new_id("leg", now=noon) for _ in range(1000)}) == 1000


def test_the_same_time_and_chance_give_the_same_id(noon: datetime) -> None:
    def chance(size: int) -> bytes:
        return bytes(range(size))

    assert new_id("x", now=noon, random_bytes=chance) == new_id("x", now=noon, random_bytes=chance)
    assert new_id("x").partition("_")[2].isalnum()
