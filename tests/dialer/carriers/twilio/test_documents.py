"""What Twilio is told to do next, and that it is told the same thing as often as it asks."""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace

import pytest

from dialer.carriers.twilio.documents import (
    Surroundings,
    announcement,
    document,
    farewell,
    number_told,
)
from dialer.carriers.twilio.line import (
    LAST_WAIT,
    Line,
    asked_to_say,
    limited,
    redirected,
    serve,
)
from terms.ids import LegId
from tests.dialer.carriers.twilio.lines import TOKEN, a_dial_in, a_line, after

PUBLIC = "https://warmline.example"
AROUND = Surroundings(
    public_url=PUBLIC, words=lambda prompt, language: None if prompt == "unknown" else prompt
)
NEXT = f"{PUBLIC}/carrier/twilio/voice/{TOKEN}"


def told(line: Line, strand: int, step: int) -> ET.Element:
    return ET.fromstring(document(serve(line, strand, step), strand, step, AROUND))


def verbs(line: Line, strand: int = 0, step: int = 0) -> list[str]:
    return [verb.tag for verb in told(line, strand, step)]


@pytest.mark.parametrize(
    ("line", "strand", "step", "expected"),
    [
        (a_line(), 0, 0, ["Gather", "Redirect"]),
        (a_line(answered_at=None), 0, 0, ["Gather", "Redirect"]),
        (redirected(a_line(), "call-call7"), 1, 0, ["Dial"]),
        (redirected(a_line(), "call-call7"), 1, 1, ["Gather", "Redirect"]),
        (redirected(a_line(), "call-call7"), 0, 5, ["Redirect"]),
        (redirected(redirected(a_line(), "call-call7"), None), 2, 0, ["Gather", "Redirect"]),
        (a_line(let_go_at=after(1)), 0, 0, ["Hangup"]),
        (redirected(a_line(let_go_at=after(1)), "call-call7"), 1, 0, ["Hangup"]),
        (a_dial_in(), 0, 0, ["Pause", "Redirect"]),
        (a_dial_in(), 0, LAST_WAIT, ["Reject"]),
        (a_dial_in(let_go_at=after(1)), 0, 1, ["Reject"]),
        (a_dial_in(is_taken=True), 0, 1, ["Gather", "Redirect"]),
    ],
)
def test_a_line_is_told(line: Line, strand: int, step: int, expected: list[str]) -> None:
    assert verbs(line, strand, step) == expected


CHANGES: list[Callable[[Line], Line]] = [
    lambda line: redirected(line, "call-call7"),
    lambda line: asked_to_say(line, "zh-CN/welcome"),
    lambda line: a_line(served=line.served, let_go_at=after(1)),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_document_asked_for_again_is_the_same_whatever_happened_meanwhile(
    change: Callable[[Line], Line],
) -> None:
    line = serve(a_line(), 0, 0)
    first = document(line, 0, 0, AROUND)

    again = serve(change(line), 0, 0)

    assert document(again, 0, 0, AROUND) == first


def test_a_phone_that_waits_hears_the_same_until_it_asks_anew() -> None:
    line = serve(a_dial_in(), 0, 3)
    taken = a_dial_in(served=line.served, is_taken=True)

    assert verbs(taken, 0, 3) == ["Pause", "Redirect"]
    assert verbs(taken, 0, 4) == ["Gather", "Redirect"]


def test_prompts_wait_for_each_other() -> None:
    line = serve(a_line(), 0, 0)
    line = asked_to_say(line, "zh-CN/position_3")
    line = asked_to_say(line, "zh-CN/wait_5")
    assert line.strand == 1  # one redirection for both

    line = serve(line, 1, 0)
    late = asked_to_say(line, "zh-CN/connecting")

    assert [said.text for said in told(line, 1, 0).iter("Say")] == ["position_3", "wait_5"]
    assert late.strand == 1  # it comes by itself, when what is being said is over
    assert [said.text for said in told(late, 1, 1).iter("Say")] == ["connecting"]


def test_a_key_is_heard_while_a_prompt_is_spoken_and_asked_for_again_soon() -> None:
    line = serve(asked_to_say(serve(a_line(), 0, 0), "zh-CN/press_1"), 1, 0)

    gather = told(line, 1, 0).find("Gather")

    assert gather is not None
    assert gather.find("Say") is not None
    assert (gather.get("numDigits"), gather.get("finishOnKey")) == ("1", "")
    assert gather.get("timeout") == "1"
    assert (gather.get("action") or "").startswith(f"{NEXT}/1/1#")


def test_a_conference_keeps_who_is_left_and_says_nothing_of_its_own() -> None:
    dial = told(redirected(a_line(), "call-call7"), 1, 0).find("Dial")
    assert dial is not None
    room = dial.find("Conference")
    assert room is not None

    assert (dial.get("timeLimit"), room.text) == ("14400", "call-call7")
    assert {
        name: room.get(name)
        for name in ("beep", "endConferenceOnExit", "startConferenceOnEnter", "waitUrl")
    } == {
        "beep": "false",
        "endConferenceOnExit": "false",
        "startConferenceOnEnter": "true",
        "waitUrl": "",
    }
    assert room.get("participantLabel") == "call7~counselor~1"
    assert room.get("statusCallbackEvent") == "join leave"


def test_both_sides_send_identical_callbacks_for_the_first_one_decides() -> None:
    one = redirected(a_line(), "call-call7")
    other = replace(one, leg=LegId("call7/caller/1"), token="call7~caller~1.0ther")
    rooms = [told(line, 1, 0).find("Dial/Conference") for line in (one, other)]

    about = [
        {name: value for name, value in room.attrib.items() if name.startswith("status")}
        for room in rooms
        if room is not None
    ]
    assert len(about) == 2
    assert about[0] == about[1]


def test_a_prompt_nobody_knows_is_left_out() -> None:
    line = serve(asked_to_say(serve(a_line(), 0, 0), "zh-CN/unknown"), 1, 0)

    assert list(told(line, 1, 0).iter("Say")) == []


def test_a_limit_counts_from_the_answer_rounded_up() -> None:
    assert limited(a_line(), 900, after(10.2)).limit_seconds == 911
    assert limited(a_line(), 900, after(-3)).limit_seconds == 900


def test_a_number_is_told_in_single_digits_twice() -> None:
    said = [verb.text for verb in ET.fromstring(number_told("+8613800000001", "zh-CN")).iter("Say")]

    assert said == ["8 6 1 3 8 0 0 0 0 0 0 0 1"] * 2


def test_only_so_much_is_kept_of_what_was_served() -> None:
    line = a_dial_in()
    for step in range(LAST_WAIT):
        line = serve(line, 0, step)

    assert len(line.served) == 24
    assert f"0.{LAST_WAIT - 1}" in line.served


def test_others_are_told_goodbye_or_their_words() -> None:
    assert [verb.tag for verb in ET.fromstring(farewell())] == ["Hangup"]
    assert [verb.text for verb in ET.fromstring(announcement("zh-CN", "还有五分钟"))] == [
        "还有五分钟"
    ]
