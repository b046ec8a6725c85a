"""The carrier protocol's verbs turned into order values; each carrier only says how one is sent."""

from abc import ABC, abstractmethod

from dialer.carriers.simulated.orders import (
    Answer,
    Bridge,
    HangUp,
    Limit,
    Order,
    Part,
    Ring,
    Say,
)
from terms.ids import CallId, LegId
from terms.phone import PhoneNumber


class Verbs(ABC):
    """Every order of `dialer.carriers.Carrier`; what each means is told there."""

    name = "simulated"

    @abstractmethod
    async def obey(self, order: Order) -> None:
        """Have the order obeyed; raises CarrierRefused or CarrierUnknown."""

    async def ring(self, leg: LegId, to: PhoneNumber, *, shows: str, ring_seconds: int) -> None:
        """Ring a phone."""
        await self.obey(Ring(leg=leg, to=to, shows=shows, ring_seconds=ring_seconds))

    async def answer(self, leg: LegId) -> None:
        """Take a leg that dialled in."""
        await self.obey(Answer(leg=leg))

    async def bridge(self, call: CallId, legs: tuple[LegId, ...], *, limit_seconds: int) -> None:
        """Join answered legs in the call's bridge."""
        await self.obey(Bridge(call=call, legs=legs, limit_seconds=limit_seconds))

    async def part(self, leg: LegId) -> None:
        """Take a leg out of its bridge and keep it on the line."""
        await self.obey(Part(leg=leg))

    async def say(self, leg: LegId, prompt: str, *, language: str) -> None:
        """Play a prompt to one leg."""
        await self.obey(Say(leg=leg, prompt=prompt, language=language))

    async def limit(self, leg: LegId, *, limit_seconds: int) -> None:
        """Replace the leg's absolute limit."""
        await self.obey(Limit(leg=leg, limit_seconds=limit_seconds))

    async def hang_up(self, leg: LegId) -> None:
        """Let a leg go."""
        await self.obey(HangUp(leg=leg))
