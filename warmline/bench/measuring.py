"""A whole run, one measurement after the other."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from warmline.bench.events import Rates, measure_events
from warmline.bench.floor import TABLES
from warmline.bench.ground import Ground, a_floor, a_ground, a_service, kill, ready, start_service
from warmline.bench.live import Live
from warmline.bench.placing import measure_placing
from warmline.bench.scale import Scale
from warmline.bench.spread import Spread
from warmline.bench.stage import a_stage

Tell = Callable[[str], None]
"""Says what is being measured now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a run found."""

    rates: Rates
    place_call_ms: Spread
    offer_ms: Spread
    cap_overshoot_ms: Spread
    recovery_s: float
    rss_mb: float


async def measure(scale: Scale, tell: Tell) -> Figures:
    """Measure everything. Raises NotMeasured, Unusable."""
    async with a_ground() as ground:
        rates, placing = await _events_and_placing(ground, scale, tell)
        return await _full_house(ground, scale, tell, rates, placing)


async def measure_news(scale: Scale, tell: Tell) -> Rates:
    """Measure the carrier's news alone. Raises NotMeasured, Unusable."""
    async with a_ground() as ground:
        rates, _ = await _events_and_placing(ground, replace(scale, placed=1), tell)
        return rates


async def _events_and_placing(ground: Ground, scale: Scale, tell: Tell) -> tuple[Rates, Spread]:
    async with a_stage(ground, "talks", scale) as stage:
        floor_url = await ground.new_database("floor", TABLES)
        async with a_floor(floor_url) as floor, a_service(stage.settings):
            tell("carrier news, in turns with the floor")
            rates = await measure_events(stage, floor)
            tell("placing calls")
            return rates, await measure_placing(stage)


async def _full_house(
    ground: Ground, scale: Scale, tell: Tell, rates: Rates, placing: Spread
) -> Figures:
    async with a_stage(ground, "house", scale) as stage:
        live = Live(stage, stage.clock())
        process = await start_service(stage.settings)
        try:
            await ready(stage.settings.address)
            tell("filling the house with live calls")
            await live.fill()
            tell("offers to freed counselors")
            offers = await live.measure_offers()
            tell("kill -9 and recovery")
            recovery = await live.measure_recovery(process)
            process = recovery.process
            tell("the caps of all calls")
            caps = await live.measure_caps()
        finally:
            await kill(process)
    return Figures(
        rates=rates,
        place_call_ms=placing,
        offer_ms=offers,
        cap_overshoot_ms=caps,
        recovery_s=recovery.seconds,
        rss_mb=recovery.megabytes,
    )
