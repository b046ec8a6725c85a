"""The desk's own tables: the timeline, and notices on their way out."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from terms.change import Change, together
from terms.ids import CallerId, CallId, OrderId, TenantId
from warmline.desk.slice import Notice, NoticeKind

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    Record: TypeAlias = asyncpg.Record
    Connection: TypeAlias = asyncpg.Connection[Record] | PoolConnectionProxy[Record]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a timeline, on its way in."""

    kind: str
    role: str | None
    data: dict[str, str | int | bool | None]
    visible: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingNotice:
    """A notice in hand."""

    tenant: TenantId
    id: str
    notice: Notice
    caller: CallerId | None
    order: OrderId | None
    tries: int
    written_at: datetime


_ADDING_LINES = """
    lines_added AS (
        INSERT INTO timeline (tenant, order_id, call_id, at, kind, role, data, visible)
        SELECT $1, order_id, call_id, $2, kind, role, data, string_to_array(visible, ' ')
        FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::text[])
            WITH ORDINALITY AS new (order_id, call_id, kind, role, data, visible, place)
        ORDER BY place
    )"""

Lines = tuple[OrderId, CallId | None, Sequence[Line]]
"""What is new on an order's timeline, by which of its calls."""


def adding_lines(
    tenant: TenantId, order: OrderId, call: CallId | None, lines: Sequence[Line], now: datetime
) -> Change:
    """Append to the order's timeline, in this order."""
    return adding_all_lines(tenant, [(order, call, lines)], now)


def adding_all_lines(tenant: TenantId, added: Sequence[Lines], now: datetime) -> Change:
    """Append to the timelines of several orders."""
    rows = [(order, call, line) for order, call, lines in added for line in lines]
    arguments = (
        *(tenant, now, [order for order, _, _ in rows], [call for _, call, _ in rows]),
        *([line.kind for _, _, line in rows], [line.role for _, _, line in rows]),
        [json.dumps(line.data) for _, _, line in rows],
        [" ".join(line.visible) for _, _, line in rows],
    )
    return Change(_ADDING_LINES, "true AS lines_added", arguments)


_ADDING_NOTICES = """
    notices_added AS (
        INSERT INTO notices
            (tenant, id, kind, template, data, caller, order_id, call_id, written_at)
        SELECT $1, id, kind, template, data, $2, $3, $4, $5
        FROM unnest($6::text[], $7::text[], $8::text[], $9::jsonb[])
            AS new (id, kind, template, data)
    )"""


def adding_notices(
    tenant: TenantId,
    notices: Sequence[tuple[str, Notice]],
    *,
    caller: CallerId | None,
    order: OrderId | None,
    call: CallId | None,
    now: datetime,
) -> Change:
    """Keep notices, each under its id, until they are sent."""
    arguments = (
        *(tenant, caller, order, call, now),
        [id_ for id_, _ in notices],
        *([one.kind for _, one in notices], [one.template for _, one in notices]),
        [json.dumps(dict(one.data)) for _, one in notices],
    )
    return Change(_ADDING_NOTICES, "true AS notices_added", arguments)


async def carry_out(connection: "Connection", changes: Sequence[Change]) -> "Record":
    """Carry out the changes of any rooms as one statement; their answers, by name."""
    statement, arguments = together(changes)
    row = await connection.fetchrow(statement, *arguments)
    assert row is not None
    return row


def read_notice(row: "Record") -> WaitingNotice:
    """A notice that waits, from its row."""
    return WaitingNotice(
        tenant=TenantId(row["tenant"]),
        id=row["id"],
        notice=Notice(
            kind=NoticeKind(row["kind"]), template=row["template"], data=json.loads(row["data"])
        ),
        caller=None if row["caller"] is None else CallerId(row["caller"]),
        order=None if row["order_id"] is None else OrderId(row["order_id"]),
        tries=row["tries"],
        written_at=row["written_at"],
    )
