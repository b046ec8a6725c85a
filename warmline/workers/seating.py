"""The pool's queue: whoever comes free is given the call that stands first."""

from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from routing.queue import Seated
from routing.store.counselors import next_free_at
from routing.store.queue import queue_heads, waiting_programs
from terms.ids import CallId, ProgramId, TenantId
from warmline.clock import Clock
from warmline.database.faults import is_out_of_reach
from warmline.desk.desk import Desk
from warmline.metrics import Metrics
from warmline.workers.looking import Looker

if TYPE_CHECKING:
    from asyncpg import Pool

    from warmline.desk.store import Record

_log = structlog.get_logger()


class Seater(Looker):
    """Seats until either nobody waits or nobody is free."""

    name = "seating"

    def __init__(self, pool: "Pool[Record]", desk: Desk, clock: Clock, metrics: Metrics) -> None:
        super().__init__(clock)
        self._pool = pool
        self._desk = desk
        self._metrics = metrics

    async def look(self) -> datetime | None:
        """Every queue in which anybody waits."""
        async with self._pool.acquire() as connection:
            waiting = await waiting_programs(connection)
        turns = [await self._seat_all(tenant, program) for tenant, program in waiting]
        return min((at for at in turns if at is not None), default=None)

    async def _seat_all(self, tenant: TenantId, program: ProgramId) -> datetime | None:
        """Answers when somebody will come free by themselves, should anybody still wait.

        A head that cannot be seated, or was turned down by those who are free, is passed over
        until the next look: those behind it are not.
        """
        passed_over: set[CallId] = set()
        while True:
            async with self._pool.acquire() as connection:
                heads = await queue_heads(connection, tenant, program, without=passed_over)
            if not heads:
                return await self._next_free(tenant, program) if passed_over else None
            try:
                seated = await self._desk.seat_next(tenant, heads[0])
            except Exception as fault:
                if is_out_of_reach(fault):
                    raise  # that is no fault of the head
                passed_over.add(heads[0].call)
                self._metrics.seating_faults.inc()
                _log.error("head_not_seated", call=heads[0].call, exc_info=fault)
                continue
            if seated is Seated.NOBODY_FREE:
                return await self._next_free(tenant, program)
            if seated is Seated.NOT_THIS_ONE:
                passed_over.add(heads[0].call)

    async def _next_free(self, tenant: TenantId, program: ProgramId) -> datetime | None:
        async with self._pool.acquire() as connection:
            return await next_free_at(connection, tenant, program, self.clock.now())
