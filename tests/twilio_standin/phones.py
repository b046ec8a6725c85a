"""Phones on the far side of Twilio: what each does when it rings, and what it was told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.twilio_standin.calls import Call


class Reply(Enum):
    """How a phone, or the network for it, takes a call."""

    BY_HAND = auto()  # rings until somebody answers it by hand
    ANSWERS = auto()
    BUSY = auto()
    REJECTS = auto()
    NO_ANSWER = auto()
    OFF = auto()
    UNKNOWN = auto()
    FAILS = auto()  # the network itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a call that is not answered ends: Twilio's status and the SIP code."""

    status: str
    sip: int


OUTCOMES: Mapping[Reply, Outcome] = MappingProxyType(
    {
        # Captured: CallStatus=busy with SipResponseCode=486.
        Reply.BUSY: Outcome(status="busy", sip=486),
        Reply.REJECTS: Outcome(status="busy", sip=603),
        Reply.OFF: Outcome(status="no-answer", sip=480),
        Reply.UNKNOWN: Outcome(status="failed", sip=404),
        Reply.FAILS: Outcome(status="failed", sip=503),
    }
)
RING_TIMEOUT = Outcome(status="no-answer", sip=487)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What a phone does when it is rung."""

    reply: Reply = Reply.BY_HAND
    after_seconds: float = 0.0
    """From the first ring to the reply."""

    presses: str = ""
    """Keys for the first question it hears, one second in."""

    talk_seconds: float | None = None
    """Hangs up by itself that long after its conference starts."""

    answered_by: str = "human"
    """What answering-machine detection finds."""


@dataclass(slots=True, kw_only=True)
class Phone:
    """One phone, known by its number."""

    number: str
    script: Script = field(default_factory=Script)
    call: "Call | None" = None
    rung: int = 0
    """How often it was made to ring."""

    silent: bool = False
    dead: bool = False
    heard: list[str] = field(default_factory=list)
    """What its present or last call told it: texts that were said, addresses that were played."""

    shown: list[str] = field(default_factory=list)
    unheard_keys: str = ""
    """Keys pressed while nobody asked for any: Twilio tells nobody of them."""

    messages: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Phones:
    """Every phone there is. One that was never taught anything has the `usual` script."""

    usual: Script = field(default_factory=Script)
    _by_number: dict[str, Phone] = field(default_factory=dict)

    def __getitem__(self, number: str) -> Phone:
        if number not in self._by_number:
            self._by_number[number] = Phone(number=number, script=self.usual)
        return self._by_number[number]

    def all(self) -> list[Phone]:
        """Every phone that was ever spoken of."""
        return list(self._by_number.values())
