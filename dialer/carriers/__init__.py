"""What the dialer asks of a carrier, and what a carrier tells it. Plain values both ways.

A carrier takes *orders* (imperative) and gives *news* (facts, with the carrier's own time). Legs
are named by us, so that a repeated order or a restart can always be matched with what is really
ringing. News may come late, twice, or out of order; the dialer's machine bears all three. An order
ends in one of three ways: it returns (done), raises `CarrierRefused` (the carrier said no, nothing
happened), or raises `CarrierUnknown` (nobody can tell whether it arrived: ask `live_legs` before
ringing again).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, final

from terms.ids import CallId, LegId
from terms.phone import PhoneNumber
from terms.values import quickly_made


class ReleaseSide(StrEnum):
    """Who let a leg go, in the carrier's own view of that leg."""

    PARTY = "party"  # the phone itself hung up (BYE, on-hook, rejected)
    PLATFORM = "platform"  # we asked the carrier to hang up
    CARRIER = "carrier"  # the carrier or network let go: fault, timeout, its own limit
    UNKNOWN = "unknown"


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class LegRinging:
    """The phone rings."""

    leg: LegId
    at: datetime


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class LegAnswered:
    """Somebody or something (voicemail!) took the call."""

    leg: LegId
    at: datetime


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPressed:
    """A key was pressed on the phone."""

    leg: LegId
    at: datetime
    digit: str


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class LegBridged:
    """The leg joined the call's bridge; two joined legs hear each other."""

    leg: LegId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLost:
    """No audio has come from the leg since `since`; the leg itself still stands."""

    leg: LegId
    at: datetime
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaHeard:
    """Audio comes from the leg again, after a silence that was told as MediaLost."""

    leg: LegId
    at: datetime


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class LegEnded:
    """The leg is gone: `q850` is the ISDN cause, `sip` the SIP status, `code` the carrier's word.

    `q850` beats `sip` when both are there (RFC 6432). A cause may lie; the verdict weighs it.
    """

    leg: LegId
    at: datetime
    by: ReleaseSide
    q850: int | None = None
    sip: int | None = None
    code: str | None = None


News = LegRinging | LegAnswered | KeyPressed | LegBridged | MediaLost | MediaHeard | LegEnded


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CallIn:
    """A phone dialled one of our service numbers; the leg stays unanswered until we say so.

    `caller` is None when the number was withheld.
    """

    leg: LegId
    at: datetime
    caller: PhoneNumber | None
    dialled: str


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One piece of news as it came in. The same `id` twice is the same news told twice."""

    id: str
    news: News | CallIn


Receive = Callable[[Report], Awaitable[None]]
"""Takes one report. Returning means it is stored; raising means the carrier must tell it again."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class LiveLeg:
    """A leg that exists at the carrier now, for reconciliation."""

    leg: LegId
    answered: bool
    bridged: bool


class CarrierRefused(Exception):
    """The carrier answered no. `code` is its own word; the order had no effect."""

    def __init__(self, code: str, *, q850: int | None = None, sip: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.q850 = q850
        self.sip = sip


class CarrierUnknown(Exception):
    """Nobody knows whether the order arrived."""


class CarrierUnreachable(CarrierUnknown):
    """The order was never sent: it had no effect, and may be repeated without asking first."""


class Carrier(Protocol):
    """A way to reach phones.

    Orders are idempotent by leg name where that is possible at all: `ring` of a leg that exists is
    done, `hang_up` of a leg that is gone is done, `bridge` of legs already joined is done.
    """

    name: str

    async def open(self, receive: Receive) -> None:
        """Start listening; every report goes to `receive` until it returns normally."""
        ...

    async def close(self) -> None:
        """Stop listening. Live legs stay up."""
        ...

    async def ring(self, leg: LegId, to: PhoneNumber, *, shows: str, ring_seconds: int) -> None:
        """Ring `to`, showing the number `shows`.

        The carrier gives up by itself 5 s after `ring_seconds`, should nobody tell it to.
        """
        ...

    async def answer(self, leg: LegId) -> None:
        """Take a leg that dialled in."""
        ...

    async def bridge(self, call: CallId, legs: tuple[LegId, ...], *, limit_seconds: int) -> None:
        """Join answered legs in the call's bridge and set each leg's absolute limit (design 4).

        A leg may join a bridge that already holds others: this is also how a third party is added.
        """
        ...

    async def part(self, leg: LegId) -> None:
        """Take a leg out of its bridge and keep it on the line."""
        ...

    async def say(self, leg: LegId, prompt: str, *, language: str) -> None:
        """Play a prompt of the catalogue to one leg, over whatever else it hears."""
        ...

    async def limit(self, leg: LegId, *, limit_seconds: int) -> None:
        """Replace the leg's absolute limit, counted from now."""
        ...

    async def hang_up(self, leg: LegId) -> None:
        """Let a leg go, whatever state it is in."""
        ...

    async def live_legs(self) -> tuple[LiveLeg, ...]:
        """Every leg of ours that exists now. Raises CarrierUnknown when the carrier cannot say."""
        ...
