"""Ringing a counselor's own phone outside any call, to see that it can be reached."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from dialer.carriers import News
from dialer.orders import CarrierOrder, HangUp
from dialer.phone_check import LONGEST, PhoneCheck, begin, heard
from dialer.store.due import insert_orders
from dialer.store.news import call_of
from dialer.store.phone_checks import keep_check, lock_check
from terms.ids import CallId, CounselorId, TenantId
from warmline.desk.writing import Committed

if TYPE_CHECKING:
    from warmline.desk.store import Connection


async def ring_own_phone(
    connection: "Connection", tenant: TenantId, id: CallId, counselor: CounselorId, now: datetime
) -> Committed:
    """Ring it. That it is let go in the end is written at once, so that no process has to live.

    A leg with such an order is nobody's stray either.
    """
    check, orders = begin(id, counselor, now)
    await keep_check(connection, tenant, check)
    due = [*((order, now) for order in orders), (HangUp(check.leg.id), now + LONGEST)]
    await insert_orders(connection, tenant, id, due, now)
    return Committed(tenant=tenant, unhanded=True)


async def hear_of_check(connection: "Connection", news: News, now: datetime) -> Committed | None:
    """What the carrier tells of such a phone; None where it changes nothing."""
    found = await lock_check(connection, call_of(news.leg))
    if found is None:
        return None
    tenant, before = found
    after, orders = heard(before, news, now)
    if after == before:
        return None
    await _write(connection, tenant, after, orders, now)
    return Committed(tenant=tenant, unhanded=bool(orders))


async def _write(
    connection: "Connection",
    tenant: TenantId,
    check: PhoneCheck,
    orders: Sequence[CarrierOrder],
    now: datetime,
) -> None:
    await keep_check(connection, tenant, check)
    await insert_orders(connection, tenant, check.id, [(order, now) for order in orders], now)
