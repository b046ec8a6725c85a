"""Orders that leave this process only while the carrier is certainly its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from dialer.carriers import Carrier, CarrierUnreachable, LiveLeg, Receive
from dialer.carriers.last_look import only_while
from terms.ids import CallId, LegId
from terms.phone import PhoneNumber
from warmline.workers.hold import Hold


class FencedCarrier:
    """A `Carrier` that is asked for nothing once the hold on it may have passed to another.

    Such an order raises CarrierUnreachable: it was never sent.
    """

    def __init__(self, carrier: Carrier, hold: Hold) -> None:
        self.name = carrier.name
        self._carrier = carrier
        self._hold = hold

    async def open(self, receive: Receive) -> None:
        """Start listening."""
        self._is_ours()
        await self._carrier.open(receive)

    async def close(self) -> None:
        """Stop listening."""
        await self._carrier.close()

    async def ring(self, leg: LegId, to: PhoneNumber, *, shows: str, ring_seconds: int) -> None:
        """Ring `to`."""
        with self._while_ours():
            await self._carrier.ring(leg, to, shows=shows, ring_seconds=ring_seconds)

    async def answer(self, leg: LegId) -> None:
        """Take a leg that dialled in."""
        with self._while_ours():
            await self._carrier.answer(leg)

    async def bridge(self, call: CallId, legs: tuple[LegId, ...], *, limit_seconds: int) -> None:
        """Join legs."""
        with self._while_ours():
            await self._carrier.bridge(call, legs, limit_seconds=limit_seconds)

    async def part(self, leg: LegId) -> None:
        """Take a leg out of its bridge."""
        with self._while_ours():
            await self._carrier.part(leg)

    async def say(self, leg: LegId, prompt: str, *, language: str) -> None:
        """Play a prompt."""
        with self._while_ours():
            await self._carrier.say(leg, prompt, language=language)

    async def limit(self, leg: LegId, *, limit_seconds: int) -> None:
        """Replace the leg's limit."""
        with self._while_ours():
            await self._carrier.limit(leg, limit_seconds=limit_seconds)

    async def hang_up(self, leg: LegId) -> None:
        """Let a leg go."""
        with self._while_ours():
            await self._carrier.hang_up(leg)

    async def live_legs(self) -> tuple[LiveLeg, ...]:
        """Every leg that exists now: looking harms nobody, but only the holder's sight is whole."""
        self._is_ours()
        return await self._carrier.live_legs()

    @contextmanager
    def _while_ours(self) -> Iterator[None]:
        """Looked at now, and by the carrier once more when it sends."""
        self._is_ours()
        with only_while(lambda: self._hold.may_obey):
            yield

    def _is_ours(self) -> None:
        if not self._hold.may_obey:
            raise CarrierUnreachable("another process holds the carrier")
