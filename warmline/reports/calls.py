"""Figures of a month's calls, per day and program."""

from typing import TYPE_CHECKING

from dialer.service_level import ServiceLevel
from dialer.store.figures import CALL_FIGURES
from warmline.reports.exports import Audience, Export, permit
from warmline.reports.settlement import HOUSE_ZONE, Asking, spans_of
from warmline.reports.store import calls_per_day
from warmline.reports.tables import Report, Table, each, row_of

if TYPE_CHECKING:
    from warmline.database import Connection

_KEYS = ("day", "program")
_NOTES = (
    "A call counts on the day it began. Formulas: docs/settlement.md.",
    "connected: both were joined. abandoned: not connected, since the caller gave up.",
    "blocked: no line was to be had, or we failed; not among the offered.",
)


async def call_figures(connection: "Connection", asking: Asking) -> Report:
    """Offered, connected, abandoned, the service level, attempts, and how calls ended."""
    permit(Export.CALL_FIGURES, Audience.OPERATOR)
    rows = [
        row_of(record, _KEYS, CALL_FIGURES)
        for span in await spans_of(connection, asking)
        for record in await calls_per_day(connection, asking.tenant, span, asking.level)
    ]
    return Report(
        name="calls",
        month=str(asking.month),
        zone=HOUSE_ZONE,
        tables=(Table(name="days", keys=_KEYS, figures=CALL_FIGURES, rows=each(rows)),),
        notes=(*_NOTES, _service_level(asking.level)),
    )


def _service_level(level: ServiceLevel) -> str:
    return (
        f"answered_in_time: connected within {level.within_seconds} s. abandoned_short: given up "
        f"within {level.short_abandon_seconds} s. service level: answered_in_time / "
        "service_level_counted, which is offered - under_way - abandoned_short."
    )
