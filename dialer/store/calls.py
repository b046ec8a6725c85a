"""Calls: read whole, written whole, together with what they ask and when they want to be woken."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dialer.call import Call, Purpose
from dialer.events import TimerKind
from dialer.orders import Answer, Bridge, CarrierOrder, HangUp, Limit, Ring, Say
from dialer.store.codec import read_call, write_call, write_order
from dialer.store.connection import carry_out
from terms.change import Change
from terms.ids import CallId, LegId, OrderId, TenantId

if TYPE_CHECKING:
    from dialer.orders import Effect
    from dialer.store.connection import Connection, Record

_COLUMNS = "id, order_id, purpose, state, counselor, record, version, started_at, ended_at"
_PREFIXED = ", ".join(f"{name} AS c_{name}" for name in _COLUMNS.split(", "))


class CallMoved(Exception):
    """Somebody else wrote the call since it was read: read again and decide anew."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A call and the version it was read at."""

    call: Call
    version: int


@dataclass(frozen=True, slots=True)
class Written:
    """What one write left behind: the orders in hand, and the next timer."""

    version: int
    order_seqs: tuple[int, ...]
    others_pending: bool
    """Earlier orders of the call are still to be obeyed: the new ones wait for them."""


async def insert_call(connection: "Connection", tenant: TenantId, call: Call) -> None:
    """A new call, before its first write.

    The database refuses a second live call for the order and purpose, and a second live call that
    claims the same counselor (asyncpg.UniqueViolationError; the caller's locks make it impossible).
    """
    await connection.execute(
        f"""INSERT INTO calls (tenant, {_COLUMNS})
            VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9)""",
        *(tenant, call.id, call.order, call.purpose, call.state, call.counselor),
        *(write_call(call), call.started_at, call.ended_at),
    )


async def load_call(connection: "Connection", tenant: TenantId, call: CallId) -> Stored | None:
    """The call; the lock on its order is what keeps others away from it."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM calls WHERE tenant = $1 AND id = $2", tenant, call
    )
    return None if row is None else _stored(row)


def reading(tenant: str, call: str) -> str:
    """The part of a WITH that reads a call, `called`, as its last writer left it.

    Both are named by SQL expressions. The lock is for nobody else, its order's is what keeps others
    away: but only a row that is locked is read anew by a statement that had to wait for that order.
    `read_call_row` reads a row that has the columns.
    """
    return f"""
    called AS (
        SELECT {_PREFIXED} FROM calls WHERE tenant = {tenant} AND id = {call} FOR UPDATE
    )"""


def read_call_row(row: "Record") -> Stored:
    """What `reading` found."""
    return _stored(row, "c_")


async def live_call_of(connection: "Connection", tenant: TenantId, order: OrderId) -> Stored | None:
    """The order's call that has not ended, if there is one."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM calls WHERE tenant = $1 AND order_id = $2 AND ended_at IS NULL",
        *(tenant, order),
    )
    return None if row is None else _stored(row)


async def last_call_of(
    connection: "Connection", tenant: TenantId, order: OrderId, purpose: Purpose
) -> Stored | None:
    """The order's newest call of that purpose: it holds the count of attempts so far."""
    row = await connection.fetchrow(
        f"""SELECT {_COLUMNS} FROM calls WHERE tenant = $1 AND order_id = $2 AND purpose = $3
            ORDER BY id DESC LIMIT 1""",
        *(tenant, order, purpose),
    )
    return None if row is None else _stored(row)


async def calls_of(connection: "Connection", tenant: TenantId, order: OrderId) -> list[Call]:
    """All calls of the order, oldest first."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM calls WHERE tenant = $1 AND order_id = $2 ORDER BY id",
        *(tenant, order),
    )
    return [_stored(row).call for row in rows]


async def live_calls(connection: "Connection") -> list[tuple[TenantId, Call]]:
    """Every call of any tenant that has not ended: for reconciling with the carrier."""
    rows = await connection.fetch(f"SELECT tenant, {_COLUMNS} FROM calls WHERE ended_at IS NULL")
    return [(TenantId(row["tenant"]), _stored(row).call) for row in rows]


async def calls_of_legs(connection: "Connection", legs: Sequence[LegId]) -> dict[LegId, Call]:
    """The call of each leg that belongs to one, by its name or because it dialled in."""
    rows = await connection.fetch(
        f"""SELECT leg, {_COLUMNS} FROM unnest($1::text[]) AS asked (leg)
            JOIN calls ON calls.id = coalesce(
                (SELECT call FROM dial_in_legs WHERE dial_in_legs.leg = asked.leg),
                split_part(asked.leg, '/', 1))""",
        list(legs),
    )
    return {LegId(row["leg"]): _stored(row).call for row in rows}


async def engaged_call(connection: "Connection", tenant: TenantId, counselor: str) -> Stored | None:
    """The call that claims the counselor now."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM calls WHERE tenant = $1 AND counselor = $2", tenant, counselor
    )
    return None if row is None else _stored(row)


_SAVING = """
    saved AS (
        UPDATE calls SET state = $4, counselor = $5, record = $6, ended_at = $7, version = $3 + 1
        WHERE tenant = $1 AND id = $2 AND version = $3
        RETURNING version
    ), unset AS (
        DELETE FROM timers WHERE tenant = $1 AND call = $2 AND kind = ANY ($8::text[])
    ), set_ AS (
        INSERT INTO timers (tenant, call, kind, due_at, state_version)
        SELECT $1, $2, kind, due_at, $3 + 1
        FROM unnest($9::text[], $10::timestamptz[]) AS new (kind, due_at)
        ON CONFLICT (tenant, call, kind) DO UPDATE
        SET due_at = excluded.due_at, state_version = excluded.state_version, leased_until = NULL
    ), asked AS (
        INSERT INTO carrier_orders
            (tenant, call, state_version, body, due_at, written_at, leased_until, tries)
        SELECT $1, $2, $3 + 1, body, due_at, $11, $14::timestamptz, ($14 IS NOT NULL)::integer
        FROM unnest($12::jsonb[], $13::timestamptz[]) WITH ORDINALITY AS new (body, due_at, place)
        ORDER BY place
        RETURNING seq
    )"""
_SAVED = """
    (SELECT version FROM saved) AS call_version, array(SELECT seq FROM asked ORDER BY seq) AS seqs,
    EXISTS (
        SELECT FROM carrier_orders
        WHERE tenant = $1 AND call = $2 AND outcome IS NULL AND due_at <= $11
    ) AS others_pending"""


async def save_call(
    connection: "Connection",
    tenant: TenantId,
    before: Stored,
    after: Call,
    effects: "Sequence[Effect]",
    now: datetime,
    leased_until: datetime | None,
) -> Written:
    """Write the call, its timers and its orders to the carrier: one statement, all or nothing.

    Raises CallMoved when the row is not the version that was read.
    """
    change = saving_call(tenant, before, after, effects, now, leased_until)
    return read_written(await carry_out(connection, change), after)


def saving_call(
    tenant: TenantId,
    before: Stored,
    after: Call,
    effects: "Sequence[Effect]",
    now: datetime,
    leased_until: datetime | None,
) -> Change:
    """What `save_call` does, to be done with other changes; `read_written` reads the answer.

    The orders are born leased to the process that decided, which obeys them right after its commit;
    should it die, the lease lapses and another takes them.
    """
    old = {timer.kind: timer.due_at for timer in before.call.timers}
    new = {timer.kind: timer.due_at for timer in after.timers}
    changed: list[TimerKind] = [kind for kind, due_at in new.items() if old.get(kind) != due_at]
    orders = carrier_orders(effects)
    arguments = (
        *(tenant, after.id, before.version, after.state, after.counselor, write_call(after)),
        after.ended_at,
        [kind for kind in old if kind not in new],
        *(changed, [new[kind] for kind in changed]),
        now,
        *([write_order(order) for order in orders], [_due(order, now) for order in orders]),
        leased_until,
    )
    return Change(_SAVING, _SAVED, arguments)


def read_written(row: "Record", call: Call) -> Written:
    """What `saving_call` answered. Raises CallMoved."""
    if row["call_version"] is None:
        raise CallMoved(call.id)
    return Written(row["call_version"], tuple(row["seqs"]), row["others_pending"])


def carrier_orders(effects: "Sequence[Effect]") -> list[CarrierOrder]:
    """The orders among effects, in their sequence."""
    return [
        one for one in effects if isinstance(one, Ring | Answer | Bridge | Say | Limit | HangUp)
    ]


def _due(order: CarrierOrder, now: datetime) -> datetime:
    return now + timedelta(seconds=order.after_seconds) if isinstance(order, HangUp) else now


async def bind_dial_in(
    connection: "Connection", tenant: TenantId, leg: LegId, call: CallId
) -> None:
    """Remember whose a leg that dialled in became."""
    await connection.execute(
        """INSERT INTO dial_in_legs (tenant, leg, call) VALUES ($1, $2, $3)
           ON CONFLICT (tenant, leg) DO UPDATE SET call = excluded.call""",
        *(tenant, leg, call),
    )


def read_calls(rows: "Sequence[Record]") -> list[Call]:
    """Calls from whole rows of their table."""
    return [_stored(row).call for row in rows]


def _stored(row: "Record", prefix: str = "") -> Stored:
    call = read_call(
        id=row[prefix + "id"],
        order=row[prefix + "order_id"],
        purpose=row[prefix + "purpose"],
        state=row[prefix + "state"],
        counselor=row[prefix + "counselor"],
        started_at=row[prefix + "started_at"],
        ended_at=row[prefix + "ended_at"],
        record=row[prefix + "record"],
    )
    return Stored(call, row[prefix + "version"])
