"""The pool's queue: whoever comes free is given the call that stands first."""

from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from routing.store.counselors import next_free_at
from routing.store.queue import queue_heads, waiting_programs
from terms.ids import ProgramId, TenantId
from warmline.clock import Clock
from warmline.desk.desk import Desk
from warmline.workers.looking import Looker

if TYPE_CHECKING:
    from asyncpg import Pool

    from warmline.desk.store import Record

_log = structlog.get_logger()


class Seater(Looker):
    """Seats until either nobody waits or nobody is free."""

    name = "seating"

    def __init__(self, pool: "Pool[Record]", desk: Desk, clock: Clock) -> None:
        super().__init__(clock)
        self._pool = pool
        self._desk = desk

    async def look(self) -> datetime | None:
        """Every queue in which anybody waits."""
        async with self._pool.acquire() as connection:
            waiting = await waiting_programs(connection)
        turns = [await self._seat_if_possible(tenant, program) for tenant, program in waiting]
        return min((at for at in turns if at is not None), default=None)

    async def _seat_if_possible(self, tenant: TenantId, program: ProgramId) -> datetime | None:
        """A head that cannot be seated stops its own queue until the next sweep, and no other."""
        try:
            return await self._seat_all(tenant, program)
        except Exception as fault:
            _log.error("queue_not_seated", program=program, exc_info=fault)
            return None

    async def _seat_all(self, tenant: TenantId, program: ProgramId) -> datetime | None:
        """Answers when somebody will come free by themselves, should anybody still wait."""
        while True:
            async with self._pool.acquire() as connection:
                heads = await queue_heads(connection, tenant, program)
            if not heads:
                return None
            if not await self._desk.seat_next(tenant, heads[0]):
                async with self._pool.acquire() as connection:
                    return await next_free_at(connection, tenant, program, self.clock.now())
