"""The bus of several processes, over Redis, which may vanish at any moment.

Nothing here raises into its callers. While Redis is away, messages reach the subscribers of this
process only; when it is back, every subscriber everywhere is given a `Gap`, both by the processes
that had lost it and by the ones whose messages were lost.
"""

import asyncio
import hashlib
import json
import os
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from datetime import datetime
from time import monotonic

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from warmline.bus import Message, News, Rate
from warmline.bus.in_process import InProcessBus, InProcessRateLimits

_CHANNEL = "warmline:bus"
_ANSWER_SECONDS = 1.0
_BEAT_SECONDS = 2.0
_SILENCE_SECONDS = 3 * _BEAT_SECONDS
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 1.0
_OUTBOX = 1_000

_COUNT_SECONDS = 0.25
_LEFT_ALONE_SECONDS = 1.0

_AWAY = (RedisError, OSError, TimeoutError)

_log = structlog.get_logger(__name__)

_SLIDING_WINDOW = """
local limit, window, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
if redis.call('ZCARD', KEYS[1]) < limit then
    redis.call('ZADD', KEYS[1], now, ARGV[4])
    redis.call('PEXPIRE', KEYS[1], window)
    return 0
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return math.max(1, oldest[2] and (tonumber(oldest[2]) + window - now) or window)
"""


def connect(url: str) -> "Redis":
    """A client that gives up quickly and never retries by itself: our callers know better."""
    return Redis.from_url(
        url,
        socket_connect_timeout=_ANSWER_SECONDS,
        socket_timeout=_ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


async def is_there(url: str) -> bool:
    """Whether a Redis answers there and lets us in."""
    client = connect(url)
    try:
        return bool(await client.ping())
    except _AWAY:
        return False
    finally:
        await client.aclose()


@asynccontextmanager
async def redis_bus(url: str) -> "AsyncIterator[RedisBus]":
    """A bus that keeps itself connected to `url` for as long as the block runs."""
    bus = RedisBus(url)
    tasks = [asyncio.create_task(bus.listen()), asyncio.create_task(bus.send())]
    try:
        yield bus
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class RedisBus:
    """Local subscribers are told directly, the other processes over one Redis channel."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._local = InProcessBus()
        self._origin = os.urandom(8).hex()
        self._outbox: deque[Message] = deque()
        self._waiting = asyncio.Event()
        self._lost = True  # whatever was published before we were connected

    def publish(self, message: Message) -> None:
        """Tell every subscriber, here at once and elsewhere as soon as Redis takes it."""
        self._local.publish(message)
        if len(self._outbox) >= _OUTBOX:
            self._outbox.clear()
            self._lost = True
        self._outbox.append(message)
        self._waiting.set()

    def subscribe(self, *topics: str) -> AbstractAsyncContextManager[AsyncIterator[News]]:
        """The news of these topics from now on, from every process."""
        return self._local.subscribe(*topics)

    async def listen(self) -> None:
        """Hear the other processes, for ever."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                async with aclosing(connect(self._url)) as client, client.pubsub() as channel:
                    await channel.subscribe(_CHANNEL)
                    await self._hear_until_silent(channel)
                    pause = _FIRST_PAUSE_SECONDS
            except _AWAY as away:
                _log.warning("bus_away", error=type(away).__name__)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def send(self) -> None:
        """Tell the other processes, for ever; a beat in between lets them notice silence."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                async with aclosing(connect(self._url)) as client:
                    while True:
                        await self._send_some(client)
                        pause = _FIRST_PAUSE_SECONDS
            except _AWAY:
                self._lost = True
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _hear_until_silent(self, channel: PubSub) -> None:
        while heard := await channel.get_message(timeout=_SILENCE_SECONDS):
            if heard["type"] == "subscribe":
                self._local.deliver_gap()
            elif heard["type"] == "message":
                self._take(str(heard["data"]))
        _log.warning("bus_silent")

    def _take(self, text: str) -> None:
        try:
            told = json.loads(text)
            if told["from"] == self._origin:
                return
            if told.get("gap"):
                self._local.deliver_gap()
            if "topic" in told:
                self._local.deliver(Message(topic=told["topic"], ids=told["ids"], seq=told["seq"]))
        except (ValueError, TypeError, KeyError):
            _log.warning("bus_message_unreadable")

    async def _send_some(self, client: "Redis") -> None:
        if not self._outbox and not self._lost:
            await self._wait_for_a_beat()
        lost, self._lost = self._lost, False
        texts = [self._text(gap=True)] if lost else []
        while self._outbox:
            message = self._outbox.popleft()
            texts.append(self._text(topic=message.topic, ids=dict(message.ids), seq=message.seq))
        async with client.pipeline(transaction=False) as pipeline:
            for text in texts or [self._text()]:
                pipeline.publish(_CHANNEL, text)
            await pipeline.execute()

    async def _wait_for_a_beat(self) -> None:
        self._waiting.clear()
        try:
            async with asyncio.timeout(_BEAT_SECONDS):
                await self._waiting.wait()
        except TimeoutError:
            return

    def _text(self, **members: object) -> str:
        return json.dumps({"from": self._origin, **members})


class RedisRateLimits:
    """Sliding windows that all processes share; each counts alone while Redis is away."""

    def __init__(self, client: "Redis", *, count_seconds: float = _COUNT_SECONDS) -> None:
        """`count_seconds` is how long Redis may take to answer before we count alone."""
        self._client = client
        self._count_seconds = count_seconds
        self._alone = InProcessRateLimits()
        self._left_alone_until = 0.0

    async def hit(self, key: str, *, limit: int, window_seconds: int, now: datetime) -> Rate:
        """Count one more under `key`, unless `limit` were already counted in the window."""
        wait = await self._shared(key, limit, window_seconds, now)
        if wait is None or wait == 0:  # what was allowed is remembered here too
            alone = await self._alone.hit(key, limit=limit, window_seconds=window_seconds, now=now)
            return alone if wait is None else Rate(allowed=True)
        return Rate(allowed=False, retry_after_seconds=max(1, -(-wait // 1000)))

    async def _shared(self, key: str, limit: int, window_seconds: int, now: datetime) -> int | None:
        """Milliseconds to wait, 0 when allowed, None when Redis does not say."""
        if monotonic() < self._left_alone_until:
            return None
        name = f"warmline:rate:{hashlib.sha256(key.encode()).hexdigest()}"
        instant = int(now.timestamp() * 1000)
        try:
            async with asyncio.timeout(self._count_seconds):
                answer = await self._client.eval(
                    _SLIDING_WINDOW,
                    1,
                    name,
                    str(limit),
                    str(window_seconds * 1000),
                    str(instant),
                    os.urandom(8).hex(),
                )
        except _AWAY as away:
            self._left_alone_until = monotonic() + _LEFT_ALONE_SECONDS
            _log.warning("rate_limits_away", error=type(away).__name__)
            return None
        return int(answer)
