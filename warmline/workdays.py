"""Seeding the statutory calendar. The library knows no year that the State Council has not decided;
operators import later years themselves, and `doctor` says when one is missing."""

from datetime import date
from typing import TYPE_CHECKING

from chinese_calendar import constants

from routing.store.calendar import CalendarDay, import_days, load_workdays
from terms.ids import TenantId

if TYPE_CHECKING:
    from warmline.database import Connection

SOURCE = "chinesecalendar"


async def seed_calendar(connection: "Connection", tenant: TenantId) -> int:
    """Put the library's days in, once; how many were added. Days known already are left alone."""
    known = await load_workdays(connection, tenant)
    days = [day for day in known_days() if known.known_until is None or day.day > known.known_until]
    if days:
        await import_days(connection, tenant, days)
    return len(days)


def known_days() -> list[CalendarDay]:
    """Every exception to Monday-to-Friday that the library knows."""
    worked = {day: (True, str(name)) for day, name in constants.workdays.items()}
    free = {day: (False, str(name)) for day, name in constants.holidays.items()}
    return [
        CalendarDay(day=day, worked=is_worked, name=name, source=SOURCE)
        for day, (is_worked, name) in sorted({**free, **worked}.items())
        if _is_exception(day, is_worked)
    ]


def _is_exception(day: date, is_worked: bool) -> bool:
    return is_worked != (day.weekday() < 5)
