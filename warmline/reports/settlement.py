"""The settlement of a month: what each room reports of its own, side by side.

Run it in one transaction (`at_one_instant`), so that all tables speak of the same state.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
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
from dialer.service_level import ServiceLevel
from dialer.store.records import CARRIER_SUMS, carrier_sums, gather_legs, leg_differences
from terms.ids import ProgramId, TenantId
from warmline.programs import Program
from warmline.reports.exports import SMALL_CELL, Audience, Export, permit
from warmline.reports.tables import Report, Row, Table, each, row_of

if TYPE_CHECKING:
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
    level: ServiceLevel


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
    counselors = [
        row_of(record, _COUNSELOR_KEYS, COUNSELOR_SUMS)
        for span in spans
        for record in await counselor_sums(connection, asking.tenant, span)
    ]
    programs = await _program_sums(connection, asking, spans)
    since, until = asking.month.span(ZoneInfo(HOUSE_ZONE))
    await gather_legs(connection, asking.tenant, asking.installation, since, until)
    carriers = [
        row_of(record, ("carrier",), CARRIER_SUMS) for record in await carrier_sums(connection)
    ]
    return Report(
        name="settlement",
        month=str(asking.month),
        zone=HOUSE_ZONE,
        tables=(
            _table("counselors", _COUNSELOR_KEYS, COUNSELOR_SUMS, counselors),
            _table(
                "programs",
                ("for_month", "sponsor", "program"),
                PROGRAM_SUMS,
                [_program_row(about, figures) for about, figures in sorted(programs.items())],
            ),
            _table("carriers", ("carrier",), CARRIER_SUMS, carriers),
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
    sums = await _program_sums(connection, asking, await spans_of(connection, asking))
    mine = {about: figures for about, figures in sums.items() if about[1] == sponsor}
    return Report(
        name="sponsor",
        month=str(asking.month),
        zone=HOUSE_ZONE,
        tables=(
            _table(
                "programs",
                ("sponsor", "program"),
                PROGRAM_SUMS,
                _without_small_cells(sponsor, mine),
            ),
        ),
        notes=_SPONSOR_NOTES,
    )


Sums = Mapping[tuple[str, str, str], Mapping[str, int]]
"""Figures by month concerned, sponsor and program."""

_COUNSELOR_KEYS = ("for_month", "program", "counselor")
_DIFFERENCE_KEYS = ("carrier", "leg", "difference")
_DIFFERENCE_FIGURES = ("billed_seconds", "recorded_seconds")


def _table(
    name: str, keys: tuple[str, ...], figures: tuple[str, ...], rows: Iterable[Row]
) -> Table:
    return Table(name=name, keys=keys, figures=figures, rows=each(rows))


async def _program_sums(connection: "Connection", asking: Asking, spans: Sequence[Span]) -> Sums:
    """Sums of all programs; where no insurance policy is behind them, the program's sponsor."""
    sums: dict[tuple[str, str, str], Counter[str]] = {}
    for span in spans:
        found = await program_sums(connection, asking.tenant, span)
        for about, figures in found.items():
            sponsor = about.sponsor or sponsor_of(asking, about.program)
            key = (about.for_month, sponsor, about.program)
            sums.setdefault(key, Counter()).update(figures)
    return sums


def _program_row(about: tuple[str, str, str], figures: Mapping[str, int]) -> Row:
    return Row(about, tuple(figures.get(figure, 0) for figure in PROGRAM_SUMS))


async def _differences(connection: "Connection") -> AsyncIterator[Row]:
    async for record in leg_differences(connection):
        yield row_of(record, _DIFFERENCE_KEYS, _DIFFERENCE_FIGURES)


def _without_small_cells(sponsor: str, mine: Sums) -> list[Row]:
    sums: dict[str, Counter[str]] = {}
    for (_, _, program), figures in mine.items():
        sums.setdefault(program, Counter()).update(figures)
    return [
        Row((sponsor, program), tuple(_shown(figure, figures) for figure in PROGRAM_SUMS))
        for program, figures in sorted(sums.items())
    ]


def _shown(figure: str, figures: Mapping[str, int]) -> int | None:
    """The figure, unless few people stand behind it. Seconds stand for the talks they were."""
    behind = figures["calls"] if figure.endswith("_seconds") else figures[figure]
    return figures[figure] if behind >= SMALL_CELL or not figures[figure] else None


def sponsor_of(asking: Asking, program: str) -> str:
    """Who pays for the program, by its file."""
    sheet = asking.programs.get(ProgramId(program))
    return HOUSE_SPONSOR if sheet is None else sheet.sponsor


async def spans_of(connection: "Connection", asking: Asking) -> list[Span]:
    """The month by the clock on the wall of each zone that programs live by."""
    known = await programs_in_use(connection, asking.tenant)
    zones: dict[str, list[str]] = {}
    for program in sorted({*known, *asking.programs}):
        sheet = asking.programs.get(ProgramId(program))
        zone = HOUSE_ZONE if sheet is None else sheet.routing.hours.zone.key
        zones.setdefault(zone, []).append(program)
    return [_span(asking.month, zone, programs) for zone, programs in sorted(zones.items())]


def _span(month: Month, zone: str, programs: Sequence[str]) -> Span:
    since, until = month.span(ZoneInfo(zone))
    return Span(month=str(month), zone=zone, since=since, until=until, programs=tuple(programs))
