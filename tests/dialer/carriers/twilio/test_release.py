"""Who let go, from what Twilio's documents say it tells of an end."""

from dataclasses import replace
from typing import Any

import pytest

from dialer.carriers import ReleaseSide
from dialer.carriers.twilio.line import Ended, Line
from dialer.carriers.twilio.release import Release, release_of
from tests.dialer.carriers.twilio.lines import a_dial_in, a_line, after

PARTY, PLATFORM, CARRIER = ReleaseSide.PARTY, ReleaseSide.PLATFORM, ReleaseSide.CARRIER


def unanswered() -> Line:
    return a_line(answered_at=None)


def ended(line: Line, status: str, sip: int | None = None, seconds: int | None = None) -> Line:
    return replace(line, ended=Ended(at=after(60), status=status, sip=sip, seconds=seconds))


@pytest.mark.parametrize(
    ("status", "sip", "released"),
    [
        ("busy", 486, Release(by=PARTY, q850=17, sip=486)),
        ("busy", 600, Release(by=PARTY, q850=17, sip=600)),
        ("busy", None, Release(by=PARTY, q850=17, sip=486)),
        ("busy", 603, Release(by=PARTY, q850=21, sip=603)),
        ("failed", 603, Release(by=PARTY, q850=21, sip=603)),
        ("no-answer", 480, Release(by=CARRIER, q850=20, sip=480)),
        ("failed", 404, Release(by=CARRIER, q850=1, sip=404)),
        ("failed", 484, Release(by=CARRIER, q850=28, sip=484)),
        ("no-answer", 487, Release(by=CARRIER, q850=19, sip=480)),
        ("no-answer", None, Release(by=CARRIER, q850=19, sip=480)),
        ("failed", 503, Release(by=CARRIER, q850=34, sip=503)),
        ("failed", None, Release(by=CARRIER, q850=41)),
        ("canceled", None, Release(by=PLATFORM, q850=16)),
    ],
)
def test_a_phone_that_was_not_reached(status: str, sip: int | None, released: Release) -> None:
    assert release_of(ended(unanswered(), status, sip)) == released


@pytest.mark.parametrize(
    ("facts", "status", "sip", "seconds", "released"),
    [
        ({}, "completed", 200, 60, Release(by=PARTY, q850=16, sip=200)),
        ({}, "completed", None, 60, Release(by=PARTY, q850=16)),
        ({"left_why": "participant_hung_up"}, "completed", 200, 60,
         Release(by=PARTY, q850=16, sip=200)),
        ({}, "completed", 408, 60, Release(by=CARRIER, q850=127, sip=408)),
        ({}, "completed", 503, 60, Release(by=CARRIER, q850=41, sip=503)),
        ({}, "failed", None, 60, Release(by=CARRIER, q850=41)),
        ({"limit_seconds": 60}, "completed", 200, 60, Release(by=CARRIER, q850=16, code="limit")),
        ({"limit_seconds": 60, "left_why": "participant_hung_up"}, "completed", 200, 61,
         Release(by=CARRIER, q850=16, code="limit")),
        ({"limit_seconds": 61}, "completed", 200, 60, Release(by=PARTY, q850=16, sip=200)),
        ({"left_why": "conference_ended_via_api"}, "completed", 200, 60,
         Release(by=PLATFORM, q850=16, code="conference_ended_via_api")),
        ({"let_go_at": after(59)}, "completed", 200, 60, Release(by=PLATFORM, q850=16)),
        ({"let_go_at": after(60.9)}, "completed", 200, 60, Release(by=PLATFORM, q850=16)),
        ({"let_go_at": after(63)}, "completed", 200, 60, Release(by=PARTY, q850=16, sip=200)),
    ],
)  # fmt: skip
def test_a_talk_that_ended(
    facts: dict[str, Any], status: str, sip: int | None, seconds: int, released: Release
) -> None:
    assert release_of(ended(a_line(**facts), status, sip, seconds)) == released


def test_a_phone_that_was_busy_was_so_before_we_let_it_go() -> None:
    line = ended(a_line(answered_at=None, let_go_at=after(10)), "busy", 486)

    assert release_of(line) == Release(by=PARTY, q850=17, sip=486)


@pytest.mark.parametrize("status", ["canceled", "no-answer", "completed"])
def test_a_ringing_leg_we_let_go_ends_by_us(status: str) -> None:
    released = release_of(ended(a_line(answered_at=None, let_go_at=after(10)), status, 487))

    assert released == Release(by=PLATFORM, q850=16)


def test_who_dialled_in_and_gave_up_hung_up() -> None:
    released = release_of(ended(a_dial_in(), "no-answer"))

    assert released is not None
    assert (released.by, released.q850) == (PARTY, 16)


@pytest.mark.parametrize("status", ["busy", "no-answer", "completed", "canceled"])
def test_who_dialled_in_and_was_turned_away_was_let_go_by_us(status: str) -> None:
    released = release_of(ended(a_dial_in(let_go_at=after(1)), status))

    assert released == Release(by=PLATFORM, q850=16)


def test_a_line_that_stands_has_no_release() -> None:
    assert release_of(a_line()) is None
