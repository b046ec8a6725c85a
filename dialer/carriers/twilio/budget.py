"""How many calls may begin within a second: Twilio queues what is too many, and a phone that rings
a minute late is worse than one that does not ring. An agency in a crisis goes first.
"""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

from dialer.carriers import CarrierUnreachable

_LOOK_SECONDS = 0.1
_LONGEST_SECONDS = 8.0

Hit = Callable[[str, int], Awaitable[bool]]
"""Counts one more under a name, unless so many were counted within the last second already."""


class Budget:
    """An account's calls per second. `hit` counts for all processes that share it.

    Of two calls or more a second one is kept for the urgent; at one a second the urgent go first.
    """

    def __init__(self, hit: Hit, calls_per_second: int) -> None:
        self._hit = hit
        self._all = calls_per_second
        self._ordinary = max(calls_per_second - 1, 1)
        self._urgent_waiting = 0
        self._turn = asyncio.Lock()

    async def take(self, *, urgent: bool) -> None:
        """Return when a call may begin. Raises CarrierUnreachable: too many wait."""
        until = monotonic() + _LONGEST_SECONDS
        if urgent:
            self._urgent_waiting += 1
            try:
                await self._wait("all", self._all, until)
            finally:
                self._urgent_waiting -= 1
            return
        async with self._turn:
            await self._wait("ordinary", self._ordinary, until)
            await self._wait("all", self._all, until)

    async def _wait(self, name: str, most: int, until: float) -> None:
        while (name == "ordinary" and self._urgent_waiting) or not await self._hit(name, most):
            if monotonic() >= until:
                raise CarrierUnreachable("too many calls wait for the account's calls per second")
            await asyncio.sleep(_LOOK_SECONDS)


def unlimited() -> Budget:
    """For an account that nobody has to spare."""

    async def hit(_name: str, _most: int) -> bool:
        return True

    return Budget(hit, 1)
