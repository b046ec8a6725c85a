"""Every reason for which an insurer's file is not read at all: a code, and one sentence.

Pages word a code in their reader's language; commands and logs print the sentence.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class FileFaultCode(StrEnum):
    """What is wrong; `FILE_SENTENCES` says what each means and what it is told with."""

    HEADER_UNKNOWN = "header_unknown"
    HEADER_MISSING = "header_missing"
    HEADER_TWICE = "header_twice"
    COLUMN_MISSING = "column_missing"
    EMPTY = "empty"
    NEITHER_CSV_NOR_XLSX = "neither_csv_nor_xlsx"
    ENCODING_UNKNOWN = "encoding_unknown"
    NOT_CSV = "not_csv"
    TOO_MANY_CELLS = "too_many_cells"
    TOO_MANY_LINES = "too_many_lines"
    DAMAGED = "damaged"
    NOT_A_WORKBOOK = "not_a_workbook"
    SEVERAL_SHEETS = "several_sheets"
    TOO_MANY_ROWS = "too_many_rows"
    TOO_LARGE_UNPACKED = "too_large_unpacked"


FILE_SENTENCES: Mapping[FileFaultCode, str] = {
    FileFaultCode.HEADER_UNKNOWN: "column {place}: the header '{header}' is not known",
    FileFaultCode.HEADER_MISSING: "column {place} has no header",
    FileFaultCode.HEADER_TWICE: "column {place}: there are two columns for {column} ({chinese})",
    FileFaultCode.COLUMN_MISSING: "there is no column {column} ({chinese})",
    FileFaultCode.EMPTY: "The file is empty: its first line must name the columns.",
    FileFaultCode.NEITHER_CSV_NOR_XLSX: (
        "The file is neither CSV nor XLSX: save it as one of these (an old .xls as .xlsx)."
    ),
    FileFaultCode.ENCODING_UNKNOWN: (
        "Line {line} is neither UTF-8 nor GB 18030: save the file as CSV UTF-8."
    ),
    FileFaultCode.NOT_CSV: (
        "Line {line} is not CSV: write cells with commas between them, and a cell that holds a "
        "comma or quote in double quotes."
    ),
    FileFaultCode.TOO_MANY_CELLS: "Line {line} has more than {most} cells.",
    FileFaultCode.TOO_MANY_LINES: (
        "The list has more than {most} lines: use `warmline policies import`."
    ),
    FileFaultCode.DAMAGED: "The file is damaged: save it again from the spreadsheet.",
    FileFaultCode.NOT_A_WORKBOOK: (
        "The file is packed like an XLSX but is none: save it again from the spreadsheet."
    ),
    FileFaultCode.SEVERAL_SHEETS: "The workbook has {sheets} sheets: keep the one with the list.",
    FileFaultCode.TOO_MANY_ROWS: "The sheet has more than {most} rows: split it.",
    FileFaultCode.TOO_LARGE_UNPACKED: (
        "The workbook would become far too large when unpacked: save the list alone, as CSV."
    ),
}


@dataclass(frozen=True, slots=True)
class FileFault:
    """One reason; `given` fills the sentence."""

    code: FileFaultCode
    given: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return FILE_SENTENCES[self.code].format_map(self.given)


def file_fault(code: FileFaultCode, **given: object) -> FileFault:
    """A fault with what its sentence tells."""
    return FileFault(code, {name: str(value) for name, value in given.items()})
