"""Webhooks into events: named alike when they repeat, and safe to keep."""

import pytest

from dialer.carriers.twilio.events import (
    Kind,
    kept_fields,
    pressed,
    read_call,
    read_conference,
    read_inbound,
    read_time,
)
from tests.dialer.carriers.twilio.lines import (
    CALLER,
    LEG,
    NOON,
    OURS,
    ROOM_SID,
    SID,
    TOKEN,
    after,
    call_fields,
    room_fields,
)


def inbound_fields(**more: str) -> dict[str, str]:
    return {
        "CallSid": SID,
        "CallStatus": "ringing",
        "Direction": "inbound",
        "From": CALLER,
        "To": OURS,
        "FromCity": "",
        "CallToken": f'{{"parentCallInfoToken":"{CALLER}"}}',
        "StirVerstat": "TN-Validation-Passed-A",
        **more,
    }


def test_a_call_event_is_named_by_call_number_and_status() -> None:
    event = read_call(call_fields("ringing", 1, 3), LEG, TOKEN, NOON)

    assert event is not None
    assert (event.key, event.kind, event.leg) == (f"call:{SID}:1:ringing", Kind.CALL, LEG)
    assert event.at == after(3)


def test_a_conference_event_names_the_leg_by_its_label() -> None:
    event = read_conference(room_fields("participant-join", 4, 7), NOON)

    assert event is not None
    assert event.key == f"conference:{ROOM_SID}:4:participant-join"
    assert (event.leg, event.sid, event.at) == (LEG, SID, after(7))


@pytest.mark.parametrize("label", ["", "nobody", "a~b", "a~b~c~d"])
def test_a_label_that_is_none_of_ours_names_no_leg(label: str) -> None:
    fields = room_fields("participant-join", ParticipantLabel=label)

    event = read_conference(fields, NOON)

    assert event is not None
    assert event.leg is None


@pytest.mark.parametrize(
    ("shown", "caller"),
    [
        (CALLER, CALLER),
        ("anonymous", None),
        ("Restricted", None),
        ("", None),
        ("+266696687", None),
        ("13800000001", None),
        ("sip:somebody@example.com", None),
    ],
)
def test_who_dials_in_may_be_withheld(shown: str, caller: str | None) -> None:
    event = read_inbound(inbound_fields(From=shown), NOON)

    assert event is not None
    assert (event.caller and event.caller.digits) == caller
    assert event.text("Dialled") == OURS


def test_what_is_kept_holds_no_number_and_no_place_but_what_vouches_for_the_number() -> None:
    fields = inbound_fields(
        ForwardedFrom=CALLER,
        CallerName="Li Lei",
        ToState="SH",
        SomethingNew=f"seen {CALLER.removeprefix('+')} before",
    )

    kept = kept_fields(fields)

    assert CALLER.removeprefix("+86") not in str(kept)
    assert not any(word in str(kept) for word in ("Li Lei", "SH", OURS))
    assert kept["StirVerstat"] == "TN-Validation-Passed-A"
    assert kept["SomethingNew"] == "seen *** before"
    assert kept["CallSid"] == SID


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"CallSid": "CA1", "CallStatus": "ringing"},
        {"CallSid": f"{SID}'; --", "CallStatus": "ringing"},
        {"CallSid": SID},
    ],
)
def test_a_webhook_that_makes_no_sense_is_no_event(fields: dict[str, str]) -> None:
    assert read_call(fields, LEG, TOKEN, NOON) is None
    assert read_conference(fields, NOON) is None


def test_a_key_is_named_by_the_question_it_answers() -> None:
    first = pressed(LEG, TOKEN, "1.1", SID, {"CallSid": SID, "Digits": "1"}, NOON)
    again = pressed(LEG, TOKEN, "1.1", SID, {"CallSid": SID, "Digits": "1"}, after(2))
    next_one = pressed(LEG, TOKEN, "1.2", SID, {"CallSid": SID, "Digits": "1"}, after(2))

    assert first is not None
    assert again is not None
    assert next_one is not None
    assert first.key == again.key != next_one.key
    assert pressed(LEG, TOKEN, "1.1", SID, {"CallSid": SID}, NOON) is None


@pytest.mark.parametrize("text", ["", "yesterday", "32 Foo 2030"])
def test_a_moment_that_cannot_be_read_is_the_moment_it_came(text: str) -> None:
    assert read_time(text, NOON) == NOON


@pytest.mark.parametrize(
    ("received", "at"),
    [(5.0, 5.0), (5.4, 5.4), (5.999, 5.999), (7.3, 5.999), (3.0, 5.0)],
)
def test_within_its_second_an_event_happened_by_when_it_came(received: float, at: float) -> None:
    event = read_call(call_fields("completed", 3, 5), LEG, TOKEN, after(received))

    assert event is not None
    assert event.at == after(at)
