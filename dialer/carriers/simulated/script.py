"""What a handset does by itself when it is rung: the contract's `PUT /sim/handsets/{number}`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from terms.values import quickly_made

_DIGITS = re.compile(r"[0-9*#]{0,32}")
_LONGEST_SECONDS = 7 * 24 * 3600
_FIELDS = frozenset(
    (
        "answers",
        "after_seconds",
        "presses",
        "talks_for_seconds",
        "ends_by",
        "waits_for_seconds",
        "silent_after_seconds",
        "silent_for_seconds",
    )
)

Word = TypeVar("Word", bound=StrEnum)


class Answers(StrEnum):
    """How the phone takes a call."""

    YES = "yes"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTS = "rejects"
    OFF = "off"
    UNKNOWN = "unknown"  # the network knows no such number
    FAULT = "fault"  # the carrier fails to set the call up (503)
    BY_HAND = "by_hand"  # rings until somebody works the handset


class EndsBy(StrEnum):
    """How the phone leaves a talk once `talks_for_seconds` are over."""

    HANGUP = "hangup"
    DROP = "drop"  # the network lets go
    SILENCE = "silence"  # audio stops, the leg stays half-open
    STAYS = "stays"


class ScriptFault(ValueError):
    """A script or fault setting that cannot be; the text says which field and why."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A handset's behaviour. It holds for calls that begin after it was set.

    `talks_for_seconds` count from the moment the phone first hears another one; None talks on.
    `waits_for_seconds` count from the answer: a person who by then has heard nobody hangs up.
    A phone that answers and presses nothing is a voicemail box. `silent_after_seconds` after it
    first hears another one its line carries no audio for `silent_for_seconds`.
    """

    answers: Answers = Answers.BY_HAND
    after_seconds: float = 0.0
    presses: str = ""
    talks_for_seconds: float | None = None
    ends_by: EndsBy = EndsBy.STAYS
    waits_for_seconds: float | None = None
    silent_after_seconds: float | None = None
    silent_for_seconds: float = 0.0


BY_HAND = Script()


def parse_script(fields: Mapping[str, object]) -> Script:
    """The script named by a JSON object; raises `ScriptFault` for anything unclear.

    A phone of which only the talking time is told hangs up when that time is over.
    """
    if unknown := sorted(set(fields) - _FIELDS):
        raise ScriptFault(f"unknown field: {unknown[0]}")
    talks_for = _optional_seconds(fields, "talks_for_seconds")
    silent_wish = EndsBy.HANGUP if talks_for is not None else EndsBy.STAYS
    return Script(
        answers=_word(Answers, fields, "answers", Answers.YES),
        after_seconds=_optional_seconds(fields, "after_seconds") or 0.0,
        presses=parse_digits(fields.get("presses", "")),
        talks_for_seconds=talks_for,
        ends_by=_word(EndsBy, fields, "ends_by", silent_wish),
        waits_for_seconds=_optional_seconds(fields, "waits_for_seconds"),
        silent_after_seconds=_optional_seconds(fields, "silent_after_seconds"),
        silent_for_seconds=_optional_seconds(fields, "silent_for_seconds") or 0.0,
    )


def write_script(script: Script) -> dict[str, object]:
    """The script as the JSON object that `parse_script` reads."""
    return {
        "answers": script.answers.value,
        "after_seconds": script.after_seconds,
        "presses": script.presses,
        "talks_for_seconds": script.talks_for_seconds,
        "ends_by": script.ends_by.value,
        "waits_for_seconds": script.waits_for_seconds,
        "silent_after_seconds": script.silent_after_seconds,
        "silent_for_seconds": script.silent_for_seconds,
    }


def _word(words: type[Word], fields: Mapping[str, object], name: str, default: Word) -> Word:
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, str) or value not in tuple(words):
        raise ScriptFault(f"{name} must be one of {', '.join(words)}")
    return words(value)


def _optional_seconds(fields: Mapping[str, object], name: str) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ScriptFault(f"{name} must be a number of seconds")
    if not 0 <= value <= _LONGEST_SECONDS:
        raise ScriptFault(f"{name} must be between 0 and {_LONGEST_SECONDS}")
    return float(value)


def parse_digits(value: object) -> str:
    """Keys to press; raises `ScriptFault`."""
    if not isinstance(value, str) or not _DIGITS.fullmatch(value):
        raise ScriptFault("keys to press are up to 32 of 0-9, * and #")
    return value
