"""What the carrier on Twilio must not forget, in the database: all processes share it."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dialer.carriers.twilio.events import Event
from dialer.carriers.twilio.line import Line
from dialer.store import twilio as store
from terms.ids import LegId, TenantId
from terms.phone import Seal

if TYPE_CHECKING:
    from asyncpg import Pool, Record


class StoredBook:
    """A `Book` of one installation."""

    def __init__(
        self,
        pool: "Pool[Record]",
        seal: Seal,
        tenant: TenantId,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pool = pool
        self._seal = seal
        self._tenant = tenant
        self._now = now

    async def add(self, line: Line) -> bool:
        """Keep a new line."""
        async with self._pool.acquire() as connection:
            return await store.add_line(connection, self._seal, self._tenant, line)

    async def load(self, leg: LegId) -> Line | None:
        """The line of a leg."""
        async with self._pool.acquire() as connection:
            return await store.load_line(connection, self._seal, self._tenant, leg)

    async def change(self, leg: LegId, change: Callable[[Line], Line]) -> Line | None:
        """Change a line while nobody else does."""
        async with self._pool.acquire() as connection, connection.transaction():
            return await store.change_line(connection, self._seal, self._tenant, leg, change)

    async def forget(self, leg: LegId) -> None:
        """Drop a line."""
        async with self._pool.acquire() as connection:
            await store.forget_line(connection, self._tenant, leg)

    async def standing(self) -> tuple[Line, ...]:
        """Every line that has not ended."""
        async with self._pool.acquire() as connection:
            return await store.standing_lines(connection, self._seal, self._tenant)

    async def known(self, sids: Collection[str]) -> frozenset[str]:
        """Which of these calls are lines of ours."""
        async with self._pool.acquire() as connection:
            return await store.known_sids(connection, self._tenant, sids)

    async def add_event(self, event: Event) -> bool:
        """Keep an event."""
        async with self._pool.acquire() as connection:
            return await store.add_event(connection, self._seal, self._tenant, event)

    async def untold(self, before: datetime) -> tuple[Event, ...]:
        """Events that are not told yet."""
        async with self._pool.acquire() as connection:
            return await store.untold_events(connection, self._seal, self._tenant, before)

    async def told(self, event: Event, release: str | None) -> None:
        """An event is told, and with it this end of its leg."""
        async with self._pool.acquire() as connection, connection.transaction():
            if event.leg is not None and release is not None:
                await store.change_line(
                    connection,
                    self._seal,
                    self._tenant,
                    event.leg,
                    lambda line: replace(line, told_release=release),
                )
            await store.told_event(connection, self._tenant, event.key, self._now())

    async def prune(self, before: datetime) -> int:
        """Drop what ended before then."""
        async with self._pool.acquire() as connection:
            return await store.prune(connection, self._tenant, before)
