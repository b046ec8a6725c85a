"""Minding the clocks of claims: whoever supervises is told before one is late, and when it is."""

from datetime import datetime
from typing import TYPE_CHECKING

from billing.store.claims import next_alarm_at
from warmline.clock import Clock
from warmline.desk.claim_alarms import sound_next_alarm
from warmline.desk.desk import Desk
from warmline.workers.looking import Looker

if TYPE_CHECKING:
    from asyncpg import Pool

    from warmline.desk.store import Record


class Escalator(Looker):
    """Tells each alarm once, however many processes look (B19)."""

    name = "escalating"

    def __init__(self, pool: "Pool[Record]", desk: Desk, clock: Clock) -> None:
        super().__init__(clock)
        self._pool = pool
        self._desk = desk

    async def look(self) -> datetime | None:
        """One after the other, each in a transaction of its own."""
        while await sound_next_alarm(self._desk):
            pass
        async with self._pool.acquire() as connection:
            return await next_alarm_at(connection)
