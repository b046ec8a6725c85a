"""Calendar arithmetic on local dates: natural days and workdays (X12, X17, X51).

The first day is never counted (Civil Code art. 201). A natural day has no holiday shift; a workday
follows the statutory calendar, in which some weekends are worked and some weekdays are not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SATURDAY = 5


def after_natural_days(start: date, days: int) -> date:
    """The first date after a wait of `days` natural days, day 0 not counted (X12).

    A purchase on 1 January with 30 days of waiting is free on 1 February.
    """
    return start + timedelta(days=days + 1)


def anniversary(start: date, years: int) -> date:
    """The same day `years` later; where there is none, the last day of that month (X18)."""
    try:
        return start.replace(year=start.year + years)
    except ValueError:
        return start.replace(year=start.year + years, day=28)


@dataclass(frozen=True, slots=True)
class Workdays:
    """The statutory calendar: the exceptions to 'Monday to Friday'.

    `exceptions` maps a date to whether it is worked. `known_until` is the last date the table
    speaks for; later dates follow the weekday alone, which is a guess somebody must replace.
    """

    exceptions: Mapping[date, bool] = field(default_factory=dict)
    known_until: date | None = None

    def is_workday(self, day: date) -> bool:
        """Whether people work on `day`."""
        return self.exceptions.get(day, day.weekday() < SATURDAY)

    def after(self, start: date, days: int) -> date:
        """The date `days` workdays after `start`, `start` not counted."""
        day = start
        left = days
        while left:
            day += timedelta(days=1)
            left -= self.is_workday(day)
        return day

    def before(self, start: date, days: int) -> date:
        """The date `days` workdays before `start`, `start` not counted."""
        day = start
        left = days
        while left:
            day -= timedelta(days=1)
            left -= self.is_workday(day)
        return day


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Local midnight that opens `day`, in UTC."""
    return datetime.combine(day, time(0), zone).astimezone(UTC)


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """24:00 local of `day` (the next day's midnight), in UTC."""
    return start_of_day(day + timedelta(days=1), zone)


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    """The date a clock on the wall shows at `instant`."""
    return instant.astimezone(zone).date()
