"""Sequences of events as a real Asterisk sent them, and the news they are."""

from datetime import UTC, datetime, timedelta

import pytest

from dialer.carriers import (
    CallIn,
    KeyPressed,
    LegAnswered,
    LegBridged,
    LegEnded,
    LegRinging,
    ReleaseSide,
    Report,
)
from dialer.carriers.asterisk.events import Event, Kind, read_event
from dialer.carriers.asterisk.kept import Kept, read_kept, variable_of
from dialer.carriers.asterisk.names import bridge_of, channel_of, dialled_in_leg, rung_leg
from dialer.carriers.asterisk.release import Asked
from dialer.carriers.asterisk.traces import (
    Gone,
    Trace,
    ends_unexplained,
    follow,
    trace_for,
    vanished,
)
from terms.ids import CallId, LegId
from terms.phone import PhoneNumber

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LEG, CHANNEL = LegId("c1/caller/1"), "c1~caller~1"
IN_LEG, IN_CHANNEL = LegId("in-1795320678.10"), "1795320678.10"
BRIDGE = bridge_of(CallId("c1"))


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def event(
    kind: Kind,
    seconds: float,
    state: str = "",
    *,
    channel: str = CHANNEL,
    arguments: tuple[str, ...] = (),
    caller: str = "",
    digit: str = "",
    bridge: str = "",
    cause: int = 0,
    soft: bool = False,
) -> Event:
    return Event(
        kind=kind,
        channel=channel,
        at=after(seconds),
        state=state,
        arguments=arguments,
        caller=caller,
        digit=digit,
        bridge=bridge,
        cause=cause,
        soft=soft,
    )


RINGS = event(Kind.STATE, 1, "Ringing")
UP = event(Kind.STATE, 4, "Up")
BEGINS = event(Kind.BEGAN, 4.001, "Up", arguments=("out",))
JOINS = event(Kind.ENTERED, 5, "Up", bridge=BRIDGE)
LEAVES = event(Kind.LEFT, 9, "Up", bridge=BRIDGE)
RETURNS = event(Kind.RETURNED, 9, "Up")
DIALS_IN = event(
    Kind.BEGAN, 0, "Ring", channel=IN_CHANNEL, arguments=("in", "4008001111"), caller="13800000001"
)


def told(*events: Event) -> list[Report]:
    traces: dict[str, Trace] = {}
    reports: list[Report] = []
    for one in events:
        trace = trace_for(traces, one)
        if trace is not None:
            traces[one.channel], more = follow(trace, one)
            reports += more
    return reports


def news(*events: Event) -> list[object]:
    return [report.news for report in told(*events)]


def test_a_phone_that_rings_answers_and_is_joined() -> None:
    assert news(RINGS, UP, BEGINS, JOINS) == [
        LegRinging(leg=LEG, at=after(1)),
        LegAnswered(leg=LEG, at=after(4)),
        LegBridged(leg=LEG, at=after(5)),
    ]


def test_an_answer_is_told_only_when_the_leg_takes_orders() -> None:
    assert news(UP) == []
    assert news(UP, BEGINS, BEGINS) == [LegAnswered(leg=LEG, at=after(4))]


def test_keys_are_told_each_under_an_id_of_its_own() -> None:
    one, two = event(Kind.KEY, 6, "Up", digit="1"), event(Kind.KEY, 6.2, "Up", digit="1")

    reports = told(UP, BEGINS, one, two)[1:]

    assert [r.news for r in reports] == [
        KeyPressed(leg=LEG, at=after(6), digit="1"),
        KeyPressed(leg=LEG, at=after(6.2), digit="1"),
    ]
    assert len({r.id for r in reports}) == 2


@pytest.mark.parametrize(
    ("last", "by", "q850", "code"),
    [
        (
            (event(Kind.ASKED_TO_END, 9), LEAVES, RETURNS, event(Kind.DESTROYED, 9.1)),
            ReleaseSide.PARTY,
            16,
            None,
        ),
        (
            (
                event(Kind.ASKED_TO_END, 9, cause=41),
                LEAVES,
                RETURNS,
                event(Kind.DESTROYED, 9.1, cause=41),
            ),
            ReleaseSide.CARRIER,
            41,
            None,
        ),
        (
            (
                event(Kind.ASKED_TO_END, 9, cause=32, soft=True),
                LEAVES,
                RETURNS,
                event(Kind.DESTROYED, 9.1, cause=16),
            ),
            ReleaseSide.PLATFORM,
            16,
            None,
        ),
        (
            (LEAVES, RETURNS, event(Kind.DESTROYED, 9.1, cause=16)),
            ReleaseSide.CARRIER,
            16,
            "limit",
        ),
    ],
)
def test_an_end_names_who_let_go(
    last: tuple[Event, ...], by: ReleaseSide, q850: int, code: str | None
) -> None:
    assert news(RINGS, UP, BEGINS, JOINS, *last)[3:] == [
        LegEnded(leg=LEG, at=after(9.1), by=by, q850=q850, code=code)
    ]


def test_of_two_who_ask_for_the_end_the_first_let_go() -> None:
    ours = event(Kind.ASKED_TO_END, 9.01, cause=32, soft=True)

    ends = news(UP, BEGINS, event(Kind.ASKED_TO_END, 9), ours, event(Kind.DESTROYED, 9.1))[-1]

    assert isinstance(ends, LegEnded)
    assert ends.by is ReleaseSide.PARTY


def test_a_leg_that_ended_has_nothing_more_to_say() -> None:
    gone = event(Kind.DESTROYED, 9, cause=16)
    trace, _ = follow(Trace(leg=LEG), gone)

    assert follow(trace, gone) == (trace, ())
    assert follow(trace, RINGS) == (trace, ())


def test_a_phone_that_dials_in_stands_is_taken_and_ends() -> None:
    taken = event(Kind.STATE, 2, "Up", channel=IN_CHANNEL)
    hangs_up = event(Kind.ASKED_TO_END, 7, "Up", channel=IN_CHANNEL)
    returns = event(Kind.RETURNED, 7.1, "Up", channel=IN_CHANNEL)

    assert news(DIALS_IN, taken, hangs_up, returns) == [
        CallIn(leg=IN_LEG, at=after(0), caller=PhoneNumber("+8613800000001"), dialled="4008001111"),
        LegAnswered(leg=IN_LEG, at=after(2)),
        LegEnded(leg=IN_LEG, at=after(7.1), by=ReleaseSide.PARTY, q850=16),
    ]


def test_channels_that_are_not_ours_are_left_alone() -> None:
    strange = event(Kind.BEGAN, 0, "Up", channel="1795320678.11", arguments=("queue",))
    playing = event(Kind.ENTERED, 5, "Up", bridge="somebody-elses")

    assert news(strange) == []
    assert news(UP, BEGINS, playing)[1:] == []


def test_the_same_fact_found_again_has_the_same_id() -> None:
    first, second = told(RINGS, UP, BEGINS), told(RINGS, UP, BEGINS)

    assert [r.id for r in first] == [r.id for r in second] == [f"{LEG}:ringing", f"{LEG}:answered"]


def test_of_an_end_nobody_saw_only_that_is_said() -> None:
    _, (report,) = vanished(Trace(leg=LEG, seen_at=after(0)), Gone(at=after(30)))

    assert report.news == LegEnded(leg=LEG, at=after(30), by=ReleaseSide.UNKNOWN)


@pytest.mark.parametrize(
    ("kept", "by", "code"),
    [
        ("0,0,Up,PJSIP/one-07,PJSIP/one-07", "party", None),
        ("0,59.690,Up,PJSIP/one-07,PJSIP/one-07", "party", None),
        ("41,0,Up,PJSIP/one-07,PJSIP/one-07", "carrier", None),
        ("16,0,Up,,PJSIP/one-07", "platform", None),
        ("16,590.012,Up,,PJSIP/one-07", "platform", None),
        ("16,590.012,Up,PJSIP/other-08,PJSIP/one-07", "platform", None),
        ("16,-0.001,Up,,PJSIP/one-07", "carrier", "limit"),
        ("0,0.000,Up,,PJSIP/one-07", "carrier", "limit"),
        ("16,0.000,Up,PJSIP/other-08,PJSIP/one-07", "carrier", "limit"),
        ("44,590.012,Up,,PJSIP/one-07", "carrier", "rtp_timeout"),
        ("16,0,Up,PJSIP/one-07", "party", None),  # by a line of before, which kept no name
        ("16,0,Up,", "platform", None),
    ],
)
def test_what_asterisk_kept_tells_the_end_nobody_saw(kept: str, by: str, code: str | None) -> None:
    kept = f"2026-11-22T12:00:09.500+0000,{kept}"
    talking = Trace(leg=LEG, rang=True, answered_at=after(4), began=True)

    _, (report,) = vanished(talking, Gone(at=after(30), kept=read_kept(kept)))

    assert isinstance(report.news, LegEnded)
    assert (report.news.by, report.news.code, report.news.at) == (by, code, after(9.5))


def test_an_end_is_unexplained_where_nobody_listened_and_nobody_was_heard_to_ask() -> None:
    stood = Trace(leg=LEG, answered_at=after(4), began=True, was_unheard=True)
    asked, _ = follow(stood, event(Kind.ASKED_TO_END, 9))
    came_in = Trace(leg=IN_LEG, answered_at=after(4), began=True, was_unheard=True)
    ends = event(Kind.DESTROYED, 9, cause=16)
    returns = event(Kind.RETURNED, 9, channel=IN_CHANNEL)

    assert ends_unexplained(stood, ends)
    assert ends_unexplained(came_in, returns)
    assert not ends_unexplained(stood, RETURNS)  # it is not over yet
    assert not ends_unexplained(asked, ends)
    assert not ends_unexplained(Trace(leg=LEG, answered_at=after(4), began=True), ends)


def test_who_answered_and_hung_up_unseen_did_answer() -> None:
    kept = read_kept("2026-11-22T12:00:09.500+0000,16,0,Up,PJSIP/warmline-trunk-00000007")

    _, reports = vanished(Trace(leg=LEG, rang=True), Gone(at=after(30), kept=kept))

    assert [report.news for report in reports] == [
        LegAnswered(leg=LEG, at=after(9.5)),
        LegEnded(leg=LEG, at=after(9.5), by=ReleaseSide.PARTY, q850=16),
    ]


@pytest.mark.parametrize(("seen", "by"), [(10, "carrier"), (21, "unknown")])
def test_what_was_there_before_asterisk_started_died_with_the_one_before(
    seen: float, by: str
) -> None:
    trace = Trace(leg=LEG, seen_at=after(seen))

    _, (report,) = vanished(trace, Gone(at=after(30), engine_started_at=after(20)))

    assert isinstance(report.news, LegEnded)
    assert report.news.by == by


def test_a_ring_given_up_unseen_was_not_answered() -> None:
    kept = read_kept("2026-11-22T12:00:25.000+0000,19,0,Ringing,")

    _, (report,) = vanished(Trace(leg=LEG, rang=True), Gone(at=after(30), kept=kept))

    assert report.news == LegEnded(leg=LEG, at=after(25), by=ReleaseSide.CARRIER, q850=19, sip=480)


@pytest.mark.parametrize("nothing", ["", "noon,16,0,Up,", "2026-11-22T12:00:25.000+0000,x,0,Up,"])
def test_nothing_kept_is_nothing(nothing: str) -> None:
    assert read_kept(nothing) is None


def test_a_limit_that_makes_no_sense_has_not_struck() -> None:
    kept = read_kept("2026-11-22T12:00:25.000+0000,16,a.b,Up,")

    assert kept == Kept(
        at=after(25), cause=16, asked=Asked(soft=True, cause=16, sip=None), was_up=True
    )


def test_names_come_back_as_they_went() -> None:
    assert rung_leg(channel_of(LEG)) == LEG
    assert channel_of(dialled_in_leg(IN_CHANNEL)) == IN_CHANNEL
    assert rung_leg(IN_CHANNEL) is None
    assert variable_of(CHANNEL) == "WARMLINE_ENDED_c1~caller~1"


def test_an_event_is_read_as_asterisk_writes_it() -> None:
    found = {
        "type": "ChannelDestroyed",
        "timestamp": "2026-11-22T04:11:13.502+0000",
        "cause": 17,
        "cause_txt": "User busy",
        "tech_cause": 486,
        "channel": {"id": CHANNEL, "state": "Down", "caller": {"name": "", "number": "400"}},
    }

    assert read_event(found) == Event(
        kind=Kind.DESTROYED,
        channel=CHANNEL,
        at=datetime(2026, 11, 22, 4, 11, 13, 502000, tzinfo=UTC),
        state="Down",
        caller="400",
        cause=17,
        sip=486,
    )


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"type": "Dial", "timestamp": "2026-11-22T04:11:13.502+0000", "channel": {}},
        {"type": "StasisStart", "timestamp": "2026-11-22T04:11:13.502+0000"},
        {"type": "StasisStart", "timestamp": "noon", "channel": {"id": "x"}},
        {"type": "StasisStart", "timestamp": "2026-11-22T04:11:13", "channel": {"id": "x"}},
    ],
)
def test_what_is_no_event_of_ours_is_passed_over(found: dict[str, object]) -> None:
    assert read_event(found) is None
