"""What the conformance suite needs of a carrier besides the carrier: phones, ears and a clock."""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from enum import Enum, auto
from itertools import count
from typing import TypeVar

from dialer.carriers import CallIn, Carrier, News, Report
from terms.ids import CallId, LegId
from terms.phone import PhoneNumber

_GENEROUS_SECONDS = 20.0
_LISTENS = 8

Piece = TypeVar("Piece", bound=News | CallIn)


class Behaviour(Enum):
    """What a phone of the suite does when it is rung."""

    BY_HAND = auto()  # rings until the suite answers
    ANSWERS = auto()
    ACCEPTS = auto()  # answers and presses 1
    VOICEMAIL = auto()  # answers and presses nothing
    BUSY = auto()
    NO_ANSWER = auto()
    REJECTS = auto()
    OFF = auto()
    UNKNOWN = auto()  # the network knows no such number


class Rig(ABC):
    """One carrier under test, with phones on its other side.

    A subclass makes phones that the carrier can reach, and gives `receive` to the carrier's `open`.
    """

    carrier: Carrier
    shows: str = "4008001111"
    service_number: str = "4008001111"

    def __init__(self) -> None:
        self.told: list[Report] = []
        self.reports_to_refuse = 0
        self._more = asyncio.Event()
        self._calls = count(1)

    @abstractmethod
    async def phone(self, behaviour: Behaviour) -> PhoneNumber:
        """A phone of its own number that behaves so."""

    @abstractmethod
    async def pick_up(self, phone: PhoneNumber) -> None:
        """Take the ringing call."""

    @abstractmethod
    async def put_down(self, phone: PhoneNumber) -> None:
        """Hang up as a person does."""

    @abstractmethod
    async def press(self, phone: PhoneNumber, digits: str) -> None:
        """Press keys."""

    @abstractmethod
    async def drop(self, phone: PhoneNumber) -> None:
        """Let the network lose the phone's line."""

    @abstractmethod
    async def kill(self, phone: PhoneNumber) -> None:
        """Let the phone die without a word."""

    @abstractmethod
    async def fall_silent(self, phone: PhoneNumber) -> None:
        """Let the phone's line carry no audio for a while, as in a tunnel."""

    @abstractmethod
    async def speak(self, phone: PhoneNumber) -> None:
        """Let it carry audio again."""

    @abstractmethod
    async def dial_in(self, phone: PhoneNumber, *, withhold: bool = False) -> None:
        """Dial the service number."""

    @abstractmethod
    async def hears(self, phone: PhoneNumber) -> set[PhoneNumber]:
        """Whose voices reach the phone now."""

    async def comes_to_hear(self, phone: PhoneNumber, *others: PhoneNumber) -> bool:
        """Whether it hears these and nobody else before long: audio takes its way by itself."""
        for _ in range(_LISTENS):
            if await self.hears(phone) == set(others):
                return True
        return False

    @abstractmethod
    async def heard(self, phone: PhoneNumber) -> list[str]:
        """The prompts the phone was told in its present or last call."""

    @abstractmethod
    async def shown(self, phone: PhoneNumber) -> list[str]:
        """Every number the phone was ever shown or sent."""

    @abstractmethod
    async def pass_time(self, seconds: float) -> None:
        """Let that much time go by for the carrier."""

    @abstractmethod
    async def pump(self) -> None:
        """Give a carrier without a life of its own the chance to tell its news."""

    @abstractmethod
    async def settle(self) -> None:
        """Return when the news of everything that happened so far has been told."""

    def call(self) -> CallId:
        """A call of its own name."""
        return CallId(f"call{next(self._calls)}")

    async def receive(self, report: Report) -> None:
        """Store a report, or fail as a database that is away."""
        if self.reports_to_refuse > 0:
            self.reports_to_refuse -= 1
            raise ConnectionError("the store is away")
        self.told.append(report)
        self._more.set()

    async def news(self, kind: type[Piece], leg: LegId | None = None) -> Piece:
        """The first news of that kind about that leg; waits for it."""
        try:
            async with asyncio.timeout(_GENEROUS_SECONDS):
                while True:
                    await self.pump()
                    for piece in self._told(kind, leg):
                        return piece
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise AssertionError(f"no {kind.__name__} of {leg} in {self.told}") from None

    async def all_news(self, kind: type[Piece], leg: LegId) -> list[Piece]:
        """All news of that kind about that leg, once everything has been told."""
        await self.settle()
        return list(self._told(kind, leg))

    async def ring(
        self, phone: PhoneNumber, call: CallId, role: str, *, ring_seconds: int = 20
    ) -> LegId:
        """Ring the phone; gives the leg's name."""
        leg = LegId(f"{call}/{role}/1")
        await self.carrier.ring(leg, phone, shows=self.shows, ring_seconds=ring_seconds)
        return leg

    def _told(self, kind: type[Piece], leg: LegId | None) -> Iterator[Piece]:
        for report in self.told:
            if isinstance(report.news, kind) and leg in (None, report.news.leg):
                yield report.news


def holds_number(texts: list[str], number: PhoneNumber) -> bool:
    """Whether the number is in any of the texts, however it is punctuated."""
    bare = number.digits.removeprefix("+86").removeprefix("+")
    return any(bare in re.sub(r"[^0-9]", "", text) for text in texts)
