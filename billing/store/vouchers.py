"""Vouchers and the append-only list of their movements."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from billing.store.connection import carry_out
from billing.voucher import Moved, Movement, State, Voucher
from terms.change import Change
from terms.ids import CallerId, OrderId, ProgramId, TenantId, VoucherId

if TYPE_CHECKING:
    from billing.store.connection import Connection, Record

COLUMNS = """id, program, state, code_hash, code_ending, valid_until, changed_at, holder, order_id,
    replaces, no_contacts, moves"""


class VoucherMoved(Exception):
    """Somebody else moved the voucher since it was read: read again and decide anew."""


async def insert_vouchers(
    connection: "Connection", tenant: TenantId, made: Sequence[Sequence[Moved]]
) -> None:
    """New vouchers, each given as the moves that made it; the last one is where it is now."""
    await connection.executemany(
        f"""INSERT INTO vouchers (tenant, {COLUMNS})
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)""",
        [(tenant, *_values(moves[-1][0])) for moves in made],
    )
    await connection.executemany(
        """INSERT INTO voucher_movements (tenant, voucher, number, from_account, to_account, reason,
               order_id, at, key)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        [(tenant, *_entry(movement)) for moves in made for _, movement in moves],
    )


async def save_voucher(
    connection: "Connection", tenant: TenantId, voucher: Voucher, movement: Movement
) -> None:
    """The voucher after one movement, and the movement: both or neither, in one statement.

    Raises VoucherMoved when it is not the movement that comes next.
    """
    change = saving_voucher(tenant, voucher, movement)
    check_moved(await carry_out(connection, change), voucher)


_SAVING = """
    moved AS (
        UPDATE vouchers SET state = $11, changed_at = $8, holder = $12, order_id = $13,
            no_contacts = $14, moves = $3
        WHERE tenant = $1 AND id = $2 AND moves = $3 - 1
        RETURNING 1
    ), noted AS (
        INSERT INTO voucher_movements (tenant, voucher, number, from_account, to_account, reason,
            order_id, at, key)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9 FROM moved WHERE $10 = $3
        RETURNING number
    )"""


def saving_voucher(tenant: TenantId, voucher: Voucher, movement: Movement) -> Change:
    """What `save_voucher` does, to be done with other changes; `check_moved` reads the answer."""
    arguments = (
        tenant,
        *_entry(movement),
        voucher.moves,
        voucher.state,
        voucher.holder,
        voucher.order,
        voucher.no_contacts,
    )
    return Change(_SAVING, "(SELECT number FROM noted) AS voucher_moved", arguments)


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


async def movements_of(
    connection: "Connection", tenant: TenantId, voucher: VoucherId
) -> list[Movement]:
    """Everything that ever happened to the voucher, in order."""
    rows = await connection.fetch(
        """SELECT voucher, number, from_account, to_account, reason, order_id, at
           FROM voucher_movements WHERE tenant = $1 AND voucher = $2 ORDER BY number""",
        tenant,
        voucher,
    )
    return [
        Movement(
            voucher=VoucherId(row["voucher"]),
            number=row["number"],
            from_account=row["from_account"],
            to_account=row["to_account"],
            reason=row["reason"],
            order=row["order_id"],
            at=row["at"],
        )
        for row in rows
    ]


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
        moves=row[prefix + "moves"],
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
        voucher.moves,
    )


def _entry(movement: Movement) -> tuple[object, ...]:
    return (
        movement.voucher,
        movement.number,
        movement.from_account,
        movement.to_account,
        movement.reason,
        movement.order,
        movement.at,
        movement.key,
    )
