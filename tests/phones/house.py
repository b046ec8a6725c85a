"""A whole house in real time whose phones are real: PostgreSQL, the desk, its workers, Asterisk."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from dialer.call import Call, State
from dialer.carriers import CarrierUnreachable, Receive, Report
from dialer.events import Command
from dialer.store.calls import calls_of
from terms.ids import OrderId, ProgramId
from terms.phone import PhoneNumber
from terms.verdict import Verdict
from tests.dialer.carriers.rig import Behaviour
from tests.house import NoOutbox
from tests.people import LISTENING, TENANT, People
from tests.phones.rig import AsteriskRig
from tests.phones.town import Line, Phone
from warmline.clock import SystemClock
from warmline.desk.desk import Desk
from warmline.desk.in_force import KeptCalendar, KeptPrograms
from warmline.desk.switchboard import Switchboard
from warmline.desk.writing import Committed, Writer
from warmline.metrics import Metrics
from warmline.programs import Program, load_directory, load_shipped
from warmline.programs import __file__ as shipped_programs
from warmline.seal import AesSeal
from warmline.workers.crew import Crew, make_crew
from warmline.workers.numbers import LegNumbers

if TYPE_CHECKING:
    from asyncpg import Pool, Record

_LOOK_SECONDS = 0.1
_GENEROUS_SECONDS = 60.0

COUNSELOR_FIRST = ProgramId("counselor-first")
PATIENT = ProgramId("patient-with-silence")
CAPPED = ProgramId("capped")
CAP_SECONDS, WARNED_SECONDS = 8, 5

HURRIED: Mapping[str, str] = {
    "hours": '"24h"',
    "wrap_up_seconds": "0",
    "ring_seconds": "5",
    "accept_seconds": "5",
    "cap_seconds": "600",
    "warn_seconds": "[]",
    "attempts": "1",
    "attempt_spacing_seconds": "[]",
    "fault_tries": "1",
    "counselor_tries": "1",
    "parted_grace_seconds": "10",
    "rering_seconds": "1",
    "media_lost_seconds": "5",
    "shows": '"4008001111"',
}
"""A listening talk at any hour, whose waits are as short as they may be."""


def hurried(directory: Path, id_: str, **differing: str) -> Program:
    """A program of this id that is in a hurry, and differs so."""
    text = (Path(shipped_programs).parent / "psych-listening.toml").read_text("utf-8")
    for key, value in {**HURRIED, "id": f'"{id_}"', **differing}.items():
        line = f"{key} = {value}"
        text, found = re.subn(rf"^{key} = .*$", line, text, flags=re.M)
        if not found:
            text = text.replace("[dialer]", f"[dialer]\n{line}")
    number = f"+8621{abs(hash(id_)) % 10**8:08}"
    text = re.sub(r"^service_numbers = .*$", f'service_numbers = ["{number}"]', text, flags=re.M)
    (directory / f"{id_}.toml").write_text(text, encoding="utf-8")
    return load_directory(directory)[ProgramId(id_)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A caller, a counselor, and the order that is to bring them together."""

    order: OrderId
    caller: PhoneNumber
    counselor: PhoneNumber


@dataclass(frozen=True, slots=True)
class PhoneHouse(People):
    """What a test may touch."""

    desk: Desk
    crew: Crew
    rig: AsteriskRig
    receive: Receive
    pairs: list[Pair] = field(default_factory=list)

    async def pair(
        self,
        program: ProgramId = LISTENING,
        *,
        caller: Behaviour = Behaviour.ANSWERS,
        counselor: Behaviour = Behaviour.ACCEPTS,
    ) -> Pair:
        """Two phones that behave so, and an open order of their owners."""
        phones = await self.rig.phone(caller), await self.rig.phone(counselor)
        who = await self.caller(phones[0].digits)
        whom = await self.counselor(phones[1].digits, program=program)
        order = await self.order(who, whom, program=program)
        pair = Pair(order=order, caller=phones[0], counselor=phones[1])
        self.pairs.append(pair)
        return pair

    async def press(self, pair: Pair) -> None:
        """Press the button."""
        async with self.pool.acquire() as connection, connection.transaction():
            _, committed = await self.desk.place_call(connection, TENANT, pair.order, pair.caller)
        self.desk.tell(committed)

    async def command(self, pair: Pair, command: Command) -> None:
        """Somebody acts on the order's newest call."""
        on = await self.see_call(pair.order)
        async with self.pool.acquire() as connection, connection.transaction():
            _, committed = await self.desk.command(connection, TENANT, on.id, pair.order, command)
        self.desk.tell(committed)

    async def until(self, pair: Pair, *states: State) -> Call:
        """Return once the order's call is in one of the states."""
        call = None
        try:
            async with asyncio.timeout(_GENEROUS_SECONDS):
                while True:
                    call = await self._newest(pair)
                    if call is not None and call.state in states:
                        return call
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            raise AssertionError(f"not one of {states}: {call}") from None

    async def _newest(self, pair: Pair) -> Call | None:
        async with self.pool.acquire() as connection:
            return next(iter(reversed(await calls_of(connection, TENANT, pair.order))), None)

    async def talk(self, program: ProgramId = LISTENING) -> Pair:
        """Two who talk with each other by now."""
        pair = await self.pair(program, caller=Behaviour.ACCEPTS)  # asked to where rung second
        await self.press(pair)
        await self.until(pair, State.BRIDGED)
        return pair

    async def verdict(self, pair: Pair) -> Verdict:
        """The verdict on the order's call, once it is over."""
        verdict = (await self.until(pair, State.ENDED)).verdict
        assert verdict is not None
        return verdict

    async def reopen(self) -> None:
        """Be there again after the carrier was closed and the workers were stopped."""
        await self.rig.carrier.open(self.receive)
        self.crew.start()

    def line(self, number: PhoneNumber) -> Line:
        """The line that the phone is on."""
        line = self.phone(number).line
        assert line is not None, "the phone is on no call"
        return line

    def phone(self, number: PhoneNumber) -> Phone:
        """The phone itself."""
        return self.rig.town.phones[number.digits]


@asynccontextmanager
async def a_phone_house(
    pool: "Pool[Record]",
    seal: AesSeal,
    rig: AsteriskRig,
    programs: Mapping[ProgramId, Program],
) -> AsyncIterator[PhoneHouse]:
    """A house whose workers are at work; `rig`'s carrier is opened and closed by it."""
    clock, ids = SystemClock(), count(1)
    programs = load_shipped() | dict(programs)
    kept = KeptPrograms(programs)
    metrics = Metrics(CollectorRegistry())
    crews: list[Crew] = []
    began = f"{datetime.now():%H%M%S%f}"  # noqa: DTZ005 - a name, not a time

    def committed(done: Committed) -> None:
        for crew in crews:
            crew.committed(done)

    def new_id(prefix: str) -> str:  # Asterisk outlives a house: no two may share a call's name
        return f"{prefix}_{began}_{next(ids):06}"

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
        carrier=rig.carrier,
        numbers=LegNumbers(seal, kept),
        clock=clock,
        metrics=metrics,
    )
    crews.append(crew)
    switchboard = Switchboard(desk, programs)

    async def receive(report: Report) -> None:
        await rig.receive(report)
        await switchboard.receive(report)

    await rig.carrier.open(receive)
    crew.start()
    try:
        yield PhoneHouse(
            pool=pool,
            seal=seal,
            clock=clock,
            programs=programs,
            new_id=new_id,
            desk=desk,
            crew=crew,
            rig=rig,
            receive=receive,
        )
    finally:
        await crew.stop()
        with suppress(CarrierUnreachable):  # it was killed, and is no more
            await rig.clear()
        await rig.carrier.close()
