"""One channel's life, from ARI's events to news. Pure: a trace and an event give both anew.

A report's id is made of what it tells, so that whoever finds the same fact again after a lost
connection, this process or the next, tells it under the same id.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from dialer.carriers import (
    CallIn,
    KeyPressed,
    LegAnswered,
    LegBridged,
    LegEnded,
    LegRinging,
    News,
    ReleaseSide,
    Report,
)
from dialer.carriers.asterisk.events import Event, Kind
from dialer.carriers.asterisk.kept import Kept
from dialer.carriers.asterisk.names import (
    dialled_in_leg,
    is_dialled_in,
    is_our_bridge,
    rung_leg,
)
from dialer.carriers.asterisk.numbers import caller_number
from dialer.carriers.asterisk.release import Asked, Ending, release_of
from terms.ids import LegId

ENGINE_DIED = "engine_restarted"
_UP, _RINGING = "Up", "Ringing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What is known of one channel of ours. It takes orders from `began` on.

    `was_unheard`: it stood while nobody listened, so that somebody may have asked for its end then.
    """

    leg: LegId
    seen_at: datetime | None = None
    rang: bool = False
    answered_at: datetime | None = None
    began: bool = False
    bridge: str = ""
    asked: Asked | None = None
    was_unheard: bool = False
    ended: bool = False

    @property
    def talks(self) -> bool:
        """Answered, and not over."""
        return self.answered_at is not None and self.began and not self.ended


Traces = Mapping[str, Trace]


def trace_for(traces: Traces, event: Event) -> Trace | None:
    """The trace this event belongs to, a new one if it is the first; None if it is not ours."""
    if (known := traces.get(event.channel)) is not None:
        return known
    if (leg := rung_leg(event.channel)) is not None:
        return Trace(leg=leg, seen_at=event.at)
    if event.kind is Kind.BEGAN and event.arguments[:1] == ("in",):
        return Trace(leg=dialled_in_leg(event.channel), seen_at=event.at)
    return None


def follow(trace: Trace, event: Event) -> tuple[Trace, tuple[Report, ...]]:
    """What the event makes of the trace, and what is to be told of it."""
    if trace.ended:
        return trace, ()
    match event.kind:
        case Kind.BEGAN:
            return _begins(trace, event)
        case Kind.STATE:
            return _changes_state(trace, event)
        case Kind.KEY:
            key = KeyPressed(leg=trace.leg, at=event.at, digit=event.digit)
            return trace, (_report(key, f"key:{event.at.timestamp():.3f}:{event.digit}"),)
        case Kind.ENTERED if is_our_bridge(event.bridge):
            joined = LegBridged(leg=trace.leg, at=event.at)
            report = _report(joined, f"bridged:{event.at.timestamp():.3f}")
            return replace(trace, bridge=event.bridge), (report,)
        case Kind.LEFT if event.bridge == trace.bridge:
            return replace(trace, bridge=""), ()
        case Kind.ASKED_TO_END if trace.asked is None:  # the first to ask is who let go
            asked = Asked(soft=event.soft, cause=event.cause, sip=event.sip)
            return replace(trace, asked=asked), ()
        case Kind.RETURNED | Kind.DESTROYED if _ends(trace, event):
            return _end(trace, event.at, event.cause, event.sip)
    return trace, ()


def ends_unexplained(trace: Trace, event: Event) -> bool:
    """Whether the event ends the leg, and who asked for that may have been said to nobody."""
    return trace.was_unheard and trace.asked is None and _ends(trace, event)


def _ends(trace: Trace, event: Event) -> bool:
    if event.kind is Kind.RETURNED:
        return is_dialled_in(trace.leg)  # it has nowhere to return to but its end
    return event.kind is Kind.DESTROYED


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What is known of a channel that nobody saw go.

    `engine_started_at` is when this Asterisk started: what it knew before died with it.
    """

    at: datetime
    kept: Kept | None = None
    engine_started_at: datetime | None = None

    def died_with_engine(self, trace: Trace) -> bool:
        """Whether the channel was there before this Asterisk was."""
        started_at, seen_at = self.engine_started_at, trace.seen_at
        return started_at is not None and seen_at is not None and seen_at < started_at


def vanished(trace: Trace, gone: Gone) -> tuple[Trace, tuple[Report, ...]]:
    """The channel is gone and nobody saw it go. Where nothing was kept, only that can be said."""
    kept = gone.kept
    before: tuple[Report, ...] = ()
    if kept is not None:
        trace = replace(trace, asked=trace.asked or kept.asked)
        if kept.was_up and trace.answered_at is None:
            trace = replace(trace, answered_at=kept.at)
            before = (_answered(trace.leg, kept.at),)
        trace, reports = _end(trace, kept.at, kept.cause, None)
        return trace, (*before, *reports)
    ended = LegEnded(leg=trace.leg, at=gone.at, by=ReleaseSide.UNKNOWN)
    if gone.died_with_engine(trace):
        assert gone.engine_started_at is not None
        at = min(gone.at, gone.engine_started_at)
        ended = LegEnded(leg=trace.leg, at=at, by=ReleaseSide.CARRIER, code=ENGINE_DIED)
    return replace(trace, ended=True), (_report(ended, "ended"),)


def _begins(trace: Trace, event: Event) -> tuple[Trace, tuple[Report, ...]]:
    first = not trace.began
    trace = replace(trace, began=True)
    if is_dialled_in(trace.leg) and event.state != _UP:
        dialled = event.arguments[1] if len(event.arguments) > 1 else ""
        caller = caller_number(event.caller)
        call_in = CallIn(leg=trace.leg, at=event.at, caller=caller, dialled=dialled)
        return trace, (_report(call_in, "in"),) if first else ()
    if event.state != _UP or not first:
        return trace, ()
    at = trace.answered_at or event.at
    return replace(trace, answered_at=at), (_answered(trace.leg, at),)


def _changes_state(trace: Trace, event: Event) -> tuple[Trace, tuple[Report, ...]]:
    if event.state == _RINGING and not trace.rang:
        ringing = LegRinging(leg=trace.leg, at=event.at)
        return replace(trace, rang=True), (_report(ringing, "ringing"),)
    if event.state == _UP and trace.answered_at is None:
        trace = replace(trace, answered_at=event.at)
        # One we rang takes orders only once it began: it is told then.
        return trace, (_answered(trace.leg, event.at),) if trace.began else ()
    return trace, ()


def _end(
    trace: Trace, at: datetime, cause: int, sip: int | None
) -> tuple[Trace, tuple[Report, ...]]:
    answered = trace.answered_at is not None
    release = release_of(
        Ending(rang=trace.rang, answered=answered, asked=trace.asked, cause=cause, sip=sip)
    )
    ended = LegEnded(
        leg=trace.leg,
        at=at,
        by=release.by,
        q850=release.q850,
        sip=release.sip,
        code=release.code,
    )
    return replace(trace, ended=True, bridge=""), (_report(ended, "ended"),)


def _answered(leg: LegId, at: datetime) -> Report:
    return _report(LegAnswered(leg=leg, at=at), "answered")


def _report(news: News | CallIn, what: str) -> Report:
    return Report(id=f"{news.leg}:{what}", news=news)
