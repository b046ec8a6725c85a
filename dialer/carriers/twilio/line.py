"""A leg as we know it at Twilio: what we asked of it, and what it told. Pure.

Everything Twilio is told to do is decided here once and kept (`served`), so that a document asked
for twice is the same document, whatever happened in between.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from dialer.carriers.twilio.names import is_dialled_in
from terms.ids import LegId
from terms.phone import PhoneNumber

LAST_WAIT = 90
"""How often a phone that dialled in is let ring on, a second each, before it is turned away."""

_MOST_KEPT = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How the call ended, in Twilio's words. `seconds` it was answered for, `sip` the last word."""

    at: datetime
    status: str
    seconds: int | None = None
    sip: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One leg. `sid` is None until we know that Twilio has the call; `asked_by` names who asked
    for it last, which is one at a time.

    `rang_by` is the event that told first that it rings. `strand` counts the redirections;
    documents of an earlier one are out of date. `room` is the conference it shall be in, `joined`
    whether it is. `pending` are prompts not yet served, as `LANGUAGE/KEY`; a line is `idle` while
    its document says nothing more. `limit_seconds` counts from the answer, as Twilio's TimeLimit
    does. `release` names its end, and `released_by` the event that made it known so. `shown` is the
    number that Twilio cannot show and an agency is told in words.
    """

    leg: LegId
    token: str
    asked_at: datetime
    asked_by: str = ""
    sid: str | None = None
    rang_by: str | None = None
    answered_at: datetime | None = None
    is_taken: bool = False
    strand: int = 0
    room: str | None = None
    conference: str | None = None
    conference_seq: int = -1
    joined: bool = False
    pending: tuple[str, ...] = ()
    served: Mapping[str, str] = field(default_factory=dict)
    idle: bool = False
    limit_seconds: int | None = None
    let_go_at: datetime | None = None
    left_why: str | None = None
    ended: Ended | None = None
    release: str | None = None
    released_by: str | None = None
    shown: PhoneNumber | None = None

    @property
    def stands(self) -> bool:
        """Whether it takes orders: answered, and not over."""
        return self.answered_at is not None and not self.is_over

    @property
    def is_over(self) -> bool:
        """Ended, or told to."""
        return self.ended is not None or self.let_go_at is not None

    @property
    def waits_untaken(self) -> bool:
        """Whether it dialled in and nobody took it yet."""
        return is_dialled_in(self.leg) and not self.is_taken


# --- what Twilio is told -------------------------------------------------------------------------


def place(strand: int, step: int) -> str:
    """The name of one document of a line."""
    return f"{strand}.{step}"


def serve(line: Line, strand: int, step: int) -> Line:
    """Decide what this document says, unless that was decided before."""
    key = place(strand, step)
    if key in line.served:
        return line
    word, pending, idle = _decide(line, strand, step)
    kept = dict(list(line.served.items())[1 - _MOST_KEPT :])
    return replace(line, served={**kept, key: word}, pending=pending, idle=idle)


def _decide(line: Line, strand: int, step: int) -> tuple[str, tuple[str, ...], bool]:
    if line.is_over:
        word = "reject" if line.waits_untaken else "bye"
    elif line.waits_untaken:
        word = "wait" if step < LAST_WAIT else "reject"
    elif strand != line.strand:
        word = f"go {line.strand}"
    elif line.room is not None and step == 0:
        word = f"join {line.room}"
    else:
        return " ".join(("hold", *line.pending)), (), not line.pending
    return word, line.pending, line.idle


# --- orders --------------------------------------------------------------------------------------


def redirected(line: Line, room: str | None) -> Line:
    """Sent anew: into a room, or out of one to be held. The limit stays as it is."""
    return replace(line, strand=line.strand + 1, room=room, joined=False, idle=False)


def asked_to_say(line: Line, spoken: str) -> Line:
    """A prompt more for a held line; an idle one is sent anew, a speaking one comes by itself."""
    line = replace(line, pending=(*line.pending, spoken))
    return replace(line, strand=line.strand + 1, idle=False) if line.idle else line


def limited(line: Line, limit_seconds: int, now: datetime) -> Line:
    """With another limit, counted from now."""
    assert line.answered_at is not None
    elapsed = max((now - line.answered_at).total_seconds(), 0.0)
    return replace(line, limit_seconds=math.ceil(elapsed) + limit_seconds)
