"""Events into news: what an event makes of a line, and what is to be told of it. Pure.

Facts only gather, so events may come late, twice and in any order.
"""

from collections.abc import Iterator
from dataclasses import replace

from dialer.carriers import (
    CallIn,
    KeyPressed,
    LegAnswered,
    LegBridged,
    LegEnded,
    LegRinging,
    Report,
)
from dialer.carriers.twilio.events import Event, Kind
from dialer.carriers.twilio.line import Ended, Line
from dialer.carriers.twilio.names import is_dialled_in
from dialer.carriers.twilio.release import is_terminal, release_of

_JOIN, _LEAVE = "participant-join", "participant-leave"


def observe(line: Line, event: Event) -> Line:
    """The line with one more fact. An event of another call than the line's own changes nothing."""
    if event.sid and line.sid is None and _is_of_ring(line, event):
        line = replace(line, sid=event.sid)
    if not _is_of(line, event):
        return line
    line = _with_fact(line, event)
    release = release_of(line)
    if release is None or release.name == line.release:
        return line
    return replace(line, release=release.name, released_by=event.key)


def _is_of(line: Line, event: Event) -> bool:
    return event.sid == line.sid and _is_of_ring(line, event)


def _is_of_ring(line: Line, event: Event) -> bool:
    """Another token is of an earlier ring of the leg, which came to nothing."""
    return event.text("Token") in ("", line.token)


def _with_fact(line: Line, event: Event) -> Line:
    match event.kind:
        case Kind.ANSWERED:
            line = _rung(line, event)
            return replace(line, answered_at=line.answered_at or event.at)
        case Kind.CALL if event.text("CallStatus") == "ringing":
            return _rung(line, event)
        case Kind.CALL if is_terminal(event.text("CallStatus")):
            return _ended(line, event)
        case Kind.CONFERENCE:
            return _moved(line, event)
    return line


def reports(line: Line, event: Event) -> Iterator[Report]:
    """What to tell, the event being part of the line already."""
    if not _is_of(line, event):
        return
    leg, at = line.leg, event.at
    if line.rang_by == event.key:
        yield Report(id=f"{leg}:ringing", news=LegRinging(leg=leg, at=at))
    match event.kind:
        case Kind.DIALLED_IN:
            call_in = CallIn(leg=leg, at=at, caller=event.caller, dialled=event.text("Dialled"))
            yield Report(id=f"{leg}:in", news=call_in)
        case Kind.ANSWERED:
            yield Report(id=f"{leg}:answered", news=LegAnswered(leg=leg, at=at))
        case Kind.KEY:
            for index, digit in enumerate(event.text("Digits")):
                key = KeyPressed(leg=leg, at=at, digit=digit)
                yield Report(id=f"{leg}:{event.key}:{index}", news=key)
        case Kind.CONFERENCE if event.text("StatusCallbackEvent") == _JOIN:
            joined = LegBridged(leg=leg, at=at)
            yield Report(id=f"{leg}:bridged:{event.key}", news=joined)
    if line.released_by == event.key:
        yield from _end(line)


def _rung(line: Line, event: Event) -> Line:
    """What was answered has rung, even if that is told later. A phone that dialled in rings us."""
    if line.rang_by is not None or is_dialled_in(line.leg):
        return line
    return replace(line, rang_by=event.key)


def _end(line: Line) -> Iterator[Report]:
    """The end, as the event makes it known, or makes it clearer."""
    release = release_of(line)
    if line.ended is None or release is None:
        return
    ended = LegEnded(
        leg=line.leg,
        at=line.ended.at,
        by=release.by,
        q850=release.q850,
        sip=release.sip,
        code=release.code,
    )
    yield Report(id=f"{line.leg}:ended:{release.name}", news=ended)


def _ended(line: Line, event: Event) -> Line:
    at, status = event.at, event.text("CallStatus")
    seconds, sip = event.whole("CallDuration"), event.whole("SipResponseCode")
    if (known := line.ended) is not None:
        at, status = min(known.at, at), known.status
        seconds = known.seconds if seconds is None else seconds
        sip = known.sip if sip is None else sip
    return replace(line, ended=Ended(at=at, status=status, seconds=seconds, sip=sip))


def _moved(line: Line, event: Event) -> Line:
    """Into a conference or out of it; an event older than what is known moves nothing."""
    what, seq = event.text("StatusCallbackEvent"), event.whole("SequenceNumber") or 0
    conference = event.text("ConferenceSid")
    if what == _LEAVE:
        line = replace(line, left_why=event.text("ReasonParticipantLeft") or line.left_why)
    if what not in (_JOIN, _LEAVE) or (conference == line.conference and seq < line.conference_seq):
        return line
    joined = what == _JOIN and line.room is not None
    return replace(line, conference=conference, conference_seq=seq, joined=joined)
