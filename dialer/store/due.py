"""What is due: orders to the carrier and timers. Leased, never locked across a carrier's answer."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from dialer.events import Timer, TimerKind
from dialer.orders import CarrierOrder
from dialer.store.codec import read_order, write_order
from terms.ids import CallId, LegId, OrderId, TenantId

if TYPE_CHECKING:
    from dialer.store.connection import Connection, Record


@dataclass(frozen=True, slots=True)
class DueOrder:
    """An order in hand, until its lease lapses.

    `tries` above zero: somebody may have sent it before, so ask first.
    """

    tenant: TenantId
    call: CallId
    seq: int
    order: CarrierOrder
    tries: int
    written_at: datetime
    leased_until: datetime


@dataclass(frozen=True, slots=True)
class DueTimer:
    """A timer in hand. `order` is its call's, which never changes; None: there is no such call.

    `set_by` is the version of the call that set it: told of one that comes too late.
    """

    tenant: TenantId
    call: CallId
    timer: Timer
    order: OrderId | None
    set_by: int


_IS_HEAD = """
    NOT EXISTS (
        SELECT FROM carrier_orders AS earlier
        WHERE earlier.tenant = head.tenant AND earlier.call = head.call
            AND earlier.seq < head.seq AND earlier.outcome IS NULL
            AND earlier.due_at <= greatest(head.due_at, head.leased_until, $1)
            AND NOT (earlier.body->>'order' = 'limit' AND earlier.fault IS NOT NULL))"""
"""No earlier order of the call is pending and due, at $1 or when `head` can be taken. A limit that
could not be moved yet has stepped aside: nothing waits for it."""

_HOLDER_IS_GONE = """
    leased_by NOT IN (
        SELECT application_name FROM pg_stat_activity WHERE application_name IS NOT NULL)"""
"""A process is called by the name of its connections; all of them are closed when it dies."""

_LEASE_ORDERS = f"""
    UPDATE carrier_orders AS mine
    SET leased_until = $2, tries = tries + 1, fault = NULL,
        leased_by = current_setting('application_name')
    FROM (
        SELECT tenant, call, seq FROM carrier_orders AS head
        WHERE outcome IS NULL AND due_at <= $1
            AND (leased_until IS NULL OR leased_until <= $1 OR {_HOLDER_IS_GONE})
            AND seq <> ALL ($4::bigint[])
            AND {_IS_HEAD}
        ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
    ) AS due
    WHERE mine.tenant = due.tenant AND mine.call = due.call AND mine.seq = due.seq
    RETURNING mine.*"""


async def lease_orders(
    connection: "Connection",
    now: datetime,
    *,
    until: datetime,
    in_hand: Collection[int] = (),
    limit: int = 50,
) -> list[DueOrder]:
    """Take due orders, of each call the first alone: they are obeyed in their sequence.

    None of those `in_hand`, by their numbers: whoever asks has them already.

    A lease holds until its time, and no longer than its holder's connections to the database.
    Only a limit that is tried again comes out of sequence, together with what went past it.
    """
    rows = await connection.fetch(_LEASE_ORDERS, now, until, limit, list(in_hand))
    return sorted((_due_order(row) for row in rows), key=lambda due: due.seq)


async def is_limited_anew(connection: "Connection", due: DueOrder, leg: LegId) -> bool:
    """Whether a later order sets the leg's limit, so that this one would take that back."""
    found: bool = await connection.fetchval(
        """SELECT EXISTS (
               SELECT FROM carrier_orders
               WHERE tenant = $1 AND call = $2 AND seq > $3
                   AND (outcome IS NULL OR outcome = 'done')
                   AND (body->>'order' = 'limit' AND body->>'leg' = $4
                       OR body->>'order' = 'bridge' AND body->'legs' ? $4))""",
        *(due.tenant, due.call, due.seq, leg),
    )
    return found


async def settle_order(
    connection: "Connection", due: DueOrder, *, outcome: str, fault: str | None, now: datetime
) -> bool:
    """Write how an order ended: refused, not_wanted, gave_up; False when that is another's to say.

    Whoever has it by now may be giving it to the carrier at this moment.
    """
    settled = await connection.fetchval(
        """UPDATE carrier_orders SET outcome = $5, fault = $6, settled_at = $7
           WHERE tenant = $1 AND call = $2 AND seq = $3 AND outcome IS NULL AND tries <= $4 + 1
           RETURNING true""",
        *(due.tenant, due.call, due.seq, due.tries, outcome, fault, now),
    )
    return bool(settled)


async def settle_done(
    connection: "Connection", done: Sequence[tuple[TenantId, CallId, int]], now: datetime
) -> None:
    """Write that orders, each given by its key, were carried out."""
    tenants, calls, seqs = zip(*done, strict=True)
    await connection.execute(
        """UPDATE carrier_orders AS mine SET outcome = 'done', settled_at = $4
           FROM unnest($1::text[], $2::text[], $3::bigint[]) AS done (tenant, call, seq)
           WHERE mine.tenant = done.tenant AND mine.call = done.call AND mine.seq = done.seq
               AND outcome IS NULL""",
        *(tenants, calls, seqs, now),
    )


async def postpone_order(
    connection: "Connection", due: DueOrder, *, fault: str, until: datetime
) -> bool:
    """The outcome is not known: look again at `until`. False when another has the order by now."""
    postponed = await connection.fetchval(
        """UPDATE carrier_orders SET fault = $5, leased_until = $6, tries = greatest(tries, 1)
           WHERE tenant = $1 AND call = $2 AND seq = $3 AND outcome IS NULL AND tries <= $4 + 1
           RETURNING true""",
        *(due.tenant, due.call, due.seq, due.tries, fault, until),
    )
    return bool(postponed)


async def give_back_orders(
    connection: "Connection", tenant: TenantId, call: CallId, seqs: list[int]
) -> None:
    """Let go of orders that were born leased to us but must wait for others' to be obeyed.

    One that somebody has taken over since is theirs.
    """
    await connection.execute(
        """UPDATE carrier_orders SET leased_until = NULL, tries = 0
           WHERE tenant = $1 AND call = $2 AND seq = ANY ($3::bigint[]) AND outcome IS NULL
               AND tries = 1""",
        *(tenant, call, seqs),
    )


async def keep_orders(
    connection: "Connection", orders: Sequence[DueOrder], *, until: datetime
) -> frozenset[int]:
    """Prolong leases that may have lapsed; the numbers of those that nobody else has by now."""
    tenants, calls, seqs, tries = zip(
        *((due.tenant, due.call, due.seq, due.tries + 1) for due in orders), strict=True
    )
    rows = await connection.fetch(
        """UPDATE carrier_orders AS mine SET leased_until = $5
           FROM unnest($1::text[], $2::text[], $3::bigint[], $4::integer[])
               AS held (tenant, call, seq, tries)
           WHERE mine.tenant = held.tenant AND mine.call = held.call AND mine.seq = held.seq
               AND mine.outcome IS NULL AND mine.tries = held.tries
           RETURNING mine.seq""",
        *(tenants, calls, seqs, tries, until),
    )
    return frozenset(row["seq"] for row in rows)


async def insert_orders(
    connection: "Connection",
    tenant: TenantId,
    call: CallId,
    orders: list[tuple[CarrierOrder, datetime]],
    now: datetime,
) -> None:
    """Orders that belong to no call: a caller who dialled in and is turned away."""
    await connection.executemany(
        """INSERT INTO carrier_orders (tenant, call, state_version, body, due_at, written_at)
           VALUES ($1, $2, 0, $3, $4, $5)""",
        [(tenant, call, write_order(order), due_at, now) for order, due_at in orders],
    )


async def about_to_go(connection: "Connection", legs: Collection[LegId]) -> frozenset[LegId]:
    """Which of the legs have an order to be hung up that is still to be obeyed."""
    rows = await connection.fetch(
        """SELECT DISTINCT body->>'leg' AS leg FROM carrier_orders
           WHERE outcome IS NULL AND body->>'order' = 'hang_up'
               AND body->>'leg' = ANY ($1::text[])""",
        list(legs),
    )
    return frozenset(LegId(row["leg"]) for row in rows)


async def next_order_at(connection: "Connection", now: datetime | None = None) -> datetime | None:
    """When `lease_orders` will next find something, should none be settled before.

    An order behind another of its call is not counted: whoever settles that one looks again.
    """
    due_at: datetime | None = await connection.fetchval(
        f"""SELECT min(greatest(due_at, leased_until)) FROM carrier_orders AS head
            WHERE outcome IS NULL AND {_IS_HEAD}""",
        now,
    )
    return due_at


async def lease_timers(
    connection: "Connection",
    now: datetime,
    *,
    until: datetime,
    held: Collection[TimerKind] = (),
    limit: int = 200,
) -> list[DueTimer]:
    """Take due timers, but none of the kinds that are held back.

    One that its call no longer holds is found to be stale when it fires.
    """
    rows = await connection.fetch(
        """UPDATE timers AS mine SET leased_until = $2
           FROM (
               SELECT tenant, call, kind FROM timers
               WHERE due_at <= $1 AND (leased_until IS NULL OR leased_until <= $1)
                   AND kind <> ALL ($4::text[])
               ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
           ) AS due
           WHERE mine.tenant = due.tenant AND mine.call = due.call AND mine.kind = due.kind
           RETURNING mine.tenant, mine.call, mine.kind, mine.due_at, mine.state_version,
               (SELECT order_id FROM calls WHERE tenant = mine.tenant AND id = mine.call)""",
        *(now, until, limit, list(held)),
    )
    taken = [
        DueTimer(
            TenantId(row["tenant"]),
            CallId(row["call"]),
            Timer(TimerKind(row["kind"]), row["due_at"]),
            None if row["order_id"] is None else OrderId(row["order_id"]),
            row["state_version"],
        )
        for row in rows
    ]
    return sorted(taken, key=lambda due: due.timer.due_at)


async def put_off_while_asked(
    connection: "Connection", due: DueTimer, *, now: datetime, since: datetime, until: datetime
) -> bool:
    """Put a timer off if an order of its call, one due `since` then, may yet be carried out."""
    put_off: bool | None = await connection.fetchval(
        """UPDATE timers SET leased_until = $6
           WHERE tenant = $1 AND call = $2 AND kind = $3 AND due_at = $7 AND EXISTS (
               SELECT FROM carrier_orders
               WHERE tenant = $1 AND call = $2 AND outcome IS NULL
                   AND due_at <= $4 AND due_at > $5)
           RETURNING true""",
        *(due.tenant, due.call, due.timer.kind, now, since, until, due.timer.due_at),
    )
    return put_off is not None


async def drop_timer(connection: "Connection", due: DueTimer) -> None:
    """Forget a stale timer, unless it was set anew meanwhile."""
    await connection.execute(
        "DELETE FROM timers WHERE tenant = $1 AND call = $2 AND kind = $3 AND due_at = $4",
        *(due.tenant, due.call, due.timer.kind, due.timer.due_at),
    )


async def next_timer_at(
    connection: "Connection", *, held: Collection[TimerKind] = ()
) -> datetime | None:
    """When the next timer is due, or its lease over, that is not of a kind held back.

    Read off the index by time: a lease can only matter of those due before the first free one.
    """
    due_at: datetime | None = await connection.fetchval(
        """WITH free AS (
               SELECT due_at FROM timers
               WHERE leased_until IS NULL AND kind <> ALL ($1::text[])
               ORDER BY due_at LIMIT 1
           )
           SELECT least(
               (SELECT due_at FROM free),
               (SELECT min(greatest(due_at, leased_until)) FROM timers
                WHERE leased_until IS NOT NULL AND kind <> ALL ($1::text[])
                    AND due_at <= coalesce((SELECT due_at FROM free), 'infinity')))""",
        list(held),
    )
    return due_at


def _due_order(row: "Record") -> DueOrder:
    return DueOrder(
        TenantId(row["tenant"]),
        CallId(row["call"]),
        row["seq"],
        read_order(row["body"]),
        row["tries"] - 1,
        row["written_at"],
        row["leased_until"],
    )
