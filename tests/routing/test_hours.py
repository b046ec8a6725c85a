"""When a line is open, to the second."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.hours import (
    ALL_DAY,
    OpeningHours,
    Window,
    closed_for_today,
    is_open,
    next_opening,
    parse_window,
)
from terms.calendar import Workdays

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
NO_CALENDAR = Workdays()
CALENDAR_2025 = Workdays(
    exceptions={
        # weekends that are worked
        date(2025, 1, 26): True,
        date(2025, 2, 8): True,
        date(2025, 4, 27): True,
        date(2025, 9, 28): True,
        date(2025, 10, 11): True,
    }
    | {date(2025, 10, day): False for day in range(1, 9)},  # National Day and mid-autumn
    known_until=date(2025, 12, 31),
)
LISTENING = OpeningHours(zone=SHANGHAI, windows=(parse_window("10:00-22:00"),))
ALWAYS = OpeningHours(zone=SHANGHAI, windows=(ALL_DAY,))
COMPANY = OpeningHours(zone=SHANGHAI, windows=(parse_window("09:00-20:00"),), workdays_only=True)
NIGHT = OpeningHours(zone=SHANGHAI, windows=(parse_window("22:00-06:00"),), weekdays=frozenset({4}))


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


def new_york(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK, fold=fold).astimezone(UTC)


@pytest.mark.rule("A24", "X05")
@pytest.mark.parametrize(
    ("time", "admitted"),
    [
        ("09:59:59.999999", False),
        ("10:00:00", True),
        ("21:50:00", True),
        ("21:59:59.999999", True),
        ("22:00:00", False),
        ("23:59:59", False),
        ("00:00:00", False),
    ],
)
def test_hours_admit_from_opening_to_just_before_closing(time: str, admitted: bool) -> None:
    assert is_open(LISTENING, shanghai(f"2030-01-01T{time}"), NO_CALENDAR) is admitted


@pytest.mark.rule("A24", "X51")
def test_hours_are_those_of_the_lines_own_zone_on_every_day() -> None:
    for day in range(1, 8):
        assert is_open(LISTENING, datetime(2030, 1, day, 2, 0, tzinfo=UTC), NO_CALENDAR)
        assert not is_open(LISTENING, datetime(2030, 1, day, 14, 0, tzinfo=UTC), NO_CALENDAR)


@pytest.mark.rule("A24")
@pytest.mark.parametrize(
    ("now", "opening"),
    [
        ("2030-01-01T08:00", "2030-01-01T10:00"),
        ("2030-01-01T10:00", "2030-01-01T10:00"),
        ("2030-01-01T15:30", "2030-01-01T15:30"),
        ("2030-01-01T22:00", "2030-01-02T10:00"),
    ],
)
def test_a_caller_is_told_when_the_line_opens(now: str, opening: str) -> None:
    assert next_opening(LISTENING, shanghai(now), NO_CALENDAR) == shanghai(opening)


@pytest.mark.rule("C03", "X39")
@pytest.mark.parametrize("time", ["00:00", "03:00", "12:00", "23:59:59.999999"])
def test_a_line_of_24_hours_never_closes(time: str) -> None:
    now = shanghai(f"2030-02-03T{time}")

    assert is_open(ALWAYS, now, NO_CALENDAR)
    assert next_opening(ALWAYS, now, NO_CALENDAR) == now
    assert not closed_for_today(ALWAYS, now, NO_CALENDAR)


@pytest.mark.rule("B06", "X51")
@pytest.mark.parametrize(
    ("now", "admitted"),
    [
        ("2025-09-26T09:00", True),  # Friday
        ("2025-09-26T20:00", False),
        ("2025-09-27T12:00", False),  # Saturday
        ("2025-09-28T12:00", True),  # a Sunday that is worked
        ("2025-10-01T12:00", False),  # Wednesday, National Day
        ("2025-10-08T19:59:59", False),
        ("2025-10-09T09:00", True),
        ("2025-10-11T12:00", True),  # a Saturday that is worked
        ("2025-01-26T12:00", True),
        ("2025-02-08T12:00", True),
        ("2025-04-27T12:00", True),
    ],
)
def test_workday_hours_follow_the_statutory_calendar(now: str, admitted: bool) -> None:
    assert is_open(COMPANY, shanghai(now), CALENDAR_2025) is admitted


@pytest.mark.rule("B06")
def test_over_the_holidays_the_next_opening_is_the_first_workday() -> None:
    closed = shanghai("2025-09-30T20:00")

    assert next_opening(COMPANY, closed, CALENDAR_2025) == shanghai("2025-10-09T09:00")


@pytest.mark.parametrize(
    ("now", "admitted"),
    [
        ("2030-01-04T21:59:59", False),  # Friday
        ("2030-01-04T22:00", True),
        ("2030-01-05T05:59:59", True),  # Saturday morning still belongs to Friday's night
        ("2030-01-05T06:00", False),
        ("2030-01-04T03:00", False),  # Friday morning belongs to Thursday
        ("2030-01-05T22:00", False),
    ],
)
def test_a_window_across_midnight_belongs_to_the_day_it_opens_on(now: str, admitted: bool) -> None:
    assert is_open(NIGHT, shanghai(now), NO_CALENDAR) is admitted


def test_a_line_may_stay_shut_on_days_of_its_own() -> None:
    hours = OpeningHours(zone=SHANGHAI, windows=(ALL_DAY,), closed_on=frozenset({date(2030, 2, 3)}))

    assert not is_open(hours, shanghai("2030-02-03T12:00"), NO_CALENDAR)
    assert next_opening(hours, shanghai("2030-02-03T12:00"), NO_CALENDAR) == shanghai("2030-02-04")


@pytest.mark.rule("X05")
@pytest.mark.parametrize(
    ("time", "admitted"), [("21:29:59", True), ("21:30:00", False), ("21:59:00", False)]
)
def test_admission_may_end_before_closing(time: str, admitted: bool) -> None:
    hours = OpeningHours(zone=SHANGHAI, windows=LISTENING.windows, last_admission_seconds=30 * 60)
    now = shanghai(f"2030-01-01T{time}")

    assert is_open(hours, now, NO_CALENDAR) is admitted
    if not admitted:
        assert next_opening(hours, now, NO_CALENDAR) == shanghai("2030-01-02T10:00")


def test_midnight_is_no_closing_time_of_a_line_that_goes_on() -> None:
    hours = OpeningHours(
        zone=SHANGHAI,
        windows=(parse_window("00:00-12:00"), parse_window("12:00-24:00")),
        last_admission_seconds=3600,
    )

    for time in ("11:30", "23:30"):
        assert is_open(hours, shanghai(f"2030-01-01T{time}"), NO_CALENDAR)


def test_a_line_with_no_day_to_open_on_never_opens() -> None:
    hours = OpeningHours(zone=SHANGHAI, windows=(ALL_DAY,), weekdays=frozenset())

    assert next_opening(hours, shanghai("2030-01-01T12:00"), NO_CALENDAR) is None
    assert closed_for_today(hours, shanghai("2030-01-01T12:00"), NO_CALENDAR)


@pytest.mark.rule("X04")
@pytest.mark.parametrize(
    ("time", "over"), [("09:00", False), ("12:00", False), ("22:00", True), ("23:59", True)]
)
def test_todays_shift_is_over_when_no_opening_is_left(time: str, over: bool) -> None:
    assert closed_for_today(LISTENING, shanghai(f"2030-01-01T{time}"), NO_CALENDAR) is over


class TestDaylightSaving:
    """New York in 2030: clocks jump from 2 to 3 on 10 March, and repeat 1 to 2 on 3 November."""

    @pytest.mark.parametrize("day", ["2030-03-09", "2030-03-10", "2030-03-11", "2030-11-03"])
    def test_opening_follows_the_clock_on_the_wall(self, day: str) -> None:
        hours = OpeningHours(zone=NEW_YORK, windows=(parse_window("09:00-17:00"),))

        assert not is_open(hours, new_york(f"{day}T08:59:59"), NO_CALENDAR)
        assert is_open(hours, new_york(f"{day}T09:00:00"), NO_CALENDAR)
        assert is_open(hours, new_york(f"{day}T16:59:59"), NO_CALENDAR)
        assert not is_open(hours, new_york(f"{day}T17:00:00"), NO_CALENDAR)

    def test_a_repeated_hour_opens_at_the_first_and_closes_at_the_second(self) -> None:
        opening = OpeningHours(zone=NEW_YORK, windows=(parse_window("01:30-09:00"),))
        closing = OpeningHours(zone=NEW_YORK, windows=(parse_window("00:00-01:30"),))
        between = new_york("2030-11-03T01:10", fold=1)

        assert next_opening(opening, new_york("2030-11-03T00:00"), NO_CALENDAR) == new_york(
            "2030-11-03T01:30", fold=0
        )
        assert is_open(opening, between, NO_CALENDAR)
        assert is_open(closing, between, NO_CALENDAR)
        assert not is_open(closing, new_york("2030-11-03T01:30", fold=1), NO_CALENDAR)

    def test_a_skipped_time_counts_in_the_offset_before_the_jump(self) -> None:
        hours = OpeningHours(zone=NEW_YORK, windows=(parse_window("02:30-09:00"),))

        assert next_opening(hours, new_york("2030-03-10T00:00"), NO_CALENDAR) == new_york(
            "2030-03-10T03:30"
        )


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("24h", Window(0, 1440)),
        ("10:00-22:00", Window(600, 1320)),
        ("22:00-06:00", Window(1320, 1800)),
        ("00:00-24:00", Window(0, 1440)),
        ("23:59-00:00", Window(1439, 1440)),
    ],
)
def test_windows_are_read(text: str, window: Window) -> None:
    assert parse_window(text) == window


@pytest.mark.parametrize(
    "text",
    ["", "24", "10-22", "10:00-10:00", "24:00-02:00", "10:00-24:01", "10:60-11:00", "9:00-1"],
)
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|no time|never open"):
        parse_window(text)


instants = st.datetimes(
    datetime(2029, 12, 1),  # noqa: DTZ001
    datetime(2031, 2, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
windows = st.builds(
    lambda opens, length: Window(opens, opens + length),
    st.integers(0, 1439),
    st.integers(1, 1440),
)
lines = st.builds(
    OpeningHours,
    zone=st.sampled_from([SHANGHAI, NEW_YORK, ZoneInfo("Australia/Lord_Howe")]),
    windows=st.lists(windows, min_size=1, max_size=3).map(tuple),
    weekdays=st.frozensets(st.integers(0, 6), min_size=1),
    workdays_only=st.booleans(),
    last_admission_seconds=st.sampled_from([0, 60]),
)


@given(hours=lines, now=instants)
def test_the_next_opening_is_open_and_nothing_before_it_is(
    hours: OpeningHours, now: datetime
) -> None:
    opening = next_opening(hours, now, CALENDAR_2025)
    if opening is None:
        return

    assert is_open(hours, opening, CALENDAR_2025)
    assert is_open(hours, now, CALENDAR_2025) is (opening == now)
    steps = [now + (opening - now) * part / 7 for part in range(7)]
    assert not any(is_open(hours, step, CALENDAR_2025) for step in steps if step < opening)


@given(
    hours=lines.filter(lambda line: line.last_admission_seconds == 0 and line.zone is SHANGHAI),
    now=instants,
)
def test_a_line_is_open_exactly_when_the_wall_clock_says_so(
    hours: OpeningHours, now: datetime
) -> None:
    def serves(day: date) -> bool:
        worked = CALENDAR_2025.is_workday(day) or not hours.workdays_only
        return day.weekday() in hours.weekdays and worked

    local = now.astimezone(SHANGHAI)
    minute = local.hour * 60 + local.minute
    today, yesterday = local.date(), local.date() - timedelta(days=1)
    expected = any(
        (serves(today) and window.opens_minute <= minute < window.closes_minute)
        or (serves(yesterday) and minute + 1440 < window.closes_minute)
        for window in hours.windows
    )
    assert is_open(hours, now, CALENDAR_2025) is expected


@pytest.mark.rule("B06", "X51")
def test_the_vector_of_ten_workdays_over_the_golden_week() -> None:
    openings: list[date] = []
    now = shanghai("2025-09-26T00:00")
    while len(openings) < 10:
        opening = next_opening(COMPANY, now, CALENDAR_2025)
        assert opening is not None
        openings.append(opening.astimezone(SHANGHAI).date())
        now = shanghai(f"{openings[-1]}T20:00")

    assert openings[-1] == date(2025, 10, 15)
    assert all(a < b for a, b in pairwise(openings))
