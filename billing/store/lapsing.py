"""What time alone moves: orders and vouchers that are due, and those that could not be moved.

One that cannot be brought to rest is tried more and more rarely, and stops no other.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from terms.ids import OrderId, TenantId, VoucherId

if TYPE_CHECKING:
    from billing.store.connection import Connection

LONGEST_WAIT = timedelta(minutes=1)
"""Between two tries, however often it failed."""

_NOT_PUT_OFF = """NOT EXISTS (
    SELECT FROM lapse_faults AS put_off
    WHERE put_off.tenant = due.tenant AND put_off.id = due.id AND put_off.next_try_at > $1)"""


async def lock_due_order(
    connection: "Connection", now: datetime
) -> tuple[TenantId, OrderId] | None:
    """One order that time alone moves (`order.lapse`), locked; of any tenant."""
    row = await connection.fetchrow(
        f"""SELECT tenant, id FROM orders AS due WHERE due_at <= $1 AND {_NOT_PUT_OFF}
            ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED""",
        now,
    )
    return None if row is None else (TenantId(row["tenant"]), OrderId(row["id"]))


async def lock_due_voucher(
    connection: "Connection", now: datetime
) -> tuple[TenantId, VoucherId] | None:
    """One unused voucher past its time, locked; of any tenant."""
    row = await connection.fetchrow(
        f"""SELECT tenant, id FROM vouchers AS due
            WHERE state IN ('pending', 'issued', 'returned') AND valid_until <= $1
                AND {_NOT_PUT_OFF}
            ORDER BY valid_until LIMIT 1 FOR UPDATE SKIP LOCKED""",
        now,
    )
    return None if row is None else (TenantId(row["tenant"]), VoucherId(row["id"]))


async def next_due_at(connection: "Connection") -> datetime | None:
    """When `lock_due_order` or `lock_due_voucher` will next find something."""
    due_at: datetime | None = await connection.fetchval(
        """SELECT least(
               (SELECT due_at FROM orders AS due
                WHERE due_at IS NOT NULL AND NOT EXISTS (
                    SELECT FROM lapse_faults AS put_off
                    WHERE put_off.tenant = due.tenant AND put_off.id = due.id)
                ORDER BY due_at LIMIT 1),
               (SELECT valid_until FROM vouchers AS due
                WHERE state IN ('pending', 'issued', 'returned') AND NOT EXISTS (
                    SELECT FROM lapse_faults AS put_off
                    WHERE put_off.tenant = due.tenant AND put_off.id = due.id)
                ORDER BY valid_until LIMIT 1),
               (SELECT min(greatest(due_at, next_try_at))
                FROM lapse_faults JOIN orders USING (tenant, id)),
               (SELECT min(greatest(valid_until, next_try_at))
                FROM lapse_faults JOIN vouchers USING (tenant, id)
                WHERE state IN ('pending', 'issued', 'returned')))"""
    )
    return due_at


async def put_off(
    connection: "Connection",
    tenant: TenantId,
    id: OrderId | VoucherId,
    fault: str,
    now: datetime,
) -> int:
    """It could not be brought to rest: try again later, and later each time. How often it failed.

    Two seconds after the first time, four after the second, never more than `LONGEST_WAIT`.
    """
    tries: int = await connection.fetchval(
        """INSERT INTO lapse_faults AS known (tenant, id, fault, tries, next_try_at)
           VALUES ($1, $2, $3, 1, $4::timestamptz + least($5::interval, interval '2 seconds'))
           ON CONFLICT (tenant, id) DO UPDATE
             SET fault = excluded.fault, tries = known.tries + 1,
                 next_try_at = $4 + least($5, interval '2 seconds' * 2 ^ least(known.tries, 20))
           RETURNING tries""",
        *(tenant, id, fault, now, LONGEST_WAIT),
    )
    return tries


async def forget_fault(connection: "Connection", tenant: TenantId, id: OrderId | VoucherId) -> None:
    """It came to rest after all."""
    await connection.execute("DELETE FROM lapse_faults WHERE tenant = $1 AND id = $2", tenant, id)


async def forget_old_faults(connection: "Connection", now: datetime) -> None:
    """Those that nobody tried for an hour: they came to rest by another way."""
    await connection.execute(
        "DELETE FROM lapse_faults WHERE next_try_at < $1::timestamptz - interval '1 hour'", now
    )


async def count_put_off(connection: "Connection") -> int:
    """How many orders and vouchers could not be brought to rest."""
    return int(await connection.fetchval("SELECT count(*) FROM lapse_faults"))
