"""From when to when a policy entitles, by the vectors of the calendar."""

from datetime import UTC, date, datetime, timedelta

import pytest

from billing.policies.cover import Cover, WaitingAnchor
from billing.policies.waiting import (
    PolicyYear,
    active_from,
    active_until,
    next_send_at,
    policy_year_of,
    send_at,
    today_in_china,
    valid_until,
)
from tests.billing.policies.lists import terms

AFTER_PURCHASE = Cover(waiting_anchor=WaitingAnchor.PURCHASE, waiting_days=30)
AFTER_EFFECT = Cover(waiting_anchor=WaitingAnchor.EFFECT, waiting_days=15)


@pytest.mark.rule("A16", "X12")
@pytest.mark.parametrize(
    ("purchased", "from_"),
    [
        ("2025-01-01", "2025-02-01"),
        ("2024-01-31", "2024-03-02"),
        ("2025-02-01", "2025-03-04"),
    ],
)
def test_thirty_natural_days_after_purchase_with_day_zero_not_counted(
    purchased: str, from_: str
) -> None:
    told = terms(purchased=purchased, effective=purchased)

    assert active_from(told, AFTER_PURCHASE) == date.fromisoformat(from_)


@pytest.mark.rule("B01", "X17")
def test_fifteen_days_after_the_policy_takes_effect() -> None:
    told = terms(purchased="2024-12-20", effective="2025-01-01")

    assert active_from(told, AFTER_EFFECT) == date(2025, 1, 17)


@pytest.mark.rule("B01", "X17")
@pytest.mark.parametrize(
    ("ends", "from_"), [("2025-01-10", "2025-01-11"), ("2025-01-25", "2025-01-26")]
)
def test_the_insurers_own_end_of_the_cooling_off_period_stands_in_place_of_the_days(
    ends: str, from_: str
) -> None:
    told = terms(cooling_off_end=ends)

    assert active_from(told, AFTER_EFFECT) == date.fromisoformat(from_)


def test_the_cooling_off_period_moves_no_waiting_that_begins_with_the_purchase() -> None:
    assert active_from(terms(cooling_off_end="2025-06-01"), AFTER_PURCHASE) == date(2025, 2, 1)


def test_nothing_begins_before_the_policy_takes_effect() -> None:
    told = terms(purchased="2025-01-01", effective="2025-03-01")

    assert active_from(told, AFTER_PURCHASE) == date(2025, 3, 1)
    assert active_from(told, Cover()) == date(2025, 3, 1)


@pytest.mark.rule("B02")
def test_a_service_year_begins_with_the_service_and_ends_before_the_policy() -> None:
    cover = Cover(waiting_anchor=WaitingAnchor.EFFECT, waiting_days=15, service_years=1)

    assert active_until(terms(), cover) == date(2026, 1, 17)
    assert active_until(terms(ends="2025-06-30"), cover) == date(2025, 7, 1)
    assert active_until(terms(), AFTER_EFFECT) is None


@pytest.mark.rule("A20", "X18")
@pytest.mark.parametrize(
    ("day", "year"),
    [
        ("2025-03-10", PolicyYear(1, date(2025, 3, 10), date(2026, 3, 10))),
        ("2026-03-09", PolicyYear(1, date(2025, 3, 10), date(2026, 3, 10))),
        ("2026-03-10", PolicyYear(2, date(2026, 3, 10), date(2027, 3, 10))),
        ("2030-01-01", PolicyYear(5, date(2029, 3, 10), date(2030, 3, 10))),
        ("2025-01-01", PolicyYear(1, date(2025, 3, 10), date(2026, 3, 10))),
    ],
)
def test_policy_years_are_counted_from_the_effective_date(day: str, year: PolicyYear) -> None:
    told = terms(purchased="2025-01-01", effective="2025-03-10")

    assert policy_year_of(told, date.fromisoformat(day)) == year


@pytest.mark.rule("A20", "A21")
def test_a_code_is_good_until_its_policy_year_ends_or_the_policy_if_that_is_sooner() -> None:
    year = policy_year_of(terms(effective="2025-03-10"), date(2025, 6, 1))

    whole = valid_until(terms(effective="2025-03-10"), year)
    shorter = valid_until(terms(effective="2025-03-10", ends="2025-08-31"), year)

    assert whole == datetime(2026, 3, 9, 16, tzinfo=UTC)  # 10 March 0:00 in China
    assert shorter == datetime(2025, 8, 31, 16, tzinfo=UTC)  # 31 August 24:00 in China


@pytest.mark.rule("X12")
@pytest.mark.parametrize(
    ("hour", "minute", "waits"),
    [(9, 59, 1), (10, 0, 0), (19, 59, 0), (20, 0, 14 * 60), (23, 30, 10 * 60 + 30)],
)
def test_codes_are_sent_between_ten_and_eight_in_the_evening(
    hour: int, minute: int, waits: int
) -> None:
    now = datetime(2025, 2, 1, hour, minute, tzinfo=UTC) - timedelta(hours=8)

    assert next_send_at(now, Cover()) - now == timedelta(minutes=waits)
    assert send_at(date(2025, 2, 1), Cover()) == datetime(2025, 2, 1, 2, tzinfo=UTC)


def test_a_day_begins_at_midnight_in_china() -> None:
    assert today_in_china(datetime(2025, 1, 31, 15, 59, tzinfo=UTC)) == date(2025, 1, 31)
    assert today_in_china(datetime(2025, 1, 31, 16, 0, tzinfo=UTC)) == date(2025, 2, 1)


@pytest.mark.rule("X18")
@pytest.mark.parametrize(
    ("day", "number"), [("2029-02-27", 1), ("2029-02-28", 2), ("2032-02-28", 4), ("2032-02-29", 5)]
)
def test_a_policy_of_29_february_has_its_anniversary_on_the_last_day_of_february(
    day: str, number: int
) -> None:
    told = terms(purchased="2028-02-20", effective="2028-02-29")

    assert policy_year_of(told, date.fromisoformat(day)).number == number
