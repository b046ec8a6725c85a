"""The ledger's one table. Nothing in it is ever changed; corrections are new entries."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from billing.ledger import Entry
from terms.ids import BookId, CallId, OrderId, TenantId

if TYPE_CHECKING:
    from billing.store.connection import Connection, Record

_IN_A_BOOK = """number, from_account, to_account, units, reason, order_id, call, recurs, at,
    about, hash"""
_TYPES = (
    "integer",
    "text",
    "text",
    "integer",
    "text",
    "text",
    "text",
    "boolean",
    "timestamptz",
    "bytea",
    "bytea",
)

ENTRY_COLUMNS = f"book, {_IN_A_BOOK}"


def noting(name: str, guard: str, first: int) -> str:
    """A part of a WITH that adds entries of one book, in this order, if `guard` gives a row.

    $1 is the tenant; the values of `entry_arguments` come from ${first} on.
    """
    columns = [f"${first + 1 + place}::{kind}[]" for place, kind in enumerate(_TYPES)]
    return f"""
    {name} AS (
        INSERT INTO ledger_entries (tenant, book, {_IN_A_BOOK})
        SELECT $1, ${first}, new.* FROM {guard}, unnest({", ".join(columns)}) AS new
    )"""


def entry_arguments(entries: Sequence[Entry]) -> tuple[object, ...]:
    """What `noting` takes of at least one entry of one book."""
    return (
        entries[0].book,
        [one.number for one in entries],
        [one.from_account for one in entries],
        [one.to_account for one in entries],
        [one.units for one in entries],
        [one.reason for one in entries],
        [one.order for one in entries],
        [one.call for one in entries],
        [one.recurs for one in entries],
        [one.at for one in entries],
        [one.about for one in entries],
        [one.hash for one in entries],
    )


async def insert_entries(
    connection: "Connection", tenant: TenantId, entries: Sequence[Entry]
) -> None:
    """Add entries of any books in one round trip; their subjects' rows are written beside this."""
    await connection.executemany(
        f"""INSERT INTO ledger_entries (tenant, {ENTRY_COLUMNS})
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)""",
        [(tenant, *_values(entry)) for entry in entries],
    )


async def entries_of(connection: "Connection", tenant: TenantId, book: BookId) -> list[Entry]:
    """Everything that was ever booked there, in order."""
    rows = await connection.fetch(
        f"""SELECT {ENTRY_COLUMNS} FROM ledger_entries
            WHERE tenant = $1 AND book = $2 ORDER BY number""",
        tenant,
        book,
    )
    return [read_entry(row) for row in rows]


def read_entry(row: "Record") -> Entry:
    """An entry from a row that has `ENTRY_COLUMNS`."""
    order, call = row["order_id"], row["call"]
    return Entry(
        book=BookId(row["book"]),
        number=row["number"],
        from_account=row["from_account"],
        to_account=row["to_account"],
        units=row["units"],
        reason=row["reason"],
        order=None if order is None else OrderId(order),
        call=None if call is None else CallId(call),
        recurs=row["recurs"],
        at=row["at"],
        about=row["about"],
        hash=row["hash"],
    )


def _values(entry: Entry) -> tuple[object, ...]:
    return (
        entry.book,
        entry.number,
        entry.from_account,
        entry.to_account,
        entry.units,
        entry.reason,
        entry.order,
        entry.call,
        entry.recurs,
        entry.at,
        entry.about,
        entry.hash,
    )
