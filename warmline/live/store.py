"""The SQL that reads the timeline for the live feed."""

import json
from typing import TYPE_CHECKING

from terms.ids import CallId, OrderId, TenantId
from warmline.live import Entry

if TYPE_CHECKING:
    from asyncpg import Connection, Record


async def entries_after(
    connection: "Connection[Record]", seq: int, limit: int
) -> tuple[Entry, ...]:
    """The committed lines of every tenant that follow `seq`, in order."""
    rows = await connection.fetch(
        "SELECT *, data::text AS json FROM timeline WHERE seq > $1 ORDER BY seq LIMIT $2",
        seq,
        limit,
    )
    return tuple(_entry(row) for row in rows)


async def visible_entries(
    connection: "Connection[Record]",
    tenant: TenantId,
    marks: frozenset[str],
    *,
    after: int,
    until: int,
    limit: int,
) -> tuple[Entry, ...]:
    """The lines after `after` up to `until` that carry one of `marks`, in order."""
    rows = await connection.fetch(
        """SELECT *, data::text AS json FROM timeline
           WHERE tenant = $1 AND seq > $2 AND seq <= $3 AND visible && $4
           ORDER BY seq LIMIT $5""",
        tenant,
        after,
        until,
        sorted(marks),
        limit,
    )
    return tuple(_entry(row) for row in rows)


async def newest_seq(connection: "Connection[Record]") -> int:
    """The highest number that was committed, 0 for an empty timeline."""
    return int(await connection.fetchval("SELECT coalesce(max(seq), 0) FROM timeline"))


async def open_writers(connection: "Connection[Record]") -> frozenset[str]:
    """The transactions that have written to the timeline, or are about to, and have not ended."""
    rows = await connection.fetch(
        """SELECT DISTINCT virtualtransaction FROM pg_locks
           WHERE locktype = 'relation' AND relation = 'timeline'::regclass
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
             AND mode = 'RowExclusiveLock' AND granted"""
    )
    return frozenset(row["virtualtransaction"] for row in rows)


def _entry(row: "Record") -> Entry:
    return Entry(
        tenant=TenantId(row["tenant"]),
        seq=row["seq"],
        order=OrderId(row["order_id"]),
        call=None if row["call_id"] is None else CallId(row["call_id"]),
        at=row["at"],
        kind=row["kind"],
        role=row["role"],
        data=json.loads(row["json"]),
        visible=frozenset(row["visible"]),
    )
