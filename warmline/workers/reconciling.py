"""Comparing the legs we believe in with those the carrier has, both ways.

News may be lost for good. A difference seen in two looks running is taken for true and told to the
desk as news of our own, so that the machine needs no second way of learning.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from dialer.call import Call
from dialer.carriers import Carrier, CarrierUnknown, LiveLeg
from dialer.store.calls import calls_of_legs, live_calls
from dialer.store.due import about_to_go
from terms.ids import CallId, LegId
from warmline.clock import Clock
from warmline.desk.desk import Desk
from warmline.metrics import Metrics
from warmline.workers.differences import (
    LOOK_EVERY,
    Differences,
    confirmed,
    differences,
    let_go_lately,
)
from warmline.workers.hold import SHARED, Hold
from warmline.workers.looking import Looker

if TYPE_CHECKING:
    from asyncpg import Pool

    from warmline.desk.store import Record

_log = structlog.get_logger()

_ONE_AT_A_TIME = 0x7265636F6E63696C  # an advisory lock: one process looks, for all


@dataclass(slots=True)
class _Memory:
    last: Differences = field(default_factory=Differences)


class Reconciler(Looker):
    """Looks every five seconds, and at start."""

    name = "reconciling"

    def __init__(
        self,
        pool: "Pool[Record]",
        desk: Desk,
        carrier: Carrier,
        clock: Clock,
        metrics: Metrics,
        hold: Hold = SHARED,
    ) -> None:
        super().__init__(clock)
        self._pool = pool
        self._desk = desk
        self._carrier = carrier
        self._metrics = metrics
        self._hold = hold
        self._memory = _Memory()
        self._looked_at: datetime | None = None

    async def look(self) -> datetime | None:
        """Compare, and act on what was there the last time too."""
        if not self._hold.may_obey:
            self._looked_at, self._memory.last = None, Differences()
            return None
        now = self.clock.now()
        if self._looked_at is not None and now - self._looked_at < LOOK_EVERY:
            return self._looked_at + LOOK_EVERY
        is_first = self._looked_at is None
        self._looked_at = None if is_first else now
        async with self._pool.acquire() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _ONE_AT_A_TIME):
                return None if is_first else now + LOOK_EVERY
            try:
                has_compared = await self._compare(now, is_first=is_first)
            finally:
                await connection.execute("SELECT pg_advisory_unlock($1)", _ONE_AT_A_TIME)
        if is_first and not has_compared:
            return None  # who takes over may be connecting still: the next look is the first
        self._looked_at = now
        return now + LOOK_EVERY

    async def _compare(self, now: datetime, *, is_first: bool) -> bool:
        """Whether the carrier could say what lives."""
        try:
            legs = {live.leg: live for live in await self._carrier.live_legs()}
        except CarrierUnknown:
            _log.warning("carrier_cannot_say_what_lives")
            return False
        # The carrier is asked first: a leg rung meanwhile is young, and so not missed.
        calls, unknown = await self._calls(legs)
        self._metrics.live_calls.set(sum(call.ended_at is None for call in calls.values()))
        found = differences(calls.values(), legs, now)
        strays = (found.strays | unknown) - let_go_lately(calls.values(), now)
        async with self._pool.acquire() as connection:
            strays -= await about_to_go(connection, strays)
        found = Differences(found.news, strays)
        if is_first:
            _say_what_was_found(calls, legs, found)
        sure = confirmed(self._memory.last, found)
        self._memory.last = found
        for id_, news in sure.news:
            self._metrics.legs_corrected.labels(type(news).__name__).inc()
            _log.warning("leg_corrected", leg=news.leg, news=type(news).__name__)
            await self._desk.take_news(id_, news)
        for leg in sure.strays:
            await self._let_go(leg)
        return True

    async def _calls(
        self, legs: Mapping[LegId, LiveLeg]
    ) -> tuple[dict[CallId, Call], frozenset[LegId]]:
        """Every live call, ended ones that still have a leg up, and legs of no call at all."""
        async with self._pool.acquire() as connection:
            calls = {call.id: call for _, call in await live_calls(connection)}
            known = {leg.id for call in calls.values() for leg in call.legs}
            left = [leg for leg in legs if leg not in known]
            ended = await calls_of_legs(connection, left)
        calls |= {call.id: call for call in ended.values()}
        return calls, frozenset(left) - ended.keys()

    async def _let_go(self, leg: LegId) -> None:
        self._metrics.legs_corrected.labels("stray").inc()
        _log.warning("stray_leg", leg=leg)
        try:
            await self._carrier.hang_up(leg)
        except Exception as fault:
            _log.warning("stray_leg_stays", leg=leg, fault=type(fault).__name__)


def _say_what_was_found(
    calls: Mapping[CallId, Call], legs: Mapping[LegId, LiveLeg], found: Differences
) -> None:
    """Once, by whoever begins to look: a restart, or another process that took over."""
    _log.info(
        "legs_compared",
        live_calls=sum(call.ended_at is None for call in calls.values()),
        legs_at_carrier=len(legs),
        legs_corrected=len(found.news),
        stray_legs=len(found.strays),
    )
