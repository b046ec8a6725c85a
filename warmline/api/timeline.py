"""Reading an order's timeline, as far as a mark lets one see it."""

import json
from typing import TYPE_CHECKING

from terms.ids import CallId, OrderId, TenantId
from warmline.http.model import Instant, Model

if TYPE_CHECKING:
    from warmline.desk.store import Connection


class TimelineEntry(Model):
    """One thing that happened. `data` holds plain values only."""

    seq: int
    at: Instant
    kind: str
    role: str | None
    data: dict[str, str | int | bool | None]


async def lines_for(
    connection: "Connection",
    tenant: TenantId,
    order: OrderId,
    *,
    mark: str,
    after: int,
    limit: int,
    call: CallId | None = None,
) -> list[TimelineEntry]:
    """Lines behind `after` that bear the mark, oldest first; of one call, if it is named."""
    rows = await connection.fetch(
        """SELECT seq, at, kind, role, data FROM timeline
           WHERE tenant = $1 AND order_id = $2 AND seq > $3 AND visible @> ARRAY[$4]
             AND ($6::text IS NULL OR call_id = $6)
           ORDER BY seq LIMIT $5""",
        *(tenant, order, after, mark, limit, call),
    )
    return [
        TimelineEntry(
            seq=row["seq"],
            at=row["at"],
            kind=row["kind"],
            role=row["role"],
            data=json.loads(row["data"]),
        )
        for row in rows
    ]
