"""The bus may lose anything but never itself: over a real Redis that is killed and comes back."""

import asyncio
import resource
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from socket import socket
from time import perf_counter

import pytest

from warmline.bus import Gap, Message, News, RateLimits
from warmline.bus.in_process import InProcessBus, InProcessRateLimits
from warmline.bus.redis import RedisBus, RedisRateLimits, connect, redis_bus

needs_redis = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="needs redis-server (apt-get install redis-server)"
)

RUNG = Message(topic="calls", ids={"call": "c1"}, seq=7)


class RedisServer:
    """A redis-server of our own that can be killed and started again on its port."""

    def __init__(self, folder: Path) -> None:
        with closing(socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        arguments = ["--port", str(self.port), "--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen(
            ["redis-server", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def hang(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    async def answers(self) -> None:
        """Wait until it does."""
        async with asyncio.timeout(10):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.01)
                else:
                    writer.close()
                    return


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def here_and_there(redis: RedisServer) -> AsyncIterator[tuple[RedisBus, RedisBus]]:
    """The buses of two processes, both connected."""
    await redis.answers()
    async with redis_bus(redis.url) as here, redis_bus(redis.url) as there:
        async with here.subscribe("hello") as at_here, there.subscribe("hello") as at_there:
            await _heard(at_here, lambda: there.publish(Message(topic="hello")))
            await _heard(at_there, lambda: here.publish(Message(topic="hello")))
        yield here, there


async def _next(news: AsyncIterator[News]) -> News:
    async with asyncio.timeout(10):
        return await anext(news)


def _seq(news: News) -> int:
    assert isinstance(news, Message)
    return news.seq


async def _heard(news: AsyncIterator[News], say: Callable[[], None]) -> None:
    """Say it again until it is heard: before that, somebody was not connected yet."""
    async with asyncio.timeout(10):
        while True:
            say()
            try:
                async with asyncio.timeout(0.1):
                    while not isinstance(await anext(news), Message):
                        pass
                return
            except TimeoutError:
                continue


async def test_subscribers_hear_their_topics_and_no_other() -> None:
    bus = InProcessBus()
    async with bus.subscribe("calls") as calls, bus.subscribe("calls", "staff") as both:
        bus.publish(RUNG)
        bus.publish(Message(topic="staff"))
        bus.publish(Message(topic="calls", seq=8))

        assert [(await _next(calls)), (await _next(calls))] == [RUNG, Message(topic="calls", seq=8)]
        assert [(await _next(both)).topic for _ in range(3)] == ["calls", "staff", "calls"]


async def test_who_does_not_read_is_told_of_the_gap_and_costs_no_memory() -> None:
    bus = InProcessBus(backlog=2)
    async with bus.subscribe("calls") as calls:
        for seq in range(3):
            bus.publish(Message(topic="calls", seq=seq))
        bus.publish(RUNG)

        assert [await _next(calls) for _ in range(2)] == [Gap("calls"), RUNG]


@needs_redis
async def test_a_message_reaches_the_other_process_once(
    here_and_there: tuple[RedisBus, RedisBus],
) -> None:
    here, there = here_and_there
    async with here.subscribe("calls") as at_here, there.subscribe("calls") as at_there:
        here.publish(RUNG)
        there.publish(Message(topic="calls", seq=8))

        assert [await _next(at_here) for _ in range(2)] == [RUNG, Message(topic="calls", seq=8)]
        assert sorted([_seq(await _next(at_there)) for _ in range(2)]) == [7, 8]


def _waits() -> int:
    """How often this thread has waited for anything, however busy the machine is."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw


@needs_redis
async def test_publishing_neither_raises_nor_waits_while_redis_is_away(
    redis: RedisServer, here_and_there: tuple[RedisBus, RedisBus]
) -> None:
    here, _ = here_and_there
    redis.kill()
    async with here.subscribe("calls") as at_here:
        waits = 0
        for seq in range(2_500):
            before = _waits()
            here.publish(Message(topic="calls", seq=seq))
            waits += _waits() - before
            if seq % 100 == 0:
                await asyncio.sleep(0)

        assert waits < 25  # another thread of ours may want its turn
        assert isinstance(await _next(at_here), Message | Gap)


@needs_redis
async def test_after_redis_came_back_everybody_is_told_of_the_gap_and_hears_again(
    redis: RedisServer, here_and_there: tuple[RedisBus, RedisBus]
) -> None:
    here, there = here_and_there
    async with there.subscribe("calls") as at_there:
        redis.kill()
        here.publish(RUNG)  # lost on its way
        redis.start()
        await redis.answers()

        assert await _next(at_there) == Gap("calls")
        await _heard(at_there, lambda: here.publish(RUNG))


@needs_redis
async def test_a_message_that_cannot_be_read_hurts_nobody(
    redis: RedisServer, here_and_there: tuple[RedisBus, RedisBus]
) -> None:
    _, there = here_and_there
    stranger = connect(redis.url)
    async with there.subscribe("calls") as at_there:
        for text in ("{", "[]", '{"from":"x","topic":"calls"}', "1"):
            await stranger.publish("warmline:bus", text)
        await stranger.publish(
            "warmline:bus", '{"from":"x","topic":"calls","ids":{"call":"c1"},"seq":7}'
        )
        assert await _next(at_there) == RUNG
    await stranger.aclose()


async def _check_window(limits: RateLimits, now: datetime) -> None:
    async def hit(after_seconds: int, key: str = "k") -> tuple[bool, int]:
        at = now + timedelta(seconds=after_seconds)
        rate = await limits.hit(key, limit=2, window_seconds=60, now=at)
        return rate.allowed, rate.retry_after_seconds

    assert [await hit(0), await hit(10)] == [(True, 0), (True, 0)]
    assert await hit(10) == (False, 50)
    assert await hit(59) == (False, 1)
    assert await hit(59, key="another") == (True, 0)
    assert await hit(60) == (True, 0)  # what was refused was not counted
    assert await hit(60) == (False, 10)


async def test_a_limit_counts_over_a_sliding_window(noon: datetime) -> None:
    await _check_window(InProcessRateLimits(), noon)


async def test_a_limit_of_none_allows_nothing(noon: datetime) -> None:
    rate = await InProcessRateLimits().hit("k", limit=0, window_seconds=60, now=noon)

    assert (rate.allowed, rate.retry_after_seconds) == (False, 60)


async def test_forgotten_keys_bound_the_memory(noon: datetime) -> None:
    limits = InProcessRateLimits(most_keys=2)
    for key in ("a", "b", "a", "c"):
        await limits.hit(key, limit=2, window_seconds=60, now=noon)

    assert not (await limits.hit("a", limit=2, window_seconds=60, now=noon)).allowed


@needs_redis
async def test_all_processes_share_a_limit(redis: RedisServer, noon: datetime) -> None:
    await redis.answers()
    clients = [connect(redis.url) for _ in range(2)]
    await _check_window(RedisRateLimits(clients[0], count_seconds=30), noon)
    limits = [RedisRateLimits(client, count_seconds=30) for client in clients]

    rates = await asyncio.gather(
        *(
            limits[number % 2].hit("shared", limit=5, window_seconds=60, now=noon)
            for number in range(20)
        )
    )

    assert sum(rate.allowed for rate in rates) == 5
    for client in clients:
        await client.aclose()


@needs_redis
async def test_while_redis_is_away_each_process_counts_on(
    redis: RedisServer, noon: datetime
) -> None:
    await redis.answers()
    client = connect(redis.url)
    limits = RedisRateLimits(client)
    first = await limits.hit("k", limit=2, window_seconds=60, now=noon)
    redis.kill()

    rest = [await limits.hit("k", limit=2, window_seconds=60, now=noon) for _ in range(2)]

    assert [first.allowed, *(rate.allowed for rate in rest)] == [True, True, False]
    await client.aclose()


@needs_redis
async def test_a_redis_that_hangs_delays_one_request_and_no_more(
    redis: RedisServer, noon: datetime
) -> None:
    await redis.answers()
    client = connect(redis.url)
    limits = RedisRateLimits(client)
    await limits.hit("k", limit=100, window_seconds=60, now=noon)
    redis.hang()

    started = perf_counter()
    for _ in range(20):
        assert (await limits.hit("k", limit=100, window_seconds=60, now=noon)).allowed

    assert perf_counter() - started < 1.5
    await client.aclose()
