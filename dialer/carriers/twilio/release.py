"""Who let a leg go, and why, from what Twilio tells of its end. Pure.

- A phone that hangs up is SIP 200 with the leave reason `participant_hung_up`; so is one that lost
  its network, as a rule: the public network tells no more.
- Our own order, known by us, is believed before Twilio's word for it.
- TimeLimit ends a call without a word of its own: it is told by the seconds.
"""

from dataclasses import dataclass
from datetime import timedelta

from dialer.carriers import ReleaseSide
from dialer.carriers.twilio.line import Ended, Line
from dialer.carriers.twilio.names import is_dialled_in

LIMIT = "limit"
_NORMAL, _BUSY, _NO_ANSWER, _ABSENT, _REJECTED, _UNKNOWN_NUMBER = 16, 17, 19, 20, 21, 1
_TEMPORARY, _INTERWORKING, _NO_CIRCUIT = 41, 127, 34
_GONE = 200
_CANCELLED, _UNAVAILABLE = 487, 480
_CUT = timedelta(seconds=1)

_BUSY_WORDS = {486: _BUSY, 600: _BUSY, 603: _REJECTED}
_UNREACHED = {404: _UNKNOWN_NUMBER, 410: 22, 480: _ABSENT, 484: 28, 604: _UNKNOWN_NUMBER}
_BY_US = frozenset(
    {
        "conference_ended_via_api",
        "participant_updated_via_api",
        "moderator_ended_conference",
    }
)
_TERMINAL = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The evidence as carriers tell it."""

    by: ReleaseSide
    q850: int | None
    sip: int | None = None
    code: str | None = None

    @property
    def name(self) -> str:
        """Equal for equal evidence."""
        return f"{self.by}:{self.q850}:{self.sip}:{self.code}"


def is_terminal(status: str) -> bool:
    """Whether a call of this status is over."""
    return status in _TERMINAL


def release_of(line: Line) -> Release | None:
    """Who let the leg go; None while it stands."""
    ended = line.ended
    if ended is None:
        return None
    if _obeyed(line, ended):
        return Release(by=ReleaseSide.PLATFORM, q850=_NORMAL)
    if line.answered_at is None and ended.status != "completed":
        return _never_answered(line, ended)
    return _answered(line, ended)


def _obeyed(line: Line, ended: Ended) -> bool:
    """It ended because we said so, and not before; a moment of Twilio's is cut to the second."""
    if line.let_go_at is None or ended.at <= line.let_go_at - _CUT:
        return False
    return is_dialled_in(line.leg) or ended.status not in ("busy", "failed")


def _answered(line: Line, ended: Ended) -> Release:
    limit = line.limit_seconds
    if limit is not None and ended.seconds is not None and ended.seconds >= limit:
        return Release(by=ReleaseSide.CARRIER, q850=_NORMAL, code=LIMIT)
    if ended.sip is not None and ended.sip not in (0, _GONE, _CANCELLED):
        cause = _TEMPORARY if ended.sip >= 500 else _INTERWORKING
        return Release(by=ReleaseSide.CARRIER, q850=cause, sip=ended.sip)
    if ended.status == "failed":
        return Release(by=ReleaseSide.CARRIER, q850=_TEMPORARY, sip=ended.sip)
    if line.left_why in _BY_US or ended.status == "canceled":
        return Release(by=ReleaseSide.PLATFORM, q850=_NORMAL, code=line.left_why)
    return Release(by=ReleaseSide.PARTY, q850=_NORMAL, sip=ended.sip)


def _never_answered(line: Line, ended: Ended) -> Release:
    sip = ended.sip
    if ended.status == "canceled":
        return Release(by=ReleaseSide.PLATFORM, q850=_NORMAL, sip=sip)
    if is_dialled_in(line.leg):  # its caller gave up
        return Release(by=ReleaseSide.PARTY, q850=_NORMAL, sip=sip)
    if sip in _BUSY_WORDS:
        return Release(by=ReleaseSide.PARTY, q850=_BUSY_WORDS[sip], sip=sip)
    if sip in _UNREACHED:
        return Release(by=ReleaseSide.CARRIER, q850=_UNREACHED[sip], sip=sip)
    if ended.status == "busy":
        return Release(by=ReleaseSide.PARTY, q850=_BUSY, sip=sip or 486)
    if ended.status == "no-answer":
        return Release(by=ReleaseSide.CARRIER, q850=_NO_ANSWER, sip=_UNAVAILABLE)
    cause = _NO_CIRCUIT if sip == 503 else _TEMPORARY
    return Release(by=ReleaseSide.CARRIER, q850=cause, sip=sip)
