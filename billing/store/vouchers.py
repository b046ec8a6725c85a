"""Vouchers, each written together with the entry that says why."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from billing.ledger import Entry, Head
from billing.store.connection import carry_out
from billing.store.ledger import entry_arguments, insert_entries, noting
from billing.voucher import Moved, State, Voucher
from terms.change import Change
from terms.ids import CallerId, OrderId, ProgramId, TenantId, VoucherId

if TYPE_CHECKING:
    from billing.store.connection import Connection, Record

COLUMNS = """id, program, state, code_hash, code_ending, valid_until, changed_at, holder, order_id,
    replaces, no_contacts, head_number, head_hash"""


class VoucherMoved(Exception):
    """Somebody else moved the voucher since it was read: read again and decide anew."""


async def insert_vouchers(
    connection: "Connection", tenant: TenantId, made: Sequence[Sequence[Moved]]
) -> None:
    """New vouchers, each given as the moves that made it; the last one is where it is now."""
    await connection.executemany(
        f"""INSERT INTO vouchers (tenant, {COLUMNS})
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)""",
        [(tenant, *_values(moves[-1][0])) for moves in made],
    )
    await insert_entries(connection, tenant, [entry for moves in made for _, entry in moves])


async def save_voucher(
    connection: "Connection", tenant: TenantId, voucher: Voucher, entry: Entry
) -> None:
    """The voucher after one entry, and the entry: both or neither, in one statement.

    Raises VoucherMoved when it is not the entry that comes next.
    """
    change = saving_voucher(tenant, voucher, entry)
    check_moved(await carry_out(connection, change), voucher)


_SAVING = f"""
    moved AS (
        UPDATE vouchers SET state = $3, changed_at = $4, holder = $5, order_id = $6,
            no_contacts = $7, head_number = $8, head_hash = $9
        WHERE tenant = $1 AND id = $2 AND head_number = $8 - 1
        RETURNING 1
    ), {noting("voucher_noted", "moved", 10)}"""


def saving_voucher(tenant: TenantId, voucher: Voucher, entry: Entry) -> Change:
    """What `save_voucher` does, to be done with other changes; `check_moved` reads the answer.

    Raises VoucherMoved when the entry is not the one that led to this voucher.
    """
    if entry.head != voucher.head:
        raise VoucherMoved(voucher.id)
    arguments = (
        tenant,
        voucher.id,
        voucher.state,
        voucher.changed_at,
        voucher.holder,
        voucher.order,
        voucher.no_contacts,
        voucher.head.number,
        voucher.head.hash,
        *entry_arguments((entry,)),
    )
    return Change(_SAVING, "(SELECT true FROM moved) AS voucher_moved", arguments)


def check_moved(row: "Record", voucher: Voucher) -> None:
    """Raises VoucherMoved."""
    if row["voucher_moved"] is None:
        raise VoucherMoved(voucher.id)


async def load_voucher(
    connection: "Connection", tenant: TenantId, voucher: VoucherId
) -> Voucher | None:
    """The voucher as it is, unlocked."""
    row = await connection.fetchrow(
        f"SELECT {COLUMNS} FROM vouchers WHERE tenant = $1 AND id = $2", tenant, voucher
    )
    return read_voucher(row) if row else None


async def lock_voucher(
    connection: "Connection", tenant: TenantId, voucher: VoucherId
) -> Voucher | None:
    """The voucher, nobody else's until the transaction ends."""
    row = await connection.fetchrow(
        f"SELECT {COLUMNS} FROM vouchers WHERE tenant = $1 AND id = $2 FOR UPDATE", tenant, voucher
    )
    return read_voucher(row) if row else None


async def lock_voucher_by_code(
    connection: "Connection", tenant: TenantId, code_hash: bytes
) -> Voucher | None:
    """The voucher behind a typed code, locked: of many devices one comes first (A22)."""
    row = await connection.fetchrow(
        f"SELECT {COLUMNS} FROM vouchers WHERE tenant = $1 AND code_hash = $2 FOR UPDATE",
        tenant,
        code_hash,
    )
    return read_voucher(row) if row else None


async def list_vouchers(
    connection: "Connection", tenant: TenantId, holder: CallerId, *, limit: int, cursor: str | None
) -> tuple[list[Voucher], str | None]:
    """The vouchers of one account, newest first, and where the next page starts."""
    rows = await connection.fetch(
        f"""SELECT {COLUMNS} FROM vouchers
            WHERE tenant = $1 AND holder = $2 AND ($3::text IS NULL OR id < $3)
            ORDER BY id DESC LIMIT $4""",
        tenant,
        holder,
        cursor,
        limit + 1,
    )
    vouchers = [read_voucher(row) for row in rows[:limit]]
    return vouchers, vouchers[-1].id if len(rows) > limit else None


def read_voucher(row: "Record", prefix: str = "") -> Voucher:
    """A voucher from a row that has its columns, each with `prefix` before its name."""
    holder, order, replaces = (row[prefix + name] for name in ("holder", "order_id", "replaces"))
    return Voucher(
        id=VoucherId(row[prefix + "id"]),
        program=ProgramId(row[prefix + "program"]),
        state=State(row[prefix + "state"]),
        code_hash=row[prefix + "code_hash"],
        code_ending=row[prefix + "code_ending"],
        valid_until=row[prefix + "valid_until"],
        changed_at=row[prefix + "changed_at"],
        holder=None if holder is None else CallerId(holder),
        order=None if order is None else OrderId(order),
        replaces=None if replaces is None else VoucherId(replaces),
        no_contacts=row[prefix + "no_contacts"],
        head=Head(row[prefix + "head_number"], row[prefix + "head_hash"]),
    )


def _values(voucher: Voucher) -> tuple[object, ...]:
    return (
        voucher.id,
        voucher.program,
        voucher.state,
        voucher.code_hash,
        voucher.code_ending,
        voucher.valid_until,
        voucher.changed_at,
        voucher.holder,
        voucher.order,
        voucher.replaces,
        voucher.no_contacts,
        voucher.head.number,
        voucher.head.hash,
    )
