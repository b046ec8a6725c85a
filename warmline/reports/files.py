"""A report in the format somebody asked for, into a file that is read out afterwards.

The database is left before the first byte goes out: whoever reads slowly holds up nobody.
"""

from collections.abc import AsyncIterator, Iterator
from typing import IO

from warmline.reports.csv_file import csv_chunks
from warmline.reports.formats import Format
from warmline.reports.json_file import json_chunks
from warmline.reports.tables import Report

_PIECE_BYTES = 64 * 1024


async def write_report(report: Report, format: Format, out: IO[bytes]) -> None:
    """Read the report's tables to their end and write them."""
    match format:
        case Format.CSV:
            await _write_all(csv_chunks(report), out)
        case Format.JSON:
            await _write_all(json_chunks(report), out)
        case Format.XLSX:
            from warmline.reports.xlsx_file import write_xlsx  # few ask for it: start sooner

            await write_xlsx(report, out)


def pieces(written: IO[bytes]) -> Iterator[bytes]:
    """What was written, from the start, piece by piece."""
    written.seek(0)
    while piece := written.read(_PIECE_BYTES):
        yield piece


async def _write_all(chunks: AsyncIterator[bytes], out: IO[bytes]) -> None:
    async for chunk in chunks:
        out.write(chunk)
