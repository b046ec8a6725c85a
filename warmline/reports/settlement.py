"""The settlement of a month: what each room reports of its own, side by side.

Run it in one transaction (`at_one_instant`), so that all tables speak of the same state.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from billing.settlement import Month
from billing.store.settlement_sums import (
    COUNSELOR_SUMS,
    PROGRAM_SUMS,
    Span,
    counselor_sums,
    program_sums,
    programs_in_use,
)
from dialer.store.records import CARRIER_SUMS, carrier_sums, gather_legs, leg_differences
from terms.ids import ProgramId, TenantId
from warmline.programs import Program
from warmline.reports.exports import SMALL_CELL, Audience, Export, permit
from warmline.reports.tables import Report, Row, Table, each, row_of

if TYPE_CHECKING:
    from asyncpg import Record

    from warmline.database import Connection

HOUSE_ZONE = "Asia/Shanghai"
"""The zone of legs, and of programs whose file is gone."""

HOUSE_SPONSOR = "default"

_NOTES = (
    "A row whose for_month is an earlier month is a correction: that month's own report stays.",
    "Seconds are whole; vouchers and talk are those of the ledger, to the unit.",
)
_SPONSOR_NOTES = (
    "Sums of one sponsor's programs. What was said or done in a call is in no report (B11).",
    f"A figure that fewer than {SMALL_CELL} talks or vouchers stand behind is left empty, since it "
    "could point at a person. Corrections of earlier months are in the sums.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Which month, and whose. `installation` is the tenant that the settings name."""

    tenant: TenantId
    installation: TenantId
    month: Month
    programs: Mapping[ProgramId, Program]


@asynccontextmanager
async def at_one_instant(connection: "Connection") -> AsyncIterator[None]:
    """A transaction that sees one state of everything, and has room to add up."""
    async with connection.transaction(isolation="repeatable_read"):
        await connection.execute("SET LOCAL work_mem = '64MB'")
        yield


async def settlement(connection: "Connection", asking: Asking) -> Report:
    """The operators' report: counselors, programs, carriers, and legs that differ."""
    permit(Export.SETTLEMENT, Audience.OPERATOR)
    spans = await spans_of(connection, asking)
    month = str(asking.month)
    counselors = await counselor_sums(connection, asking.tenant, month, spans)
    programs = await program_sums(connection, asking.tenant, month, spans)
    since, until = asking.month.span(ZoneInfo(HOUSE_ZONE))
    await gather_legs(connection, asking.tenant, asking.installation, since, until)
    carriers = await carrier_sums(connection)
    return Report(
        name="settlement",
        month=month,
        zone=HOUSE_ZONE,
        tables=(
            _table("counselors", ("for_month", "sponsor", "program", "counselor"), counselors),
            _table("programs", ("for_month", "sponsor", "program"), programs),
            _table("carriers", ("carrier",), carriers),
            Table(
                name="differences",
                keys=_DIFFERENCE_KEYS,
                figures=_DIFFERENCE_FIGURES,
                rows=_differences(connection),
            ),
        ),
        notes=_NOTES,
    )


async def sponsor_sums(connection: "Connection", asking: Asking, sponsor: str) -> Report:
    """What a sponsor may see: sums of its own programs, none of them about few people (B11)."""
    permit(Export.SPONSOR_SUMS, Audience.INSURER)
    spans = await spans_of(connection, asking)
    rows = await program_sums(connection, asking.tenant, str(asking.month), spans)
    mine = [row for row in rows if row["sponsor"] == sponsor]
    return Report(
        name="sponsor",
        month=str(asking.month),
        zone=HOUSE_ZONE,
        tables=(
            Table(
                name="programs",
                keys=("sponsor", "program"),
                figures=PROGRAM_SUMS,
                rows=each(_without_small_cells(sponsor, mine)),
            ),
        ),
        notes=_SPONSOR_NOTES,
    )


_FIGURES = {
    "counselors": COUNSELOR_SUMS,
    "programs": PROGRAM_SUMS,
    "carriers": CARRIER_SUMS,
}
_DIFFERENCE_KEYS = ("carrier", "leg", "difference")
_DIFFERENCE_FIGURES = ("billed_seconds", "recorded_seconds")


def _table(name: str, keys: tuple[str, ...], records: "Iterable[Record]") -> Table:
    figures = _FIGURES[name]
    rows = [row_of(record, keys, figures) for record in records]
    return Table(name=name, keys=keys, figures=figures, rows=each(rows))


async def _differences(connection: "Connection") -> AsyncIterator[Row]:
    async for record in leg_differences(connection):
        yield row_of(record, _DIFFERENCE_KEYS, _DIFFERENCE_FIGURES)


def _without_small_cells(sponsor: str, records: "Iterable[Record]") -> list[Row]:
    sums: dict[str, dict[str, int]] = {}
    for record in records:
        of_program = sums.setdefault(record["program"], dict.fromkeys(PROGRAM_SUMS, 0))
        for figure in PROGRAM_SUMS:
            of_program[figure] += record[figure]
    return [
        Row((sponsor, program), tuple(_shown(figure, figures) for figure in PROGRAM_SUMS))
        for program, figures in sorted(sums.items())
    ]


def _shown(figure: str, figures: Mapping[str, int]) -> int | None:
    """The figure, unless few people stand behind it. Seconds stand for the talks they were."""
    behind = figures["calls"] if figure.endswith("_seconds") else figures[figure]
    return figures[figure] if behind >= SMALL_CELL or not figures[figure] else None


async def spans_of(connection: "Connection", asking: Asking) -> list[Span]:
    """The month as each program's own clock on the wall shows it."""
    known = await programs_in_use(connection, asking.tenant)
    return [_span(asking, ProgramId(one)) for one in sorted({*known, *asking.programs})]


def _span(asking: Asking, program: ProgramId) -> Span:
    sheet = asking.programs.get(program)
    zone = ZoneInfo(HOUSE_ZONE) if sheet is None else sheet.routing.hours.zone
    since, until = asking.month.span(zone)
    return Span(
        program=program,
        sponsor=HOUSE_SPONSOR if sheet is None else sheet.sponsor,
        zone=zone.key,
        since=since,
        until=until,
    )
