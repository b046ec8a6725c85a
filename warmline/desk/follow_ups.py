"""Looking after somebody who may have been in danger, once their call is over (X55)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from dialer.call import Call, State
from terms.change import Change
from terms.ids import CallId, FollowUpId, OrderId, StaffId, TenantId
from warmline.desk.store import Line
from warmline.desk.timeline import STAFF
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from warmline.desk.store import Connection, Record

CALL_BACK_WITHIN = timedelta(hours=24)
OPENED = "follow_up.opened"
CLOSED = "follow_up.closed"

_PURPOSE = "follow-up note"
_COLUMNS = """id, call, order_id, handed_over, opened_at, due_at, closed_at, closed_by, outcome,
    note_sealed"""


class FollowUpOutcome(StrEnum):
    """How a person in danger was found to be; the last states of a crisis (2.D)."""

    HANDED_OVER = "handed_over"  # an agency looks after them
    CONFIRMED_SAFE = "confirmed_safe"
    UNKNOWN = "unknown"  # nobody could be reached


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """One person to call back, by `due_at`; `outcome` is None until somebody has closed it."""

    id: FollowUpId
    call: CallId
    order: OrderId
    handed_over: bool
    opened_at: datetime
    due_at: datetime
    outcome: FollowUpOutcome | None = None
    note: str | None = None
    closed_by: StaffId | None = None
    closed_at: datetime | None = None


def needs_follow_up(before: Call | None, after: Call) -> bool:
    """Whether this step ended a call in crisis, or found a crisis in one that had ended."""
    if not _ended_in_crisis(after):
        return False
    return before is None or not _ended_in_crisis(before)


def _ended_in_crisis(call: Call) -> bool:
    return call.crisis and call.state is State.ENDED


def opening_follow_up(tenant: TenantId, id_: FollowUpId, call: Call, now: datetime) -> Change:
    """Somebody has to call back. Once per call."""
    opened = """
        follow_up_opened AS (
            INSERT INTO follow_ups (tenant, id, call, order_id, handed_over, opened_at, due_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant, call) DO NOTHING
        )"""
    arguments = (
        *(tenant, id_, call.id, call.order, call.handed_over, now, now + CALL_BACK_WITHIN),
    )
    return Change(opened, "true AS follow_up_opened", arguments)


def opened_line(now: datetime) -> Line:
    """What supervisors are told at once."""
    due_at = (now + CALL_BACK_WITHIN).isoformat()
    return Line(kind=OPENED, role=None, data={"due_at": due_at}, visible=(STAFF,))


def closed_line(follow_up: FollowUp) -> Line:
    """That somebody has seen to it. What was said is not for a timeline."""
    return Line(kind=CLOSED, role=None, data={"outcome": follow_up.outcome}, visible=(STAFF,))


async def list_follow_ups(
    connection: "Connection",
    seal: AesSeal,
    tenant: TenantId,
    *,
    open_: bool | None,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[FollowUp]:
    """The most pressing first; only open or only closed ones, if told which."""
    due_at, id_ = after or (None, None)
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM follow_ups
            WHERE tenant = $1 AND ($2::boolean IS NULL OR (closed_at IS NULL) = $2)
              AND ($3::timestamptz IS NULL OR (due_at, id) > ($3, $4))
            ORDER BY due_at, id LIMIT $5""",
        *(tenant, open_, due_at, id_, limit),
    )
    return [_follow_up(row, seal) for row in rows]


async def lock_follow_up(
    connection: "Connection", seal: AesSeal, tenant: TenantId, id_: FollowUpId
) -> FollowUp | None:
    """One, held until the transaction ends."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM follow_ups WHERE tenant = $1 AND id = $2 FOR UPDATE", tenant, id_
    )
    return None if row is None else _follow_up(row, seal)


async def save_closed(
    connection: "Connection", seal: AesSeal, tenant: TenantId, closed: FollowUp
) -> None:
    """Write how it ended; a note is what somebody said, so it is sealed."""
    note = None if closed.note is None else seal.seal_text(closed.note, _PURPOSE)
    await connection.execute(
        """UPDATE follow_ups SET closed_at = $3, closed_by = $4, outcome = $5, note_sealed = $6
           WHERE tenant = $1 AND id = $2 AND closed_at IS NULL""",
        *(tenant, closed.id, closed.closed_at, closed.closed_by, closed.outcome, note),
    )


async def count_open(connection: "Connection", tenant: TenantId) -> int:
    """How many people wait to be called back."""
    counted = await connection.fetchval(
        "SELECT count(*) FROM follow_ups WHERE tenant = $1 AND closed_at IS NULL", tenant
    )
    return int(counted)


def _follow_up(row: "Record", seal: AesSeal) -> FollowUp:
    sealed, outcome = row["note_sealed"], row["outcome"]
    return FollowUp(
        id=FollowUpId(row["id"]),
        call=CallId(row["call"]),
        order=OrderId(row["order_id"]),
        handed_over=row["handed_over"],
        opened_at=row["opened_at"],
        due_at=row["due_at"],
        outcome=None if outcome is None else FollowUpOutcome(outcome),
        note=None if sealed is None else seal.open_text(sealed, _PURPOSE),
        closed_by=None if row["closed_by"] is None else StaffId(row["closed_by"]),
        closed_at=row["closed_at"],
    )
