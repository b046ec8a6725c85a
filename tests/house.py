"""A whole house for a test: real PostgreSQL, the desk and its workers, a simulated carrier, and a
clock that stands still until the test moves it. Nothing runs in the background."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from billing import voucher as vouchers
from billing.order import Order, open_order
from billing.store.orders import insert_order, load_order, lock_order_with_voucher
from billing.store.program_texts import keep_program_text
from billing.store.vouchers import insert_vouchers, load_voucher, save_voucher
from billing.voucher import Voucher
from dialer.call import Call
from dialer.carriers.simulated.in_process import InProcessCarrier
from dialer.carriers.simulated.script import Answers, EndsBy, Script
from dialer.carriers.simulated.world import World
from dialer.store.calls import calls_of
from dialer.store.due import next_order_at, next_timer_at
from routing.counselor import Counselor, Presence, set_presence
from routing.store.callers import get_or_create_caller
from routing.store.counselors import add_counselor, load_counselor
from routing.store.devices import add_device
from routing.verification import Device
from terms.ids import (
    CallerId,
    CounselorId,
    DeviceId,
    OrderId,
    ProgramId,
    TenantId,
    VoucherId,
)
from terms.phone import PhoneNumber
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

TENANT = TenantId("default")
LISTENING = ProgramId("psych-listening")
DOCTOR = ProgramId("family-doctor")

ANSWERS = Script(answers=Answers.YES, after_seconds=2)
ACCEPTS = Script(answers=Answers.YES, after_seconds=3, presses="1")
VOICEMAIL = Script(answers=Answers.YES, after_seconds=1)
NO_ANSWER = Script(answers=Answers.NO_ANSWER)
BUSY = Script(answers=Answers.BUSY)


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


@dataclass(slots=True)
class House:
    """What a test may touch."""

    pool: "Pool[Record]"
    seal: AesSeal
    clock: VirtualClock
    desk: Desk
    crew: Crew
    carrier: InProcessCarrier
    world: World
    switchboard: Switchboard
    programs: dict[ProgramId, Program]
    ids: "count[int]"

    def new_id(self, prefix: str) -> str:
        """Ids that sort by the time they were made."""
        return f"{prefix}_{next(self.ids):08}"

    # -- people and things -------------------------------------------------------------------

    async def counselor(
        self,
        number: str = "+8613900000001",
        *,
        program: ProgramId = LISTENING,
        script: Script = ACCEPTS,
        available: bool = True,
    ) -> CounselorId:
        """A qualified counselor with a phone, at work."""
        id_ = CounselorId(self.new_id("counselor"))
        now = self.clock.now()
        counselor = Counselor(
            id=id_,
            name="Chen Xin",
            programs=frozenset({program}),
            roles=frozenset({self.programs[program].routing.role}),
            idle_since=now,
            credential="licensed",
            credential_verified_at=now - timedelta(days=1),
            credential_valid_until=now + timedelta(days=365),
            grade=max(self.programs[program].routing.least_grade, 0),  # type: ignore[arg-type]
            hospital=self.programs[program].routing.least_hospital,
        )
        if available:
            counselor = set_presence(counselor, Presence.AVAILABLE, now, 12 * 3600)
        async with self.pool.acquire() as connection:
            await add_counselor(connection, self.seal, TENANT, counselor, PhoneNumber(number))
        self.world.script(number, script)
        return id_

    async def caller(
        self,
        number: str = "+8613800000001",
        *,
        script: Script = ANSWERS,
        verified: bool = True,
    ) -> CallerId:
        """A caller with a verified phone in hand."""
        async with self.pool.acquire() as connection, connection.transaction():
            caller = await get_or_create_caller(
                connection,
                self.seal,
                TENANT,
                PhoneNumber(number),
                lambda: CallerId(self.new_id("caller")),
                self.clock.now(),
            )
            if verified:
                device = Device(
                    id=DeviceId(self.new_id("device")),
                    caller=caller.id,
                    verified_at=self.clock.now(),
                )
                await add_device(connection, TENANT, device, number.encode().ljust(32)[:32])
        self.world.script(number, script)
        return caller.id

    async def order(
        self,
        caller: CallerId,
        counselor: CounselorId | None = None,
        *,
        program: ProgramId = LISTENING,
    ) -> OrderId:
        """An open order, with a voucher held where the program wants one."""
        sheet = self.programs[program]
        now = self.clock.now()
        id_ = OrderId(self.new_id("order"))
        async with self.pool.acquire() as connection, connection.transaction():
            await keep_program_text(
                connection,
                TENANT,
                program=program,
                version=sheet.version,
                digest=sheet.digest,
                body=sheet.body,
                now=now,
            )
            voucher = None
            if sheet.billing.voucher == "required":
                voucher = await self._voucher(connection, caller, id_, program)
            settlement = open_order(
                id=id_,
                caller=caller,
                program=program,
                program_version=sheet.version,
                program_digest=sheet.digest,
                counselor=counselor,
                voucher=voucher,
                granted_seconds=sheet.granted_seconds,
                policy=sheet.billing,
                now=now,
            )
            await insert_order(connection, TENANT, settlement.order)
        return id_

    async def _voucher(
        self, connection: "Connection", caller: CallerId, order: OrderId, program: ProgramId
    ) -> VoucherId:
        now = self.clock.now()
        id_ = VoucherId(self.new_id("voucher"))
        prepared = vouchers.prepare(
            id=id_,
            program=program,
            code_hash=id_.encode().ljust(32)[:32],
            code_ending=id_[-4:],
            valid_until=now + timedelta(days=365),
            now=now,
        )
        issued = vouchers.issue(prepared[0], now)
        await insert_vouchers(connection, TENANT, [[prepared, issued]])
        held = vouchers.hold(issued[0], order=order, caller=caller, program=program, now=now)
        await save_voucher(connection, TENANT, *held)
        return id_

    # -- what happens ------------------------------------------------------------------------

    async def call(self, order: OrderId, number: str = "+8613800000001") -> Call:
        """Press the button."""
        async with self.pool.acquire() as connection, connection.transaction():
            call, committed = await self.desk.place_call(
                connection, TENANT, order, PhoneNumber(number)
            )
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

    # -- what is true ------------------------------------------------------------------------

    async def see_order(self, order: OrderId) -> Order:
        """The order as it is."""
        async with self.pool.acquire() as connection:
            found = await load_order(connection, TENANT, order)
        assert found is not None
        return found

    async def see_voucher(self, order: OrderId) -> Voucher:
        """The voucher the order was opened with."""
        async with self.pool.acquire() as connection, connection.transaction():
            locked = await lock_order_with_voucher(connection, TENANT, order)
            assert locked is not None
            assert locked[0].voucher is not None
            found = await load_voucher(connection, TENANT, locked[0].voucher)
        assert found is not None
        return found

    async def see_call(self, order: OrderId) -> Call:
        """The order's newest call."""
        async with self.pool.acquire() as connection:
            return (await calls_of(connection, TENANT, order))[-1]

    async def see_counselor(self, counselor: CounselorId) -> tuple[Counselor, str | None]:
        """The counselor and the call that claims them."""
        async with self.pool.acquire() as connection:
            found = await load_counselor(connection, TENANT, counselor)
        assert found is not None
        return found

    async def timeline(self, order: OrderId) -> list[str]:
        """The kinds of the order's timeline, in order."""
        rows = await self.pool.fetch(
            "SELECT kind FROM timeline WHERE order_id = $1 ORDER BY seq", order
        )
        return [row["kind"] for row in rows]

    async def notices(self, order: OrderId) -> list[str]:
        """Templates of the notices about the order."""
        rows = await self.pool.fetch(
            "SELECT template FROM notices WHERE order_id = $1 ORDER BY id", order
        )
        return [row["template"] for row in rows]


@asynccontextmanager
async def a_house(
    pool: "Pool[Record]", seal: AesSeal, noon: datetime, *, seed: int = 1
) -> AsyncIterator[House]:
    """A house at noon, with both shipped programs and nobody in it."""
    clock = VirtualClock(noon)
    ids = count(1)
    programs = load_shipped()
    kept = KeptPrograms(programs)
    world = World(name="w", rng=Random(seed))
    carrier = InProcessCarrier(world, clock.now)
    crew: Crew | None = None

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
        tenant=TENANT,
    )
    crew = make_crew(
        pool=pool,
        desk=desk,
        carrier=carrier,
        numbers=LegNumbers(seal, kept),
        clock=clock,
        metrics=Metrics(CollectorRegistry()),
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
        ids=ids,
    )
