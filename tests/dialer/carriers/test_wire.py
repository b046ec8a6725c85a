"""The wire is strict both ways: what goes out comes back equal, and anything else is refused."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.carriers import (
    CallIn,
    KeyPressed,
    LegAnswered,
    LegBridged,
    LegEnded,
    LegRinging,
    LiveLeg,
    MediaHeard,
    MediaLost,
    News,
    ReleaseSide,
    Report,
)
from dialer.carriers.simulated.faults import Faults, parse_faults
from dialer.carriers.simulated.orders import (
    Answer,
    Bridge,
    HangUp,
    Limit,
    Order,
    Part,
    Ring,
    Say,
)
from dialer.carriers.simulated.script import (
    Answers,
    EndsBy,
    Script,
    ScriptFault,
    parse_script,
    write_script,
)
from dialer.carriers.simulated.wire import (
    WireFault,
    read_live_leg,
    read_order,
    read_report,
    write_live_leg,
    write_order,
    write_report,
)
from terms.ids import CallId, LegId
from terms.phone import PhoneNumber

LEG = LegId("c1/caller/1")
PHONE = PhoneNumber("+8613800000001")
MOMENT = datetime(2030, 1, 1, 12, tzinfo=UTC)
times = st.integers(0, 10**12).map(lambda us: MOMENT + timedelta(microseconds=us))
causes = st.none() | st.integers(0, 699)
pieces = st.one_of(
    st.builds(LegRinging, leg=st.just(LEG), at=times),
    st.builds(LegAnswered, leg=st.just(LEG), at=times),
    st.builds(LegBridged, leg=st.just(LEG), at=times),
    st.builds(KeyPressed, leg=st.just(LEG), at=times, digit=st.sampled_from("0123456789*#")),
    st.builds(MediaLost, leg=st.just(LEG), at=times, since=times),
    st.builds(MediaHeard, leg=st.just(LEG), at=times),
    st.builds(
        LegEnded,
        leg=st.just(LEG),
        at=times,
        by=st.sampled_from(ReleaseSide),
        q850=causes,
        sip=causes,
        code=st.none() | st.just("limit"),
    ),
    st.builds(
        CallIn, leg=st.just(LEG), at=times, caller=st.none() | st.just(PHONE), dialled=st.just("95")
    ),
)
ORDERS: list[Order] = [
    Ring(leg=LEG, to=PHONE, shows="4008001111", ring_seconds=30),
    Answer(leg=LEG),
    Bridge(call=CallId("c1"), legs=(LEG, LegId("c1/counselor/1")), limit_seconds=902),
    Part(leg=LEG),
    Say(leg=LEG, prompt="ending_soon", language="zh-CN"),
    Limit(leg=LEG, limit_seconds=7200),
    HangUp(leg=LEG),
]
SAMPLE = write_report(Report(id="w-1", news=KeyPressed(leg=LEG, at=MOMENT, digit="1")))


@given(piece=pieces)
def test_a_report_comes_back_as_it_went(piece: News | CallIn) -> None:
    report = Report(id="w-1", news=piece)

    assert read_report(json.loads(json.dumps(write_report(report)))) == report


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: type(order).__name__)
def test_an_order_comes_back_as_it_went(order: Order) -> None:
    assert read_order(json.loads(json.dumps(write_order(order)))) == order


def test_a_standing_leg_comes_back_as_it_went() -> None:
    leg = LiveLeg(leg=LEG, answered=True, bridged=False)

    assert read_live_leg(json.loads(json.dumps(write_live_leg(leg)))) == leg


@pytest.mark.parametrize(
    ("news", "complaint"),
    [
        ({"kind": "sneezed"}, "kind is unknown"),
        ({"at": "noon"}, "at is not a time"),
        ({"at": "2030-01-01T12:00:00"}, "at has no time zone"),
        ({"leg": 7}, "leg is not a short text"),
        ({"leg": "x" * 300}, "leg is not a short text"),
        ({"digit": None}, "digit is not a short text"),
        ({"mood": "fine"}, "mood is not expected"),
    ],
)
def test_a_report_that_is_not_as_agreed_is_refused(news: dict[str, object], complaint: str) -> None:
    sample = SAMPLE["news"]
    assert isinstance(sample, dict)

    with pytest.raises(WireFault, match=complaint):
        read_report({"id": "w-1", "news": {**sample, **news}})


@pytest.mark.parametrize("name", ["id", "news"])
def test_a_report_with_a_part_missing_is_refused(name: str) -> None:
    with pytest.raises(WireFault, match=f"{name} is missing"):
        read_report({key: value for key, value in SAMPLE.items() if key != name})


@pytest.mark.parametrize("found", [None, [], "ring", 5, {"order": "sing", "leg": "c1/caller/1"}])
def test_something_else_than_an_order_is_refused(found: object) -> None:
    with pytest.raises(WireFault):
        read_order(found)


@pytest.mark.parametrize("seconds", [-1, 2**31, True, 1.5, "30", None])
def test_seconds_of_an_order_are_whole_and_not_negative(seconds: object) -> None:
    with pytest.raises(WireFault, match="limit_seconds"):
        read_order({"order": "limit", "leg": LEG, "limit_seconds": seconds})


def test_a_complaint_never_holds_the_number() -> None:
    wrong = {**write_order(ORDERS[0]), "to": "13800000001x"}

    with pytest.raises(WireFault) as fault:
        read_order(wrong)

    assert "1380" not in str(fault.value)


def test_a_script_is_read_as_the_contract_writes_it() -> None:
    script = parse_script(
        {
            "answers": "yes",
            "after_seconds": 3,
            "presses": "1",
            "talks_for_seconds": 120,
            "ends_by": "drop",
        }
    )

    assert script == Script(
        answers=Answers.YES,
        after_seconds=3,
        presses="1",
        talks_for_seconds=120,
        ends_by=EndsBy.DROP,
    )
    assert parse_script(write_script(script)) == script


def test_a_script_that_only_tells_the_talking_time_hangs_up() -> None:
    assert parse_script({"talks_for_seconds": 5}).ends_by is EndsBy.HANGUP
    assert parse_script({}) == Script(answers=Answers.YES)


@pytest.mark.parametrize(
    "fields",
    [
        {"answers": "maybe"},
        {"answers": 1},
        {"after_seconds": -1},
        {"after_seconds": float("nan")},
        {"talks_for_seconds": "60"},
        {"presses": "1a"},
        {"presses": 1},
        {"ends_by": "magic"},
        {"unheard_of": 1},
        {"waits_for_seconds": True},
    ],
)
def test_a_script_that_cannot_be_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ScriptFault):
        parse_script(fields)


def test_faults_not_named_are_off() -> None:
    assert parse_faults({"lose": 0.1, "delay_ms": 200}) == Faults(lose=0.1, delay_ms=200)


@pytest.mark.parametrize(
    "fields",
    [{"lose": 1.1}, {"lose": -0.1}, {"delay_ms": 60_001}, {"lose": "0.5"}, {"explode": 1}],
)
def test_faults_that_cannot_be_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ScriptFault):
        parse_faults(fields)
