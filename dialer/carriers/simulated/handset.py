"""The small mutable things the world is made of: phones, legs, bridges.

They are mutable and slotted because a simulated month holds millions of them; nobody outside
`world` holds one, and everything that leaves the world is a frozen value.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from dialer.carriers.simulated.script import BY_HAND, Script
from terms.ids import CallId, LegId

_MOST_PROMPTS_REMEMBERED = 200


class NotPossible(Exception):
    """A hand cannot do this with the phone as it is now; nothing changed. `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Handset:
    """One phone: what it does by script, the leg it is on, what its display and its ear know."""

    __slots__ = ("heard", "leg", "number", "plugged_in", "script", "shows")

    def __init__(self, number: str) -> None:
        self.number = number
        self.script: Script = BY_HAND
        self.plugged_in = True
        self.leg: Leg | None = None
        self.shows: str | None = None
        self.heard: list[str] = []

    def take(self, leg: "Leg", shows: str | None) -> None:
        """A new call on this phone: display and memory of prompts start afresh."""
        self.leg = leg
        self.shows = shows
        self.heard = []

    def hear(self, prompt: str) -> None:
        """A prompt reached the ear."""
        if len(self.heard) < _MOST_PROMPTS_REMEMBERED:
            self.heard.append(prompt)


class Leg:
    """One phone's line to the switch, from ringing (or dialling) to its end."""

    __slots__ = (
        "answered",
        "bridge",
        "dialled_in",
        "gone",
        "handset",
        "heard_somebody",
        "id",
        "limit_at",
        "quiet_since",
        "quiet_told",
        "script",
        "silent_since",
        "to_press",
    )

    def __init__(self, id: LegId, handset: Handset, *, dialled_in: bool) -> None:
        self.id = id
        self.handset = handset
        self.script = handset.script
        self.dialled_in = dialled_in
        self.answered = False
        self.gone = False
        self.bridge: Bridge | None = None
        self.limit_at: datetime | None = None
        self.heard_somebody = False
        self.silent_since: datetime | None = None
        self.quiet_since: datetime | None = None  # the line stands and carries no audio
        self.quiet_told = False
        self.to_press = ""

    @property
    def silent(self) -> bool:
        """Half-open: the leg stands at the switch, and no phone is on it any more."""
        return self.silent_since is not None

    @property
    def is_deaf(self) -> bool:
        """No audio passes, for good or for a while."""
        return self.silent or self.quiet_since is not None


class Bridge:
    """The legs that hear each other in one call."""

    __slots__ = ("call", "legs")

    def __init__(self, call: CallId) -> None:
        self.call = call
        self.legs: list[Leg] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class HandsetView:
    """A phone as seen from outside; the contract's `GET /sim/handsets`.

    `state` is `idle`, `ringing` (somebody calls it) or `in_call` (off the hook, dialling included).
    `shows` and `heard` (the prompts) are of the present call, or of the last one once idle. `hears`
    are the numbers whose voices reach it now.
    """

    number: str
    state: str
    call: str | None
    leg: str | None
    shows: str | None
    heard: tuple[str, ...]
    hears: tuple[str, ...]
    plugged_in: bool


def view(handset: Handset) -> HandsetView:
    """What can be seen of `handset` now."""
    leg = handset.leg
    return HandsetView(
        number=handset.number,
        state=_state(leg),
        call=None if leg is None else _call(leg),
        leg=None if leg is None else leg.id,
        shows=handset.shows,
        heard=tuple(handset.heard),
        hears=tuple(sorted(voices(leg))),
        plugged_in=handset.plugged_in,
    )


def voices(leg: Leg | None) -> Iterable[str]:
    """The numbers of the phones whose audio reaches this leg."""
    if leg is None or leg.is_deaf or leg.bridge is None:
        return ()
    others = leg.bridge.legs
    return (other.handset.number for other in others if other is not leg and not other.is_deaf)


def _state(leg: Leg | None) -> str:
    if leg is None:
        return "idle"
    return "in_call" if leg.answered or leg.dialled_in else "ringing"


def _call(leg: Leg) -> str | None:
    if leg.bridge is not None:
        return leg.bridge.call
    call, slash, _ = leg.id.partition("/")
    return call if slash else None
