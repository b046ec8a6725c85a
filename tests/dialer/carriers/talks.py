"""Two phones, a world, and the orders every test of it gives."""

from datetime import UTC, datetime, timedelta
from random import Random

from dialer.carriers import (
    LegEnded,
    Report,
)
from dialer.carriers.simulated.faults import Faults
from dialer.carriers.simulated.orders import (
    Bridge,
    Ring,
)
from dialer.carriers.simulated.script import Script
from dialer.carriers.simulated.world import World
from terms.ids import CallId, LegId
from terms.phone import PhoneNumber

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
ANN, BEN = PhoneNumber("+8613800000001"), PhoneNumber("+8613800000002")
ANN_LEG, BEN_LEG = LegId("c1/caller/1"), LegId("c1/counselor/1")


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def a_world(seed: int = 1, faults: Faults | None = None) -> World:
    world = World(name="w", rng=Random(seed))
    if faults is not None:
        world.set_faults(faults)
    return world


def ring(leg: LegId, to: PhoneNumber) -> Ring:
    return Ring(leg=leg, to=to, shows="4008001111", ring_seconds=30)


def bridge(*legs: LegId, limit_seconds: int = 900) -> Bridge:
    return Bridge(call=CallId("c1"), legs=legs, limit_seconds=limit_seconds)


def rung(world: World, ann: Script, ben: Script) -> list[Report]:
    """Both phones rung, given until 12:00:10 to answer, and bridged then."""
    world.script(ANN.digits, ann)
    world.script(BEN.digits, ben)
    reports = world.order(ring(ANN_LEG, ANN), NOON) + world.order(ring(BEN_LEG, BEN), NOON)
    return reports + world.order(bridge(ANN_LEG, BEN_LEG), after(10))


def ended(reports: list[Report]) -> dict[LegId, LegEnded]:
    return {r.news.leg: r.news for r in reports if isinstance(r.news, LegEnded)}
