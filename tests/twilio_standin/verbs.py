"""TwiML as Twilio reads it: which verbs and nouns there are, in what, with which attributes.

The SDK's builder checks nothing (an unknown attribute passes, and a list of events is written as
Python writes a list), so every document we serve is checked here. Verbs and nouns that Twilio knows
and the product has no use for are faults: the stand-in could not do what they say.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from tests.twilio_standin.prose import BEEPS, CONFERENCE_EVENTS

MOST_BYTES = 65536
_LABEL_CHARACTERS = 128

Check = Callable[[str], bool]
Element = ET.Element


def _words(known: frozenset[str]) -> Check:
    """Words with blanks between: in TwiML a list is not repeated, as it is in a form."""
    return lambda text: bool(text.split()) and set(text.split()) <= known


def _one_of(*known: str) -> Check:
    return lambda text: text in known


def _whole(least: int, most: int) -> Check:
    return lambda text: text.isdigit() and least <= int(text) <= most


def _is_url(text: str) -> bool:
    parts = urlsplit(text)
    return not re.search(r"\s", text) and (
        bool(parts.netloc) if parts.scheme else text.startswith("/")
    )


_BOOL = _one_of("true", "false")
_METHOD = _one_of("GET", "POST")


def _anything(text: str) -> bool:
    return bool(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """What may be in a verb or noun."""

    attributes: Mapping[str, Check] = field(default_factory=dict)
    children: frozenset[str] = frozenset()
    text: Check | None = None


_SPOKEN = frozenset({"Say", "Play", "Pause"})
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?(-[A-Z]{2})?")

VERBS: Mapping[str, Verb] = {
    "Response": Verb(
        children=_SPOKEN | {"Gather", "Dial", "Hangup", "Redirect", "Reject"},
    ),
    "Say": Verb(
        attributes={
            "voice": _anything,
            "language": lambda text: bool(_LANGUAGE.fullmatch(text)),
            "loop": _whole(0, 1000),
        },
        text=_anything,
    ),
    "Play": Verb(
        attributes={
            "loop": _whole(0, 1000),
            "digits": lambda text: bool(re.fullmatch(r"[0-9wW#*]+", text)),
        },
        text=_is_url,
    ),
    "Pause": Verb(attributes={"length": _whole(1, 86400)}),
    "Gather": Verb(
        attributes={
            "input": _words(frozenset({"dtmf", "speech"})),
            "action": _is_url,
            "method": _METHOD,
            "timeout": _whole(0, 3600),
            "numDigits": _whole(1, 100),
            "finishOnKey": lambda text: text == "" or (len(text) == 1 and text in "0123456789*#"),
            "actionOnEmptyResult": _BOOL,
        },
        children=_SPOKEN,
    ),
    "Dial": Verb(
        attributes={
            "action": _is_url,
            "method": _METHOD,
            "timeLimit": _whole(1, 86400),
            "timeout": _whole(1, 600),
            "callerId": _anything,
            "hangupOnStar": _BOOL,
            "answerOnBridge": _BOOL,
        },
        children=frozenset({"Conference"}),
    ),
    "Conference": Verb(
        attributes={
            "muted": _BOOL,
            "beep": _one_of(*BEEPS),
            "startConferenceOnEnter": _BOOL,
            "endConferenceOnExit": _BOOL,
            "participantLabel": lambda text: 0 < len(text) <= _LABEL_CHARACTERS,
            "jitterBufferSize": _one_of("off", "small", "medium", "large"),
            "waitUrl": lambda text: text == "" or _is_url(text),
            "waitMethod": _METHOD,
            "maxParticipants": _whole(2, 250),
            "record": _one_of("do-not-record", "record-from-start"),
            "region": _anything,
            "statusCallback": _is_url,
            "statusCallbackMethod": _METHOD,
            "statusCallbackEvent": _words(CONFERENCE_EVENTS),
        },
        text=_anything,
    ),
    "Redirect": Verb(attributes={"method": _METHOD}, text=_is_url),
    "Hangup": Verb(),
    "Reject": Verb(attributes={"reason": _one_of("rejected", "busy")}),
}

WAITING = frozenset({"Say", "Play", "Pause", "Redirect"})
"""What may be said to who waits, is on hold, or hears an announcement (error 13238)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A TwiML document as it was read: its verbs, and every fault of it."""

    verbs: list[Element]
    faults: list[str]


def read(text: str, allowed: frozenset[str] = VERBS["Response"].children) -> Document:
    """Read a document in which `allowed` may be said."""
    if len(text.encode()) > MOST_BYTES:
        return Document(verbs=[], faults=["over 64 KB (11700)"])
    try:
        root = ET.fromstring(text)
    except ET.ParseError as broken:
        return Document(verbs=[], faults=[f"not XML (12100): {broken}"])
    if root.tag != "Response":
        return Document(verbs=[], faults=[f"<{root.tag}> is not <Response> (12200)"])
    faults = [f"<{verb.tag}> not allowed here" for verb in root if verb.tag not in allowed]
    return Document(verbs=list(root), faults=faults + _faults(root))


def _faults(element: Element) -> list[str]:
    verb = VERBS[element.tag]
    faults = _attribute_faults(element, verb)
    said = (element.text or "").strip()
    if verb.text is None and said:
        faults.append(f"<{element.tag}> holds text")
    if verb.text is not None and not verb.text(said):
        faults.append(f"<{element.tag}> cannot hold {said!r}")
    for child in element:
        if (child.tail or "").strip():
            faults.append(f"text after <{child.tag}>")
        if child.tag not in verb.children:
            faults.append(f"<{child.tag}> not allowed in <{element.tag}>")
        else:
            faults += _faults(child)
    return faults


def _attribute_faults(element: Element, verb: Verb) -> list[str]:
    faults = []
    for name, text in element.attrib.items():
        check = verb.attributes.get(name)
        if check is None:
            faults.append(f"<{element.tag}> has no attribute {name}")
        elif not check(text):
            faults.append(f"<{element.tag}> {name}={text!r}")
    if element.tag == "Dial" and len(element) != 1:
        faults.append("<Dial> dials one conference")
    return faults
