"""The statutory calendar: what the library knows, and what operators import.

The library knows no year that the State Council has not decided. `doctor` says when one is missing,
and `warmline holidays import` takes it over.
"""

import csv
from datetime import date
from typing import TYPE_CHECKING

from chinese_calendar import constants

from routing.store.calendar import CalendarDay, import_days, load_workdays
from terms.ids import TenantId

if TYPE_CHECKING:
    from warmline.database import Connection

SOURCE = "chinesecalendar"

_COLUMNS = ["day", "worked", "name"]
_WORKED = {"yes": True, "no": False}


class CalendarWrong(Exception):
    """A list of days that cannot be taken over; the text names the line and what is wrong."""


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


def read_days(text: str, source: str) -> list[CalendarDay]:
    """The days of a CSV list, in order. Raises CalendarWrong at the first line that is wrong."""
    lines = csv.reader(text.splitlines())
    if [cell.strip() for cell in next(lines, [])] != _COLUMNS:
        raise CalendarWrong(f"its first line must be {','.join(_COLUMNS)}")
    days: dict[date, CalendarDay] = {}
    for cells in lines:
        if not cells:
            continue
        day = _day(cells, f"line {lines.line_num}", source)
        if day.day in days:
            raise CalendarWrong(f"line {lines.line_num} names {day.day} again")
        days[day.day] = day
    if not days:
        raise CalendarWrong("it names no day")
    return [days[day] for day in sorted(days)]


def _day(cells: list[str], where: str, source: str) -> CalendarDay:
    if len(cells) != len(_COLUMNS):
        raise CalendarWrong(f"{where} has {len(cells)} columns instead of {len(_COLUMNS)}")
    told, worked, name = (cell.strip() for cell in cells)
    try:
        day = date.fromisoformat(told)
    except ValueError:
        raise CalendarWrong(f"{where} has no day like 2027-01-01") from None
    if worked not in _WORKED:
        raise CalendarWrong(f"{where} says neither yes nor no to whether the day is worked")
    return CalendarDay(day=day, worked=_WORKED[worked], name=name, source=source)
