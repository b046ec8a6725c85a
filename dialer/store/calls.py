"""Calls: read whole, written whole, together with what they ask and when they want to be woken."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dialer.call import Call, Purpose
from dialer.events import TimerKind
from dialer.orders import CarrierOrder, HangUp
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
    orders: tuple[tuple[int, CarrierOrder], ...]  # each with its number
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


def reading_free(tenant: str, calls: str) -> str:
    """The part of `reading` for several calls, an array; one that somebody holds is passed over."""
    return f"""
    called AS (
        SELECT {_PREFIXED} FROM calls WHERE tenant = {tenant} AND id = ANY ({calls})
        FOR UPDATE SKIP LOCKED
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
        UPDATE calls SET state = new.state, counselor = new.counselor, record = new.record,
            ended_at = new.ended_at, version = new.version + 1
        FROM unnest($2::text[], $3::integer[], $4::text[], $5::text[], $6::jsonb[],
            $7::timestamptz[]) AS new (id, version, state, counselor, record, ended_at)
        WHERE calls.tenant = $1 AND calls.id = new.id AND calls.version = new.version
        RETURNING calls.id
    )"""
_UNSETTING = """
    unset AS (
        DELETE FROM timers USING unnest($2::text[], $3::text[]) AS old (call, kind)
        WHERE timers.tenant = $1 AND timers.call = old.call AND timers.kind = old.kind
    )"""
_SETTING = """
    set_ AS (
        INSERT INTO timers (tenant, call, state_version, kind, due_at)
        SELECT $1, new.*
        FROM unnest($2::text[], $3::integer[], $4::text[], $5::timestamptz[]) AS new
        ON CONFLICT (tenant, call, kind) DO UPDATE
        SET due_at = excluded.due_at, state_version = excluded.state_version, leased_until = NULL
    )"""
_ASKING = """
    asked AS (
        INSERT INTO carrier_orders
            (tenant, call, state_version, body, due_at, written_at, leased_until, tries)
        SELECT $1, call, version, body, due_at, $6, $7::timestamptz, ($7 IS NOT NULL)::integer
        FROM unnest($2::text[], $3::integer[], $4::jsonb[], $5::timestamptz[]) WITH ORDINALITY
            AS new (call, version, body, due_at, place)
        ORDER BY place
        RETURNING seq
    )"""
_ASKED = """
    array(SELECT seq FROM asked ORDER BY seq) AS seqs,
    array(
        SELECT call FROM carrier_orders
        WHERE tenant = $1 AND call = ANY ($2::text[]) AND outcome IS NULL AND due_at <= $6
    ) AS behind"""


@dataclass(frozen=True, slots=True)
class Move:
    """A call as it was read and as it is now, and what follows from that."""

    before: Stored
    after: Call
    effects: "Sequence[Effect]"

    @property
    def version(self) -> int:
        """The version that the call has once this is written."""
        return self.before.version + 1

    @property
    def orders(self) -> list[CarrierOrder]:
        """What the carrier is asked, in its sequence."""
        return carrier_orders(self.effects)


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
    moves = [Move(before, after, effects)]
    row = await carry_out(connection, *saving_calls(tenant, moves, now, leased_until))
    return read_written(row, moves)[0]


def saving_calls(
    tenant: TenantId, moves: Sequence[Move], now: datetime, leased_until: datetime | None
) -> list[Change]:
    """What `save_call` does, for several calls and to be done with other changes; `read_written`
    reads the answer.

    The orders are born leased to the process that decided, which obeys them right after its commit;
    should it die, the lease lapses and another takes them.
    """
    return [
        _saving(tenant, moves),
        *_setting_timers(tenant, moves),
        *_asking(tenant, moves, now, leased_until),
    ]


def _saving(tenant: TenantId, moves: Sequence[Move]) -> Change:
    calls = [move.after for move in moves]
    arguments = (
        tenant,
        [call.id for call in calls],
        [move.before.version for move in moves],
        [call.state for call in calls],
        [call.counselor for call in calls],
        [write_call(call) for call in calls],
        [call.ended_at for call in calls],
    )
    return Change(_SAVING, "array(SELECT id FROM saved) AS calls_saved", arguments)


def _setting_timers(tenant: TenantId, moves: Sequence[Move]) -> Iterator[Change]:
    unset: list[tuple[CallId, TimerKind]] = []
    set_: list[tuple[CallId, int, TimerKind, datetime]] = []
    for move in moves:
        call = move.after
        old = {timer.kind: timer.due_at for timer in move.before.call.timers}
        new = {timer.kind: timer.due_at for timer in call.timers}
        unset += [(call.id, kind) for kind in old if kind not in new]
        set_ += [
            (call.id, move.version, kind, due_at)
            for kind, due_at in new.items()
            if old.get(kind) != due_at
        ]
    if unset:
        yield Change(_UNSETTING, "true AS timers_unset", (tenant, *_columns(unset)))
    if set_:
        yield Change(_SETTING, "true AS timers_set", (tenant, *_columns(set_)))


def _asking(
    tenant: TenantId, moves: Sequence[Move], now: datetime, leased_until: datetime | None
) -> Iterator[Change]:
    asked = [
        (move.after.id, move.version, write_order(order), _due(order, now))
        for move in moves
        for order in move.orders
    ]
    if asked:
        yield Change(_ASKING, _ASKED, (tenant, *_columns(asked), now, leased_until))


def _columns(rows: Sequence[tuple[object, ...]]) -> Iterator[list[object]]:
    return (list(column) for column in zip(*rows, strict=True))


def read_written(row: "Record", moves: Sequence[Move]) -> list[Written]:
    """What `saving_calls` answered, for each. Raises CallMoved."""
    saved = set(row["calls_saved"])
    for move in moves:
        if move.after.id not in saved:
            raise CallMoved(move.after.id)
    asked = any(move.orders for move in moves)
    seqs, behind = iter(row["seqs"] if asked else ()), set(row["behind"] if asked else ())
    return [
        Written(
            version=move.version,
            orders=tuple([(next(seqs), order) for order in move.orders]),
            others_pending=move.after.id in behind,
        )
        for move in moves
    ]


def carrier_orders(effects: "Sequence[Effect]") -> list[CarrierOrder]:
    """The orders among effects, in their sequence."""
    return [one for one in effects if isinstance(one, CarrierOrder)]


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
