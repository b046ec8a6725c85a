"""Orders, people and misfortune in any order; then all heals, and everything comes to rest."""

from collections.abc import Awaitable
from contextlib import suppress
from random import Random

import pytest

from dialer.carriers import CarrierRefused, CarrierUnknown, LegEnded, LiveLeg
from terms.ids import CallId, LegId
from terms.phone import PhoneNumber
from tests.dialer.carriers.rig import Behaviour
from tests.dialer.carriers.twilio.rig import OURS, TwilioRig
from tests.twilio_standin.faults import Failure, Misdelivery

STEPS = 30
OPERATIONS = (
    "CreateCall",
    "CreateCall",
    "UpdateCall",
    "UpdateParticipant",
    "ListCall",
    "FetchCall",
)
BEHAVIOURS = (Behaviour.BY_HAND, Behaviour.ANSWERS, Behaviour.ACCEPTS, Behaviour.BUSY)


class History:
    """One run: every leg has a phone of its own, so that a second ring would show."""

    def __init__(self, rig: TwilioRig, seed: int) -> None:
        self.rig = rig
        self.rng = Random(seed)
        self.phones: dict[LegId, PhoneNumber] = {}
        mishaps = rig.twilio.misdelivery
        mishaps.rng.seed(seed)
        mishaps.duplicate, mishaps.reorder, mishaps.delay = (
            self.rng.choice((0.0, 0.3)) for _ in range(3)
        )
        mishaps.drop = self.rng.choice((0.0, 0.3, 1.0))

    async def step(self) -> None:
        """Something happens."""
        if self.rng.random() < 0.3:
            failure = self.rng.choice(list(Failure))
            self.rig.twilio.failures.plan(self.rng.choice(OPERATIONS), failure)
        if self.rng.random() < 0.4 or not self.phones:
            await self._ring(None)
        else:
            await self._order(self.rng.choice(sorted(self.phones)))
        if self.rng.random() < 0.5:
            self._act(self.rng.choice(sorted(self.phones)))
        await self.rig.pass_time(self.rng.choice((0, 0, 1, 3, 12)))

    async def _ring(self, leg: LegId | None) -> None:
        if leg is None:
            leg = LegId(f"call{self.rng.randrange(3)}/r{len(self.phones)}/1")
            self.phones[leg] = await self.rig.phone(self.rng.choice(BEHAVIOURS))
        await self._tried(self.rig.carrier.ring(leg, self.phones[leg], shows=OURS, ring_seconds=20))

    async def _order(self, leg: LegId) -> None:
        carrier, call = self.rig.carrier, CallId(leg.partition("/")[0])
        match self.rng.randrange(7):
            case 0:
                await self._ring(leg)
            case 1:
                of_call = tuple(one for one in self.phones if one.startswith(f"{call}/"))
                await self._tried(carrier.bridge(call, of_call, limit_seconds=300))
            case 2:
                await self._tried(carrier.bridge(call, (leg,), limit_seconds=300))
            case 3:
                await self._tried(carrier.part(leg))
            case 4:
                await self._tried(carrier.say(leg, "ending_soon", language="en"))
            case 5:
                await self._tried(carrier.limit(leg, limit_seconds=self.rng.choice((5, 500))))
            case _:
                await self._tried(carrier.hang_up(leg))

    async def _tried(self, order: Awaitable[None]) -> None:
        with suppress(CarrierRefused, CarrierUnknown):
            await order

    def _act(self, leg: LegId) -> None:
        twilio, number = self.rig.twilio, self.phones[leg].digits
        call = twilio.phone(number).call
        if call is None:
            return
        match self.rng.randrange(4):
            case 0:
                twilio.pick_up(number)
            case 1:
                twilio.press(number, self.rng.choice("1*7"))
            case 2:
                twilio.hang_up(number)
            case _ if call.status == "in-progress":
                twilio.drop(number)

    async def heal(self) -> tuple[LiveLeg, ...]:
        """Nothing goes wrong any more; everybody is let go until nobody stands."""
        healthy = Misdelivery()
        self.rig.twilio.mouth.misdelivery = healthy
        self.rig.twilio.rest.failures = type(self.rig.twilio.rest.failures)()
        for leg in self.phones:
            await self.rig.carrier.hang_up(leg)
        await self.rig.pass_time(40)  # what nobody named rings out, or shows itself
        standing = await self.rig.carrier.live_legs()
        await self.rig.settle()
        return standing


@pytest.mark.parametrize("seed", range(25))
async def test_whatever_happens_no_phone_rings_twice_and_nobody_is_left_on_the_line(
    rig: TwilioRig, seed: int
) -> None:
    history = History(rig, seed)
    for _ in range(STEPS):
        await history.step()

    assert await history.heal() == ()

    assert rig.twilio.live_calls() == []
    for leg, phone in history.phones.items():
        lines = [call for call in rig.twilio.exchange.calls.values() if call.to == phone.digits]
        assert len(lines) <= 1, f"{leg} was rung {len(lines)} times"
        told = [report.news for report in rig.told if report.news.leg == leg]
        if told:
            assert LegEnded in map(type, told), f"{leg}: {lines[0].status}, and nobody was told"
