"""Calls per second: nothing waits at Twilio, and an agency in a crisis goes first."""

import asyncio
from collections import Counter

import pytest

from dialer.carriers import CarrierUnreachable
from dialer.carriers.twilio import budget
from dialer.carriers.twilio.budget import Budget


class Seconds:
    """Counts as the rate limits do; the test says when a second is over."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()

    async def hit(self, name: str, most: int) -> bool:
        if self.counted[name] >= most:
            return False
        self.counted[name] += 1
        return True

    def over(self) -> None:
        self.counted.clear()


_TURNS = 100
"""Of the loop: many times what the longest row of those who wait for one another needs."""


@pytest.fixture(autouse=True)
def _at_every_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "_LOOK_SECONDS", 0)


async def begun(tasks: "list[asyncio.Task[None]]") -> list[int]:
    """Which of them may begin; everybody who waits has looked again and again."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)
    return [index for index, task in enumerate(tasks) if task.done()]


def take(one: Budget, *, urgent: bool = False) -> "asyncio.Task[None]":
    return asyncio.create_task(one.take(urgent=urgent))


async def test_no_more_begin_within_a_second_than_are_allowed_and_in_order() -> None:
    seconds = Seconds()
    one = Budget(seconds.hit, 3)
    tasks = [take(one) for _ in range(5)]

    assert await begun(tasks) == [0, 1]  # one is kept for the urgent
    seconds.over()
    assert await begun(tasks) == [0, 1, 2, 3]
    seconds.over()
    assert await begun(tasks) == [0, 1, 2, 3, 4]


async def test_an_urgent_call_has_a_place_of_its_own() -> None:
    seconds = Seconds()
    one = Budget(seconds.hit, 2)
    ordinary = [take(one) for _ in range(3)]
    assert await begun(ordinary) == [0]

    assert await begun([take(one, urgent=True)]) == [0]

    for _ in range(2):
        seconds.over()
        await begun(ordinary)
    assert all(task.done() for task in ordinary)


async def test_at_one_call_a_second_the_urgent_goes_before_those_who_waited() -> None:
    seconds = Seconds()
    one = Budget(seconds.hit, 1)
    ordinary = [take(one) for _ in range(3)]
    assert await begun(ordinary) == [0]
    urgent = take(one, urgent=True)
    await begun(ordinary)

    seconds.over()

    assert await begun([*ordinary, urgent]) == [0, 3]
    for _ in range(2):
        seconds.over()
        await begun(ordinary)
    assert all(task.done() for task in ordinary)


async def test_who_waits_too_long_is_told_that_nothing_was_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(budget, "_LONGEST_SECONDS", 0.02)

    async def never(_name: str, _most: int) -> bool:
        return False

    with pytest.raises(CarrierUnreachable):
        await Budget(never, 1).take(urgent=False)
