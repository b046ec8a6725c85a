"""Who let go, from what a real Asterisk 22.10 was seen to do: each row was measured."""

import pytest

from dialer.carriers import ReleaseSide
from dialer.carriers.asterisk.release import Asked, Ending, Release, release_of

PARTY, PLATFORM, CARRIER = ReleaseSide.PARTY, ReleaseSide.PLATFORM, ReleaseSide.CARRIER


def ending(
    asked: Asked | None, cause: int, sip: int | None, *, rang: bool = True, answered: bool = True
) -> Ending:
    return Ending(rang=rang, answered=answered, asked=asked, cause=cause, sip=sip)


def by_message(cause: int, sip: int | None = None) -> Asked:
    return Asked(soft=False, cause=cause, sip=sip)


def softly(cause: int) -> Asked:
    return Asked(soft=True, cause=cause, sip=None)


@pytest.mark.parametrize(
    ("asked", "cause", "released"),
    [
        (by_message(0), 0, Release(by=PARTY, q850=16)),
        (by_message(0), 16, Release(by=PARTY, q850=16)),
        (by_message(31), 31, Release(by=PARTY, q850=31)),
        (by_message(41), 41, Release(by=CARRIER, q850=41)),
        (by_message(38), 38, Release(by=CARRIER, q850=38)),
        (by_message(18, 408), 18, Release(by=CARRIER, q850=18, sip=408)),
        (softly(32), 16, Release(by=PLATFORM, q850=16)),
        (softly(16), 16, Release(by=PLATFORM, q850=16)),
        (softly(1), 44, Release(by=CARRIER, q850=44, code="rtp_timeout")),
        (softly(1), 0, Release(by=CARRIER, q850=44, code="rtp_timeout")),
        (None, 16, Release(by=CARRIER, q850=16, code="limit")),
        (None, 0, Release(by=CARRIER, q850=None, code="limit")),
        (None, 38, Release(by=CARRIER, q850=38)),
    ],
)
def test_an_answered_leg(asked: Asked | None, cause: int, released: Release) -> None:
    assert release_of(ending(asked, cause, None)) == released


@pytest.mark.parametrize(
    ("rang", "asked", "cause", "sip", "released"),
    [
        (False, by_message(17, 486), 17, 486, Release(by=PARTY, q850=17, sip=486)),
        (True, by_message(17, 486), 17, 486, Release(by=PARTY, q850=17, sip=486)),
        (True, by_message(21, 603), 21, 603, Release(by=PARTY, q850=21, sip=603)),
        # A provider that does not take our password: no person refused anything.
        (False, by_message(21, 401), 21, 401, Release(by=CARRIER, q850=None, sip=401)),
        (False, by_message(21, 407), 21, 407, Release(by=CARRIER, q850=None, sip=407)),
        (False, by_message(1, 404), 1, 404, Release(by=CARRIER, q850=1, sip=404)),
        (False, by_message(34, 503), 34, 503, Release(by=CARRIER, q850=34, sip=503)),
        # Asterisk says 19, "alerting, no answer", of every 480; only where it rang is that so.
        (True, by_message(19, 480), 19, 480, Release(by=CARRIER, q850=19, sip=480)),
        (False, by_message(19, 480), 19, 480, Release(by=CARRIER, q850=20, sip=480)),
        # Our limit on ringing: nobody asked.
        (True, None, 19, 480, Release(by=CARRIER, q850=19, sip=480)),
        (False, None, 19, 480, Release(by=CARRIER, q850=19, sip=480)),
        (False, by_message(18, 408), 18, 408, Release(by=CARRIER, q850=18, sip=408)),
        (True, softly(32), 16, None, Release(by=PLATFORM, q850=16)),
        # A phone that dialled in and gave up (CANCEL), and one that nobody took within a minute.
        (False, by_message(127, 487), 0, None, Release(by=PARTY, q850=16, sip=487)),
        (False, None, 0, None, Release(by=CARRIER, q850=19, sip=480)),
    ],
)
def test_a_leg_never_answered(
    rang: bool, asked: Asked | None, cause: int, sip: int | None, released: Release
) -> None:
    assert release_of(ending(asked, cause, sip, rang=rang, answered=False)) == released
