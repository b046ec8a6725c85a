"""How a leg ended, as our line of dialplan kept it at Asterisk while nobody listened. Pure.

The line is in `warmline-extensions.conf`: the moment, Q.850's cause, what was left of the absolute
limit (`0` where there was none), the channel's state, which channel asked for the end, none where
none did, and the channel's own name. Of two in one bridge Asterisk writes the one that asked down
for both: of who stays behind it says nothing.
"""

from dataclasses import dataclass
from datetime import datetime

from dialer.carriers.asterisk.events import read_time
from dialer.carriers.asterisk.release import Asked

_NO_ANSWER = 19
_JUST_STRUCK_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What was kept."""

    at: datetime
    cause: int
    asked: Asked | None
    was_up: bool


def variable_of(channel: str) -> str:
    """The global variable that holds it."""
    return f"WARMLINE_ENDED_{channel}"


def read_kept(text: str) -> Kept | None:
    """What was kept; None if nothing was, or it makes no sense."""
    when, _, rest = text.partition(",")
    cause_text, _, rest = rest.partition(",")
    left, _, rest = rest.partition(",")
    state, _, rest = rest.partition(",")
    source, is_named, name = rest.partition(",")
    at = read_time(when)
    if at is None or not cause_text.isdecimal():
        return None
    cause = int(cause_text)
    by_phone = source == name if is_named else bool(source)
    return Kept(at=at, cause=cause, asked=_asked(cause, left, by_phone), was_up=state == "Up")


def _asked(cause: int, left: str, by_phone: bool) -> Asked | None:
    if by_phone:
        return Asked(soft=False, cause=cause, sip=None)
    if cause == _NO_ANSWER or _has_struck(left):
        return None
    return Asked(soft=True, cause=cause, sip=None)


def _has_struck(left: str) -> bool:
    try:  # a limit that was never set is `0`; one that struck is `0.000`, or a hair below
        return "." in left and float(left) <= _JUST_STRUCK_SECONDS
    except ValueError:
        return False
