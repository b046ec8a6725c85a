"""The bus of a single process: queues, and counts in memory."""

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from warmline.bus import Gap, Message, News, Rate

_BACKLOG = 1_000
_MOST_KEYS = 100_000


class Subscription:
    """What one subscriber has not read yet, bounded."""

    def __init__(self, topics: frozenset[str], backlog: int) -> None:
        self.topics = topics
        self._backlog = backlog
        self._waiting: deque[News] = deque()
        self._arrived = asyncio.Event()

    def put(self, news: News) -> None:
        """Add to the backlog; a full one is replaced by a `Gap` per topic."""
        if len(self._waiting) >= self._backlog:
            self._waiting.clear()
            self._waiting.extend(Gap(topic) for topic in sorted(self.topics))
        else:
            self._waiting.append(news)
        self._arrived.set()

    def __aiter__(self) -> AsyncIterator[News]:
        return self

    async def __anext__(self) -> News:
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting.popleft()


class InProcessBus:
    """Every subscriber lives in this process; nothing is ever away."""

    def __init__(self, *, backlog: int = _BACKLOG) -> None:
        self._backlog = backlog
        self._subscriptions: set[Subscription] = set()

    def publish(self, message: Message) -> None:
        """Tell every subscriber of the topic."""
        self.deliver(message)

    def deliver(self, news: News) -> None:
        """Hand news to whoever subscribed to its topic."""
        for subscription in self._subscriptions:
            if news.topic in subscription.topics:
                subscription.put(news)

    def deliver_gap(self) -> None:
        """Tell every subscriber that it may have missed something of each of its topics."""
        for subscription in self._subscriptions:
            for topic in sorted(subscription.topics):
                subscription.put(Gap(topic))

    @asynccontextmanager
    async def subscribe(self, *topics: str) -> AsyncIterator[AsyncIterator[News]]:
        """The news of these topics from now on."""
        subscription = Subscription(frozenset(topics), self._backlog)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)


class InProcessRateLimits:
    """Exact sliding windows; the longest unused keys are forgotten when there are too many."""

    def __init__(self, *, most_keys: int = _MOST_KEYS) -> None:
        self._most_keys = most_keys
        self._hits: dict[str, deque[float]] = {}

    async def hit(self, key: str, *, limit: int, window_seconds: int, now: datetime) -> Rate:
        """Count one more under `key`, unless `limit` were already counted in the window."""
        instant = now.timestamp()
        hits = self._hits.pop(key, None) or deque()
        while hits and hits[0] <= instant - window_seconds:
            hits.popleft()
        allowed = len(hits) < limit
        if allowed:
            hits.append(instant)
        self._remember(key, hits)
        if allowed:
            return Rate(allowed=True)
        wait = hits[0] + window_seconds - instant if hits else window_seconds
        return Rate(allowed=False, retry_after_seconds=max(1, math.ceil(wait)))

    def _remember(self, key: str, hits: deque[float]) -> None:
        self._hits[key] = hits  # the dictionary's order is the order of use
        while len(self._hits) > self._most_keys:
            del self._hits[next(iter(self._hits))]
