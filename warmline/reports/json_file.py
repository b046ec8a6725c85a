"""A report as JSON: one object, a list of rows for every table."""

import json
from collections.abc import AsyncIterator

from warmline.reports.tables import Report, Row, Table


async def json_chunks(report: Report) -> AsyncIterator[bytes]:
    """The document, piece by piece."""
    head = {
        "report": report.name,
        "month": report.month,
        "zone": report.zone,
        "notes": list(report.notes),
    }
    yield json.dumps(head, ensure_ascii=False)[:-1].encode()
    for table in report.tables:
        yield f", {json.dumps(table.name)}: [".encode()
        before = ""
        async for row in table.rows:
            yield f"{before}{_object(table, row)}".encode()
            before = ", "
        yield b"]"
    yield b"}\n"


def _object(table: Table, row: Row) -> str:
    told: dict[str, str | int | None] = dict(zip(table.keys, row.keys, strict=True))
    told |= dict(zip(table.figures, row.figures, strict=True))
    return json.dumps(told, ensure_ascii=False)
