"""Clients that all want the same few vouchers, orders and quotas, over a real PostgreSQL."""

from contextlib import suppress
from datetime import date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

import billing.opening
import billing.order
import billing.quota
import billing.voucher
from billing import store, talk
from billing.order import LIVE, ClosedBy, Order, Settlement
from billing.quota import Period, Quota, quota_on
from billing.settling import CallEnding, settle, unless_taken
from billing.voucher import Voucher
from terms.ids import CallId, OrderId, TenantId, VoucherId
from terms.refusals import Refused
from tests.billing.stories import LISTENING, NOON, made
from tests.exercise.chances import (
    GRANTED_SECONDS,
    PEOPLE,
    POLICY,
    USES_ALLOWED,
    WITHOUT_VOUCHER,
    Chances,
)

if TYPE_CHECKING:
    from asyncpg import Pool, Record

    from warmline.database import Connection

HOUSE = TenantId("house")
_MOST_ORDERS = 60  # in play at a time
_MOST_VOUCHERS = 60


class Died(Exception):
    """The client is gone in the middle of its transaction."""


class Shared:
    """What all clients know of: names only, what is true is in the database."""

    def __init__(self, operations: int) -> None:
        self.left = operations
        self.number = 0
        self.now = NOON
        self.vouchers: list[VoucherId] = []
        self.orders: list[OrderId] = []
        self.endings: dict[OrderId, CallEnding] = {}
        self.done = self.refused = self.died = 0

    def next_number(self) -> int:
        """A number nobody had."""
        self.number += 1
        return self.number

    def tick(self) -> datetime:
        """Time goes by with every operation."""
        self.now += timedelta(seconds=20)
        return self.now


class Client:
    """Does one thing after the other, each in a transaction of its own."""

    def __init__(self, pool: "Pool[Record]", shared: Shared, seed: int) -> None:
        self._pool = pool
        self._shared = shared
        self._chances = Chances(Random(seed))
        self._doings = (
            *(self._open_by_voucher,) * 4,
            *(self._open_by_quota,) * 2,
            *(self._act,) * 20,
            *(self._issue,) * 2,
            *(self._put_away,) * 1,
            *(self._restore,) * 1,
        )

    async def work(self) -> None:
        """Until all operations are done."""
        shared = self._shared
        while shared.left > 0:
            shared.left -= 1
            doing = self._chances.one_of(self._doings)
            try:
                async with self._pool.acquire() as connection, connection.transaction():
                    await doing(connection, shared.tick())
                    if self._chances.happens(0.03):
                        raise Died
                shared.done += 1
            except Refused:
                shared.refused += 1
            except Died:
                shared.died += 1

    async def _issue(self, connection: "Connection", now: datetime) -> None:
        name = f"voucher-{self._shared.next_number():08}"
        await store.insert_vouchers(connection, HOUSE, [made(name)])
        self._shared.vouchers = [*self._shared.vouchers[-_MOST_VOUCHERS:], VoucherId(name)]

    async def _open_by_voucher(self, connection: "Connection", now: datetime) -> None:
        voucher = await self._some_voucher(connection)
        if voucher is None:
            return
        order = OrderId(f"order-{self._shared.next_number():08}")
        held, entry = billing.voucher.hold(
            voucher,
            order=order,
            caller=voucher.holder or self._chances.one_of(PEOPLE),
            program=LISTENING,
            now=now,
        )
        await self._insert(connection, order, now, voucher=held)
        await store.save_voucher(connection, HOUSE, held, entry)

    async def _open_by_quota(self, connection: "Connection", now: datetime) -> None:
        blank = quota_on(
            date(now.year, 1, 1),
            program=LISTENING,
            subject=self._chances.one_of(PEOPLE),
            period=Period.CALENDAR_YEAR,
        )
        order = OrderId(f"order-{self._shared.next_number():08}")
        quota = await store.lock_quota(connection, HOUSE, blank)
        held, entry = billing.quota.hold(quota, order=order, limit=USES_ALLOWED, at=now)
        await store.save_quota(connection, HOUSE, held, entry)
        await self._insert(connection, order, now, quota=held)

    async def _insert(
        self,
        connection: "Connection",
        order: OrderId,
        now: datetime,
        *,
        voucher: Voucher | None = None,
        quota: Quota | None = None,
    ) -> None:
        opened = billing.opening.open_order(
            id=order,
            caller=self._chances.one_of(PEOPLE),
            program=LISTENING,
            program_version="1",
            program_digest="d",
            counselor=None,
            voucher=None if voucher is None else voucher.id,
            quota=None if quota is None else quota.book,
            granted_seconds=GRANTED_SECONDS,
            policy=WITHOUT_VOUCHER if voucher is None else POLICY,
            now=now,
        )
        await store.insert_order(connection, HOUSE, opened.order)
        self._shared.orders = [*self._shared.orders[-_MOST_ORDERS:], order]

    async def _act(self, connection: "Connection", now: datetime) -> None:
        """Something happens to an order; the news of it may come twice."""
        if not self._shared.orders:
            return
        id_ = self._chances.one_of(self._shared.orders)
        for _ in range(1 + self._chances.happens(0.2)):
            locked = await store.lock_order_with_payment(connection, HOUSE, id_)
            if locked is None:  # it was opened by somebody who died
                return
            order, voucher, quota = locked.order, locked.voucher, locked.quota
            settlement = self._decide(order, now)
            await _write(connection, order, settlement, voucher, quota, now)

    def _decide(self, order: Order, now: datetime) -> Settlement:
        call = order.call
        told = self._shared.endings.get(order.id)
        if call is not None and order.talk_started_at is None and self._chances.happens(0.6):
            return billing.order.connected(order, call, now)
        if call is not None:
            ending = self._shared.endings[order.id] = self._chances.ending(order, call, now)
            return settle(order, ending, POLICY, now)
        if told is not None and self._chances.happens(0.3):
            again = self._chances.ending(order, told.call, now)
            return settle(order, again, POLICY, now)
        if self._chances.happens(0.1):
            return billing.order.cancel(order, ClosedBy.CALLER, "changed_mind", now)
        if self._chances.happens(0.3):
            return billing.order.lapse(order, now)
        dialled = CallId(f"call-{self._shared.next_number():08}")
        return Settlement(order=billing.order.start_call(order, dialled, now))

    async def _restore(self, connection: "Connection", now: datetime) -> None:
        """Support gives a used voucher back."""
        if not self._shared.orders:
            return
        id_ = self._chances.one_of(self._shared.orders)
        locked = await store.lock_order_with_payment(connection, HOUSE, id_)
        if locked is None:
            return
        order, voucher = locked.order, locked.voucher
        if voucher is None or voucher.order != order.id or order.state in LIVE:
            return
        back, entry = billing.voucher.restore(voucher, reason="claim_granted", now=now)
        await store.save_order(connection, HOUSE, billing.order.finalise(order))
        await store.save_voucher(connection, HOUSE, back, entry)

    async def _put_away(self, connection: "Connection", now: datetime) -> None:
        """A code is redeemed, or a policy ends."""
        voucher = await self._some_voucher(connection)
        if voucher is None:
            return
        if self._chances.happens(0.2):
            moved, entry = billing.voucher.void(voucher, reason="surrendered", now=now)
        else:
            moved, entry = billing.voucher.redeem(voucher, self._chances.one_of(PEOPLE), now)
        if entry is not None:
            await store.save_voucher(connection, HOUSE, moved, entry)
            with suppress(store.VoucherMoved):  # the same again is not written
                await store.save_voucher(connection, HOUSE, moved, entry)

    async def _some_voucher(self, connection: "Connection") -> Voucher | None:
        if not self._shared.vouchers:
            return None
        name = self._chances.one_of(self._shared.vouchers)
        return await store.lock_voucher(connection, HOUSE, name)


async def _write(
    connection: "Connection",
    order: Order,
    settlement: Settlement,
    voucher: Voucher | None,
    quota: Quota | None,
    now: datetime,
) -> None:
    booked = talk.booked(order, unless_taken(order, settlement, voucher), now)
    move = booked.voucher_move
    if voucher is not None:
        moved, entry = billing.voucher.carry_out(voucher, move, order.id, now)
        if entry is not None:
            await store.save_voucher(connection, HOUSE, moved, entry)
    elif quota is not None:
        counted, entry = billing.quota.carry_out(quota, move, order.id, now)
        if entry is not None:
            await store.save_quota(connection, HOUSE, counted, entry)
    if booked.order is not order:
        await store.save_settlement(connection, HOUSE, _without_review(booked))


def _without_review(settlement: Settlement) -> Settlement:
    """Claims are another matter."""
    return Settlement(order=settlement.order, talk=settlement.talk)
