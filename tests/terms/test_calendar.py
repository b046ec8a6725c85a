"""Days are counted as the law and the handbooks count them."""

from datetime import UTC, date, datetime
from importlib import import_module
from zoneinfo import ZoneInfo

import pytest

from terms.calendar import (
    Workdays,
    after_natural_days,
    end_of_day,
    local_date,
    start_of_day,
)

chinese_calendar = import_module("chinese_calendar")  # it brings no types
SHANGHAI = ZoneInfo("Asia/Shanghai")
STATUTORY = Workdays(
    exceptions={
        **dict.fromkeys(chinese_calendar.holidays, False),
        **dict.fromkeys(chinese_calendar.workdays, True),
    },
    known_until=date(2026, 12, 31),
)


@pytest.mark.rule("A16", "X12")
@pytest.mark.parametrize(
    ("taken_out", "free"),
    [
        (date(2025, 1, 1), date(2025, 2, 1)),
        (date(2024, 1, 31), date(2024, 3, 2)),
        (date(2025, 2, 1), date(2025, 3, 4)),
    ],
)
def test_a_wait_of_30_natural_days_does_not_count_its_first_day(
    taken_out: date, free: date
) -> None:
    assert after_natural_days(taken_out, 30) == free


@pytest.mark.rule("B01", "X17")
def test_a_wait_of_15_natural_days_does_not_count_its_first_day() -> None:
    assert after_natural_days(date(2025, 1, 1), 15) == date(2025, 1, 17)


@pytest.mark.rule("X51")
@pytest.mark.parametrize(
    ("start", "day"),
    [
        (date(2025, 9, 25), date(2025, 10, 15)),  # National Day lies between
        (date(2025, 6, 3), date(2025, 6, 17)),
        (date(2025, 1, 20), date(2025, 2, 8)),  # Spring Festival, and a worked Saturday
    ],
)
def test_ten_workdays_follow_the_statutory_calendar(start: date, day: date) -> None:
    assert STATUTORY.after(start, 10) == day


@pytest.mark.rule("X51")
@pytest.mark.parametrize(
    "saturday_or_sunday",
    [
        date(2025, 1, 26),
        date(2025, 2, 8),
        date(2025, 4, 27),
        date(2025, 9, 28),
        date(2025, 10, 11),
    ],
)
def test_some_weekends_are_worked(saturday_or_sunday: date) -> None:
    assert saturday_or_sunday.weekday() >= 5
    assert STATUTORY.is_workday(saturday_or_sunday)


def test_a_holiday_on_a_weekday_is_not_worked() -> None:
    assert not STATUTORY.is_workday(date(2025, 10, 1))


def test_where_the_table_is_silent_the_weekday_decides() -> None:
    plain = Workdays()

    assert plain.is_workday(date(2025, 1, 24))  # a Friday
    assert not plain.is_workday(date(2025, 1, 25))
    assert not plain.is_workday(date(2025, 1, 26))


def test_workdays_before_a_date_are_counted_the_same_way() -> None:
    assert STATUTORY.before(date(2025, 10, 15), 10) == date(2025, 9, 25)
    assert STATUTORY.before(date(2025, 6, 17), 10) == date(2025, 6, 3)


def test_no_workdays_away_is_the_day_itself_even_a_holiday() -> None:
    holiday = date(2025, 10, 1)

    assert STATUTORY.after(holiday, 0) == STATUTORY.before(holiday, 0) == holiday


@pytest.mark.rule("X51")
def test_a_day_lasts_from_one_local_midnight_to_the_next() -> None:
    day = date(2030, 1, 1)

    assert start_of_day(day, SHANGHAI) == datetime(2029, 12, 31, 16, tzinfo=UTC)
    assert end_of_day(day, SHANGHAI) == datetime(2030, 1, 1, 16, tzinfo=UTC)
    assert start_of_day(day, SHANGHAI).tzinfo is UTC


def test_a_day_on_which_clocks_change_has_23_hours() -> None:
    berlin, day = ZoneInfo("Europe/Berlin"), date(2025, 3, 30)

    length = end_of_day(day, berlin) - start_of_day(day, berlin)
    assert length.total_seconds() == 23 * 3600


@pytest.mark.rule("X51")
def test_the_local_date_is_that_of_the_wall_not_that_of_utc() -> None:
    assert local_date(datetime(2029, 12, 31, 16, tzinfo=UTC), SHANGHAI) == date(2030, 1, 1)
    assert local_date(datetime(2029, 12, 31, 15, 59, tzinfo=UTC), SHANGHAI) == date(2029, 12, 31)
