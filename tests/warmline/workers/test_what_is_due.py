"""Which order of a call is next, on a real PostgreSQL."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dialer.orders import CarrierOrder, HangUp, Say
from dialer.store.due import insert_orders, lease_orders, next_order_at, settle_done
from terms.ids import CallId, LegId, TenantId

if TYPE_CHECKING:
    from asyncpg import Pool, Record

TENANT = TenantId("default")
CALL = CallId("call_1")
LEG = LegId("call_1/caller/1")


async def test_an_order_behind_another_of_its_call_is_not_due_before_that_one_is_free(
    database: "Pool[Record]", noon: datetime
) -> None:
    lease = noon + timedelta(seconds=3)
    async with database.acquire() as connection:
        orders: list[tuple[CarrierOrder, datetime]] = [
            (Say(LEG, "connecting"), noon),
            (HangUp(LEG), noon),
        ]
        await insert_orders(connection, TENANT, CALL, orders, noon)
        (first,) = await lease_orders(connection, noon, until=lease)
        while_held = await next_order_at(connection, noon)
        of_any_time = await next_order_at(connection)
        await settle_done(connection, [(TENANT, CALL, first.seq)], noon)
        afterwards = await next_order_at(connection, noon)

    assert while_held == lease
    assert of_any_time == lease
    assert afterwards == noon


async def test_a_farewell_that_became_due_holds_back_what_was_written_after_it(
    database: "Pool[Record]", noon: datetime
) -> None:
    later = noon + timedelta(seconds=6)
    lease = later + timedelta(seconds=3)
    async with database.acquire() as connection:
        orders: list[tuple[CarrierOrder, datetime]] = [
            (HangUp(LEG, 6), later),
            (Say(LEG, "connecting"), noon),
        ]
        await insert_orders(connection, TENANT, CALL, orders, noon)
        before = await next_order_at(connection, noon)
        await lease_orders(connection, later, until=lease)
        while_held = await next_order_at(connection, later)

    assert before == noon
    assert while_held == lease
