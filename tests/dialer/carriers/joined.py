"""Two phones in one bridge, for the conformance suite."""

from dialer.carriers import (
    LegAnswered,
    LegBridged,
    LiveLeg,
)
from terms.ids import CallId, LegId
from terms.phone import PhoneNumber
from tests.dialer.carriers.rig import Behaviour, Rig

LONG = 600


class Talk:
    """Two phones in one bridge."""

    def __init__(self, call: CallId, phones: list[PhoneNumber], legs: list[LegId]) -> None:
        self.call = call
        self.caller, self.counselor = phones
        self.caller_leg, self.counselor_leg = legs


async def talk(rig: Rig, *, limit_seconds: int = LONG) -> Talk:
    """Ring two phones that answer, and join them."""
    call = rig.call()
    phones = [await rig.phone(Behaviour.ANSWERS) for _ in range(2)]
    caller_leg = await rig.ring(phones[0], call, "caller")
    counselor_leg = await rig.ring(phones[1], call, "counselor")
    legs = [caller_leg, counselor_leg]
    for leg in legs:
        await rig.news(LegAnswered, leg)
    await rig.carrier.bridge(call, tuple(legs), limit_seconds=limit_seconds)
    for leg in legs:
        await rig.news(LegBridged, leg)
    return Talk(call, phones, legs)


async def live(rig: Rig, call: CallId) -> dict[LegId, LiveLeg]:
    """The legs of the call that stand."""
    legs = await rig.carrier.live_legs()
    assert len({leg.leg for leg in legs}) == len(legs)
    return {leg.leg: leg for leg in legs if leg.leg.startswith(f"{call}/")}
