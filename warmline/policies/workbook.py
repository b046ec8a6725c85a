"""XLSX, read without trusting it: nothing is evaluated, and a small file cannot become a huge one.

openpyxl reads cells as they are stored. A formula is refused rather than believed by its last
result, and a number too long to be held exactly is refused rather than taken with wrong digits.
"""

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from xml.etree.ElementTree import ParseError

from billing.policies.faults import FaultCode
from billing.policies.file_faults import FileFaultCode
from warmline.policies.unreadable import ListUnreadable

MOST_BYTES_UNPACKED = 512 * 1024 * 1024
MOST_TIMES_LARGER = 200
MOST_PARTS = 1000
MOST_COLUMNS = 60
MOST_ROWS = 500_000

_ZIP = b"PK\x03\x04"
_EXACT_BELOW = 10**15  # a spreadsheet keeps 15 digits of a number


@dataclass(frozen=True, slots=True)
class CellFault:
    """A cell that is not taken as it stands."""

    code: FaultCode

    def __str__(self) -> str:
        return ""


def is_workbook(raw: bytes) -> bool:
    """Whether these bytes are a packed file, as XLSX is."""
    return raw.startswith(_ZIP)


def read_workbook(
    raw: bytes, most_bytes_unpacked: int = MOST_BYTES_UNPACKED
) -> Iterator[tuple[int, Sequence[str | CellFault]]]:
    """The rows of the first sheet with their numbers. Raises ListUnreadable."""
    _check_size(raw, most_bytes_unpacked)
    from openpyxl import load_workbook  # few commands need it, and it takes its time

    try:
        book = load_workbook(io.BytesIO(raw), read_only=True, data_only=False, keep_links=False)
        if len(book.worksheets) > 1:
            raise ListUnreadable(FileFaultCode.SEVERAL_SHEETS, sheets=len(book.worksheets))
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what it says of its own size need not be true
        yield from _rows(sheet)
    except (zipfile.BadZipFile, KeyError, ValueError, IndexError, ParseError, TypeError) as wrong:
        raise ListUnreadable(FileFaultCode.NOT_A_WORKBOOK) from wrong


def _rows(sheet: Any) -> Iterator[tuple[int, Sequence[str | CellFault]]]:
    rows = sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True)
    for number, row in enumerate(rows, start=1):
        if number > MOST_ROWS:
            raise ListUnreadable(FileFaultCode.TOO_MANY_ROWS, most=MOST_ROWS)
        yield number, ["" if value is None else _text(value) for value in row]


def _text(value: object) -> str | CellFault:
    match value:
        case str():
            # openpyxl gives a formula as it is written; no column wants a text that begins so.
            return CellFault(FaultCode.FORMULA) if value.startswith("=") else value.strip()
        case bool():
            return CellFault(FaultCode.TRUE_OR_FALSE)
        case datetime():
            midnight = value.time() == datetime.min.time()
            return value.date().isoformat() if midnight else value.isoformat(" ")
        case date():
            return value.isoformat()
        case int() | float():
            return _number(value)
        case _:
            return CellFault(FaultCode.FORMULA)


def _number(value: int | float) -> str | CellFault:
    if abs(value) >= _EXACT_BELOW:
        return CellFault(FaultCode.TOO_MANY_DIGITS)
    if value != int(value):
        return CellFault(FaultCode.FRACTION)
    return str(int(value))


def _check_size(raw: bytes, most_bytes_unpacked: int) -> None:
    """Whatever a part says of its size, no more than that is ever unpacked of it."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            parts = packed.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as wrong:
        raise ListUnreadable(FileFaultCode.DAMAGED) from wrong
    unpacked = sum(part.file_size for part in parts)
    most = min(most_bytes_unpacked, max(len(raw) * MOST_TIMES_LARGER, 1024 * 1024))
    if len(parts) > MOST_PARTS or unpacked > most:
        raise ListUnreadable(FileFaultCode.TOO_LARGE_UNPACKED)
