"""Writing that orders were carried out: all that were while the last were written, in one go."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dialer.store.due import DueOrder, settle_done
from warmline.clock import Clock

if TYPE_CHECKING:
    from asyncpg import Pool

    from warmline.desk.store import Record


@dataclass(slots=True)
class _Batch:
    orders: list[DueOrder] = field(default_factory=list)
    fault: Exception | None = None


class Settler:
    """One statement at a time; the busier it is, the more each of them writes."""

    def __init__(self, pool: "Pool[Record]", clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._gathering = _Batch()
        self._turn = asyncio.Lock()

    async def settle(self, done: Sequence[DueOrder]) -> None:
        """Return once these are written. Raises what the database raises."""
        batch = self._gathering
        batch.orders.extend(done)
        async with self._turn:
            if batch is self._gathering:
                self._gathering = _Batch()
                await self._write(batch)
        if batch.fault is not None:
            raise batch.fault

    async def _write(self, batch: _Batch) -> None:
        keys = [(due.tenant, due.call, due.seq) for due in batch.orders]
        try:
            async with self._pool.acquire() as connection:
                await settle_done(connection, keys, self._clock.now())
        except Exception as fault:
            batch.fault = fault
