"""Codes that are none: what they cost, and when somebody is locked out."""

from datetime import datetime

import pytest

from routing.guessing import LIMITS, POINTS, Miss, TriedBy, locked_until, refusal
from terms.refusals import RefusalCode
from tests.routing.people import DAY, HOUR, MINUTE, NOON, SECOND

PERSONAL = (TriedBy.DEVICE, TriedBy.NUMBER)


def tries_before_the_lock(miss: Miss, by: TriedBy) -> tuple[int, datetime]:
    """How many go through, a second apart, and when the next one may."""
    lost: list[datetime] = []
    now, tries = NOON, 0
    while (until := locked_until({by: lost}, now)) is None:
        lost += [now] * POINTS[miss]
        now += SECOND
        tries += 1
    return tries, until


def test_a_device_guesses_five_times_an_hour_and_then_waits_for_the_first_to_be_forgotten() -> None:
    assert tries_before_the_lock(Miss.GUESS, TriedBy.DEVICE) == (5, NOON + HOUR)


def test_an_honest_slip_costs_a_quarter_of_a_guess() -> None:
    assert tries_before_the_lock(Miss.SLIP, TriedBy.DEVICE)[0] == 20
    assert POINTS[Miss.GUESS] == 4 * POINTS[Miss.SLIP]


def test_whoever_waits_for_the_hour_is_stopped_by_the_day() -> None:
    lost = [NOON + hour * HOUR for hour in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9) for _ in range(4)]

    assert locked_until({TriedBy.DEVICE: lost[:-4]}, NOON + 9 * HOUR) is None
    assert locked_until({TriedBy.DEVICE: lost}, NOON + 10 * HOUR) == NOON + DAY


def test_a_new_device_of_the_same_number_does_not_begin_anew() -> None:
    by_number = [NOON] * 30

    assert locked_until({TriedBy.DEVICE: [], TriedBy.NUMBER: by_number}, NOON) == NOON + HOUR


def test_strangers_behind_one_address_have_far_more_than_one_person() -> None:
    for by in PERSONAL:
        for person, address in zip(LIMITS[by], LIMITS[TriedBy.ADDRESS], strict=True):
            assert address.count >= 20 * person.count
            assert address.window_seconds == person.window_seconds


def test_the_longest_of_several_locks_counts() -> None:
    lost = {TriedBy.DEVICE: [NOON] * 20, TriedBy.ADDRESS: [NOON + 30 * MINUTE] * 600}

    assert locked_until(lost, NOON + 40 * MINUTE) == NOON + 90 * MINUTE


def test_a_lock_says_how_long_and_what_can_be_done_meanwhile() -> None:
    refused = refusal(NOON + 12 * MINUTE, NOON + SECOND)

    assert refused.code is RefusalCode.RATE_LIMITED
    assert refused.retry_after_seconds == 719
    assert "in 12 min" in refused.detail
    assert "account can be used" in refused.detail


@pytest.mark.parametrize("by", TriedBy)
def test_no_limit_looks_further_back_than_marks_are_kept(by: TriedBy) -> None:
    assert all(limit.window_seconds <= DAY.total_seconds() for limit in LIMITS[by])
