"""Waking other processes, and counting with them. Small on purpose: it may lose anything.

Truth is in PostgreSQL. A message carries ids and a seq, never data, and only says "look again"; so
a lost message costs a moment (everybody also looks by the clock) and never an event.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something changed: which things, by id, and how far the timeline has come."""

    topic: str
    ids: Mapping[str, str] = field(default_factory=dict)
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages of this topic may have been missed: catch up from the database."""

    topic: str


News = Message | Gap


class Bus(Protocol):
    """From one process to all, best effort."""

    def publish(self, message: Message) -> None:
        """Tell every subscriber, here and elsewhere. Never raises and never waits."""
        ...

    def subscribe(self, *topics: str) -> AbstractAsyncContextManager[AsyncIterator[News]]:
        """The news of these topics from now on.

        A subscriber that does not keep up loses the backlog and is given a `Gap` instead.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Whether one more is within the limit; if not, when trying again can succeed."""

    allowed: bool
    retry_after_seconds: int = 0


class RateLimits(Protocol):
    """Counting what is done too often, over a sliding window."""

    async def hit(self, key: str, *, limit: int, window_seconds: int, now: datetime) -> Rate:
        """Count one more under `key`, unless `limit` were already counted in the window.

        A refused hit is not counted. Never raises.
        """
        ...
