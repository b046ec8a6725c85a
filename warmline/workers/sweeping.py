"""What nobody is woken for: orders whose time is over, and news that could not be folded."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from billing.store.lapsing import next_due_at, put_off
from dialer.store.news import mark_fault, unfolded_news
from warmline.clock import Clock
from warmline.database.faults import is_out_of_reach
from warmline.desk.desk import Desk
from warmline.desk.lapsing import CannotLapse
from warmline.metrics import Metrics
from warmline.workers.looking import Looker

if TYPE_CHECKING:
    from asyncpg import Pool

    from warmline.desk.store import Record

_log = structlog.get_logger()

_TRY_AGAIN_AFTER = timedelta(seconds=1)
_LONGEST_BACK_OFF_SECONDS = 60.0
_MOST_LOOKED_AT = 1000
_VOUCHERS_AT_ONCE = 100


class Lapser(Looker):
    """Brings orders and vouchers to rest that time alone moves (A32, X03, X07, X13)."""

    name = "lapsing"

    def __init__(self, pool: "Pool[Record]", desk: Desk, clock: Clock, metrics: Metrics) -> None:
        super().__init__(clock)
        self._pool = pool
        self._desk = desk
        self._metrics = metrics

    async def look(self) -> datetime | None:
        """One after the other; what cannot be brought to rest is put off and alarms.

        Thousands of vouchers end with one year: orders are looked at again in between.
        """
        while await self._lapsed(self._desk.lapse_next):
            pass
        for _ in range(_VOUCHERS_AT_ONCE):
            if not await self._lapsed(self._desk.expire_next_voucher):
                break
        async with self._pool.acquire() as connection:
            return await next_due_at(connection)

    async def _lapsed(self, lapse: Callable[[], Awaitable[bool]]) -> bool:
        try:
            return await lapse()
        except CannotLapse as failed:
            await self._put_off(failed)
            return True

    async def _put_off(self, failed: CannotLapse) -> None:
        fault = failed.__cause__ or failed
        async with self._pool.acquire() as connection:
            now, name = self.clock.now(), type(fault).__name__
            tries = await put_off(connection, failed.tenant, failed.id, name, now)
        self._metrics.lapse_faults.inc()
        _log.error("cannot_lapse", id=failed.id, tries=tries, exc_info=fault)


class Refolder(Looker):
    """Tries again what the desk could not make sense of; each failure is counted and logged."""

    name = "refolding"

    def __init__(self, pool: "Pool[Record]", desk: Desk, clock: Clock, metrics: Metrics) -> None:
        super().__init__(clock)
        self._pool = pool
        self._desk = desk
        self._metrics = metrics
        self._not_before: dict[str, datetime] = {}

    async def look(self) -> datetime | None:
        """Whatever has waited a second; what failed least often first, then what came first."""
        now = self.clock.now()
        async with self._pool.acquire() as connection:
            before = now - _TRY_AGAIN_AFTER
            waiting = await unfolded_news(connection, received_before=before, limit=_MOST_LOOKED_AT)
        kept = {one.id for one in waiting}
        self._not_before = {id_: at for id_, at in self._not_before.items() if id_ in kept}
        for one in waiting:
            if self._not_before.get(one.id, now) > now:
                continue
            try:
                await self._desk.fold_again(one)
            except Exception as fault:
                if is_out_of_reach(fault):
                    raise  # that is no fault of the news
                seconds = min(2.0 ** min(one.tries, 8), _LONGEST_BACK_OFF_SECONDS)
                self._not_before[one.id] = now + timedelta(seconds=seconds)
                self._metrics.news_faults.inc()
                _log.exception("news_still_not_folded", call=one.call, tries=one.tries)
                async with self._pool.acquire() as connection:
                    await mark_fault(connection, one.tenant, one.id, type(fault).__name__)
        return None
