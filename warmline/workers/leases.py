"""Orders that this process has in hand, and until when nobody else may take them.

A lease is short, so that what a dead process had goes on soon. Whoever lives prolongs the leases of
all that it has in hand, however long an order must wait for its turn: else its own sweep would find
them, take them for a dead one's, and ask the carrier after each of them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dialer.carriers.last_look import Holds
from dialer.store.due import DueOrder, keep_orders
from warmline.clock import Clock, since_boot
from warmline.desk.writing import ORDER_LEASE

if TYPE_CHECKING:
    from asyncpg import Pool, Record

MARGIN = timedelta(seconds=0.5)
"""By our own clock a lease ends so much sooner than for others: an order takes a moment to arrive,
and other machines' clocks are a little ahead. Whoever takes a ring over asks after it first, twice
within HEARING_SECONDS."""

SOON = timedelta(seconds=1)
"""A lease that ends sooner is prolonged before an order is sent: sending takes a moment."""

_RENEWED_WITHIN = ORDER_LEASE - SOON


class TakenOver(Exception):
    """Somebody else has the order by now."""


@dataclass(slots=True)
class _Lease:
    """Ours until then, by the clock it is written in and by one that nobody sets."""

    due: DueOrder
    until: datetime
    deadline: float


class Leases:
    """Those of one process."""

    def __init__(
        self, pool: "Pool[Record]", clock: Clock, seconds_now: Callable[[], float] = since_boot
    ) -> None:
        """`seconds_now` is for tests with a clock of their own."""
        self._pool = pool
        self._clock = clock
        self._seconds_now = seconds_now
        self._held: dict[tuple[int, int], _Lease] = {}

    @property
    def in_hand(self) -> list[int]:
        """The numbers of the orders."""
        return [seq for seq, _ in self._held]

    def take(self, due: DueOrder) -> None:
        """It is in hand from now on, as it was leased."""
        if _key(due) not in self._held:
            self.put_off(due, due.leased_until)

    def drop(self, orders: Iterable[DueOrder]) -> None:
        """They are not in hand any more: settled, put off, or others'."""
        for due in orders:
            self._held.pop(_key(due), None)

    async def keep(self, due: DueOrder) -> None:
        """Whoever was held up, by a slow carrier or a frozen machine, may have lost an order.

        Raises TakenOver, also where that was found out before.
        """
        lease = self._held.get(_key(due))
        if lease is not None and self._ends_within(lease, SOON):
            await self._prolong([due])
        if _key(due) not in self._held:
            raise TakenOver

    async def keep_all(self) -> None:
        """Prolong all that would end before this is asked again. What is others' is dropped."""
        ending = [one.due for one in self._held.values() if self._ends_within(one, _RENEWED_WITHIN)]
        if ending:
            await self._prolong(ending)

    def put_off(self, due: DueOrder, until: datetime) -> None:
        """It stays in hand, and its lease was written to end then."""
        left = (until - self._clock.now()).total_seconds()
        self._held[_key(due)] = _Lease(due, until, self._seconds_now() + left)

    def holds(self, due: DueOrder) -> Holds:
        """The last look at an order that is in hand."""

        def holds() -> bool:
            lease = self._held.get(_key(due))
            return lease is not None and not self._ends_within(lease, MARGIN)

        return holds

    def _ends_within(self, lease: _Lease, span: timedelta) -> bool:
        return (
            self._clock.now() >= lease.until - span
            or self._seconds_now() >= lease.deadline - span.total_seconds()
        )

    async def _prolong(self, orders: list[DueOrder]) -> None:
        """From before the database is asked: its answer may take long."""
        until, began = self._clock.now() + ORDER_LEASE, self._seconds_now()
        async with self._pool.acquire() as connection:
            kept = await keep_orders(connection, orders, until=until)
        for due in orders:
            lease = self._held.get(_key(due))
            if lease is None:
                continue  # it was dealt with meanwhile
            if due.seq in kept:
                lease.until, lease.deadline = until, began + ORDER_LEASE.total_seconds()
            else:
                del self._held[_key(due)]


def _key(due: DueOrder) -> tuple[int, int]:
    """One that was lost and is leased again is another."""
    return due.seq, due.tries
