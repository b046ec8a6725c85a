"""Which program an order belongs to, for many orders at once."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from terms.ids import OrderId, ProgramId, TenantId

if TYPE_CHECKING:
    from billing.store.connection import Connection


async def programs_of(
    connection: "Connection", tenant: TenantId, orders: Iterable[OrderId]
) -> dict[OrderId, ProgramId]:
    """The program of each order that is there."""
    rows = await connection.fetch(
        "SELECT id, program FROM orders WHERE tenant = $1 AND id = ANY ($2::text[])",
        *(tenant, list(orders)),
    )
    return {OrderId(row["id"]): ProgramId(row["program"]) for row in rows}
