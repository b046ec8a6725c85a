"""Orders: one locking read and one guarded write per event."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from billing.ledger import Entry
from billing.order import (
    Order,
    Settlement,
)
from billing.quota import Quota
from billing.store.connection import carry_out
from billing.store.ledger import entry_arguments, noting
from billing.store.order_rows import ORDER_COLUMNS, changing, read_order
from billing.store.quotas import QUOTA_COLUMNS, read_quota
from billing.store.reviews import opening_review, withdrawing_review
from billing.store.settlement import adding_grade
from billing.store.vouchers import COLUMNS, read_voucher
from billing.talk import opening, vouching
from billing.voucher import Voucher, voucher_book
from terms.change import Change
from terms.ids import CallerId, OrderId, ProgramId, TenantId, VoucherId
from terms.refusals import RefusalCode, Refused

if TYPE_CHECKING:
    from billing.store.connection import Connection, Record

# Asked of orders at rest alone; those of most programs are never alone.
_SUPERSEDED = """(one_at_a_time AND closed_at IS NOT NULL AND EXISTS (
            SELECT FROM orders AS other
            WHERE other.tenant = orders.tenant AND other.caller = orders.caller
                AND other.program = orders.program AND other.one_at_a_time
                AND other.state IN ('open', 'in_call', 'interrupted')))"""


def _prefixed(columns: str, prefix: str) -> str:
    return ", ".join(f"{name.strip()} AS {prefix}{name.strip()}" for name in columns.split(","))


def locking(tenant: str, order: str) -> str:
    """The parts of a WITH that lock an order, `wanted`, and then what pays for it: its voucher,
    `held`, or its quota, `counted`.

    Both are named by SQL expressions; `read_locked` reads a row that has the columns of all three.
    """
    return f"""
    wanted AS (
        SELECT {ORDER_COLUMNS}, {_SUPERSEDED} AS superseded
        FROM orders WHERE tenant = {tenant} AND id = {order} FOR UPDATE
    ), held AS (
        SELECT {_prefixed(COLUMNS, "v_")}
        FROM vouchers WHERE tenant = {tenant} AND id = (SELECT voucher FROM wanted) FOR UPDATE
    ), counted AS (
        SELECT {_prefixed(QUOTA_COLUMNS, "q_")}
        FROM quotas WHERE tenant = {tenant} AND book = (SELECT quota FROM wanted) FOR UPDATE
    )"""


def locking_free(tenant: str, orders: str) -> str:
    """The parts of `locking` for several orders, an array: those that nobody else holds.

    Whatever somebody holds is passed over and never waited for, so these locks need no order among
    themselves. Where what pays for an order is held by somebody, only the order is there.
    """
    return f"""
    wanted AS (
        SELECT {ORDER_COLUMNS}, {_SUPERSEDED} AS superseded
        FROM orders WHERE tenant = {tenant} AND id = ANY ({orders}) FOR UPDATE SKIP LOCKED
    ), held AS (
        SELECT {_prefixed(COLUMNS, "v_")} FROM vouchers
        WHERE tenant = {tenant} AND id = ANY (ARRAY(SELECT voucher FROM wanted))
        FOR UPDATE SKIP LOCKED
    ), counted AS (
        SELECT {_prefixed(QUOTA_COLUMNS, "q_")} FROM quotas
        WHERE tenant = {tenant} AND book = ANY (ARRAY(SELECT quota FROM wanted))
        FOR UPDATE SKIP LOCKED
    ), locked AS (
        SELECT * FROM wanted LEFT JOIN held ON v_id = voucher LEFT JOIN counted ON q_book = quota
        WHERE (voucher IS NULL OR v_id IS NOT NULL) AND (quota IS NULL OR q_book IS NOT NULL)
    )"""


_WITH_PAYMENT = f"""WITH {locking("$1", "$2")}
    SELECT * FROM wanted LEFT JOIN held ON true LEFT JOIN counted ON true"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """An order and what pays for it, nobody else's until the transaction ends.

    `superseded`: it is at rest, and its caller has another open order where they may have but one.
    """

    order: Order
    voucher: Voucher | None
    quota: Quota | None
    superseded: bool


class OrderMoved(Exception):
    """Somebody else wrote the order since it was read: read again and decide anew."""


_INSERTING = f"""
    WITH inserted AS (
        INSERT INTO orders (tenant, {ORDER_COLUMNS}, due_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
            $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)
        ON CONFLICT DO NOTHING RETURNING id
    ), {noting("talk_noted", "inserted", 33)}
    SELECT id FROM inserted"""


async def insert_order(connection: "Connection", tenant: TenantId, order: Order) -> None:
    """A new order, and the entry that opens its book.

    Raises Refused: voucher_in_use when another live order holds its voucher, call_in_progress when
    the person's one open order of this program is still alive (X34).
    """
    head, entry = opening(order)
    assert order.head == head
    inserted = await connection.fetchval(
        _INSERTING,
        tenant,
        order.id,
        order.caller,
        order.program,
        order.program_version,
        order.program_digest,
        order.voucher,
        order.quota,
        order.one_at_a_time,
        order.opened_at,
        order.expires_at,
        order.starts_at,
        order.cancel_free_until,
        order.granted_seconds,
        *changing(order),
        order.version,
        order.due_at,
        *entry_arguments((entry,)),
    )
    if inserted is None and order.voucher is not None:
        raise Refused(RefusalCode.VOUCHER_IN_USE, "Another order holds this voucher.")
    if inserted is None:
        raise Refused(
            RefusalCode.CALL_IN_PROGRESS, "An earlier order of this service is still open; use it."
        )


async def load_order(connection: "Connection", tenant: TenantId, order: OrderId) -> Order | None:
    """The order as it is, unlocked."""
    row = await connection.fetchrow(
        f"SELECT {ORDER_COLUMNS} FROM orders WHERE tenant = $1 AND id = $2", tenant, order
    )
    return read_order(row) if row else None


async def lock_order_with_payment(
    connection: "Connection", tenant: TenantId, order: OrderId
) -> Locked | None:
    """The order, and the voucher or quota it was opened with, locked in turn by one statement."""
    row = await connection.fetchrow(_WITH_PAYMENT, tenant, order)
    return None if row is None else read_locked(row)


def read_locked(row: "Record") -> Locked:
    """What `locking` found."""
    return Locked(
        order=read_order(row),
        voucher=None if row["v_id"] is None else read_voucher(row, "v_"),
        quota=None if row["q_book"] is None else read_quota(row, "q_"),
        superseded=row["superseded"],
    )


async def save_order(connection: "Connection", tenant: TenantId, order: Order) -> Order:
    """Write what may change, and answer the order with its new version; its seconds stay.

    Raises OrderMoved when the row is not the version that was read.
    """
    return await save_settlement(connection, tenant, Settlement(order=order))


_SAVING = """
    order_saved AS (
        UPDATE orders SET counselor = $4, state = $5, remaining_seconds = $6,
            talked_seconds = $7, attempts_counted = $8, call = $9, connected_at = $10,
            talk_started_at = $11, resume_until = $12, closed_at = $13, closed_by = $14,
            closed_reason = $15, settled = $16, head_number = $17, head_hash = $18,
            let_down_at = $19, due_at = $20, version = version + 1
        WHERE tenant = $1 AND id = $2 AND version = $3
        RETURNING version
    )"""


_SAVING_WITH_TALK = f"{_SAVING}, {noting('talk_noted', 'order_saved', 21)}"


def _saving_order(tenant: TenantId, order: Order, talk: Sequence[Entry]) -> Change:
    arguments = (tenant, order.id, order.version, *changing(order), order.due_at)
    answers = "(SELECT version FROM order_saved) AS order_version"
    if not talk:
        return Change(_SAVING, answers, arguments)
    return Change(_SAVING_WITH_TALK, answers, (*arguments, *entry_arguments(talk)))


def read_saved(row: "Record", order: Order) -> Order:
    """The order with its new version. Raises OrderMoved."""
    if row["order_version"] is None:
        raise OrderMoved(order.id)
    return replace(order, version=row["order_version"])


async def save_settlement(
    connection: "Connection", tenant: TenantId, settlement: Settlement
) -> Order:
    """The order, the entries of its book, what the call counts as, and the review that is opened
    or withdrawn.

    Answers the order with its new version. Raises OrderMoved when the row is not the version that
    was read.
    """
    row = await carry_out(connection, *saving_settlement(tenant, settlement))
    return read_saved(row, settlement.order)


def saving_settlement(tenant: TenantId, settlement: Settlement) -> list[Change]:
    """What `save_settlement` does, to be done with other changes; `read_saved` reads the answer."""
    changes = [_saving_order(tenant, settlement.order, settlement.talk)]
    if settlement.graded is not None:
        changes.append(adding_grade(tenant, settlement.graded, vouching(settlement)))
    if settlement.review is not None:
        changes.append(opening_review(tenant, settlement.review))
    if settlement.review_withdrawn is not None:
        changes.append(withdrawing_review(tenant, settlement.review_withdrawn))
    return changes


async def list_orders(
    connection: "Connection",
    tenant: TenantId,
    caller: CallerId | None,
    *,
    limit: int,
    cursor: str | None,
) -> tuple[list[Order], str | None]:
    """Orders of one caller, or of all, newest first, and where the next page starts."""
    rows = await connection.fetch(
        f"""SELECT {ORDER_COLUMNS} FROM orders
            WHERE tenant = $1 AND ($2::text IS NULL OR caller = $2)
                AND ($3::text IS NULL OR id < $3)
            ORDER BY id DESC LIMIT $4""",
        tenant,
        caller,
        cursor,
        limit + 1,
    )
    orders = [read_order(row) for row in rows[:limit]]
    return orders, orders[-1].id if len(rows) > limit else None


async def orders_of_voucher(
    connection: "Connection", tenant: TenantId, voucher: VoucherId
) -> list[Order]:
    """Every order that ever held the voucher, as its book tells, newest first."""
    rows = await connection.fetch(
        f"""SELECT {ORDER_COLUMNS} FROM orders
            WHERE tenant = $1 AND id IN (
                SELECT order_id FROM ledger_entries WHERE tenant = $1 AND book = $2)
            ORDER BY id DESC""",
        *(tenant, voucher_book(voucher)),
    )
    return [read_order(row) for row in rows]


async def live_orders(
    connection: "Connection", tenant: TenantId, caller: CallerId, program: ProgramId
) -> list[Order]:
    """The caller's orders that are not at rest, oldest first: what a dial-in continues."""
    rows = await connection.fetch(
        f"""SELECT {ORDER_COLUMNS} FROM orders
            WHERE tenant = $1 AND caller = $2 AND program = $3
                AND state IN ('open', 'in_call', 'interrupted')
            ORDER BY id""",
        tenant,
        caller,
        program,
    )
    return [read_order(row) for row in rows]
