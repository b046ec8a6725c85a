"""A tenant with one book of every kind, with everything in it that a book may hold."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import billing.quota
import billing.voucher
from billing import store
from billing.order import Order, Settlement, State, connected, start_call
from billing.policy import Policy
from billing.quota import Period, quota_on
from billing.settlement import grade_line
from billing.settling import settle
from billing.talk import booked
from billing.voucher import Voucher, VoucherMove
from terms.ids import CallId, OrderId, TenantId
from terms.values import replace
from terms.verdict import EndedBy, VerdictKind
from tests.billing.stories import (
    BY_APPOINTMENT,
    DAY,
    DOCTOR,
    FIRST,
    LIN,
    LISTENING,
    MINUTE,
    NOON,
    SECOND,
    an_order,
    ended,
    made,
)
from warmline.ledger.sealing import set_seals
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record

    from warmline.database import Connection

HOUSE = TenantId("house")
POLICY = Policy()
THIRD = CallId("call-3")


async def keep_books(pool: "Pool[Record]", seal: AesSeal) -> None:
    """Some vouchers, a talk with a drop and a better verdict, a quota; half of it sealed."""
    async with pool.acquire() as connection:
        await _issue(connection, "voucher-used", "voucher-back", "voucher-new")
        await _talk(connection)
        async with connection.transaction():
            await set_seals(connection, seal, NOON + timedelta(hours=1))
        await _no_contact(connection)
        await _count_uses(connection)
        await _correct(connection)
        async with connection.transaction():
            await set_seals(connection, seal, NOON + timedelta(hours=2))
        await _redeem(connection)


async def _issue(connection: "Connection", *names: str) -> None:
    await store.insert_vouchers(connection, HOUSE, [made(name) for name in names])


async def _talk(connection: "Connection") -> None:
    """Ten minutes, a drop, four minutes more, and a hang-up."""
    voucher = await _hold(connection, "voucher-used", "order-talk")
    order = an_order("order-talk", voucher="voucher-used")
    await store.insert_order(connection, HOUSE, order)
    order = await _save(connection, order, Settlement(order=start_call(order, FIRST, NOON)), NOON)
    talking = connected(order, FIRST, NOON)
    voucher, entry = billing.voucher.carry_out(voucher, talking.voucher_move, order.id, NOON)
    assert entry is not None
    await store.save_voucher(connection, HOUSE, voucher, entry)
    order = await _save(connection, order, talking, NOON)
    drop = settle(order, ended(VerdictKind.SYSTEM_DROP, EndedBy.CARRIER, talked=1400), POLICY, NOON)
    order = await _save(connection, order, drop, NOON)
    again = Settlement(order=start_call(order, SECOND, NOON))
    order = await _save(connection, order, again, NOON)
    order = await _save(connection, order, connected(order, SECOND, NOON), NOON)
    end = settle(order, ended(talked=240, call=SECOND), POLICY, NOON)
    order = await _save(connection, order, end, NOON + MINUTE)
    assert order.state is State.COMPLETED


async def _correct(connection: "Connection") -> None:
    """Later evidence says that the last call was dropped too."""
    order = await store.load_order(connection, HOUSE, OrderId("order-talk"))
    assert order is not None
    better = ended(VerdictKind.SYSTEM_DROP, EndedBy.CARRIER, talked=240, call=SECOND)
    await _save(connection, order, settle(order, better, POLICY, NOON), NOON + 2 * MINUTE)


async def _no_contact(connection: "Connection") -> None:
    """Nobody was reached, so the voucher came back."""
    held = await _hold(connection, "voucher-back", "order-back")
    order = an_order(
        "order-back", voucher="voucher-back", policy=BY_APPOINTMENT, starts_at=NOON + 2 * DAY
    )
    await store.insert_order(connection, HOUSE, order)
    back, entry = billing.voucher.carry_out(
        held, VoucherMove.COUNT_NO_CONTACT, OrderId("order-back"), NOON
    )
    assert entry is not None
    await store.save_voucher(connection, HOUSE, back, entry)


async def _count_uses(connection: "Connection") -> None:
    """One use consumed, one given back."""
    blank = quota_on(
        date(2030, 1, 1), program=DOCTOR, subject="person-1", period=Period.CALENDAR_YEAR
    )
    async with connection.transaction():
        quota = await store.lock_quota(connection, HOUSE, blank)
        for order, move in (
            ("order-k", VoucherMove.CONSUME),
            ("order-p", VoucherMove.RETURN_CANCELLED),
        ):
            id_ = OrderId(order)
            quota, entry = billing.quota.hold(quota, order=id_, limit=3, at=NOON)
            await store.save_quota(connection, HOUSE, quota, entry)
            quota, moved = billing.quota.carry_out(quota, move, id_, NOON + MINUTE)
            assert moved is not None
            await store.save_quota(connection, HOUSE, quota, moved)
        opened = an_order("order-k", voucher=None, quota=quota.book)
        await store.insert_order(connection, HOUSE, opened)
    await _lose_at_once(connection, opened)


async def _lose_at_once(connection: "Connection", order: Order) -> None:
    """Joined, and the line was lost in the same second: no seconds move, and it is a call."""
    order = await _save(connection, order, Settlement(order=start_call(order, THIRD, NOON)), NOON)
    order = await _save(connection, order, connected(order, THIRD, NOON), NOON)
    lost = ended(VerdictKind.SYSTEM_DROP, EndedBy.CARRIER, talked=0, call=THIRD)
    await _save(connection, order, settle(order, lost, POLICY, NOON), NOON)


async def _redeem(connection: "Connection") -> None:
    """Taken into an account, which no seal has seen yet."""
    voucher = await store.load_voucher(connection, HOUSE, made("voucher-new")[0][0].id)
    assert voucher is not None
    redeemed, entry = billing.voucher.redeem(voucher, LIN, NOON + MINUTE)
    assert entry is not None
    await store.save_voucher(connection, HOUSE, redeemed, entry)


async def _hold(connection: "Connection", name: str, order: str) -> Voucher:
    voucher = await store.load_voucher(connection, HOUSE, made(name)[0][0].id)
    assert voucher is not None
    held, entry = billing.voucher.hold(
        voucher, order=OrderId(order), caller=LIN, program=LISTENING, now=NOON
    )
    await store.save_voucher(connection, HOUSE, held, entry)
    return held


async def _save(
    connection: "Connection", before: Order, settlement: Settlement, at: datetime
) -> Order:
    order = settlement.order
    line = grade_line(before, order, counselor=order.counselor, policy=POLICY, now=at)
    settlement = booked(before, replace(settlement, review=None, graded=line), at)
    return await store.save_settlement(connection, HOUSE, settlement)
