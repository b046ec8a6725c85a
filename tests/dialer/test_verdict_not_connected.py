"""Who was missing, when the two never talked."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations

import pytest

from dialer.carriers import ReleaseSide
from dialer.leg import Leg, LetGoReason, Release
from dialer.verdict import Evidence, judge
from terms.ids import LegId
from terms.verdict import EndedBy, Role, VerdictKind
from tests.dialer.stories import NOON

PARTY, PLATFORM, CARRIER, UNKNOWN = ReleaseSide


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def released(by: ReleaseSide, q850: int | None = 16, *, seconds: float) -> Release:
    return Release(at=at(seconds), by=by, q850=q850)


def rung(
    role: Role,
    release: Release | None = None,
    why: LetGoReason | None = None,
    let_go_seconds: float = 30,
    *,
    rang: bool = True,
) -> Leg:
    return Leg(
        id=LegId(f"call/{role}/1"),
        role=role,
        rung_at=NOON,
        ringing_at=at(1) if rang else None,
        release=release,
        let_go_at=None if why is None else at(let_go_seconds),
        let_go_why=why,
    )


@pytest.mark.rule("A12", "A30")
@pytest.mark.parametrize(
    ("legs", "by"),
    [
        ((rung(Role.CALLER, released(CARRIER, 18, seconds=9)),), EndedBy.CALLER),
        ((rung(Role.CALLER, released(PARTY, 17, seconds=9)),), EndedBy.CALLER),
        ((rung(Role.CALLER, released(CARRIER, 28, seconds=9)),), EndedBy.CALLER),
        ((rung(Role.CALLER, None, LetGoReason.NO_ANSWER),), EndedBy.CALLER),
        ((rung(Role.CALLER, None, LetGoReason.NO_ANSWER, rang=False),), EndedBy.CARRIER),
        ((rung(Role.CALLER, released(CARRIER, 34, seconds=9)),), EndedBy.CARRIER),
        ((rung(Role.CALLER, released(UNKNOWN, 34, seconds=9)),), EndedBy.CARRIER),
        ((rung(Role.CALLER, released(UNKNOWN, 16, seconds=9)),), EndedBy.UNKNOWN),
        ((rung(Role.CALLER, None, LetGoReason.CALLER_ENDED),), EndedBy.CALLER),
        ((rung(Role.CALLER, None, LetGoReason.STAFF_ENDED),), EndedBy.STAFF),
        (
            (
                rung(Role.CALLER, None, LetGoReason.CALLER_ENDED),
                rung(Role.COUNSELOR, None, LetGoReason.CALLER_ENDED),
            ),
            EndedBy.CALLER,
        ),
        (
            (
                rung(Role.CALLER, None, LetGoReason.NOT_WANTED),
                rung(Role.COUNSELOR, None, LetGoReason.NOT_WANTED),
            ),
            EndedBy.PLATFORM,
        ),
        (
            (
                rung(Role.CALLER, released(PLATFORM, seconds=31), LetGoReason.NOT_WANTED),
                rung(Role.COUNSELOR, None, LetGoReason.NOT_ACCEPTED),
            ),
            EndedBy.COUNSELOR,
        ),
        (
            (
                rung(Role.CALLER, released(CARRIER, 34, seconds=5)),
                replace(
                    rung(Role.CALLER, released(PARTY, 17, seconds=50)), id=LegId("call/caller/2")
                ),
            ),
            EndedBy.CALLER,
        ),
        ((), EndedBy.UNKNOWN),
    ],
)
def test_who_was_missing_when_the_two_never_talked(legs: tuple[Leg, ...], by: EndedBy) -> None:
    for shuffled in permutations(legs):
        verdict = judge(Evidence(legs=shuffled))
        assert (verdict.kind, verdict.by) == (VerdictKind.NOT_CONNECTED, by)
