"""The settlement's lines beside the books that vouch for them, in bounded memory."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from billing.ledger import Fault, Reading
from billing.settlement import GradeLine
from billing.store.settlement import GRADE_COLUMNS, read_line
from billing.talk import book_of, misgraded
from terms.ids import BookId, OrderId, TenantId

if TYPE_CHECKING:
    from billing.store.connection import Connection, Record

_AT_ONCE = 2_000
_SECONDS = 3_600.0

Read = tuple[Reading, list[Fault]]


async def with_lines(
    connection: "Connection", tenant: TenantId, readings: AsyncIterator[Read]
) -> AsyncIterator[Read]:
    """Every book of talk, with what is wrong with its lines too; in a transaction.

    Lines of an order that has no book come as one without entries.
    """
    lines = aiter(_lines_by_book(connection, tenant))
    of = await anext(lines, None)
    async for reading, faults in readings:
        while of is not None and of[0] < reading.book:
            yield _beside(Reading(of[0]), [], of[1])
            of = await anext(lines, None)
        if of is None or of[0] != reading.book:
            yield _beside(reading, faults, [])
            continue
        yield _beside(reading, faults, of[1])
        of = await anext(lines, None)
    while of is not None:
        yield _beside(Reading(of[0]), [], of[1])
        of = await anext(lines, None)


def _beside(reading: Reading, faults: list[Fault], rows: "list[Record]") -> Read:
    lines = {row["entry"]: _read(row) for row in rows}
    faults += misgraded(reading, lines)
    if len(lines) < len(rows):
        faults.append(Fault(reading.book, None, "one entry has two lines of call_grades"))
    return reading, faults


def _read(row: "Record") -> GradeLine | None:
    """None for what cannot be."""
    try:
        return read_line(row)
    except (AssertionError, ValueError):
        return None


async def _lines_by_book(
    connection: "Connection", tenant: TenantId
) -> "AsyncIterator[tuple[BookId, list[Record]]]":
    book, rows = BookId(""), list["Record"]()
    cursor = connection.cursor(
        f"""SELECT {GRADE_COLUMNS}, entry FROM call_grades WHERE tenant = $1
            ORDER BY order_id COLLATE "C", entry""",
        tenant,
        prefetch=_AT_ONCE,
        timeout=_SECONDS,
    )
    async for row in cursor:
        its = book_of(OrderId(row["order_id"]))
        if its != book and rows:
            yield book, rows
            rows = []
        book = its
        rows.append(row)
    if rows:
        yield book, rows
