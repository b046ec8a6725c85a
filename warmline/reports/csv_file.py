"""A report as CSV: RFC 4180 with a byte order mark, one line per figure, safe to open.

All tables share one heading, so that the file is one table: what each line is about, the name of
the figure, and its units. Spreadsheets take a cell that begins with =, +, -, @, a tab or a line end
for a formula, full-width forms too; such a text gets an apostrophe before it. Units are numbers of
ours and stay as they are.
"""

import csv
import io
from collections.abc import AsyncIterator

from warmline.reports.tables import Report, Row, Table

BYTE_ORDER_MARK = "\ufeff"
KEYS = ("for_month", "sponsor", "program", "day", "counselor", "carrier", "leg", "difference")
HEADING = ("report", "month", "table", *KEYS, "figure", "units")

_STARTS_A_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_LINES_AT_ONCE = 500


def guarded(text: str) -> str:
    """The text as no spreadsheet takes for a formula."""
    risky = text.startswith(_STARTS_A_FORMULA) or text.lstrip().startswith(_STARTS_A_FORMULA)
    return f"'{text}" if risky else text


async def csv_chunks(report: Report) -> AsyncIterator[bytes]:
    """The file, piece by piece."""
    page = io.StringIO(newline="")
    writer = csv.writer(page, lineterminator="\r\n")
    page.write(BYTE_ORDER_MARK)
    writer.writerow(HEADING)
    waiting = 0
    for table in report.tables:
        async for row in table.rows:
            writer.writerows(_lines(report, table, row))
            waiting += len(row.figures)
            if waiting >= _LINES_AT_ONCE:
                yield _taken(page)
                waiting = 0
    yield _taken(page)


def _lines(report: Report, table: Table, row: Row) -> list[list[str | int]]:
    about = dict(zip(table.keys, row.keys, strict=True))
    start = [report.name, report.month, table.name, *(guarded(about.get(key, "")) for key in KEYS)]
    named = zip(table.figures, row.figures, strict=True)
    return [[*start, name, "" if figure is None else figure] for name, figure in named]


def _taken(page: io.StringIO) -> bytes:
    text = page.getvalue()
    page.seek(0)
    page.truncate()
    return text.encode()
