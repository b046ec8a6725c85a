"""What goes on at this moment, for those who watch over it."""

from typing import TYPE_CHECKING

from dialer.call import Call
from dialer.store.calls import read_calls
from terms.ids import TenantId

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


async def count_live(connection: "Connection", tenant: TenantId) -> int:
    """How many calls of the tenant live."""
    counted = await connection.fetchval(
        "SELECT count(*) FROM calls WHERE tenant = $1 AND state <> 'ended'", tenant
    )
    return int(counted)
