"""What goes on at this moment and went on today, for those who watch over it."""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from dialer.call import Call
from dialer.store.calls import read_calls
from terms.ids import CallId, OrderId, TenantId

if TYPE_CHECKING:
    from dialer.store.connection import Connection


async def live_overview(connection: "Connection", tenant: TenantId, *, limit: int) -> list[Call]:
    """The tenant's live calls: whoever may be in danger first, then the longest."""
    rows = await connection.fetch(
        """SELECT * FROM calls WHERE tenant = $1 AND state <> 'ended'
           ORDER BY (record ->> 'crisis') IS NULL, started_at, id LIMIT $2""",
        *(tenant, limit),
    )
    return read_calls(rows)


async def calls_that_rang(
    connection: "Connection", tenant: TenantId, counselor: str, since: datetime, until: datetime
) -> list[Call]:
    """The calls begun in that time that rang the counselor's phone, newest first."""
    rows = await connection.fetch(
        """SELECT * FROM calls
           WHERE tenant = $1 AND started_at >= $3 AND started_at < $4
             AND record -> 'legs' @> jsonb_build_array(jsonb_build_object('party', $2::text))
           ORDER BY started_at DESC, id DESC""",
        *(tenant, counselor, since, until),
    )
    return read_calls(rows)


async def orders_of(
    connection: "Connection", tenant: TenantId, calls: Collection[CallId]
) -> dict[CallId, OrderId]:
    """The order of each call that is there."""
    rows = await connection.fetch(
        "SELECT id, order_id FROM calls WHERE tenant = $1 AND id = ANY ($2::text[])",
        *(tenant, list(calls)),
    )
    return {CallId(row["id"]): OrderId(row["order_id"]) for row in rows}


async def count_live(connection: "Connection", tenant: TenantId) -> int:
    """How many calls of the tenant live."""
    counted = await connection.fetchval(
        "SELECT count(*) FROM calls WHERE tenant = $1 AND state <> 'ended'", tenant
    )
    return int(counted)
