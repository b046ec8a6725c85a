"""When a line is open. Hours govern admission only: a talk may run past closing (X05).

Opening windows are wall-clock times of the line's own zone. A window belongs to the day it opens
on, even when it runs past midnight: Friday 22:00-06:00 ends on Saturday morning.

Where daylight saving repeats a wall time, a line opens at the first and closes at the second; a
skipped wall time counts in the offset that held before the jump.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from terms.calendar import Workdays, local_date

DAY_MINUTES = 24 * 60
EVERY_WEEKDAY = frozenset(range(7))
SEARCHED_DAYS = 400  # a line that does not open within a year does not open
_WINDOW = re.compile(r"(\d{2}):(\d{2})-(\d{2}):(\d{2})")

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """From one wall time (included) to another (excluded), in minutes after midnight.

    `closes_minute` above 24 * 60 lies on the next day.
    """

    opens_minute: int
    closes_minute: int

    def __post_init__(self) -> None:
        assert 0 <= self.opens_minute < DAY_MINUTES
        assert self.opens_minute < self.closes_minute <= self.opens_minute + DAY_MINUTES


ALL_DAY = Window(0, DAY_MINUTES)


def parse_window(text: str) -> Window:
    """`24h`, `10:00-22:00`, or `22:00-06:00` across midnight. Raises ValueError."""
    if text == "24h":
        return ALL_DAY
    matched = _WINDOW.fullmatch(text)
    if matched is None:
        raise ValueError(f'write "24h" or "10:00-22:00", not "{text}"')
    opens_hour, opens_rest, closes_hour, closes_rest = (int(part) for part in matched.groups())
    opens, closes = opens_hour * 60 + opens_rest, closes_hour * 60 + closes_rest
    if opens >= DAY_MINUTES or closes > DAY_MINUTES or max(opens_rest, closes_rest) > 59:
        raise ValueError(f'"{text}" is no time of a day')
    if opens == closes:
        raise ValueError(f'"{text}" is never open; write "24h" for always')
    return Window(opens, closes if closes > opens else closes + DAY_MINUTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningHours:
    """The windows of a line and the days they hold on.

    `workdays_only` follows the statutory calendar, worked weekends included (X51). `closed_on` are
    days this line alone stays shut. `last_admission_seconds` ends admission before closing (X05).
    """

    zone: ZoneInfo
    windows: tuple[Window, ...]
    weekdays: frozenset[int] = EVERY_WEEKDAY
    workdays_only: bool = False
    closed_on: frozenset[date] = frozenset()
    last_admission_seconds: int = 0

    @property
    def never_closes(self) -> bool:
        """Open at every instant, whatever the calendar says."""
        if ALL_DAY not in self.windows or self.workdays_only or self.closed_on:
            return False
        return self.weekdays == EVERY_WEEKDAY


def is_open(hours: OpeningHours, now: datetime, workdays: Workdays) -> bool:
    """Whether somebody dialling at `now` is admitted: 21:59:59 is, 22:00:00 is not (X05, A24)."""
    if hours.never_closes:
        return True
    today = local_date(now, hours.zone)
    if hours.last_admission_seconds:
        spans = _admissions(hours, today, 2, workdays)
    else:
        spans = _spans(hours, today, 2, workdays)  # where they touch, each admits all the same
    return any(start <= now < end for start, end in spans)


def next_opening(hours: OpeningHours, now: datetime, workdays: Workdays) -> datetime | None:
    """The first instant from `now` on that admits a dial; `now` itself while open.

    None when the line does not open within 400 days.
    """
    if hours.never_closes:
        return now
    today = local_date(now, hours.zone)
    for start, end in _admissions(hours, today, SEARCHED_DAYS, workdays):
        if now < end:
            return max(start, now)
    return None


def closed_for_today(hours: OpeningHours, now: datetime, workdays: Workdays) -> bool:
    """Whether no further dial is admitted before the local day ends: the shift is over (X04)."""
    opening = next_opening(hours, now, workdays)
    return opening is None or local_date(opening, hours.zone) > local_date(now, hours.zone)


def _admissions(hours: OpeningHours, today: date, days: int, workdays: Workdays) -> Iterator[Span]:
    """Spans of admission from yesterday's windows on, in order, each cut by the last admission."""
    early = timedelta(seconds=hours.last_admission_seconds)
    for start, end in _joined(_spans(hours, today, days, workdays)):
        if start < end - early:
            yield start, end - early


def _joined(spans: Iterator[Span]) -> Iterator[Span]:
    """Touching spans as one, so that midnight is no closing time of a line that goes on."""
    current = next(spans, None)
    if current is None:
        return
    for start, end in spans:
        if start <= current[1]:
            current = current[0], max(current[1], end)
        else:
            yield current
            current = start, end
    yield current


def _spans(hours: OpeningHours, today: date, days: int, workdays: Workdays) -> Iterator[Span]:
    for offset in range(-1, days):
        day = today + timedelta(days=offset)
        if not _serves(hours, day, workdays):
            continue
        for window in sorted(hours.windows):
            yield _span(day, window.opens_minute, window.closes_minute, hours.zone)


def _serves(hours: OpeningHours, day: date, workdays: Workdays) -> bool:
    if day in hours.closed_on or day.weekday() not in hours.weekdays:
        return False
    return not hours.workdays_only or workdays.is_workday(day)


@lru_cache(maxsize=1024)
def _span(day: date, opens_minute: int, closes_minute: int, zone: ZoneInfo) -> Span:
    opens = _instant(day, opens_minute, zone, fold=0)
    return opens, max(_instant(day, closes_minute, zone, fold=fold) for fold in (0, 1))


def _instant(day: date, minute: int, zone: ZoneInfo, *, fold: int) -> datetime:
    days, rest = divmod(minute, DAY_MINUTES)
    hour, minute_of_hour = divmod(rest, 60)
    wall = time(hour, minute_of_hour, fold=fold)
    return datetime.combine(day + timedelta(days=days), wall, zone).astimezone(UTC)
