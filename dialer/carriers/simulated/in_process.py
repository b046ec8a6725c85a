"""The simulated carrier without a process of its own: for `warmline simulate` and unit tests.

Nothing happens in the background. Whoever drives it moves the clock and then calls `tell_news`.
"""

from collections import deque
from collections.abc import Callable
from datetime import datetime

from dialer.carriers import LiveLeg, Receive, Report
from dialer.carriers.simulated.orders import Order
from dialer.carriers.simulated.verbs import Verbs
from dialer.carriers.simulated.world import World


class InProcessCarrier(Verbs):
    """A `Carrier` over a world held in memory. `clock` gives the present moment."""

    def __init__(self, world: World, clock: Callable[[], datetime]) -> None:
        self.world = world
        self._clock = clock
        self._receive: Receive | None = None
        self._untold: deque[Report] = deque()

    async def open(self, receive: Receive) -> None:
        """Reports go to `receive` from the next `tell_news` on."""
        self._receive = receive

    async def close(self) -> None:
        """Tell nobody any more; reports are kept."""
        self._receive = None

    async def obey(self, order: Order) -> None:
        """Obey at once; the news that follows waits for `tell_news`."""
        self._untold.extend(self.world.order(order, self._clock()))

    async def live_legs(self) -> tuple[LiveLeg, ...]:
        """Every leg that exists now."""
        self._untold.extend(self.world.advance(self._clock()))
        return self.world.live_legs()

    async def tell_news(self) -> int:
        """Let the world catch up with the clock and tell every report; gives how many were told.

        A report whose receiver raises stays first in the row for the next time, and the error goes
        on to the caller.
        """
        told = 0
        self._untold.extend(self.world.advance(self._clock()))
        while self._receive is not None and self._untold:
            await self._receive(self._untold[0])
            self._untold.popleft()
            told += 1
        return told
