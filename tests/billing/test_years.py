"""Which year counts once the day that years are counted from was corrected."""

from datetime import date, timedelta

import pytest

from billing.years import year_stood_for

JANUARY = date(2025, 1, 2)


@pytest.mark.rule("X18")
@pytest.mark.parametrize(
    ("anchor", "year"),
    [
        (date(2025, 1, 2), 1),
        (date(2025, 1, 9), 1),
        (date(2024, 12, 20), 1),
        (date(2024, 1, 2), 2),
        (date(2022, 1, 2), 4),
        (date(2024, 9, 2), 1),
        (date(2024, 5, 2), 2),
        (date(2025, 8, 1), 1),
        (date(2027, 1, 2), 1),
    ],
)
def test_what_was_given_stands_for_the_year_that_begins_nearest(anchor: date, year: int) -> None:
    assert year_stood_for(anchor, JANUARY) == year


def test_every_year_of_one_anchor_stands_for_itself_also_from_29_february() -> None:
    for anchor in (JANUARY, date(2024, 2, 29)):
        begins = [anchor.replace(year=anchor.year + n, day=min(anchor.day, 28)) for n in (1, 2, 4)]
        assert [year_stood_for(anchor, day) for day in begins] == [2, 3, 5]


def test_two_years_that_follow_each_other_stand_for_two_years_whatever_the_shift() -> None:
    """But for what lies before the anchor, all of which stands for the first year."""
    for days in range(0, 360, 7):
        anchor = JANUARY - timedelta(days=days)
        years = [year_stood_for(anchor, date(year, 1, 2)) for year in range(2025, 2031)]
        assert len(set(years)) == len(years)
