"""The conformance suite over real loopback HTTP: orders in, news pushed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from dialer.carriers.simulated.address import Address
from dialer.carriers.simulated.client import SimulatedCarrier
from dialer.carriers.simulated.control import RemoteHands
from tests.dialer.carriers.conformance import CarrierConformance
from tests.dialer.carriers.handsets import TOKEN, Service, handsets_server
from tests.dialer.carriers.simulated_rig import SimulatedRig


@dataclass
class HttpRig(SimulatedRig):
    carrier: SimulatedCarrier
    remote: RemoteHands
    offset_seconds: float = 0.0

    async def pass_time(self, seconds: float) -> None:
        self.offset_seconds += seconds
        await self.remote.move_clock(self.offset_seconds)

    async def pump(self) -> None:
        """The server pushes by itself."""

    async def settle(self) -> None:
        await wait_until_told(self.remote)


async def wait_until_told(hands: RemoteHands) -> None:
    """Ask until no news waits: what happened before the first question has then been told."""
    async with asyncio.timeout(20):
        while await hands.news_waiting():  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)


class TestSimulatedCarrierOverHttp(CarrierConformance):
    @pytest.fixture
    async def rig(self) -> AsyncIterator[HttpRig]:
        async with handsets_server() as address:

            async def locate() -> Address:
                return address

            hands, service = RemoteHands(locate, TOKEN), Service(locate, TOKEN)
            told: list[HttpRig] = []
            carrier = await service.start(lambda report: told[0].receive(report))
            rig = HttpRig(hands=hands, carrier=carrier, remote=hands)
            told.append(rig)
            yield rig
            await service.stop()
            await hands.close()
