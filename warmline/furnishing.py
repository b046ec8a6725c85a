"""What a process is furnished with, before it answers anybody: ground, desk and crew."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from dialer.carriers import Carrier
from terms.ids import ProgramId
from warmline.bus import Bus, Message, RateLimits
from warmline.clock import SystemClock
from warmline.desk.desk import Desk
from warmline.desk.in_force import KeptCalendar, KeptPrograms
from warmline.desk.writing import Committed, Writer
from warmline.ids import new_id
from warmline.ledger.sealing import LedgerSealer
from warmline.live import OWN_STATE, TIMELINE
from warmline.metrics import Metrics
from warmline.notices.service import Notices
from warmline.policies.accounts import AccountTeller
from warmline.policies.keeping import PolicyKeeper
from warmline.programs import Program, load_programs
from warmline.seal import AesSeal
from warmline.settings import Settings
from warmline.surroundings import bus_and_limits, keep_up
from warmline.workers.crew import Crew, make_crew
from warmline.workers.hold import Hold
from warmline.workers.numbers import LegNumbers

if TYPE_CHECKING:
    from asyncpg import Pool, Record


@dataclass(slots=True)
class Wakes:
    """Who is told once a transaction of this process is durable."""

    bus: Bus
    notices: Notices
    crew: Crew | None = None

    def committed(self, committed: Committed) -> None:
        """Tell everybody whom it concerns."""
        if self.crew is not None:
            self.crew.committed(committed)
        if committed.notices:
            self.notices.wake()
        if committed.said:
            self.bus.publish(Message(topic=TIMELINE, ids={"tenant": committed.tenant}))
        if committed.seats:
            self.bus.publish(Message(topic=OWN_STATE, ids={"tenant": committed.tenant}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What everything else in the process stands on."""

    settings: Settings
    pool: "Pool[Record]"
    seal: AesSeal
    clock: SystemClock
    registry: CollectorRegistry
    metrics: Metrics
    programs: Mapping[ProgramId, Program]
    notices: Notices
    limits: RateLimits
    wakes: Wakes


async def lay_ground(settings: Settings, pool: "Pool[Record]", stack: AsyncExitStack) -> Ground:
    """What needs nothing but the settings and the database."""
    registry = CollectorRegistry()
    for collector in (GCCollector, PlatformCollector, ProcessCollector):
        collector(registry=registry)
    seal, clock = settings.seal(), SystemClock()
    programs = load_programs(settings.programs)
    await keep_up(pool, settings, programs, clock)
    notices = Notices.configured(settings, pool, seal, clock, programs, registry)
    bus, limits = await bus_and_limits(settings, stack)
    return Ground(
        settings=settings,
        pool=pool,
        seal=seal,
        clock=clock,
        registry=registry,
        metrics=Metrics(registry),
        programs=programs,
        notices=notices,
        limits=limits,
        wakes=Wakes(bus, notices),
    )


def desk_on(ground: Ground) -> Desk:
    """Where everything is decided."""
    return Desk(
        pool=ground.pool,
        seal=ground.seal,
        clock=ground.clock,
        programs=KeptPrograms(ground.programs),
        calendar=KeptCalendar(ground.clock),
        writer=Writer(ground.notices.outbox, new_id),
        new_id=new_id,
        committed=ground.wakes.committed,
        metrics=ground.metrics,
        tenant=ground.settings.tenant,
    )


def crew_on(ground: Ground, desk: Desk, carrier: Carrier, hold: Hold) -> Crew:
    """Who carries out what was decided; they are woken by it from now on."""
    crew = make_crew(
        pool=ground.pool,
        desk=desk,
        carrier=carrier,
        numbers=LegNumbers(ground.seal, desk.programs, ground.programs),
        clock=ground.clock,
        metrics=ground.metrics,
        hold=hold,
    )
    crew.join(
        PolicyKeeper(
            ground.pool,
            ground.seal,
            ground.clock,
            ground.programs,
            new_id=new_id,
            sent=ground.notices.wake,
        )
    )
    crew.join(
        AccountTeller(
            ground.pool,
            ground.settings.tenant,
            ground.clock,
            ground.programs,
            new_id=new_id,
            sent=ground.notices.wake,
        )
    )
    crew.join(LedgerSealer(ground.pool, ground.seal, ground.clock))
    ground.wakes.crew = crew
    return crew
