"""What Twilio is told to do next: a pure view of a line, as TwiML."""

from collections.abc import Callable
from dataclasses import dataclass

from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

from dialer.carriers.twilio.line import Line, place
from dialer.carriers.twilio.names import (
    CONFERENCES,
    DOCUMENT_RETRIES,
    EVENT_RETRIES,
    label_of,
    voice_path,
)

Words = Callable[[str, str], str | None]
"""What a prompt says, by its key and a language; None if there is no such prompt."""

LANGUAGE_OF_NUMBERS = "zh-CN"
_HELD_SECONDS = 30
_LONGEST_SECONDS = 14_400
"""`<Dial timeLimit>` cannot be moved once it runs, and a limit that cannot be lifted would cut
somebody in danger: so it is Twilio's own longest, and TimeLimit of the call is the guard."""

_MOST_PARTICIPANTS = 10
_TWICE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What documents need besides the line: our address, and the words of prompts."""

    public_url: str
    words: Words


def document(line: Line, strand: int, step: int, around: Surroundings) -> str:
    """The document that was decided for this place."""
    verb, *rest = line.served[place(strand, step)].split(" ")
    following = _address(line, strand, step + 1, around)
    response = VoiceResponse()
    match verb:
        case "wait":
            response.pause(length=1)
            response.redirect(following, method="POST")
        case "hold":
            _hold(response, rest, following, around.words)
        case "join":
            _join(response, line, rest[0], following, around)
        case "go":
            response.redirect(_address(line, int(rest[0]), 0, around), method="POST")
        case "reject":
            response.reject()
        case _:
            response.hangup()
    return str(response)


def farewell() -> str:
    """For whoever has no business here: a second call for a leg that has one."""
    response = VoiceResponse()
    response.hangup()
    return str(response)


def announcement(language: str, text: str) -> str:
    """A prompt over a conference."""
    response = VoiceResponse()
    response.say(text, language=language)
    return str(response)


def number_told(digits: str, language: str) -> str:
    """A number in words, twice: for an agency that Twilio cannot show it to."""
    response = VoiceResponse()
    for _ in range(_TWICE):
        response.say(" ".join(digits.removeprefix("+")), language=language)
        response.pause(length=1)
    return str(response)


def _hold(response: VoiceResponse, prompts: list[str], following: str, words: Words) -> None:
    """Keys are heard while it waits and while it is spoken to."""
    gather = Gather(
        num_digits=1,
        finish_on_key="",
        timeout=_held_seconds(prompts),
        action=following,
        method="POST",
    )
    for prompt in prompts:
        language, _, key = prompt.partition("/")
        if text := words(key, language):
            gather.say(text, language=language)
    response.append(gather)
    response.redirect(following, method="POST")


def _held_seconds(prompts: list[str]) -> int:
    """After a prompt it asks again soon: another may have been ordered meanwhile."""
    return 1 if prompts else _HELD_SECONDS


def _join(
    response: VoiceResponse, line: Line, room: str, following: str, around: Surroundings
) -> None:
    dial = Dial(action=following, method="POST", time_limit=_LONGEST_SECONDS)
    dial.conference(
        room,
        beep="false",
        start_conference_on_enter=True,
        end_conference_on_exit=False,
        wait_url="",
        jitter_buffer_size="small",
        max_participants=_MOST_PARTICIPANTS,
        participant_label=label_of(line.leg),
        status_callback=around.public_url + CONFERENCES + EVENT_RETRIES,
        status_callback_event="join leave",
        status_callback_method="POST",
    )
    response.append(dial)


def _address(line: Line, strand: int, step: int, around: Surroundings) -> str:
    return around.public_url + voice_path(line.token, strand, step) + DOCUMENT_RETRIES
