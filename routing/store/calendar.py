"""The statutory calendar as an importable table: it is announced anew every autumn (4.9)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from terms.calendar import Workdays
from terms.ids import TenantId

if TYPE_CHECKING:
    from routing.store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDay:
    """A date that is not what its weekday says, and who says so."""

    day: date
    worked: bool
    name: str = ""
    source: str


async def import_days(
    connection: "Connection", tenant: TenantId, days: Iterable[CalendarDay]
) -> None:
    """Add days; what was known of the same dates is replaced."""
    await connection.executemany(
        """INSERT INTO calendar_days (tenant, day, worked, name, source)
           VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (tenant, day) DO UPDATE
             SET worked = excluded.worked, name = excluded.name, source = excluded.source""",
        [(tenant, day.day, day.worked, day.name, day.source) for day in days],
    )


async def load_workdays(connection: "Connection", tenant: TenantId) -> Workdays:
    """The calendar, known until the end of the last year it says anything about."""
    rows = await connection.fetch("SELECT day, worked FROM calendar_days WHERE tenant = $1", tenant)
    exceptions = {row["day"]: row["worked"] for row in rows}
    known_until = date(max(exceptions).year, 12, 31) if exceptions else None
    return Workdays(exceptions=exceptions, known_until=known_until)
