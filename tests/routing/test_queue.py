"""Who is next, and which agency is rung."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.queue import Place, expected_wait_seconds, in_order, position
from terms.ids import CallId
from tests.routing.people import LISTENING, NOON, SECOND

EARLY = Place(call=CallId("early"), program=LISTENING, joined_at=NOON)
LATE = replace(EARLY, call=CallId("late"), joined_at=NOON + SECOND)


@pytest.mark.rule("D19", "X55")
def test_danger_comes_before_priority_and_priority_before_time() -> None:
    urgent = replace(LATE, call=CallId("urgent"), priority=9)
    danger = replace(LATE, call=CallId("danger"), crisis=True)

    assert in_order([EARLY, LATE, urgent, danger]) == (danger, urgent, EARLY, LATE)


def test_the_id_settles_equal_times() -> None:
    twin = replace(EARLY, call=CallId("a"))

    assert in_order([EARLY, twin]) == (twin, EARLY)


@pytest.mark.rule("D15", "X43")
def test_a_caller_knows_how_many_are_ahead() -> None:
    assert position([LATE, EARLY], EARLY.call) == 1
    assert position([LATE, EARLY], LATE.call) == 2
    assert position([LATE, EARLY], CallId("gone")) is None


@pytest.mark.rule("X43")
@pytest.mark.parametrize(
    ("place", "counselors", "handling_seconds", "wait"),
    [(1, 1, 600, 600), (5, 5, 1800, 1800), (1, 4, 601, 151), (3, 0, 600, None)],
)
def test_the_wait_is_estimated_from_the_average_talk(
    place: int, counselors: int, handling_seconds: float, wait: int | None
) -> None:
    assert expected_wait_seconds(place, counselors, handling_seconds) == wait


places = st.lists(
    st.builds(
        Place,
        call=st.integers(0, 99).map(lambda n: CallId(f"c{n}")),
        program=st.just(LISTENING),
        joined_at=st.integers(0, 3).map(lambda n: NOON + n * SECOND),
        priority=st.integers(-1, 1),
        crisis=st.booleans(),
    ),
    unique_by=lambda place: place.call,
    max_size=12,
)


@given(places)
def test_every_place_has_one_position_and_none_is_passed_by_a_calmer_later_one(
    places: list[Place],
) -> None:
    assert sorted(position(places, place.call) or 0 for place in places) == list(
        range(1, len(places) + 1)
    )
    for one in places:
        for other in places:
            if one.crisis and not other.crisis:
                assert (position(places, one.call) or 0) < (position(places, other.call) or 0)
