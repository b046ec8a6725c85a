"""Events into news, in whatever order they come."""

from itertools import permutations

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
from dialer.carriers.twilio import events
from dialer.carriers.twilio.events import Event, read_call, read_conference, read_inbound
from dialer.carriers.twilio.line import Line, redirected
from dialer.carriers.twilio.telling import observe, reports
from tests.dialer.carriers.twilio.lines import (
    CALLER,
    LEG,
    NOON,
    OTHER_SID,
    OURS,
    SID,
    TOKEN,
    a_dial_in,
    a_line,
    after,
    call_fields,
    room_fields,
)


def a_call(status: str, seq: int = 0, seconds: float = 0, **more: str) -> Event:
    event = read_call(call_fields(status, seq, seconds, **more), LEG, TOKEN, after(seconds))
    assert event is not None
    return event


def a_move(what: str, seq: int = 1, seconds: float = 0, **more: str) -> Event:
    event = read_conference(room_fields(what, seq, seconds, **more), after(seconds))
    assert event is not None
    return event


def asked_for_a_document(seconds: float = 0, sid: str = SID) -> Event:
    return events.answered(LEG, TOKEN, sid, {"CallSid": sid}, after(seconds))


def rung() -> Line:
    return Line(leg=LEG, token=TOKEN, asked_at=NOON)


def told(line: Line, *heard: Event) -> tuple[Line, list[Report]]:
    """As `Hearing` tells them."""
    found: list[Report] = []
    for event in heard:
        line = observe(line, event)
        found += reports(line, event)
    return line, found


STORY = (
    a_call("initiated", 0),
    a_call("ringing", 1, 1),
    asked_for_a_document(5),
    a_call("in-progress", 2, 5),
)


def test_a_phone_rings_and_answers() -> None:
    _, found = told(rung(), *STORY)

    assert [report.news for report in found] == [
        LegRinging(leg=LEG, at=after(1)),
        LegAnswered(leg=LEG, at=after(5)),
    ]


@pytest.mark.parametrize("order", list(permutations(STORY)))
def test_ringing_comes_before_answered_in_whatever_order_they_are_told(
    order: tuple[Event, ...],
) -> None:
    line, found = told(rung(), *order)

    assert [type(report.news) for report in found] == [LegRinging, LegAnswered]
    assert (line.sid, line.answered_at) == (SID, after(5))


def test_the_first_thing_heard_of_a_ring_names_its_call() -> None:
    line, _ = told(rung(), a_call("initiated"))

    assert line.sid == SID


def test_an_event_of_another_call_for_the_leg_changes_and_tells_nothing() -> None:
    line = a_line()
    other = a_call("completed", 9, 9, CallSid=OTHER_SID, CallDuration="9")

    assert told(line, other) == (line, [])


def test_a_key_is_told_with_its_digit() -> None:
    key = events.pressed(LEG, TOKEN, "1.1", SID, {"CallSid": SID, "Digits": "1"}, after(8))
    assert key is not None

    _, (report,) = told(a_line(), key)

    assert report.news == KeyPressed(leg=LEG, at=after(8), digit="1")


def test_joining_is_told_and_leaving_moves_the_line() -> None:
    line = redirected(a_line(), "call-call7")

    line, (report,) = told(line, a_move("participant-join", 2, 3))
    assert report.news == LegBridged(leg=LEG, at=after(3))
    assert line.joined

    line, found = told(line, a_move("participant-leave", 5, 9))
    assert (line.joined, found) == (False, [])


def test_an_old_join_that_comes_late_does_not_put_a_leg_back() -> None:
    line = redirected(a_line(), "call-call7")
    line, _ = told(line, a_move("participant-leave", 5, 9), a_move("participant-join", 2, 3))

    assert not line.joined


def test_the_end_is_told_once_and_again_only_when_it_gets_clearer() -> None:
    line = redirected(a_line(), "call-call7")
    line, _ = told(line, a_move("participant-join", 2, 3))

    line, first = told(line, a_call("completed", 3, 60, CallDuration="60"))
    line, again = told(line, a_call("completed", 4, 60, CallDuration="60"))
    kicked = {"ReasonParticipantLeft": "conference_ended_via_api"}
    line, clearer = told(line, a_move("participant-leave", 6, 60, **kicked))

    assert [(r.news.by) for r in first if isinstance(r.news, LegEnded)] == [ReleaseSide.PARTY]
    assert again == []
    assert [(r.news.by) for r in clearer if isinstance(r.news, LegEnded)] == [ReleaseSide.PLATFORM]
    assert first[0].id != clearer[0].id


def test_told_again_after_a_crash_news_has_the_same_ids() -> None:
    line = observe(rung(), STORY[2])

    assert list(reports(line, STORY[2])) == list(reports(observe(line, STORY[2]), STORY[2]))


def test_who_dials_in_is_told_with_number_and_number_dialled() -> None:
    fields = {**call_fields("ringing"), "From": CALLER, "To": OURS}
    event = read_inbound(fields, NOON)
    assert event is not None
    line = a_dial_in()

    _, (report,) = told(line, event)

    assert isinstance(report.news, CallIn)
    assert report.news.caller is not None
    assert (report.news.caller.digits, report.news.dialled) == (CALLER, OURS)


def test_a_phone_that_dialled_in_is_never_told_to_ring() -> None:
    line = a_dial_in(is_taken=True)
    event = events.answered(line.leg, line.token, SID, {"CallSid": SID}, after(1))

    _, found = told(line, event)

    assert [type(report.news) for report in found] == [LegAnswered]


def test_an_end_told_again_after_a_crash_is_told_with_the_same_id() -> None:
    end = a_call("completed", 3, 60, CallDuration="60")
    line, first = told(a_line(), end)

    assert told(line, end) == (line, first)


def test_an_event_under_the_token_of_another_ring_is_none_of_the_lines() -> None:
    other = read_call(call_fields("ringing", 1), LEG, "call7~counselor~1.0ther", NOON)
    assert other is not None

    assert told(rung(), other) == (rung(), [])
