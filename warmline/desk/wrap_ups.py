"""Notes after a call: opened when the talk ends, owed until written, sealed for ever (C08)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from terms.change import Change
from terms.ids import CallId, CounselorId, OrderId, TenantId
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from warmline.desk.store import Connection, Record

_PURPOSE = "wrap-up summary"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapUp:
    """What a counselor owes, or wrote, about one call."""

    call: CallId
    order: OrderId
    counselor: CounselorId
    required: bool
    opened_at: datetime
    written_at: datetime | None


def opening_wrap_up(
    tenant: TenantId,
    *,
    call: CallId,
    order: OrderId,
    counselor: CounselorId,
    required: bool,
    now: datetime,
) -> Change:
    """The talk is over: the counselor owes notes. Once per call."""
    opened = """
        wrap_up_opened AS (
            INSERT INTO wrap_ups (tenant, call, order_id, counselor, required, opened_at)
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant, call) DO NOTHING
        )"""
    arguments = (tenant, call, order, counselor, required, now)
    return Change(opened, "true AS wrap_up_opened", arguments)


async def load_wrap_up(connection: "Connection", tenant: TenantId, call: CallId) -> WrapUp | None:
    """What is owed or written about the call."""
    row = await connection.fetchrow(
        "SELECT * FROM wrap_ups WHERE tenant = $1 AND call = $2 FOR UPDATE", tenant, call
    )
    return None if row is None else _wrap_up(row)


async def open_wrap_ups(
    connection: "Connection", tenant: TenantId, counselor: CounselorId, *, limit: int = 20
) -> list[WrapUp]:
    """What the counselor owes, oldest first."""
    rows = await connection.fetch(
        """SELECT * FROM wrap_ups WHERE tenant = $1 AND counselor = $2 AND written_at IS NULL
           ORDER BY opened_at LIMIT $3""",
        *(tenant, counselor, limit),
    )
    return [_wrap_up(row) for row in rows]


async def wrap_ups_of(
    connection: "Connection", tenant: TenantId, calls: Collection[CallId]
) -> dict[CallId, WrapUp]:
    """What is owed or written about those calls."""
    rows = await connection.fetch(
        "SELECT * FROM wrap_ups WHERE tenant = $1 AND call = ANY ($2::text[])",
        *(tenant, list(calls)),
    )
    return {CallId(row["call"]): _wrap_up(row) for row in rows}


async def write_wrap_up(
    connection: "Connection",
    seal: AesSeal,
    tenant: TenantId,
    wrap_up: WrapUp,
    *,
    summary: str,
    topics: Sequence[str],
    disposition: str,
    now: datetime,
) -> None:
    """Keep the notes; written again, the newer ones stand."""
    await connection.execute(
        """UPDATE wrap_ups SET summary_sealed = $3, topics = $4, disposition = $5, written_at = $6
           WHERE tenant = $1 AND call = $2""",
        *(tenant, wrap_up.call, seal.seal_text(summary, _PURPOSE), list(topics)),
        *(disposition, now),
    )


async def read_summary(
    connection: "Connection", seal: AesSeal, tenant: TenantId, order: OrderId
) -> tuple[str, datetime] | None:
    """The newest summary that is meant for the customer of the order."""
    row = await connection.fetchrow(
        """SELECT summary_sealed, written_at FROM wrap_ups
           WHERE tenant = $1 AND order_id = $2 AND required AND summary_sealed IS NOT NULL
           ORDER BY written_at DESC LIMIT 1""",
        *(tenant, order),
    )
    if row is None:
        return None
    return seal.open_text(row["summary_sealed"], _PURPOSE), row["written_at"]


async def with_summary(
    connection: "Connection", tenant: TenantId, orders: Collection[OrderId]
) -> set[OrderId]:
    """Those of the orders that have a summary for their customer to read."""
    rows = await connection.fetch(
        """SELECT DISTINCT order_id FROM wrap_ups WHERE tenant = $1 AND order_id = ANY ($2)
             AND required AND summary_sealed IS NOT NULL""",
        *(tenant, list(orders)),
    )
    return {OrderId(row["order_id"]) for row in rows}


def _wrap_up(row: "Record") -> WrapUp:
    return WrapUp(
        call=CallId(row["call"]),
        order=OrderId(row["order_id"]),
        counselor=CounselorId(row["counselor"]),
        required=row["required"],
        opened_at=row["opened_at"],
        written_at=row["written_at"],
    )
