"""TwiML as Twilio reads it."""

import inspect

import pytest
from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

from tests.twilio_standin.verbs import VERBS, WAITING, read


def wrapped(verbs: str) -> str:
    return f"<Response>{verbs}</Response>"


@pytest.mark.parametrize(
    "verbs",
    [
        "",
        "<Say>hello</Say>",
        '<Say language="zh-CN">\N{CJK UNIFIED IDEOGRAPH-4F60}</Say>',
        '<Play loop="2">https://a.example/a.mp3</Play>',
        '<Gather numDigits="1" finishOnKey="" timeout="30" action="/x"><Say>press</Say></Gather>',
        '<Dial timeLimit="60"><Conference waitUrl="" beep="false">r</Conference></Dial>',
        '<Pause length="1"/><Redirect method="POST">/x#rc=2</Redirect>',
        '<Reject reason="busy"/>',
        "<Hangup/>",
    ],
)
def test_what_twilio_knows_has_no_faults(verbs: str) -> None:
    assert read(wrapped(verbs)).faults == []


@pytest.mark.parametrize(
    ("verbs", "fault"),
    [
        ("<Foo/>", "<Foo> not allowed"),
        ('<Dial bogusAttr="z"><Conference>r</Conference></Dial>', "no attribute bogusAttr"),
        ('<Dial timelimit="5"><Conference>r</Conference></Dial>', "no attribute timelimit"),
        ('<Dial timeLimit="-1"><Conference>r</Conference></Dial>', "timeLimit='-1'"),
        ("<Dial><Say>x</Say></Dial>", "<Say> not allowed in <Dial>"),
        ("<Dial/>", "dials one conference"),
        ("<Dial><Number>+14005550201</Number></Dial>", "<Number> not allowed in <Dial>"),
        ('<Dial><Conference beep="maybe">r</Conference></Dial>', "beep='maybe'"),
        ('<Dial><Conference maxParticipants="1">r</Conference></Dial>', "maxParticipants='1'"),
        (f'<Dial><Conference participantLabel="{"x" * 129}">r</Conference></Dial>', "Label="),
        ("<Dial><Conference></Conference></Dial>", "cannot hold ''"),
        ("<Gather><Hangup/></Gather>", "<Hangup> not allowed in <Gather>"),
        ("<Redirect></Redirect>", "cannot hold ''"),
        ("<Hangup>now</Hangup>", "holds text"),
        ('<Say voice="">x</Say>', "voice=''"),
    ],
)
def test_what_twilio_does_not_know_is_a_fault(verbs: str, fault: str) -> None:
    """F36."""
    assert fault in "; ".join(read(wrapped(verbs)).faults)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "not XML"),
        ("<Response>", "not XML"),
        ("<Answer/>", "not <Response>"),
        (wrapped("<Say>" + "x" * 65536 + "</Say>"), "over 64 KB"),
    ],
)
def test_what_is_no_document_is_a_fault(text: str, fault: str) -> None:
    assert fault in read(text).faults[0]


def test_a_list_as_the_sdk_writes_it_is_no_list_of_events() -> None:
    """F37: the builder writes a Python list as Python does."""
    response, dial = VoiceResponse(), Dial()
    dial.conference("r", status_callback="/x", status_callback_event=["start", "end"])
    response.append(dial)
    assert "statusCallbackEvent" in read(str(response)).faults[0]

    response, dial = VoiceResponse(), Dial()
    dial.conference("r", status_callback="/x", status_callback_event="start end")
    response.append(dial)
    assert read(str(response)).faults == []


def test_who_waits_is_asked_nothing() -> None:
    """F21."""
    assert read(wrapped("<Say>soon</Say>"), WAITING).faults == []
    assert read(wrapped("<Gather/>"), WAITING).faults == ["<Gather> not allowed here"]


def test_every_attribute_we_take_is_one_that_the_sdk_knows() -> None:
    """F38: checked against the builder's own signatures."""
    builders = {
        "Say": VoiceResponse.say,
        "Play": VoiceResponse.play,
        "Pause": VoiceResponse.pause,
        "Gather": VoiceResponse.gather,
        "Dial": VoiceResponse.dial,
        "Redirect": VoiceResponse.redirect,
        "Hangup": VoiceResponse.hangup,
        "Reject": VoiceResponse.reject,
        "Conference": Dial.conference,
    }
    for verb, builder in builders.items():
        known = {_camel(name) for name in inspect.signature(builder).parameters}
        assert set(VERBS[verb].attributes) <= known
    assert {_camel(name) for name in ("say", "play", "pause")} <= {
        name for name in dir(Gather) if not name.startswith("_")
    }


def _camel(name: str) -> str:
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(part.title() for part in rest)
