"""What the carrier on Twilio must not forget, in the database: all processes share it."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from dialer.carriers.twilio.book import Change
from dialer.carriers.twilio.events import Event
from dialer.carriers.twilio.line import Line
from dialer.store import twilio as store
from terms.ids import LegId, TenantId
from terms.phone import Seal
from warmline.carriers.twilio_writes import Writes

if TYPE_CHECKING:
    from asyncpg import Pool, Record

_MOST_REMEMBERED = 10_000


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
        self._writes = Writes(pool, seal, tenant)
        self._lately: OrderedDict[LegId, store.Found] = OrderedDict()
        self._turns: WeakValueDictionary[LegId, asyncio.Lock] = WeakValueDictionary()

    async def add(self, line: Line) -> bool:
        """Keep a new line."""
        async with self._pool.acquire() as connection:
            added = await store.add_line(connection, self._seal, self._tenant, line)
        self._remember(line.leg, added)
        return added is not None

    async def load(self, leg: LegId) -> Line | None:
        """The line of a leg."""
        async with self._pool.acquire() as connection:
            return await store.load_line(connection, self._seal, self._tenant, leg)

    async def change(
        self, leg: LegId, change: Change, event: Callable[[Line], Event | None] = lambda line: None
    ) -> tuple[Line | None, bool]:
        """Change a line and keep an event of it, both or neither.

        Within this process one after the other: each finds the line as the one before left it.
        """
        turn = self._turns.setdefault(leg, asyncio.Lock())
        async with turn:
            remembered = self._lately.get(leg)
            while (found := remembered or await self._find(leg)) is not None:
                changed = change(found.line)
                kept = event(changed)
                if kept is None and changed == found.line:
                    if remembered is None:
                        return changed, False
                    remembered = None  # as it was: it may not be so any more
                    continue
                remembered = None
                written, is_new = await self._writes.write(store.Change(found, changed, kept))
                self._remember(leg, written)
                if written is not None:
                    return changed, is_new
            return None, False

    def _remember(self, leg: LegId, found: store.Found | None) -> None:
        """Most changes follow one of our own; one that does not is made again."""
        self._lately.pop(leg, None)
        if found is not None:
            self._lately[leg] = found
            if len(self._lately) > _MOST_REMEMBERED:
                self._lately.popitem(last=False)

    async def forget(self, line: Line) -> None:
        """Drop a line."""
        async with self._pool.acquire() as connection:
            await store.forget_line(connection, self._tenant, line)
        self._remember(line.leg, None)

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
        told_at = self._now() if event.leg is None else None
        async with self._pool.acquire() as connection:
            return await store.add_event(connection, self._seal, self._tenant, event, told_at)

    async def untold(self, before: datetime) -> tuple[Event, ...]:
        """Events that are not told yet."""
        async with self._pool.acquire() as connection:
            return await store.untold_events(connection, self._seal, self._tenant, before)

    async def told(self, keys: Collection[str]) -> None:
        """Events are told."""
        async with self._pool.acquire() as connection:
            await store.told_events(connection, self._tenant, keys, self._now())

    async def _find(self, leg: LegId) -> store.Found | None:
        async with self._pool.acquire() as connection:
            return await store.find_line(connection, self._seal, self._tenant, leg)

    async def prune(self, before: datetime) -> int:
        """Drop what ended before then."""
        async with self._pool.acquire() as connection:
            return await store.prune(connection, self._tenant, before)
