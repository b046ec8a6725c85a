"""The dictionaries and PostgreSQL are two shells around one fold: the same day ends the same."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

import billing.opening
import billing.voucher
from billing.order import ClosedBy
from billing.store.ledger import entries_of
from billing.store.orders import insert_order, load_order
from billing.store.program_texts import keep_program_text
from billing.store.vouchers import insert_vouchers, load_voucher, save_voucher
from dialer.carriers import CallIn, News, Report
from dialer.events import Event, Timer
from dialer.store.calls import load_call
from dialer.store.due import DueTimer
from routing.counselor import Presence, set_presence
from routing.queue import Place
from routing.store.callers import get_or_create_caller
from routing.store.counselors import add_counselor, lock_counselor, save_counselor
from routing.store.devices import add_device
from routing.store.queue import load_place
from routing.verification import Device
from terms.ids import (
    CallerId,
    CallId,
    CounselorId,
    DeviceId,
    OrderId,
    ProgramId,
    TenantId,
    VoucherId,
)
from terms.phone import PhoneNumber
from terms.refusals import Refused
from terms.values import replace
from warmline.desk.desk import Desk
from warmline.desk.in_force import KeptCalendar, KeptPrograms
from warmline.desk.switchboard import Switchboard
from warmline.desk.writing import Writer
from warmline.metrics import Metrics
from warmline.programs import load_shipped
from warmline.seal import AesSeal
from warmline.simulation.books import Books
from warmline.simulation.misfortune import DEFAULT
from warmline.simulation.shell import Tape, new_voucher
from warmline.simulation.simulation import FIRST_MIDNIGHT, Simulation

if TYPE_CHECKING:
    from asyncpg import Pool, Record

    from warmline.desk.store import Connection

TENANT = TenantId("sim")
PROGRAMS = load_shipped()


class TapeClock:
    """Says what the tape says."""

    def __init__(self) -> None:
        self.instant = datetime(2000, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.instant

    async def wait_until(self, instant: datetime | None, wake: object) -> None:
        raise AssertionError("nobody waits here")


class NoOutbox:
    """Notices are written and never sent."""

    async def enqueue(
        self, connection: "Connection", tenant: TenantId, notices: object, now: datetime
    ) -> None:
        """Nothing to send."""


class Player:
    """Plays a tape to the real desk, one transaction after the other."""

    def __init__(self, pool: "Pool[Record]", seal: AesSeal, books: Books) -> None:
        self.pool = pool
        self.seal = seal
        self.books = books
        self.clock = TapeClock()
        self.next_call = CallId("")
        self._numbers = count(1)
        self.desk = Desk(
            pool=pool,
            seal=seal,
            clock=self.clock,
            programs=KeptPrograms(PROGRAMS),
            calendar=KeptCalendar(self.clock),
            writer=Writer(NoOutbox(), self.new_id),
            new_id=self.new_id,
            committed=lambda committed: None,
            metrics=Metrics(CollectorRegistry()),
            tenant=TENANT,
        )
        self.switchboard = Switchboard(self.desk, PROGRAMS)

    def new_id(self, prefix: str) -> str:
        return self.next_call if prefix == "call" else f"{prefix}-{next(self._numbers):08}"

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["Connection"]:
        async with self.pool.acquire() as connection, connection.transaction():
            yield connection

    async def prepare(self, simulation: Simulation) -> None:
        """The town as it was before the first day."""
        async with self.transaction() as connection:
            for program in PROGRAMS.values():
                await keep_program_text(
                    connection,
                    TENANT,
                    program=program.id,
                    version=program.version,
                    digest=program.digest,
                    body=program.body,
                    now=FIRST_MIDNIGHT,
                )
            for staff in simulation.town.staff.values():
                for counselor in staff:
                    number = simulation.town.numbers[counselor.id]
                    await add_counselor(connection, self.seal, TENANT, counselor, number)
            for caller in simulation.town.callers:
                await self._add_caller(connection, caller.id, caller.number)

    async def _add_caller(
        self, connection: "Connection", id_: CallerId, number: PhoneNumber
    ) -> None:
        await get_or_create_caller(
            connection, self.seal, TENANT, number, lambda: id_, FIRST_MIDNIGHT
        )
        device = Device(id=DeviceId(f"of-{id_}"), caller=id_, verified_at=FIRST_MIDNIGHT)
        await add_device(connection, TENANT, device, sha256(id_.encode()).digest())

    async def play(self, now: datetime, name: str, arguments: tuple[object, ...]) -> None:
        """One transaction of the tape. A refusal changes nothing, here as there."""
        self.clock.instant = now
        action: Callable[..., Awaitable[None]] = getattr(self, name)
        with suppress(Refused):
            await action(*arguments)

    # --- what is on a tape --------------------------------------------------------------------

    async def give_voucher(
        self, id_: VoucherId, program: ProgramId, holder: CallerId, valid_until: datetime
    ) -> None:
        async with self.transaction() as connection:
            made = new_voucher(id_, program, holder, valid_until, self.clock.now())
            await insert_vouchers(connection, TENANT, [made])

    async def open_order(
        self,
        id_: OrderId,
        caller: CallerId,
        program: ProgramId,
        counselor: CounselorId | None,
        voucher: VoucherId | None,
    ) -> None:
        text, now = PROGRAMS[program], self.clock.now()
        opened = billing.opening.open_order(
            id=id_,
            caller=caller,
            program=program,
            program_version=text.version,
            program_digest=text.digest,
            counselor=counselor,
            voucher=voucher,
            granted_seconds=text.granted_seconds,
            policy=text.billing,
            now=now,
        )
        async with self.transaction() as connection:
            if voucher is not None:
                known = await load_voucher(connection, TENANT, voucher)
                assert known is not None
                held, entry = billing.voucher.hold(
                    known, order=id_, caller=caller, program=program, now=now
                )
                await save_voucher(connection, TENANT, held, entry)
            await insert_order(connection, TENANT, opened.order)

    async def place_call(self, order: OrderId, call: CallId, given: PhoneNumber) -> None:
        self.next_call = call
        async with self.transaction() as connection:
            await self.desk.place_call(connection, TENANT, order, given)

    async def command(self, call: CallId, event: Event) -> None:
        order = self.books.calls[call].order
        async with self.transaction() as connection:
            await self.desk.command(connection, TENANT, call, order, event)

    async def cancel_order(self, order: OrderId, by: ClosedBy, why: str) -> None:
        async with self.transaction() as connection:
            await self.desk.cancel_order(connection, TENANT, order, by, why)

    async def withdraw_order(self, order: OrderId, by: ClosedBy, why: str) -> None:
        async with self.transaction() as connection:
            await self.desk.withdraw_order(connection, TENANT, order, by, why)

    async def note_called_back(self, order: OrderId) -> None:
        async with self.transaction() as connection:
            await self.desk.note_called_back(connection, TENANT, order)

    async def set_presence(self, counselor: CounselorId, presence: Presence) -> None:
        async with self.transaction() as connection:
            found = await lock_counselor(connection, TENANT, counselor)
            assert found is not None
            program = PROGRAMS[next(iter(found[0].programs))]
            lease = program.routing.presence_lease_seconds
            moved = set_presence(found[0], presence, self.clock.now(), lease)
            await save_counselor(connection, TENANT, moved)

    async def take_news(self, id_: str, news: News) -> None:
        await self.switchboard.receive(Report(id=id_, news=news))

    async def take_call_in(self, id_: str, call_in: CallIn, order: OrderId, call: CallId) -> None:
        self.next_call = call
        await self.switchboard.receive(Report(id=id_, news=call_in))

    async def bridge_refused(self, call: CallId) -> None:
        await self.desk.bridge_refused(TENANT, call)

    async def fire(self, call: CallId, timer: Timer) -> None:
        order = self.books.calls[call].order
        await self.desk.fire(DueTimer(TENANT, call, timer, order, 0), order)

    async def lapse(self, order: OrderId) -> None:
        assert await self.desk.lapse_next()

    async def seat(self, program: ProgramId, head: Place) -> None:
        assert await self.desk.seat_next(TENANT, head)

    # --- what became of it --------------------------------------------------------------------

    async def differences(self) -> list[str]:
        """Every record that is not the same in both."""
        async with self.pool.acquire() as connection:
            return [
                *await self._different_orders(connection),
                *await self._different_calls(connection),
                *await self._different_vouchers(connection),
                *await self._different_books(connection),
                *await self._different_counselors(connection),
            ]

    async def _different_orders(self, connection: "Connection") -> list[str]:
        found = []
        for ours in self.books.orders.values():
            theirs = await load_order(connection, TENANT, ours.id)
            if theirs is None or replace(theirs, version=0) != replace(ours, version=0):
                found.append(f"{ours}\n  {theirs}")
        return found

    async def _different_calls(self, connection: "Connection") -> list[str]:
        found = []
        for ours in self.books.calls.values():
            theirs = await load_call(connection, TENANT, ours.id)
            if theirs is None or theirs.call != ours:
                found.append(f"{ours}\n  {theirs}")
            place = await load_place(connection, TENANT, ours.id)
            program = self.books.orders[ours.order].program
            if place != self.books.places.get(program, {}).get(ours.id):
                found.append(f"{ours.id} waits at {place}")
        return found

    async def _different_vouchers(self, connection: "Connection") -> list[str]:
        found = []
        for ours in self.books.vouchers.values():
            theirs = await load_voucher(connection, TENANT, ours.id)
            if theirs != ours:
                found.append(f"{ours}\n  {theirs}")
        return found

    async def _different_books(self, connection: "Connection") -> list[str]:
        return [
            book
            for book, ours in self.books.ledger.items()
            if await entries_of(connection, TENANT, book) != ours
        ]

    async def _different_counselors(self, connection: "Connection") -> list[str]:
        found = []
        for ours in self.books.counselors.values():
            theirs = await lock_counselor(connection, TENANT, ours.id)
            assert theirs is not None
            same = replace(theirs[0], number_sealed=b"") == ours
            if not same or theirs[1] != self.books.engaged.get(ours.id):
                found.append(f"{ours} {self.books.engaged.get(ours.id)}\n  {theirs}")
        return found


@pytest.mark.parametrize("seed", [1])
async def test_a_day_of_calls_ends_the_same_in_dictionaries_and_in_postgresql(
    seed: int, database: "Pool[Record]", seal: AesSeal
) -> None:
    tape: Tape = []
    simulation = Simulation(PROGRAMS, seed=seed, calls_per_day=60, misfortune=DEFAULT, tape=tape)
    player = Player(database, seal, simulation.books)
    await player.prepare(simulation)

    simulation.run(1)
    for now, name, arguments in tape:
        await player.play(now, name, arguments)

    assert len(simulation.books.calls) > 40
    assert await player.differences() == []


async def test_a_day_is_the_same_at_every_hour(database: "Pool[Record]", seal: AesSeal) -> None:
    """Two shells may part and meet again: look while calls are going on, too."""
    tape: Tape = []
    simulation = Simulation(PROGRAMS, seed=3, calls_per_day=40, misfortune=DEFAULT, tape=tape)
    player = Player(database, seal, simulation.books)
    await player.prepare(simulation)
    played = 0
    simulation.plan_day(FIRST_MIDNIGHT)

    for hour in range(24):
        simulation.live_until(FIRST_MIDNIGHT + timedelta(hours=hour + 1))
        for now, name, arguments in tape[played:]:
            await player.play(now, name, arguments)
        played = len(tape)
        assert await player.differences() == []
    assert simulation.books.live or len(simulation.books.calls) > 20
