"""One phone on a call, as the facts the carrier told about it.

Facts only gather: each is set once and repeating it changes nothing, so a leg looks the same in
whatever order its news came in. What a leg *is* (ringing, talking, over) is read off its facts.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dialer.carriers import (
    KeyPressed,
    LegAnswered,
    LegBridged,
    LegEnded,
    LegRinging,
    MediaHeard,
    MediaLost,
    News,
    ReleaseSide,
)
from terms.ids import LegId
from terms.values import changer, maker, quickly_made, replace
from terms.verdict import Role

ACCEPT_DIGIT = "1"

NORMAL_CAUSES = frozenset({16, 31})
FAULT_CAUSES = frozenset({27, 34, 38, 41, 42, 44, 47, 102, 111})
"""Q.850 causes that only a network or a platform gives, never a person (4.6)."""

LIMIT_CODE = "limit"
"""A carrier's own word for 'its absolute limit ended the leg'."""


class LetGoReason(StrEnum):
    """Why we ordered a leg hung up; part of the evidence."""

    NOT_WANTED = "not_wanted"  # the attempt is over, this phone need not ring on
    NO_ANSWER = "no_answer"
    NOT_ACCEPTED = "not_accepted"  # answered, but nobody pressed 1: voicemail
    SILENT = "silent"  # no audio for too long: the line is dead
    CAP = "cap"
    CALLER_ENDED = "caller_ended"  # the caller hung up in the app
    COUNSELOR_ENDED = "counselor_ended"  # the counselor hung up in the console
    STAFF_ENDED = "staff_ended"
    HANDED_OVER = "handed_over"  # the agency has the caller now
    PARTNER_LEFT = "partner_left"  # the other side is gone


class Failure(StrEnum):
    """Why a leg never came to talk."""

    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    SWITCHED_OFF = "switched_off"
    GAVE_UP = "gave_up"  # answered, then hung up before the two were connected
    NOT_ACCEPTED = "not_accepted"
    INVALID_NUMBER = "invalid_number"
    FAULT = "fault"  # the carrier or we failed

    @property
    def counts(self) -> bool:
        """Only what the person caused counts as an attempt (design 3, X27)."""
        return self in _COUNTING


_COUNTING = frozenset({Failure.NO_ANSWER, Failure.BUSY, Failure.REJECTED, Failure.SWITCHED_OFF})
_BY_CAUSE = {
    17: Failure.BUSY,
    18: Failure.SWITCHED_OFF,
    19: Failure.NO_ANSWER,
    20: Failure.SWITCHED_OFF,
    21: Failure.REJECTED,
    1: Failure.INVALID_NUMBER,
    28: Failure.INVALID_NUMBER,
}
_BY_SIP = {
    404: Failure.INVALID_NUMBER,
    408: Failure.NO_ANSWER,
    480: Failure.NO_ANSWER,
    486: Failure.BUSY,
    600: Failure.BUSY,
    603: Failure.REJECTED,
}
# Asked of every leg at every step, and a member asked of its enumeration is slow to answer.
_SILENT, _PLATFORM = LetGoReason.SILENT, ReleaseSide.PLATFORM
_SIDE_RANK = {
    ReleaseSide.PARTY: 0,
    ReleaseSide.CARRIER: 1,
    ReleaseSide.PLATFORM: 2,
    ReleaseSide.UNKNOWN: 3,
}


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """How a leg ended, in the carrier's words."""

    at: datetime
    by: ReleaseSide
    q850: int | None = None
    sip: int | None = None
    code: str | None = None


_make_release = maker(Release)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """`party` names whom the leg rings where the role alone does not: a counselor, an agency."""

    id: LegId
    role: Role
    rung_at: datetime
    party: str | None = None
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    accepted_at: datetime | None = None
    bridged_at: datetime | None = None
    silent_since: datetime | None = None  # the beginning of the last silence we know of
    heard_at: datetime | None = None  # when audio last came back
    release: Release | None = None
    let_go_at: datetime | None = None
    let_go_why: LetGoReason | None = None

    def __post_init__(self) -> None:
        assert (self.let_go_at is None) == (self.let_go_why is None)

    @property
    def is_over(self) -> bool:
        """Ended, or told to: nothing it says can bring it back."""
        return self.release is not None or self.let_go_at is not None

    @property
    def is_silent(self) -> bool:
        """We let it go because nothing was heard from it any more."""
        return self.let_go_why is _SILENT

    @property
    def unheard_since(self) -> datetime | None:
        """Since when nothing comes from it any more; None where the last silence healed."""
        silent, heard = self.silent_since, self.heard_at
        return silent if silent is None or heard is None or heard <= silent else None

    @property
    def obeyed(self) -> bool:
        """It ended because we told it to. A release of before our command has another cause."""
        if self.let_go_at is None or self.release is None:
            return self.let_go_at is not None
        return self.release.by is _PLATFORM or self.release.at >= self.let_go_at

    @property
    def off_at(self) -> datetime | None:
        """When it stopped carrying talk; None while it still may.

        For legs let go together that is the moment we decided it: which of them the carrier
        released first says nothing about who ended the talk.
        """
        if self.let_go_at is not None and self.obeyed:
            return self._given_up_at if self.let_go_why is _SILENT else self.let_go_at
        return None if self.release is None else self.release.at

    @property
    def _given_up_at(self) -> datetime | None:
        """When a leg let go for its silence was last heard.

        Told late that it had spoken again, it was heard until we let it go.
        """
        silent, heard, let_go_at = self.silent_since, self.heard_at, self.let_go_at
        assert let_go_at is not None
        spoke = silent is not None and heard is not None and silent < heard < let_go_at
        return let_go_at if spoke else silent


make_leg = maker(Leg)
_rang, _answered = changer(Leg, "ringing_at"), changer(Leg, "answered_at")
_joined, _ended = changer(Leg, "bridged_at"), changer(Leg, "release")
_accepted = changer(Leg, "accepted_at", "answered_at")
_let_go = changer(Leg, "let_go_at", "let_go_why")


def observe(leg: Leg, news: News, now: datetime) -> Leg:
    """The leg with one more fact; a fact told twice, or one already implied, changes nothing.

    A carrier's clock that runs ahead of ours is held back to `now`.
    """
    at = news.at if news.at < now else now
    match news:
        case LegEnded():
            release = _make_release(at=at, by=news.by, q850=news.q850, sip=news.sip, code=news.code)
            return _released(leg, release)
        case LegRinging():
            return leg if _not_later(leg.ringing_at, at) else _rang(leg, at)
        case LegAnswered():
            return leg if _not_later(leg.answered_at, at) else _answered(leg, at)
        case KeyPressed(digit=digit):
            if digit != ACCEPT_DIGIT or _not_later(leg.accepted_at, at):
                return leg
            return _accepted(leg, at, min(leg.answered_at or at, at))
        case LegBridged():
            return leg if _not_later(leg.bridged_at, at) else _joined(leg, at)
        case MediaLost(since=since):
            return _fell_silent(leg, min(since, now))
        case MediaHeard():
            known = leg.heard_at
            return leg if known is not None and known >= at else replace(leg, heard_at=at)


def _not_later(known: datetime | None, at: datetime) -> bool:
    return known is not None and known <= at


def _fell_silent(leg: Leg, since: datetime) -> Leg:
    """Told of two silences, it was heard between them: the later one is the one that lasts."""
    known = leg.silent_since
    return leg if known is not None and known >= since else replace(leg, silent_since=since)


def _released(leg: Leg, release: Release) -> Leg:
    """Of two tales of one end the one that knows more wins, so that their order does not matter."""
    if leg.release is None or _knowledge(release) < _knowledge(leg.release):
        return _ended(leg, release)
    return leg


def _knowledge(release: Release) -> tuple[int, bool, bool, bool, datetime, int, int, str]:
    """The less, the more it tells: who let go, then why, then the earliest."""
    q850, sip, code = release.q850, release.sip, release.code
    untold = (q850 is None, sip is None, code is None)
    return (_SIDE_RANK[release.by], *untold, release.at, q850 or 0, sip or 0, code or "")


def accept(leg: Leg, at: datetime) -> Leg:
    """The counselor said yes in the console; it stands for pressing 1."""
    return leg if leg.accepted_at is not None else replace(leg, accepted_at=at)


def let_go(leg: Leg, why: LetGoReason, at: datetime) -> Leg:
    """The leg is told to hang up; the first reason is the one that stays."""
    return leg if leg.is_over else _let_go(leg, at, why)


def was_lost(leg: Leg) -> bool:
    """Whether the line failed, rather than somebody hanging up (4.6).

    Doubt counts as lost: ringing a person back who meant to go is a lesser harm than leaving one
    who did not.
    """
    if leg.is_silent:
        return True
    release = leg.release
    if release is None or release.code == LIMIT_CODE:
        return False
    if release.q850 in FAULT_CAUSES:
        return True
    match release.by:
        case ReleaseSide.PARTY:
            return False
        case ReleaseSide.CARRIER | ReleaseSide.PLATFORM:
            return True
        case ReleaseSide.UNKNOWN:
            return release.q850 not in NORMAL_CAUSES or leg.unheard_since is not None


def turned_down(leg: Leg) -> bool:
    """Its person did not want the call: said so in the console, or rejected it on the phone."""
    if leg.bridged_at is not None:
        return False
    return leg.let_go_why is LetGoReason.COUNSELOR_ENDED or failure_of(leg) is Failure.REJECTED


def could_not_ring(leg: Leg) -> bool:
    """The phone could not be rung: the line's fault or ours, and nobody's choice."""
    return failure_of(leg) in (Failure.FAULT, Failure.INVALID_NUMBER)


def failure_of(leg: Leg) -> Failure:
    """Why a leg that never talked is over."""
    if leg.let_go_why is LetGoReason.NO_ANSWER:
        return Failure.NO_ANSWER if leg.ringing_at is not None else Failure.FAULT
    if leg.let_go_why is LetGoReason.NOT_ACCEPTED:
        return Failure.NOT_ACCEPTED
    release = leg.release
    if release is None or release.q850 in FAULT_CAUSES:
        return Failure.FAULT
    if release.q850 in _BY_CAUSE:
        return _BY_CAUSE[release.q850]
    if release.by is ReleaseSide.PARTY and (leg.answered_at or release.q850 in NORMAL_CAUSES):
        return Failure.GAVE_UP
    if release.q850 is None and release.sip in _BY_SIP:
        return _BY_SIP[release.sip]
    return Failure.FAULT
