"""Which counselor a steward chose for an order, and when: every choice is kept (C06)."""

from typing import TYPE_CHECKING

from routing.matching import Match
from terms.ids import CounselorId, OrderId, StaffId, TenantId

if TYPE_CHECKING:
    from routing.store.connection import Connection


async def add_match(connection: "Connection", tenant: TenantId, match: Match) -> None:
    """Keep a steward's choice."""
    await connection.execute(
        """INSERT INTO counselor_matches
             (tenant, order_id, matched_at, counselor, steward, reason)
           VALUES ($1, $2, $3, $4, $5, $6)""",
        *(tenant, match.order, match.matched_at, match.counselor, match.steward, match.reason),
    )


async def load_matches(connection: "Connection", tenant: TenantId, order: OrderId) -> list[Match]:
    """The choices made for an order, the last one in force."""
    rows = await connection.fetch(
        """SELECT * FROM counselor_matches WHERE tenant = $1 AND order_id = $2
           ORDER BY matched_at""",
        *(tenant, order),
    )
    return [
        Match(
            order=order,
            counselor=CounselorId(row["counselor"]),
            steward=StaffId(row["steward"]),
            matched_at=row["matched_at"],
            reason=row["reason"],
        )
        for row in rows
    ]
