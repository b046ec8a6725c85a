"""The ledger and the rows it speaks of, read side by side, book by book, in bounded memory."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import billing.quota
import billing.talk
import billing.voucher
from billing.ledger import Entry, Fault, Reading
from billing.store.graded import with_lines
from billing.store.ledger import ENTRY_COLUMNS, read_entry
from billing.store.order_rows import ORDER_COLUMNS, read_order
from billing.store.quotas import QUOTA_COLUMNS, read_quota
from billing.store.vouchers import COLUMNS as VOUCHER_COLUMNS
from billing.store.vouchers import read_voucher
from terms.ids import BookId, TenantId

if TYPE_CHECKING:
    from billing.store.connection import Connection, Record

_AT_ONCE = 2_000
_SECONDS = 3_600.0

_UNREADABLE = (AssertionError, KeyError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of book: where the rows are that its books are about."""

    prefix: str
    table: str
    key: str  # what follows the prefix in a book's name, or all of it
    columns: str
    disagreements: "Callable[[Record, Reading], Iterator[Fault]]"
    graded: bool = False  # its entries vouch for lines of the settlement too


def _voucher(row: "Record", reading: Reading) -> Iterator[Fault]:
    return billing.voucher.disagreements(read_voucher(row), reading)


def _order(row: "Record", reading: Reading) -> Iterator[Fault]:
    return billing.talk.disagreements(read_order(row), reading)


def _quota(row: "Record", reading: Reading) -> Iterator[Fault]:
    quota = read_quota(row)
    if quota.book != reading.book:
        yield Fault(reading.book, None, "its row is about another subject or period")
    yield from billing.quota.disagreements(quota, reading)


KINDS = (
    Kind("quota/", "quotas", "book", QUOTA_COLUMNS, _quota),
    Kind("talk/", "orders", "'talk/' || id", ORDER_COLUMNS, _order, graded=True),
    Kind("voucher/", "vouchers", "'voucher/' || id", VOUCHER_COLUMNS, _voucher),
)


class Verified:
    """How much was read."""

    __slots__ = ("books", "entries")

    def __init__(self) -> None:
        self.books = 0
        self.entries = 0


async def tenants_of(connection: "Connection") -> list[TenantId]:
    """Everybody who has anything that is counted."""
    rows = await connection.fetch(
        """SELECT tenant FROM ledger_entries UNION SELECT tenant FROM vouchers
           UNION SELECT tenant FROM orders UNION SELECT tenant FROM quotas
           UNION SELECT tenant FROM call_grades
           UNION SELECT tenant FROM ledger_seals UNION SELECT tenant FROM ledger_sealed_heads
           ORDER BY tenant""",
        timeout=_SECONDS,
    )
    return [TenantId(row["tenant"]) for row in rows]


async def faults_in_books(
    connection: "Connection", tenant: TenantId, verified: Verified
) -> AsyncIterator[Fault]:
    """Everything wrong with a tenant's books, and with the rows they speak of; in a transaction."""
    for kind in KINDS:
        async for fault in _faults_of_kind(connection, tenant, kind, verified):
            yield fault
    prefixes = [f"{kind.prefix}%" for kind in KINDS]
    strays = connection.cursor(
        """SELECT book, number FROM ledger_entries
           WHERE tenant = $1 AND NOT book LIKE ANY ($2::text[]) ORDER BY book, number""",
        *(tenant, prefixes),
        prefetch=_AT_ONCE,
        timeout=_SECONDS,
    )
    async for row in strays:
        yield Fault(BookId(row["book"]), row["number"], "there is no such kind of book")


async def _faults_of_kind(
    connection: "Connection", tenant: TenantId, kind: Kind, verified: Verified
) -> AsyncIterator[Fault]:
    """Both in the order of their books: what one side has and the other has not, is found."""
    subjects = aiter(_subjects(connection, tenant, kind))
    subject = await anext(subjects, None)
    readings = _readings(connection, tenant, kind, verified)
    if kind.graded:
        readings = with_lines(connection, tenant, readings)
    async for reading, faults in readings:
        while subject is not None and subject[0] < reading.book:
            for fault in _unbooked(*subject, kind):
                yield fault
            subject = await anext(subjects, None)
        for fault in faults:
            yield fault
        if subject is None or subject[0] != reading.book:
            yield Fault(reading.book, None, "what the book is about is gone")
            continue
        for fault in _compared(subject[1], reading, kind):
            yield fault
        subject = await anext(subjects, None)
    while subject is not None:
        for fault in _unbooked(*subject, kind):
            yield fault
        subject = await anext(subjects, None)


async def _readings(
    connection: "Connection", tenant: TenantId, kind: Kind, verified: Verified
) -> AsyncIterator[tuple[Reading, list[Fault]]]:
    """Every book of a kind, read to its end, with what is wrong in itself."""
    reading: Reading | None = None
    faults: list[Fault] = []
    async for entry in _entries(connection, tenant, kind):
        if reading is None or reading.book != entry.book:
            if reading is not None:
                yield reading, faults
            reading, faults = Reading(entry.book), []
            verified.books += 1
        verified.entries += 1
        faults += reading.take(entry)
    if reading is not None:
        yield reading, faults


async def _entries(connection: "Connection", tenant: TenantId, kind: Kind) -> AsyncIterator[Entry]:
    rows = connection.cursor(
        f"""SELECT {ENTRY_COLUMNS} FROM ledger_entries
            WHERE tenant = $1 AND book >= $2 AND book < $3 ORDER BY book, number""",
        *(tenant, kind.prefix, _after(kind.prefix)),
        prefetch=_AT_ONCE,
        timeout=_SECONDS,
    )
    async for row in rows:
        yield read_entry(row)


async def _subjects(
    connection: "Connection", tenant: TenantId, kind: Kind
) -> "AsyncIterator[tuple[BookId, Record]]":
    columns = kind.columns if kind.key == "book" else f"{kind.key} AS book, {kind.columns}"
    rows = connection.cursor(
        f"""SELECT {columns} FROM {kind.table} WHERE tenant = $1
            ORDER BY ({kind.key}) COLLATE "C\"""",
        tenant,
        prefetch=_AT_ONCE,
        timeout=_SECONDS,
    )
    async for row in rows:
        yield BookId(row["book"]), row


def _compared(row: "Record", reading: Reading, kind: Kind) -> list[Fault]:
    try:
        return list(kind.disagreements(row, reading))
    except _UNREADABLE as fault:
        return [Fault(reading.book, None, f"its row says what cannot be ({type(fault).__name__})")]


def _unbooked(book: BookId, row: "Record", kind: Kind) -> list[Fault]:
    """A row that nothing was booked about: fine only where nothing ever happened."""
    return _compared(row, Reading(book), kind)


def _after(prefix: str) -> str:
    """The first text that does not begin with `prefix`, in byte order."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
