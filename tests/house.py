"""A whole house for a test: real PostgreSQL, the desk and its workers, a simulated carrier, and a
clock that stands still until the test moves it. Nothing runs in the background."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from dialer.call import Call
from dialer.carriers.simulated.in_process import InProcessCarrier
from dialer.carriers.simulated.script import Answers, EndsBy, Script
from dialer.carriers.simulated.world import World
from dialer.events import Command
from dialer.store.due import next_order_at, next_timer_at
from terms.ids import (
    CallerId,
    CounselorId,
    OrderId,
    ProgramId,
    TenantId,
)
from terms.phone import PhoneNumber
from tests.people import CALLER, COUNSELOR, LISTENING, TENANT, People
from warmline.clock import VirtualClock
from warmline.desk.desk import Desk
from warmline.desk.in_force import KeptCalendar, KeptPrograms
from warmline.desk.switchboard import Switchboard
from warmline.desk.writing import Committed, Writer
from warmline.metrics import Metrics
from warmline.programs import Program, load_shipped
from warmline.seal import AesSeal
from warmline.workers.crew import Crew, make_crew
from warmline.workers.numbers import LegNumbers

if TYPE_CHECKING:
    from asyncpg import Pool, Record

    from warmline.desk.store import Connection

ANSWERS = Script(answers=Answers.YES, after_seconds=2)
ACCEPTS = Script(answers=Answers.YES, after_seconds=3, presses="1")
VOICEMAIL = Script(answers=Answers.YES, after_seconds=1)
NO_ANSWER = Script(answers=Answers.NO_ANSWER)
BUSY = Script(answers=Answers.BUSY)
OFF = Script(answers=Answers.OFF)


def hangs_up(after_seconds: float) -> Script:
    """Answers, talks, and puts the phone down."""
    return replace(ANSWERS, talks_for_seconds=after_seconds, ends_by=EndsBy.HANGUP)


def drops(after_seconds: float) -> Script:
    """Answers, talks, and is lost by the network."""
    return replace(ANSWERS, talks_for_seconds=after_seconds, ends_by=EndsBy.DROP)


@dataclass(slots=True)
class NoOutbox:
    """Keeps what would be sent."""

    enqueued: list[str] = field(default_factory=list)

    async def enqueue(
        self, connection: "Connection", tenant: TenantId, notices: Sequence[str], now: datetime
    ) -> None:
        """Remember the ids."""
        self.enqueued.extend(notices)


@dataclass(frozen=True, slots=True)
class House(People):
    """What a test may touch."""

    clock: VirtualClock
    desk: Desk
    crew: Crew
    carrier: InProcessCarrier
    world: World
    switchboard: Switchboard

    async def counselor(
        self,
        number: str = COUNSELOR,
        *,
        program: ProgramId = LISTENING,
        available: bool = True,
        script: Script = ACCEPTS,
    ) -> CounselorId:
        """A qualified counselor with a phone, at work."""
        self.world.script(number, script)
        return await super(House, self).counselor(number, program=program, available=available)

    async def caller(
        self, number: str = CALLER, *, verified: bool = True, script: Script = ANSWERS
    ) -> CallerId:
        """A caller with a phone in hand, verified unless told otherwise."""
        self.world.script(number, script)
        return await super(House, self).caller(number, verified=verified)

    # -- what happens ------------------------------------------------------------------------

    async def call(self, order: OrderId, number: str = CALLER) -> Call:
        """Press the button."""
        async with self.pool.acquire() as connection, connection.transaction():
            call, committed = await self.desk.place_call(
                connection, TENANT, order, PhoneNumber(number)
            )
        self.desk.tell(committed)
        await self.settle()
        return call

    async def command(self, order: OrderId, command: Command) -> Call:
        """Somebody acts on the order's newest call."""
        on = await self.see_call(order)
        async with self.pool.acquire() as connection, connection.transaction():
            call, committed = await self.desk.command(connection, TENANT, on.id, order, command)
        self.desk.tell(committed)
        await self.settle()
        return call

    async def settle(self) -> None:
        """Until nobody has anything to do at this instant."""
        while True:
            await self.crew.obeyer.idle()
            await self.crew.obeyer.look()
            await self.crew.obeyer.idle()
            told = await self.carrier.tell_news()
            fired = self.crew.timers
            await fired.look()
            await self.crew.seater.look()
            await self.crew.lapser.look()
            if not told and not await self._due_now():
                return

    async def pass_time(self, seconds: float) -> None:
        """Let `seconds` go by, stopping wherever something is due."""
        until = self.clock.now() + timedelta(seconds=seconds)
        while True:
            await self.settle()
            following = await self._next_at()
            if following is None or following > until:
                break
            self.clock.move_to(max(following, self.clock.now()))
        self.clock.move_to(until)
        await self.settle()

    async def _next_at(self) -> datetime | None:
        async with self.pool.acquire() as connection:
            times = [
                self.world.next_due(),
                await next_timer_at(connection),
                await next_order_at(connection),
                await self.crew.lapser.look(),
                await self.crew.seater.look(),
            ]
        return min((at for at in times if at is not None), default=None)

    async def _due_now(self) -> bool:
        following = await self._next_at()
        return following is not None and following <= self.clock.now()


@asynccontextmanager
async def a_house(
    pool: "Pool[Record]",
    seal: AesSeal,
    noon: datetime,
    *,
    seed: int = 1,
    programs: Mapping[ProgramId, Program] | None = None,
) -> AsyncIterator[House]:
    """A house at noon with nobody in it; unless told otherwise with the shipped programs."""
    clock = VirtualClock(noon)
    ids = count(1)
    programs = load_shipped() if programs is None else programs
    kept = KeptPrograms(programs)
    world = World(name="w", rng=Random(seed))
    carrier = InProcessCarrier(world, clock.now)
    crew: Crew | None = None
    metrics = Metrics(CollectorRegistry())

    def committed(done: Committed) -> None:
        assert crew is not None
        crew.committed(done)

    def new_id(prefix: str) -> str:
        return f"{prefix}_{next(ids):08}"

    desk = Desk(
        pool=pool,
        seal=seal,
        clock=clock,
        programs=kept,
        calendar=KeptCalendar(clock),
        writer=Writer(NoOutbox(), new_id),
        new_id=new_id,
        committed=committed,
        metrics=metrics,
        tenant=TENANT,
    )
    crew = make_crew(
        pool=pool,
        desk=desk,
        carrier=carrier,
        numbers=LegNumbers(seal, kept),
        clock=clock,
        metrics=metrics,
    )
    switchboard = Switchboard(desk, programs)
    await carrier.open(switchboard.receive)
    yield House(
        pool=pool,
        seal=seal,
        clock=clock,
        desk=desk,
        crew=crew,
        carrier=carrier,
        world=world,
        switchboard=switchboard,
        programs=programs,
        new_id=new_id,
    )
