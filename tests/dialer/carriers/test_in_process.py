from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from dialer.carriers.simulated.control import LocalHands
from dialer.carriers.simulated.in_process import InProcessCarrier
from dialer.carriers.simulated.world import World
from tests.dialer.carriers.conformance import CarrierConformance
from tests.dialer.carriers.simulated_rig import SimulatedRig

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


@dataclass
class Clock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@dataclass
class InProcessRig(SimulatedRig):
    carrier: InProcessCarrier
    clock: Clock = field(default_factory=Clock)

    async def pass_time(self, seconds: float) -> None:
        self.clock.now += timedelta(seconds=seconds)

    async def pump(self) -> None:
        for _ in range(5):  # more often than a test lets the store fail
            with suppress(ConnectionError):
                await self.carrier.tell_news()

    async def settle(self) -> None:
        await self.pump()


class TestInProcessCarrier(CarrierConformance):
    @pytest.fixture
    async def rig(self) -> AsyncIterator[InProcessRig]:
        clock, world = Clock(), World(name="world", rng=Random(1))
        carrier = InProcessCarrier(world, clock)
        rig = InProcessRig(hands=LocalHands(world, clock), carrier=carrier, clock=clock)
        await carrier.open(rig.receive)
        yield rig
        await carrier.close()
