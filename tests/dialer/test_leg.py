"""A leg gathers facts: the same ones in any order give the same leg."""

from datetime import datetime, timedelta
from itertools import permutations

import pytest

from dialer.carriers import (
    KeyPressed,
    LegAnswered,
    LegBridged,
    LegEnded,
    LegRinging,
    MediaHeard,
    MediaLost,
    News,
    ReleaseSide,
)
from dialer.leg import Failure, Leg, LetGoReason, accept, failure_of, let_go, observe, was_lost
from terms.ids import LegId
from terms.verdict import Role
from tests.dialer.stories import NOON

ID = LegId("call/counselor/1")
RUNG = Leg(id=ID, role=Role.COUNSELOR, rung_at=NOON)
LATER = NOON + timedelta(hours=1)
PARTY, PLATFORM, CARRIER, UNKNOWN = ReleaseSide


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def ended(
    seconds: float = 60,
    by: ReleaseSide = PARTY,
    q850: int | None = 16,
    sip: int | None = None,
    code: str | None = None,
) -> LegEnded:
    return LegEnded(leg=ID, at=at(seconds), by=by, q850=q850, sip=sip, code=code)


def after(*news: News, leg: Leg = RUNG) -> Leg:
    for one in news:
        leg = observe(leg, one, LATER)
    return leg


TALES: dict[str, tuple[News, ...]] = {
    "a talk": (
        LegRinging(leg=ID, at=at(1)),
        LegAnswered(leg=ID, at=at(5)),
        KeyPressed(leg=ID, at=at(8), digit="1"),
        LegBridged(leg=ID, at=at(9)),
        ended(),
    ),
    "facts told twice with other times": (
        LegAnswered(leg=ID, at=at(7)),
        LegAnswered(leg=ID, at=at(5)),
        KeyPressed(leg=ID, at=at(6), digit="1"),
        KeyPressed(leg=ID, at=at(4), digit="1"),
        LegBridged(leg=ID, at=at(9)),
        LegBridged(leg=ID, at=at(8)),
    ),
    "two silences": (
        MediaLost(leg=ID, at=at(25), since=at(20)),
        MediaLost(leg=ID, at=at(45), since=at(40)),
        ended(70),
    ),
    "a silence that healed": (
        MediaLost(leg=ID, at=at(25), since=at(20)),
        MediaHeard(leg=ID, at=at(28)),
        ended(70),
    ),
    "a silence after one that healed": (
        MediaLost(leg=ID, at=at(25), since=at(20)),
        MediaHeard(leg=ID, at=at(28)),
        MediaLost(leg=ID, at=at(45), since=at(40)),
    ),
    "four tales of one end": (
        ended(61, UNKNOWN, None),
        ended(60, PLATFORM, 16),
        ended(62, PARTY, None),
        ended(63, PARTY, 16),
    ),
}


@pytest.mark.parametrize("tale", TALES.values(), ids=TALES.keys())
def test_the_same_facts_in_any_order_and_told_twice_give_the_same_leg(
    tale: tuple[News, ...],
) -> None:
    told = after(*tale)

    for shuffled in permutations(tale):
        assert after(*shuffled) == told
        assert after(*shuffled, *shuffled) == told


def test_of_two_answers_the_earlier_counts() -> None:
    assert after(LegAnswered(leg=ID, at=at(7)), LegAnswered(leg=ID, at=at(5))).answered_at == at(5)


def test_pressing_a_key_proves_that_the_phone_was_answered() -> None:
    leg = after(KeyPressed(leg=ID, at=at(4), digit="1"))

    assert (leg.answered_at, leg.accepted_at) == (at(4), at(4))


@pytest.mark.rule("X01")
@pytest.mark.parametrize("digit", ["0", "2", "#", "*"])
def test_only_1_accepts(digit: str) -> None:
    assert after(KeyPressed(leg=ID, at=at(4), digit=digit)) == RUNG


def test_a_carriers_clock_ahead_of_ours_is_held_back_to_ours() -> None:
    fast = LegBridged(leg=ID, at=at(90))

    assert observe(RUNG, fast, at(80)).bridged_at == at(80)
    silent = MediaLost(leg=ID, at=at(90), since=at(85))
    assert observe(RUNG, silent, at(80)).silent_since == at(80)


def test_of_two_silences_the_later_lasts_for_between_them_something_was_heard() -> None:
    earlier, later = (MediaLost(leg=ID, at=at(s + 5), since=at(s)) for s in (20, 40))

    assert after(earlier, later).silent_since == at(40)


def test_a_silence_that_healed_is_none_any_more_and_is_kept() -> None:
    healed = after(*TALES["a silence that healed"])
    again = after(*TALES["a silence after one that healed"])

    assert (healed.silent_since, healed.heard_at, healed.unheard_since) == (at(20), at(28), None)
    assert again.unheard_since == at(40)


def test_a_leg_let_go_for_silence_that_had_spoken_again_talked_until_then() -> None:
    lost, heard = MediaLost(leg=ID, at=at(25), since=at(20)), MediaHeard(leg=ID, at=at(28))

    assert let_go(after(lost), LetGoReason.SILENT, at(45)).off_at == at(20)
    assert observe(let_go(after(lost), LetGoReason.SILENT, at(45)), heard, LATER).off_at == at(45)


def test_of_two_tales_of_one_end_the_one_that_knows_more_stays() -> None:
    release = after(ended(60, UNKNOWN, None), ended(63, PARTY, None), ended(64, PARTY, 16)).release

    assert release is not None
    assert (release.by, release.q850, release.at) == (PARTY, 16, at(64))


def test_a_console_accept_is_kept_and_stands_for_pressing_1() -> None:
    accepted = accept(RUNG, at(3))

    assert accepted.accepted_at == at(3)
    assert accept(accepted, at(9)) == accepted


def test_the_first_reason_to_let_a_leg_go_is_the_one_that_stays() -> None:
    leg = let_go(RUNG, LetGoReason.CAP, at(10))

    assert leg.is_over
    assert let_go(leg, LetGoReason.STAFF_ENDED, at(11)) == leg
    assert let_go(after(ended()), LetGoReason.CAP, at(70)).let_go_why is None


@pytest.mark.rule("X09")
def test_talk_on_a_leg_stops_when_it_is_released_or_when_we_let_it_go() -> None:
    assert RUNG.off_at is None
    assert after(ended(60)).off_at == at(60)
    told_to_go = let_go(RUNG, LetGoReason.CAP, at(50))
    assert told_to_go.off_at == at(50)
    assert after(ended(51, PLATFORM), leg=told_to_go).off_at == at(50)
    assert after(ended(40, PARTY), leg=told_to_go).off_at == at(40)


def test_a_line_we_cut_for_its_silence_carried_talk_until_the_silence_began() -> None:
    silent = let_go(after(MediaLost(leg=ID, at=at(25), since=at(20))), LetGoReason.SILENT, at(45))

    assert silent.off_at == at(20)
    assert after(ended(46, PLATFORM), leg=silent).off_at == at(20)
    assert after(ended(30, PARTY), leg=silent).off_at == at(30)


@pytest.mark.parametrize(
    ("seconds", "by", "obeyed"),
    [
        (49, PARTY, False),
        (49, CARRIER, False),
        (49, UNKNOWN, False),
        (49, PLATFORM, True),  # a clock that lags: nobody but us asks the carrier
        (50, UNKNOWN, True),
        (51, PARTY, True),
    ],
)
def test_a_release_of_before_our_command_did_not_come_from_it(
    seconds: int, by: ReleaseSide, obeyed: bool
) -> None:
    told_to_go = let_go(RUNG, LetGoReason.CAP, at(50))

    assert after(ended(seconds, by), leg=told_to_go).obeyed is obeyed


@pytest.mark.rule("X27")
@pytest.mark.parametrize(
    ("by", "q850", "sip", "answered", "failure"),
    [
        (PARTY, 17, None, False, Failure.BUSY),
        (CARRIER, 18, None, False, Failure.SWITCHED_OFF),
        (CARRIER, 19, None, False, Failure.NO_ANSWER),
        (CARRIER, 20, None, False, Failure.SWITCHED_OFF),
        (PARTY, 21, None, False, Failure.REJECTED),
        (CARRIER, 1, None, False, Failure.INVALID_NUMBER),
        (CARRIER, 28, None, False, Failure.INVALID_NUMBER),
        (CARRIER, None, 404, False, Failure.INVALID_NUMBER),
        (CARRIER, None, 408, False, Failure.NO_ANSWER),
        (CARRIER, None, 480, False, Failure.NO_ANSWER),
        (PARTY, None, 486, False, Failure.BUSY),
        (PARTY, None, 600, False, Failure.BUSY),
        (PARTY, None, 603, False, Failure.REJECTED),
        (PARTY, 21, 486, False, Failure.REJECTED),  # Q.850 beats SIP
        (PARTY, 16, None, True, Failure.GAVE_UP),
        (PARTY, 16, None, False, Failure.GAVE_UP),  # the answer may still be under way
        (PARTY, None, None, True, Failure.GAVE_UP),
        *((CARRIER, fault, None, False, Failure.FAULT) for fault in (27, 34, 38, 41, 42, 44, 47)),
        *((PARTY, fault, None, True, Failure.FAULT) for fault in (102, 111)),
        (CARRIER, None, 503, False, Failure.FAULT),
        (CARRIER, 16, None, True, Failure.FAULT),
        (UNKNOWN, 16, None, True, Failure.FAULT),
        (UNKNOWN, None, None, True, Failure.FAULT),
        (UNKNOWN, 0, 486, False, Failure.FAULT),
    ],
)
def test_why_a_phone_never_came_to_talk(
    by: ReleaseSide, q850: int | None, sip: int | None, answered: bool, failure: Failure
) -> None:
    leg = after(LegAnswered(leg=ID, at=at(5))) if answered else RUNG

    assert failure_of(after(ended(20, by, q850, sip), leg=leg)) is failure


@pytest.mark.rule("X27")
@pytest.mark.parametrize(
    ("failure", "counts"),
    [
        (Failure.NO_ANSWER, True),
        (Failure.BUSY, True),
        (Failure.REJECTED, True),
        (Failure.SWITCHED_OFF, True),
        (Failure.GAVE_UP, False),
        (Failure.NOT_ACCEPTED, False),
        (Failure.INVALID_NUMBER, False),
        (Failure.FAULT, False),
    ],
)
def test_only_what_the_person_caused_counts(failure: Failure, counts: bool) -> None:
    assert failure.counts is counts


@pytest.mark.rule("X27")
def test_a_phone_of_which_nobody_told_that_it_rang_has_not_refused_to_answer() -> None:
    rang = after(LegRinging(leg=ID, at=at(1)))

    assert failure_of(let_go(rang, LetGoReason.NO_ANSWER, at(30))) is Failure.NO_ANSWER
    assert failure_of(let_go(RUNG, LetGoReason.NO_ANSWER, at(30))) is Failure.FAULT
    assert failure_of(let_go(RUNG, LetGoReason.NOT_WANTED, at(30))) is Failure.FAULT


def test_a_phone_that_was_answered_without_pressing_1_was_not_accepted() -> None:
    assert failure_of(let_go(RUNG, LetGoReason.NOT_ACCEPTED, at(30))) is Failure.NOT_ACCEPTED


@pytest.mark.rule("A27")
@pytest.mark.parametrize(
    ("by", "q850", "code", "lost"),
    [
        (PARTY, 16, None, False),
        (PARTY, None, None, False),
        (PARTY, 41, None, True),
        (CARRIER, 16, None, True),
        (CARRIER, 31, "limit", False),
        (PLATFORM, 16, None, True),
        (UNKNOWN, 16, None, False),
        (UNKNOWN, 31, None, False),
        (UNKNOWN, None, None, True),
        (UNKNOWN, 127, None, True),
    ],
)
def test_whether_a_line_failed_or_was_hung_up(
    by: ReleaseSide, q850: int | None, code: str | None, lost: bool
) -> None:
    assert was_lost(after(ended(60, by, q850, code=code))) is lost


def test_a_silent_line_of_which_nobody_says_who_let_go_was_lost() -> None:
    assert was_lost(after(MediaLost(leg=ID, at=at(55), since=at(50)), ended(60, UNKNOWN, 16)))
    assert was_lost(let_go(RUNG, LetGoReason.SILENT, at(45)))
    assert not was_lost(RUNG)
