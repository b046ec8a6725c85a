"""Reports: files of sums, for operators; for an insurer, of its own programs alone."""

import asyncio
from collections.abc import Awaitable, Callable
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Annotated, TypeAlias

from aiohttp import web
from pydantic import StringConstraints

from billing.settlement import read_month
from warmline.api.parts import PROGRAMS, SERVICE_LEVEL
from warmline.http.api import Media, Operations
from warmline.http.asked import Asked
from warmline.http.model import Query
from warmline.http.problems import BadInput, InputFault
from warmline.http.who import Staff, staff
from warmline.people import StaffRole
from warmline.reports.calls import call_figures
from warmline.reports.files import pieces, write_report
from warmline.reports.formats import CONTENT_TYPES, Format
from warmline.reports.settlement import Asking, at_one_instant, settlement, sponsor_sums

if TYPE_CHECKING:
    from warmline.database import Connection
    from warmline.reports.tables import Report

    Reporting: TypeAlias = Callable[[Connection, Asking], Awaitable[Report]]

reports = Operations("Reports")

OPERATOR = staff(StaffRole.OPERATOR)
OPERATOR_OR_INSURER = staff(StaffRole.OPERATOR, StaffRole.INSURER)
FILE = Media(tuple(CONTENT_TYPES.values()))

_ONE_AT_A_TIME = asyncio.Semaphore(1)
"""Adding up a month takes the database's breath; the next one waits."""


class WhichMonth(Query):
    """Which month, and how it is written."""

    month: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
    """A calendar month in the programs' zone: 2026-11."""

    format: Format = Format.JSON
    """`csv` has a byte order mark and one line per figure; `xlsx` a sheet per table."""


@reports("GET", "/v1/reports/settlement", who=(OPERATOR_OR_INSURER,), returns={200: FILE})
async def report_settlement(asked: Asked, who: Staff, query: WhichMonth) -> web.StreamResponse:
    """The settlement of a month: counselors, programs and sponsors, carriers, differing legs.

    An insurer gets the sums of its own programs and nothing else (B11).
    """
    if StaffRole.OPERATOR in who.roles:
        return await _file(asked, query, settlement)

    async def of_sponsor(connection: "Connection", asking: Asking) -> "Report":
        return await sponsor_sums(connection, asking, who.answers_for)

    return await _file(asked, query, of_sponsor)


@reports("GET", "/v1/reports/calls", who=(OPERATOR,), returns={200: FILE})
async def report_calls(asked: Asked, query: WhichMonth) -> web.StreamResponse:
    """Calls per day and program: how many, how soon they were answered, and how they ended."""
    return await _file(asked, query, call_figures)


async def _file(asked: Asked, query: WhichMonth, reporting: "Reporting") -> web.StreamResponse:
    with TemporaryFile() as spooled:
        name = await _spool(asked, query, reporting, spooled)
        return await _send(asked, query.format, name, spooled)


async def _spool(
    asked: Asked, query: WhichMonth, reporting: "Reporting", spooled: IO[bytes]
) -> str:
    """Write the whole report beside the database, and let go of it; the file's name."""
    asking = _asking(asked, query)
    async with _ONE_AT_A_TIME, asked.borrow() as connection, at_one_instant(connection):
        report = await reporting(connection, asking)
        await write_report(report, query.format, spooled)
    return f"{report.file_name}.{query.format}"


def _asking(asked: Asked, query: WhichMonth) -> Asking:
    try:
        month = read_month(query.month)
    except ValueError as refused:
        raise BadInput(
            InputFault(place="query", pointer="/month", detail=str(refused))
        ) from refused
    return Asking(
        tenant=asked.tenant,
        installation=asked.frame.tenant,
        month=month,
        programs=asked.part(PROGRAMS),
        level=asked.part(SERVICE_LEVEL),
    )


async def _send(asked: Asked, format: Format, name: str, spooled: IO[bytes]) -> web.StreamResponse:
    response = web.StreamResponse()
    response.headers["Content-Type"] = CONTENT_TYPES[format]
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    await response.prepare(asked.request)
    for piece in pieces(spooled):
        await response.write(piece)
    await response.write_eof()
    return response
