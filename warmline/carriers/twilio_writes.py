"""Changes of Twilio's lines that come at once are written together: one statement, one commit.

A webhook costs little; what is dear is the way to the database and the wait for its disk. The
busier the house, the more changes share one. None suffers from another's fault.
"""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import asyncpg

from dialer.store.twilio import Change, Written, change_lines
from terms.ids import TenantId
from terms.phone import Seal

if TYPE_CHECKING:
    from asyncpg import Pool, Record

_AT_ONCE = 2
_MOST_TOGETHER = 32

_Waiting = tuple[Change, "asyncio.Future[Written]"]


class Writes:
    """Those of one process: of one line it writes one after the other, which its caller sees to."""

    def __init__(self, pool: "Pool[Record]", seal: Seal, tenant: TenantId) -> None:
        self._pool = pool
        self._seal = seal
        self._tenant = tenant
        self._waiting: list[_Waiting] = []
        self._writing: set[asyncio.Task[None]] = set()

    async def write(self, change: Change) -> Written:
        """Return once it is durable, or is found to come too late. Raises what asyncpg raises."""
        written: asyncio.Future[Written] = asyncio.get_running_loop().create_future()
        self._waiting.append((change, written))
        if len(self._writing) < _AT_ONCE:
            task = asyncio.create_task(self._work_off())
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)
        return await written

    async def _work_off(self) -> None:
        """What comes within the same turn of the loop, or while another is written, is together."""
        while self._waiting:
            batch = self._next()
            try:
                await self._write(batch)
            except asyncpg.PostgresError as fault:
                await self._write_each(batch, fault)
            except Exception as fault:
                _fail(batch, fault)

    def _next(self) -> list[_Waiting]:
        """Whoever gave up waiting may have given their line's turn to another change of it."""
        batch = [one for one in self._waiting[:_MOST_TOGETHER] if not one[1].done()]
        del self._waiting[:_MOST_TOGETHER]
        return batch

    async def _write_each(self, batch: Sequence[_Waiting], fault: Exception) -> None:
        """Whoever is at fault is found out alone. What a lost connection wrote, nobody knows."""
        if len(batch) == 1 or isinstance(fault, asyncpg.PostgresConnectionError):
            _fail(batch, fault)
            return
        for one in batch:
            try:
                await self._write([one])
            except Exception as own:
                _fail([one], own)

    async def _write(self, batch: Sequence[_Waiting]) -> None:
        if not batch:
            return
        changes = [change for change, _ in batch]
        async with self._pool.acquire() as connection:
            written = await change_lines(connection, self._seal, self._tenant, changes)
        for change, waiting in batch:
            if not waiting.done():  # nobody waits any more
                waiting.set_result(written.get(change.after.leg, (None, False)))


def _fail(batch: Sequence[_Waiting], fault: Exception) -> None:
    for _, waiting in batch:
        if not waiting.done():
            waiting.set_exception(fault)
