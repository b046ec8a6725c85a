"""Windows, buckets and back-off."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.limits import (
    REDIALS,
    Bucket,
    Limit,
    Rate,
    allowed_from,
    retry_after_seconds,
    take,
)
from tests.routing.people import HOUR, MINUTE, NOON, SECOND

THREE_IN_FIVE_MINUTES = (Limit(3, 300),)


@pytest.mark.rule("A40")
def test_a_redial_storm_is_told_to_wait() -> None:
    dials: list[datetime] = []
    now = NOON
    while allowed_from(dials, REDIALS, now) is None:
        dials.append(now)
        now += 2 * SECOND

    assert len(dials) == 6
    assert allowed_from(dials, REDIALS, now) == NOON + 5 * MINUTE
    assert retry_after_seconds(NOON + 5 * MINUTE, now) == 288
    assert allowed_from(dials, REDIALS, NOON + 5 * MINUTE) is None


@pytest.mark.rule("A40", "X02")
def test_the_same_pair_is_not_rung_twice_within_a_second() -> None:
    assert allowed_from([NOON], REDIALS, NOON + timedelta(milliseconds=999)) == NOON + SECOND
    assert allowed_from([NOON], REDIALS, NOON + SECOND) is None


def test_patient_people_are_never_told_to_wait() -> None:
    dials: list[datetime] = []
    for n in range(100):
        now = NOON + n * 3 * MINUTE
        assert allowed_from(dials, REDIALS, now) is None
        dials.append(now)


times = st.lists(st.integers(0, 7200).map(lambda seconds: NOON + seconds * SECOND), max_size=30)
limits = st.lists(
    st.builds(Limit, st.integers(1, 5), st.sampled_from([1, 60, 3600]), by_clock=st.booleans()),
    min_size=1,
    max_size=3,
)


@given(times=times, limits=limits, after=st.integers(0, 7200))
def test_nothing_is_allowed_before_the_time_told_and_then_it_is(
    times: list[datetime], limits: list[Limit], after: int
) -> None:
    now = max(times, default=NOON) + after * SECOND
    allowed = allowed_from(times, limits, now)
    if allowed is None:
        return

    assert allowed > now
    assert allowed_from(times, limits, allowed - timedelta(microseconds=1)) is not None
    assert allowed_from(times, limits, allowed) is None


@given(attempts=times, limit=st.builds(Limit, st.integers(1, 5), st.sampled_from([60, 600])))
def test_no_window_ever_holds_more_than_the_limit(attempts: list[datetime], limit: Limit) -> None:
    accepted: list[datetime] = []
    for at in sorted(attempts):
        if allowed_from(accepted, [limit], at) is None:
            accepted.append(at)

    window = timedelta(seconds=limit.window_seconds)
    for start in accepted:
        assert sum(start <= at < start + window for at in accepted) <= limit.count


def test_a_bucket_gives_a_burst_and_then_a_trickle() -> None:
    rate = Rate(capacity=2, refill_seconds=10)
    bucket, wait = take(None, rate, NOON)
    assert (bucket, wait) == (Bucket(1.0, NOON), 0)
    bucket, wait = take(bucket, rate, NOON)
    assert wait == 0

    empty, wait = take(bucket, rate, NOON + SECOND)
    assert wait == 9
    assert take(empty, rate, NOON + 10 * SECOND)[1] == 0
    assert take(empty, rate, NOON + HOUR)[0] == Bucket(1.0, NOON + HOUR)


def test_a_clock_that_went_backwards_refills_no_bucket() -> None:
    rate = Rate(capacity=1, refill_seconds=10)
    empty, _ = take(None, rate, NOON)

    assert take(empty, rate, NOON - HOUR) == (Bucket(0.0, NOON), 10)


def test_the_wait_is_told_in_whole_seconds_and_never_as_zero() -> None:
    assert retry_after_seconds(NOON + timedelta(milliseconds=1), NOON) == 1
    assert retry_after_seconds(NOON + timedelta(seconds=9.2), NOON) == 10
