"""The simulated carrier in use: its handsets are a process of their own, worked by hand."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress

from aiohttp import web

from dialer.carriers import CarrierUnreachable, Receive
from dialer.carriers.simulated.address import Address, address_of, shared_token
from dialer.carriers.simulated.client import NEWS_PATH, SimulatedCarrier, receive_routes
from dialer.carriers.simulated.control import RemoteHands
from dialer.carriers.simulated.process import ensure_running, stop_if_unused
from warmline.carriers.in_use import Place
from warmline.settings import Settings
from warmline.workers.hold import SHARED, Hold


class SimulatedInUse:
    """Its news is pushed to a route of ours, by whichever handsets process is used."""

    hold: Hold = SHARED

    def __init__(self, place: Place) -> None:
        settings = place.settings

        async def locate() -> Address:
            if settings.handsets_url is not None:
                return address_of(settings.handsets_url)
            return await ensure_running(settings.data_dir, open_to_network=settings.sim_open)

        own = settings.handsets_url is None
        token = shared_token(settings.data_dir) if own else settings.handsets_token()
        self.carrier = SimulatedCarrier(locate, token, place.url + NEWS_PATH)
        self.hands = RemoteHands(locate, token)
        self.routes: Sequence[web.RouteDef] = receive_routes(self.carrier)
        place.stack.push_async_callback(self.hands.close)

    async def check(self) -> str | None:
        """Whether the handsets know where to push news to."""
        return None if self.carrier.is_listening else "the simulated handsets do not answer"

    async def open(self, receive: Receive) -> None:
        """Begin to hear the handsets."""
        with suppress(CarrierUnreachable):  # it goes on trying
            await self.carrier.open(receive)

    async def close(self) -> None:
        """Hear them no more."""
        await self.carrier.close()


def start_handsets(settings: Settings, stack: AsyncExitStack) -> None:
    """Have them come up while the database does. They end last: others would start them again."""
    starting = asyncio.create_task(
        ensure_running(settings.data_dir, open_to_network=settings.sim_open)
    )

    async def stop() -> None:
        await asyncio.gather(starting, return_exceptions=True)  # who needs them asks again
        await stop_if_unused(settings.data_dir)

    stack.push_async_callback(stop)
