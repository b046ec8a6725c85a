"""News of the carrier: what comes while other news is dealt with is dealt with together.

One piece of news costs little; what is dear is all around it: a transaction, its commit, the way to
the database and back. The busier the house, the more news shares one transaction, each piece about
an order of its own. Such a transaction never waits for an order that somebody else holds, and no
news suffers from another's fault: whatever cannot be dealt with together is heard alone after all,
and waits, is put aside or alarms by itself.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from dialer.carriers import News
from dialer.store.news import call_of
from terms.ids import CallId
from terms.values import replace
from warmline.database.faults import WORTH_REPEATING, is_out_of_reach
from warmline.database.pool import CONNECTIONS
from warmline.desk import fold
from warmline.desk.desk import Desk
from warmline.desk.drafting import Decision
from warmline.desk.hearing import Heard, hear_together
from warmline.desk.shell import slice_of

if TYPE_CHECKING:
    from warmline.desk.store import Connection

_log = structlog.get_logger()

_AT_ONCE = 2
"""Transactions side by side: while one waits for the database, another is thought about."""

_MOST_TOGETHER = 16

_ALONE_AT_ONCE = CONNECTIONS // 2 - _AT_ONCE
"""However much news comes at once, timers, orders and people find a connection free."""


@dataclass(slots=True, eq=False)
class _Told:
    """One piece of news, and who waits for it to be kept."""

    id: str
    news: News
    kept: asyncio.Future[None]


class Hearer:
    """Takes news in: a call's in its order, and never two pieces about one call at a time."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._rows: dict[CallId, deque[_Told]] = {}
        self._ready: deque[CallId] = deque()
        self._together: set[asyncio.Task[None]] = set()
        self._alone: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(_ALONE_AT_ONCE)

    async def hear(self, id_: str, news: News) -> None:
        """Returns once it is kept; raises when the carrier must tell it again."""
        told = _Told(id_, news, asyncio.get_running_loop().create_future())
        call = call_of(news.leg)
        row = self._rows.get(call)
        if row is None:
            self._rows[call] = deque((told,))
            self._stand_in_line(call)
        else:
            row.append(told)
        await told.kept

    def _stand_in_line(self, call: CallId) -> None:
        """What comes within the same turn of the loop is dealt with together."""
        if not self._ready:
            asyncio.get_running_loop().call_soon(self._begin)
        self._ready.append(call)

    def _begin(self) -> None:
        while self._ready and len(self._together) < _AT_ONCE:
            count = min(len(self._ready), _MOST_TOGETHER)
            batch = [self._rows[self._ready.popleft()][0] for _ in range(count)]
            task = asyncio.create_task(self._hear_together(batch))
            self._together.add(task)
            task.add_done_callback(self._heard_together)

    def _heard_together(self, task: asyncio.Task[None]) -> None:
        self._together.discard(task)
        self._begin()

    def _answer(self, told: _Told, fault: Exception | None) -> None:
        """Or must be told again, for this fault. The call's next piece has its turn."""
        if told.kept.done():  # nobody waits any more
            pass
        elif fault is None:
            told.kept.set_result(None)
        else:
            told.kept.set_exception(fault)
        call = call_of(told.news.leg)
        row = self._rows[call]
        row.popleft()
        if row:
            self._stand_in_line(call)
        else:
            del self._rows[call]

    async def _hear_together(self, batch: Sequence[_Told]) -> None:
        try:
            heard = await self._fold(batch)
        except Exception as fault:
            if is_out_of_reach(fault) and not isinstance(fault, WORTH_REPEATING):
                for told in batch:
                    self._answer(told, fault)
                return
            heard = ()  # whoever is at fault is found out alone; if nobody is, only this line tells
            _log.warning("news_not_together", pieces=len(batch), fault=type(fault).__name__)
        for told in batch:
            if told.id in heard:
                self._answer(told, None)
            else:
                task = asyncio.create_task(self._hear_alone(told))
                self._alone.add(task)
                task.add_done_callback(self._alone.discard)

    async def _hear_alone(self, told: _Told) -> None:
        try:
            async with self._room:
                await self._take(told)
        except Exception as fault:
            self._answer(told, fault)
        else:
            self._answer(told, None)

    async def _take(self, told: _Told) -> None:
        """A second time if the database sent it back: that is the remedy, and nobody's fault."""
        try:
            await self._desk.take_news(told.id, told.news)
        except WORTH_REPEATING:
            await self._desk.take_news(told.id, told.news)

    async def _fold(self, batch: Sequence[_Told]) -> Collection[str]:
        """All that can be: kept and folded. Or nothing, and then it raises."""
        desk = self._desk
        now = desk.clock.now()
        news = {told.id: told.news for told in batch}
        async with desk.pool.acquire() as connection, connection.transaction():
            heard = await hear_together(connection, tuple(news.items()), now)
            new = {id_: one for id_, one in heard.items() if one is not None}
            decisions = [
                await self._decide(connection, one, news[id_], now) for id_, one in new.items()
            ]
            committed = []
            if new:
                (tenant,) = {one.tenant for one in new.values()}
                committed = await desk.writer.write_all(connection, tenant, decisions, now)
        for one in committed:
            desk.metrics.news_folded.inc()
            desk.tell(one)
        return heard.keys()

    async def _decide(
        self, connection: "Connection", heard: Heard, news: News, now: datetime
    ) -> Decision:
        before = slice_of(heard.locked)
        program = await self._desk.programs.of_order(connection, heard.tenant, before.order)
        outcome = fold.carry(replace(before, call=heard.call.call), news, program, now)
        return Decision(before=before, stored=heard.call, outcome=outcome, program=program)
