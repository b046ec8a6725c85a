"""The SQL that only measuring needs."""

from datetime import datetime
from typing import TYPE_CHECKING

from terms.ids import CallId

if TYPE_CHECKING:
    from warmline.database import Connection


async def cap_dues(connection: "Connection") -> dict[CallId, datetime]:
    """When each live call's cap falls."""
    rows = await connection.fetch("SELECT call, due_at FROM timers WHERE kind = 'cap'")
    return {CallId(row["call"]): row["due_at"] for row in rows}


async def due_by(connection: "Connection", instant: datetime) -> int:
    """How much that was due by `instant` is still to be done: timers, orders, news."""
    count = await connection.fetchval(
        """SELECT (SELECT count(*) FROM timers WHERE due_at <= $1)
               + (SELECT count(*) FROM carrier_orders WHERE outcome IS NULL AND due_at <= $1)
               + (SELECT count(*) FROM news WHERE folded_at IS NULL AND received_at <= $1)""",
        instant,
    )
    assert isinstance(count, int)
    return count
