"""A report as XLSX: a sheet per table, texts written as texts, figures as whole numbers.

Rows go to a file on the disk as they come, so that a report takes no memory to speak of.
"""

import asyncio
import re
from typing import IO, TYPE_CHECKING

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from warmline.reports.tables import Report, Row, Table

if TYPE_CHECKING:
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

ROWS_MOST = 1_048_576
"""What a sheet can hold, its heading included."""

_NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_TEXT_MOST = 32_767


async def write_xlsx(report: Report, out: IO[bytes], *, rows_most: int = ROWS_MOST) -> None:
    """Write the report. A table that is too long for one sheet goes on in the next."""
    book = Workbook(write_only=True)
    for table in report.tables:
        await _write_table(book, table, rows_most)
    if report.notes:
        sheet = book.create_sheet("notes")
        for note in report.notes:
            sheet.append([_text(sheet, note)])
    await asyncio.to_thread(book.save, out)


async def _write_table(book: Workbook, table: Table, rows_most: int) -> None:
    sheet, written, number = _sheet(book, table, 1), 1, 1
    async for row in table.rows:
        if written == rows_most:
            number += 1
            sheet, written = _sheet(book, table, number), 1
        sheet.append(_cells(sheet, row))
        written += 1


def _sheet(book: Workbook, table: Table, number: int) -> "WriteOnlyWorksheet":
    name = table.name if number == 1 else f"{table.name} {number}"
    sheet: WriteOnlyWorksheet = book.create_sheet(name)
    sheet.append([_text(sheet, heading) for heading in (*table.keys, *table.figures)])
    return sheet


def _cells(sheet: "WriteOnlyWorksheet", row: Row) -> list[object]:
    return [*(_text(sheet, key) for key in row.keys), *row.figures]


def _text(sheet: "WriteOnlyWorksheet", text: str) -> WriteOnlyCell:
    """A cell that holds a text, whatever it begins with."""
    cell = WriteOnlyCell(sheet, value=_NO_XML.sub("\ufffd", text)[:_TEXT_MOST])
    cell.data_type = "s"  # a text that begins with = would be a formula otherwise
    cell.number_format = "@"  # and stays a text when somebody edits it
    return cell
