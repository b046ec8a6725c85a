"""A hundred calls over real phones, then counselors who come free while callers wait."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import asyncpg

from dialer.call import Call, State
from dialer.store.calls import live_calls
from terms.ids import CallId, CounselorId, ProgramId
from terms.verdict import Role
from warmline.bench.ground import Ground, a_ground, a_service
from warmline.bench.people import Customer, People
from warmline.bench.phones.engine import Engine, an_engine
from warmline.bench.phones.scale import Scale
from warmline.bench.phones.sipp import phones
from warmline.bench.spread import Spread, milliseconds
from warmline.bench.waiting import NotMeasured
from warmline.programs import load_directory
from warmline.settings import Settings

if TYPE_CHECKING:
    from warmline.database import Connection

POOL = ProgramId("family-doctor")
_WRAP_UP_SECONDS = 3
_HURRIED = {
    "press_to_accept": "false",  # a phone that SIPp plays presses no key
    "wrap_up_seconds": str(_WRAP_UP_SECONDS),
    "summary_required": "false",
}

_LOOK_SECONDS = 0.1
_ACCEPTED = 202

Tell = Callable[[str], None]
"""Says what is being measured now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a run found."""

    calls: int
    failed: int
    set_up_ms: Spread
    next_ring_ms: Spread
    engine_cores: float
    service_cores: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What the measurements work with."""

    scale: Scale
    connection: "Connection"
    client: aiohttp.ClientSession
    people: People

    async def place(self, customer: Customer) -> tuple[CallId, datetime]:
        """Press the button; gives the call and the moment. Raises NotMeasured."""
        pressed_at = datetime.now(UTC)
        async with self.client.post(
            f"/v1/orders/{customer.order}/calls",
            json={"phone": customer.number},
            headers={"Authorization": f"Bearer {customer.token}"},
        ) as response:
            told = await response.json()
        if response.status != _ACCEPTED:
            raise NotMeasured(f"a call was refused: {told.get('code')}")
        return CallId(told["id"]), pressed_at

    async def place_all(self, customers: Sequence[Customer]) -> dict[CallId, datetime]:
        """Every button at its own time, whether the ones before it were answered or not."""
        loop = asyncio.get_running_loop()
        begins = loop.time()

        async def press(number: int, customer: Customer) -> tuple[CallId, datetime]:
            await asyncio.sleep(begins + number / self.scale.calls_per_second - loop.time())
            return await self.place(customer)

        return dict(await asyncio.gather(*(press(*one) for one in enumerate(customers))))

    async def end(self, customer: Customer) -> None:
        """Hang up in the app. Raises NotMeasured."""
        async with self.client.delete(
            f"/v1/orders/{customer.order}/calls/current",
            headers={"Authorization": f"Bearer {customer.token}"},
        ) as response:
            if response.status != _ACCEPTED:
                raise NotMeasured(f"a call was not ended: {await response.text()}")

    async def live(self) -> dict[CallId, Call]:
        """Every call that has not ended."""
        return {call.id: call for _, call in await live_calls(self.connection)}

    async def bridged(self, how_many: int, what: str) -> dict[CallId, Call]:
        """Return once so many calls are bridged. Raises NotMeasured."""
        deadline = time.monotonic() + self.scale.patience_seconds
        while True:
            calls = await self.live()
            talking = {i: call for i, call in calls.items() if call.state is State.BRIDGED}
            if len(talking) >= how_many:
                return talking
            if time.monotonic() > deadline:
                raise NotMeasured(f"{what}: {len(talking)} of {how_many} calls talk")
            await asyncio.sleep(_LOOK_SECONDS)


async def measure(scale: Scale, tell: Tell) -> Figures:
    """Measure everything. Raises NotMeasured, Unusable."""
    async with a_ground() as ground, an_engine() as engine, phones(engine, ground.folder):
        settings = await ground.new_house("phones", "")
        programs = _programs(ground)
        more = {**engine.settings, "PROGRAMS": str(programs)}
        async with (
            a_service(settings, more) as service,
            _stage(settings, programs, scale) as stage,
        ):
            return await _measure(stage, engine, service.pid, tell)


async def _measure(stage: Stage, engine: Engine, service: int, tell: Tell) -> Figures:
    scale = stage.scale
    tell("the first calls, which do not count")
    await stage.people.counselors(scale.calls, POOL)
    await _warm_up(stage)
    tell(f"{scale.calls} calls at {scale.calls_per_second} a second")
    customers = await stage.people.customers(scale.calls + scale.freed, POOL)
    pressed = await stage.place_all(customers[: scale.calls])
    talking = await stage.bridged(scale.calls, "bringing the calls to life")
    set_up = Spread.of(
        _set_up(talking[call], at) for call, at in pressed.items() if call in talking
    )
    tell("all of them talking")
    used = _cpu_seconds(engine.process.pid), _cpu_seconds(service)
    await asyncio.sleep(scale.hold_seconds)
    spent = _cpu_seconds(engine.process.pid) - used[0], _cpu_seconds(service) - used[1]
    still = await stage.live()
    failed = sum(
        call not in still or still[call].state is not State.BRIDGED or len(still[call].legs) != 2
        for call in pressed
    )
    tell("counselors who come free while callers wait")
    return Figures(
        calls=len(pressed),
        failed=failed,
        set_up_ms=set_up,
        next_ring_ms=await _next_rings(stage, customers, still),
        engine_cores=spent[0] / scale.hold_seconds,
        service_cores=spent[1] / scale.hold_seconds,
    )


async def _warm_up(stage: Stage) -> None:
    customers = await stage.people.customers(stage.scale.before, POOL)
    await stage.place_all(customers)
    await stage.bridged(len(customers), "the first calls")
    for customer in customers:
        await stage.end(customer)
    await stage.connection.execute("ANALYZE")


async def _next_rings(
    stage: Stage, customers: Sequence[Customer], before: dict[CallId, Call]
) -> Spread:
    """From the end of a counselor's wrap-up to the ring of their phone for the next caller.

    It ends so long after the call did; that is reckoned from when the app was told to end it.
    """
    scale = stage.scale
    waiting = customers[scale.calls :]
    for customer in waiting:
        await stage.place(customer)
    by_order = {call.order: call for call in before.values()}
    loop = asyncio.get_running_loop()
    begins = loop.time()

    wrap_up = timedelta(seconds=_WRAP_UP_SECONDS)

    async def free(number: int, customer: Customer) -> tuple[CounselorId, datetime]:
        await asyncio.sleep(begins + number / scale.freed_per_second - loop.time())
        counselor = by_order[customer.order].counselor
        assert counselor is not None
        freed_at = datetime.now(UTC)
        await stage.end(customer)
        return counselor, freed_at

    ending = customers[: scale.freed]
    freed = dict(await asyncio.gather(*(free(*one) for one in enumerate(ending))))
    calls = await stage.bridged(scale.calls, "ringing for those who wait")
    rung = {call.counselor: _rang_at(call) for call in calls.values() if call.id not in before}
    return Spread.of(
        milliseconds(rung[counselor] - at - wrap_up) for counselor, at in freed.items()
    )


def _set_up(call: Call, pressed_at: datetime) -> float:
    """From the button to both hearing each other, without what the phones themselves took."""
    assert call.connected_at is not None
    own = timedelta()
    for leg in call.legs:
        if leg.answered_at is not None and leg.ringing_at is not None:
            own += leg.answered_at - leg.ringing_at
    return milliseconds(call.connected_at - pressed_at - own)


def _rang_at(call: Call) -> datetime:
    counselor = next(leg for leg in call.legs if leg.role is Role.COUNSELOR)
    rang_at = counselor.ringing_at or counselor.answered_at
    assert rang_at is not None
    return rang_at


def _cpu_seconds(process: int) -> float:
    """What a process has used of the processors so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _programs(ground: Ground) -> Path:
    """The shipped program of the pool, in more of a hurry."""
    folder = ground.folder / "programs"
    folder.mkdir()
    text = files("warmline").joinpath("programs", f"{POOL}.toml").read_text("utf-8")
    for key, value in _HURRIED.items():
        text = re.sub(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.M)
    (folder / f"{POOL}.toml").write_text(text, encoding="utf-8")
    return folder


@asynccontextmanager
async def _stage(settings: Settings, programs: Path, scale: Scale) -> AsyncIterator[Stage]:
    assert settings.database_url is not None
    connection = await asyncpg.connect(settings.database_url, server_settings={"timezone": "UTC"})
    people = People(
        connection,
        settings.seal(),
        settings.tenant,
        lambda: datetime.now(UTC),
        programs=load_directory(programs),
    )
    try:
        async with aiohttp.ClientSession(base_url=settings.address) as client:
            yield Stage(scale=scale, connection=connection, client=client, people=people)
    finally:
        await connection.close()
