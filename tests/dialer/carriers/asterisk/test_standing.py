"""What stands at Asterisk, packets counted, and numbers as trunks write them."""

from datetime import UTC, datetime, timedelta

import pytest

from dialer.carriers import LegAnswered, LegBridged, LiveLeg, MediaHeard, MediaLost, News
from dialer.carriers.asterisk.numbers import caller_number
from dialer.carriers.asterisk.silence import Ear, listen
from dialer.carriers.asterisk.standing import catch_up, standing
from dialer.carriers.asterisk.traces import Trace
from terms.ids import LegId

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LEG = LegId("c1/caller/1")
IN_APP = {"app_name": "Stasis", "app_data": "warmline,out"}
CHANNELS = [
    {"id": "c1~caller~1", "state": "Up", "dialplan": IN_APP},
    {"id": "c1~counselor~1", "state": "Ringing", "dialplan": {"app_name": "AppDial2"}},
    {"id": "1795320678.10", "state": "Ring", "dialplan": {**IN_APP, "app_data": "warmline,in,4"}},
    {"id": "1795320678.11", "state": "Up", "dialplan": {**IN_APP, "app_data": "warmlines,in"}},
    {"id": "1795320678.12", "state": "Up", "dialplan": {"app_name": "Queue", "app_data": "x"}},
]
BRIDGES = [
    {
        "id": "warmline~c1",
        "channels": ["c1~caller~1"],
        "creationtime": "2026-11-22T11:59:00.250+0000",
    },
    {"id": "x", "channels": ["1795320678.12", "c1~counselor~1"], "creationtime": ""},
]


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_legs_of_ours_are_told_from_other_channels() -> None:
    found = standing(CHANNELS, BRIDGES, "warmline")

    assert [one.live for one in found.values()] == [
        LiveLeg(leg=LEG, answered=True, bridged=True),
        LiveLeg(leg=LegId("c1/counselor/1"), answered=False, bridged=False),
        LiveLeg(leg=LegId("in-1795320678.10"), answered=False, bridged=False),
    ]


def test_what_was_missed_is_caught_up_once() -> None:
    stands = standing(CHANNELS, BRIDGES, "warmline")["c1~caller~1"]
    made_at = NOON - timedelta(seconds=59.75)

    trace, reports = catch_up(None, stands, NOON)

    assert [report.news for report in reports] == [
        LegAnswered(leg=LEG, at=made_at),
        LegBridged(leg=LEG, at=made_at),
    ]
    assert catch_up(trace, stands, NOON) == (trace, ())
    assert trace.was_unheard


def test_a_leg_that_rings_on_is_nothing_new() -> None:
    stands = standing(CHANNELS, BRIDGES, "warmline")["c1~counselor~1"]
    trace = Trace(leg=stands.leg, rang=True, was_unheard=True)

    assert catch_up(trace, stands, NOON) == (trace, ())


def test_a_leg_parted_unseen_is_in_no_bridge() -> None:
    stands = standing(CHANNELS, [], "warmline")["c1~caller~1"]
    joined = Trace(leg=LEG, answered_at=NOON, began=True, bridge="warmline~c1")

    assert catch_up(joined, stands, NOON)[0].bridge == ""


def listened(*counts: tuple[float, int]) -> list[News]:
    ear: Ear | None = None
    told: list[News] = []
    for seconds, packets in counts:
        ear, reports = listen(LEG, ear, packets, after(seconds))
        told += [r.news for r in reports if isinstance(r.news, MediaLost | MediaHeard)]
    return told


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ([(0, 0), (1, 50), (2, 100)], []),
        ([(0, 50), (1, 50), (4.9, 50)], []),
        ([(0, 10), (1, 50), (5.9, 50), (6, 50)], [MediaLost(leg=LEG, at=after(6), since=after(1))]),
        ([(0, 0), (5, 0)], [MediaLost(leg=LEG, at=after(5), since=after(0))]),
        ([(0, 50), (5, 50), (9, 50)], [MediaLost(leg=LEG, at=after(5), since=after(0))]),
        (
            [(0, 50), (5, 50), (7, 60), (8, 70)],
            [MediaLost(leg=LEG, at=after(5), since=after(0)), MediaHeard(leg=LEG, at=after(7))],
        ),
        ([(0, 500), (4, 3), (6, 50)], []),  # counted anew
    ],
)
def test_silence_is_packets_that_do_not_come(
    counts: list[tuple[float, int]], told: list[News]
) -> None:
    assert listened(*counts) == told


@pytest.mark.parametrize(
    ("shown", "digits"),
    [
        ("+8613800000001", "+8613800000001"),
        ("13800000001", "+8613800000001"),
        ("013800000001", "+8613800000001"),
        ("8613800000001", "+8613800000001"),
        ("008613800000001", "+8613800000001"),
        ("138-0000-0001", "+8613800000001"),
        ("01012345678", "+861012345678"),
        ("057112345678", "+8657112345678"),
        ("0044 20 7946 0000", "+442079460000"),
        ("12356", "12356"),
    ],
)
def test_a_number_is_understood_however_the_trunk_writes_it(shown: str, digits: str) -> None:
    number = caller_number(shown)

    assert number is not None
    assert number.digits == digits


@pytest.mark.parametrize("shown", ["", "anonymous", "Unknown", "+", "12"])
def test_a_withheld_number_is_none(shown: str) -> None:
    assert caller_number(shown) is None
