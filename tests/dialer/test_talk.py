"""Talk is the time in which the caller is joined with somebody: nothing else counts."""

from datetime import datetime, timedelta
from itertools import permutations

import pytest

from dialer.carriers import ReleaseSide
from dialer.leg import Leg, LetGoReason, Release, let_go
from dialer.talk import Stretch, connected_at, stretches, talked
from dialer.verdict import Evidence, judge
from terms.ids import LegId
from terms.values import replace
from terms.verdict import EndedBy, Role, VerdictKind
from tests.dialer.stories import NOON


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def leg(name: str, role: Role, since: float | None, until: float | None = None) -> Leg:
    return Leg(
        id=LegId(name),
        role=role,
        rung_at=NOON,
        bridged_at=None if since is None else at(since),
        release=None if until is None else Release(at=at(until), by=ReleaseSide.PARTY),
    )


def caller(since: float | None, until: float | None = None, name: str = "caller") -> Leg:
    return leg(name, Role.CALLER, since, until)


def counselor(since: float | None, until: float | None = None, name: str = "counselor") -> Leg:
    return leg(name, Role.COUNSELOR, since, until)


def seconds(*legs: Leg, now: float = 1000) -> float:
    return talked(legs, at(now)).total_seconds()


@pytest.mark.rule("X01")
def test_they_are_connected_when_the_second_of_them_joins() -> None:
    legs = (caller(10), counselor(12.5))

    assert connected_at(legs) == at(12.5)
    assert connected_at((caller(10), counselor(None))) is None


@pytest.mark.rule("A25", "X09")
def test_talk_runs_from_the_second_to_join_until_the_first_is_gone() -> None:
    assert seconds(caller(10, 70), counselor(12, 90)) == 58


@pytest.mark.rule("X01", "A27")
@pytest.mark.parametrize("silent_since", [10, 12])
def test_a_line_that_was_dead_when_they_were_joined_ended_a_talk_of_no_length(
    silent_since: float,
) -> None:
    dead = let_go(replace(counselor(12), silent_since=at(silent_since)), LetGoReason.SILENT, at(37))
    legs = (caller(10, 60), dead)

    assert stretches(legs) == (Stretch(at(12), at(12), (dead,)),)
    assert connected_at(legs) == at(12)
    assert seconds(*legs) == 0
    verdict = judge(Evidence(legs=legs))
    assert (verdict.kind, verdict.by) == (VerdictKind.SYSTEM_DROP, EndedBy.CARRIER)


def test_talk_that_goes_on_runs_until_now() -> None:
    assert seconds(caller(10), counselor(12), now=20) == 8


@pytest.mark.rule("A25")
def test_the_time_in_which_one_is_lost_is_no_talk() -> None:
    legs = (caller(0, 60), counselor(0), caller(100, 130, "caller/2"))

    assert seconds(*legs) == 60 + 30
    assert [(s.since, s.until) for s in stretches(legs)] == [(at(0), at(60)), (at(100), at(130))]


@pytest.mark.rule("X41")
def test_a_caller_handed_over_to_an_agency_talks_without_a_gap() -> None:
    handed = let_go(counselor(0), LetGoReason.HANDED_OVER, at(100))
    agency = leg("agency", Role.AGENCY, 80, 200)

    (stretch,) = stretches((caller(0), handed, agency))
    assert (stretch.since, stretch.until) == (at(0), at(200))
    assert stretch.ended_by == (agency,)


def test_a_talk_within_another_ends_nothing() -> None:
    agency = leg("agency", Role.AGENCY, 30, 60)
    one, two = caller(0, 100), counselor(0)

    assert stretches((one, two, agency)) == (Stretch(at(0), at(100), (one,)),)


def test_counselor_and_agency_without_the_caller_do_not_talk() -> None:
    assert stretches((counselor(0), leg("agency", Role.AGENCY, 0))) == ()


def test_two_who_never_overlapped_never_talked() -> None:
    assert connected_at((caller(0, 10), counselor(10, 20))) is None


def test_of_two_legs_let_go_together_neither_left_first() -> None:
    one, two = (let_go(each, LetGoReason.CAP, at(60)) for each in (caller(0), counselor(0)))

    (stretch,) = stretches((one, two))
    assert set(stretch.ended_by) == {one, two}


def test_the_order_in_which_legs_are_listed_does_not_matter() -> None:
    legs = (caller(0, 60), counselor(0, 200), caller(100, 130, "caller/2"))
    found = {(s.since, s.until) for s in stretches(legs)}

    for shuffled in permutations(legs):
        assert {(s.since, s.until) for s in stretches(shuffled)} == found
        assert seconds(*shuffled) == 90


def test_a_clock_that_is_behind_gives_no_negative_talk() -> None:
    assert seconds(caller(50), counselor(50), now=40) == 0
