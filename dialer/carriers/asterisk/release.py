"""Who let a leg go, and why, from what Asterisk does when a channel ends. Measured, not documented:

- A message from the phone's side (BYE, CANCEL, a refusal) asks for the end, never softly.
- Our own order, and Asterisk's watch over silent media, ask softly.
- An absolute limit, and our limit on ringing, end the channel without asking at all.
"""

from dataclasses import dataclass

from dialer.carriers import ReleaseSide

LIMIT = "limit"
SILENT = "rtp_timeout"
_NORMAL, _BUSY, _NO_ANSWER, _ABSENT, _REJECTED, _SILENT_CAUSE = 16, 17, 19, 20, 21, 44
_NORMAL_CAUSES = frozenset({0, _NORMAL, _BUSY, _REJECTED, 31})
_REFUSED_BY_THE_PARTY = frozenset({_BUSY, _REJECTED})
_SOFT_CAUSE_OF_SILENCE = 1
_CANCELLED, _UNAVAILABLE = 487, 480
_CHALLENGED = frozenset({401, 407})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Somebody asked for the end of the channel."""

    soft: bool
    cause: int
    sip: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """All that is known about how a channel ended; `cause` is the last word, 0 for none."""

    rang: bool
    answered: bool
    asked: Asked | None
    cause: int
    sip: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The evidence as carriers tell it."""

    by: ReleaseSide
    q850: int | None
    sip: int | None = None
    code: str | None = None


def release_of(ending: Ending) -> Release:
    """Who let the leg go."""
    asked = ending.asked
    if asked is None:
        return _nobody_asked(ending)
    if asked.soft:
        return _asked_softly(ending, asked)
    cause = ending.cause or asked.cause
    sip = ending.sip or asked.sip
    if not ending.answered:
        return _never_answered(ending, cause, sip)
    by = ReleaseSide.PARTY if cause in _NORMAL_CAUSES else ReleaseSide.CARRIER
    return Release(by=by, q850=cause or _NORMAL, sip=sip)  # a BYE that gives no reason: RFC 3398


def _nobody_asked(ending: Ending) -> Release:
    if not ending.answered:
        cause = ending.cause if ending.cause not in (0, _NORMAL) else _NO_ANSWER
        return Release(by=ReleaseSide.CARRIER, q850=cause, sip=ending.sip or _UNAVAILABLE)
    if ending.cause in (0, _NORMAL):
        return Release(by=ReleaseSide.CARRIER, q850=ending.cause or None, code=LIMIT)
    return Release(by=ReleaseSide.CARRIER, q850=ending.cause, sip=ending.sip)


def _asked_softly(ending: Ending, asked: Asked) -> Release:
    if _SILENT_CAUSE in (ending.cause, asked.cause) or asked.cause == _SOFT_CAUSE_OF_SILENCE:
        return Release(by=ReleaseSide.CARRIER, q850=_SILENT_CAUSE, code=SILENT)
    return Release(by=ReleaseSide.PLATFORM, q850=_NORMAL, sip=ending.sip)


def _never_answered(ending: Ending, cause: int, sip: int | None) -> Release:
    if sip == _CANCELLED:  # who dialled in gave up; Asterisk's 127 says no more than that
        return Release(by=ReleaseSide.PARTY, q850=_NORMAL, sip=sip)
    if sip in _CHALLENGED:  # our own password; Asterisk makes 21, "rejected", of it
        return Release(by=ReleaseSide.CARRIER, q850=None, sip=sip)
    if cause in _REFUSED_BY_THE_PARTY:
        return Release(by=ReleaseSide.PARTY, q850=cause, sip=sip)
    if (cause, sip) == (_NO_ANSWER, _UNAVAILABLE) and not ending.rang:
        cause = _ABSENT  # Asterisk makes 19, "alerting, no answer", of every 480; nothing alerted
    return Release(by=ReleaseSide.CARRIER, q850=cause or None, sip=sip)
