"""An insurer's list as a table of texts: CSV in UTF-8 or GB 18030, XLSX, or objects of JSON.

Whatever the file is, what comes out is lines with their numbers, as a spreadsheet shows them.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from billing.policies.columns import Column, read_headers
from billing.policies.faults import Fault, FaultCode, fault
from billing.policies.file_faults import FileFaultCode
from warmline.policies.unreadable import ListUnreadable
from warmline.policies.workbook import (
    MOST_BYTES_UNPACKED,
    CellFault,
    is_workbook,
    read_workbook,
)

LONGEST_CELL = 500
MOST_COLUMNS = 60

_BOM = b"\xef\xbb\xbf"
_DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list; `faults` where it cannot even be taken apart."""

    number: int
    cells: Mapping[Column, str]
    faults: tuple[Fault, ...] = ()


def read_table(raw: bytes, most_bytes_unpacked: int = MOST_BYTES_UNPACKED) -> Iterator[Line]:
    """The lines of a file. Raises ListUnreadable, and HeadersWrong for its first line."""
    rows = read_workbook(raw, most_bytes_unpacked) if is_workbook(raw) else _csv_rows(raw)
    return _lines(rows)


def read_objects(objects: Iterable[Mapping[str, str]]) -> Iterator[Line]:
    """The lines of a list that came as JSON: keys are the English column names."""
    for number, one in enumerate(objects, start=1):
        yield Line(number, {Column(name): text for name, text in one.items()})


def _lines(rows: Iterator[tuple[int, Sequence[str | CellFault]]]) -> Iterator[Line]:
    first = next(((number, row) for number, row in rows if any(row)), None)
    if first is None:
        raise ListUnreadable(FileFaultCode.EMPTY)
    columns = read_headers([str(cell) for cell in first[1]])
    return _body(rows, columns)


def _body(
    rows: Iterator[tuple[int, Sequence[str | CellFault]]], columns: Sequence[Column | None]
) -> Iterator[Line]:
    for number, row in rows:
        if any(row):
            yield _line(number, row, columns)


def _line(number: int, row: Sequence[str | CellFault], columns: Sequence[Column | None]) -> Line:
    cells: dict[Column, str] = {}
    faults: list[Fault] = []
    if any(row[len(columns) :]):
        faults.append(fault(FaultCode.MORE_CELLS))
    for column, cell in zip(columns, row, strict=False):
        if column is None:
            if cell:
                faults.append(fault(FaultCode.CELL_WITHOUT_HEADER))
        elif isinstance(cell, CellFault):
            faults.append(fault(cell.code, column))
        elif len(cell) > LONGEST_CELL:
            faults.append(fault(FaultCode.TOO_LONG, column, most=LONGEST_CELL))
        else:
            cells[column] = cell
    return Line(number, cells, tuple(faults))


def _csv_rows(raw: bytes) -> Iterator[tuple[int, Sequence[str | CellFault]]]:
    text = _decoded(raw)
    head = text[: text.find("\n") + 1] or text
    delimiter = max(_DELIMITERS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as wrong:
            raise ListUnreadable(FileFaultCode.NOT_CSV, line=number) from wrong
        if len(row) > MOST_COLUMNS:
            raise ListUnreadable(FileFaultCode.TOO_MANY_CELLS, line=number, most=MOST_COLUMNS)
        yield number, [cell.strip() for cell in row]


def _decoded(raw: bytes) -> str:
    """UTF-8 with or without its mark, or else GB 18030, which holds GBK and GB 2312."""
    if b"\0" in raw:
        raise ListUnreadable(FileFaultCode.NEITHER_CSV_NOR_XLSX)
    try:
        return raw.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        return raw.decode("gb18030")
    except UnicodeDecodeError as wrong:
        line = raw.count(b"\n", 0, wrong.start) + 1
        raise ListUnreadable(FileFaultCode.ENCODING_UNKNOWN, line=line) from wrong
