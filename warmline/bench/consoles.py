"""`warmline bench --consoles N`: what so many open consoles cost the process that feeds them.

Each is what a page of staff is to the service: a live feed, and a look at itself now and then.
"""

import asyncio
import json
import os
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

import aiohttp
import uvloop

from terms.ids import CounselorId, StaffId
from warmline.bench.exchange import Phones
from warmline.bench.ground import a_ground, a_service
from warmline.bench.people import LISTENING
from warmline.bench.report import Row, rounded, table
from warmline.bench.scale import Scale
from warmline.bench.spread import Spread, milliseconds
from warmline.bench.stage import Stage, a_stage
from warmline.bench.waiting import NotMeasured, until
from warmline.exits import EXIT_STATUS
from warmline.http.sessions import TOTP_PURPOSE
from warmline.ids import new_id
from warmline.people import StaffRole
from warmline.people.store import StaffMember, add_staff, add_staff_token
from warmline.people.tokens import TokenKind, new_token, token_hash
from warmline.people.totp import new_secret

GOAL_MB = 300.0
_ONE_SUPERVISOR_IN = 50
_READS_EVERY_SECONDS = 15.0  # as a page does while all is well
_CALLS_PER_SECOND = 10
_OPENED_AT_ONCE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleScale:
    """How much is measured. Nobody calls for `quiet_seconds`, then so many `calls` are placed."""

    consoles: int = 500
    quiet_seconds: float = 30.0
    calls: int = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a run found. `told_ms`: from a line of the timeline to a console that may see it.

    `rss_peak_mb` is the most that was ever resident, the start of the process included.
    """

    consoles: int
    rss_before_mb: float
    rss_open_mb: float
    rss_busy_mb: float
    rss_peak_mb: float
    quiet_cores: float
    busy_cores: float
    lines_told: int
    told_ms: Spread


@dataclass(slots=True)
class Console:
    """One page of one member of staff."""

    token: str
    is_counselor: bool
    counselor: CounselorId | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What it signs in with."""
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(slots=True)
class Heard:
    """What all consoles were told, and how late."""

    late_ms: list[float] = field(default_factory=list)
    lost: int = 0


def run(scale: ConsoleScale, *, as_json: bool) -> int:
    """Measure and print; the exit status says only whether it could be measured."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            figures = runner.run(_measure(scale))
        except NotMeasured as why:
            print(f"It could not be measured: {why}.", file=sys.stderr)
            return EXIT_STATUS
    print(_json(figures) if as_json else table(_rows(figures)))
    return 0


async def _measure(scale: ConsoleScale) -> Figures:
    running = asyncio.current_task()
    assert running is not None
    with suppress(NotImplementedError):  # being told to end, clean up like after Ctrl-C
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    async with a_ground() as ground, a_stage(ground, "consoles", Scale()) as stage:
        _tell(f"signing {scale.consoles} members of staff in")
        people = await _staff(stage, scale.consoles)
        async with a_service(stage.settings) as process:
            return await _watch(stage, process, people, scale)


async def _watch(
    stage: Stage, process: Process, people: list[Console], scale: ConsoleScale
) -> Figures:
    before = _megabytes(process, "VmRSS")
    heard = Heard()
    _tell("opening the consoles")
    async with _all_open(stage, people, heard):
        _tell("nothing happening")
        quiet = await _cores_of(process, asyncio.sleep(scale.quiet_seconds))
        is_open = _megabytes(process, "VmRSS")
        heard.late_ms.clear()
        _tell("calls under way")
        busy = await _cores_of(process, _play(stage, people, scale.calls))
        figures = Figures(
            consoles=len(people),
            rss_before_mb=before,
            rss_open_mb=is_open,
            rss_busy_mb=_megabytes(process, "VmRSS"),
            rss_peak_mb=_megabytes(process, "VmHWM"),
            quiet_cores=quiet,
            busy_cores=busy,
            lines_told=len(heard.late_ms),
            told_ms=Spread.of(heard.late_ms),
        )
    if heard.lost:
        raise NotMeasured(f"{heard.lost} consoles were closed by the service")
    return figures


async def _staff(stage: Stage, how_many: int) -> list[Console]:
    """Counselors at work, and now and then a supervisor, all of them signed in."""
    supervisors = max(how_many // _ONE_SUPERVISOR_IN, 1)
    counselors = await stage.people.counselors(how_many - supervisors, LISTENING)
    seal, tenant, now = stage.settings.seal(), stage.settings.tenant, stage.clock()
    made = []
    async with stage.connection.transaction():
        for counselor in (*counselors, *(None,) * supervisors):
            id_, token = StaffId(new_id("staff")), new_token(TokenKind.STAFF)
            role = StaffRole.SUPERVISOR if counselor is None else StaffRole.COUNSELOR
            member = StaffMember(
                tenant=tenant,
                id=id_,
                email=f"{id_}@example.test",
                roles=frozenset({role}),
                counselor=counselor,
                password_hash="$argon2id$nobody knows it",
                totp_secret=seal.seal_text(new_secret(), TOTP_PURPOSE),
            )
            await add_staff(stage.connection, member, now)
            await add_staff_token(stage.connection, tenant, id_, token_hash(token), now)
            made.append(Console(token, counselor is not None, counselor))
    return made


@asynccontextmanager
async def _all_open(stage: Stage, people: list[Console], heard: Heard) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            aiohttp.ClientSession(
                base_url=stage.settings.address, connector=aiohttp.TCPConnector(limit=0)
            )
        )
        room = asyncio.Semaphore(_OPENED_AT_ONCE)

        async def opened(console: Console) -> aiohttp.ClientWebSocketResponse:
            async with room:
                feed = await client.ws_connect("/v1/live", headers=console.headers)
                if (await feed.receive_json())["type"] != "snapshot":
                    raise NotMeasured("a console was not told what is true")
                await _look(client, console)
                return feed

        feeds = await asyncio.gather(*(opened(one) for one in people))
        works = [_listen(stage, feed, heard) for feed in feeds]
        works += [_look_again(client, one, place) for place, one in enumerate(people)]
        tasks = [asyncio.create_task(work) for work in works]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(*(feed.close() for feed in feeds), return_exceptions=True)


async def _listen(stage: Stage, feed: aiohttp.ClientWebSocketResponse, heard: Heard) -> None:
    async for message in feed:
        told = json.loads(message.data)
        if told["type"] == "event":
            late = stage.clock() - datetime.fromisoformat(told["at"])
            heard.late_ms.append(milliseconds(late))
    heard.lost += 1


async def _look_again(client: aiohttp.ClientSession, console: Console, place: int) -> None:
    """Not all of them at once."""
    await asyncio.sleep(place * 0.37 % _READS_EVERY_SECONDS)
    while True:
        await _look(client, console)
        await asyncio.sleep(_READS_EVERY_SECONDS)


async def _look(client: aiohttp.ClientSession, console: Console) -> None:
    path = "/v1/me" if console.is_counselor else "/v1/wallboard"
    async with client.get(path, headers=console.headers) as response:
        await response.read()
        if not response.ok:
            raise NotMeasured(f"GET {path} was answered with {response.status}")


async def _play(stage: Stage, people: list[Console], calls: int) -> None:
    """Whole lives of calls at a steady pace: rung, answered, accepted, joined, hung up."""
    stage.exchange.phones = Phones.ANSWER
    at_work = [one.counselor for one in people if one.counselor is not None][:calls]
    customers = await stage.people.customers(len(at_work), LISTENING, at_work)
    loop = asyncio.get_running_loop()
    begins = loop.time()
    for number, customer in enumerate(customers):
        await asyncio.sleep(begins + number / _CALLS_PER_SECOND - loop.time())
        await stage.place(customer)
    await until(lambda: stage.exchange.is_quiet, stage.scale.patience_seconds, "ending the calls")


async def _cores_of(process: Process, meanwhile: Awaitable[None]) -> float:
    """How much of a core the process used for as long as `meanwhile` took."""
    began, used = time.perf_counter(), _processor_seconds(process)
    await meanwhile
    return (_processor_seconds(process) - used) / (time.perf_counter() - began)


def _processor_seconds(process: Process) -> float:
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _megabytes(process: Process, name: str) -> float:
    """What the system says of the process's memory: resident now, or at most so far."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise NotMeasured("the process's memory cannot be read here")


def _rows(figures: Figures) -> Iterator[Row]:
    yield Row("consoles open", figures.consoles, "")
    yield Row("memory before", figures.rss_before_mb, "MB")
    yield Row("memory, nothing happening", figures.rss_open_mb, "MB")
    yield Row("memory, calls under way", figures.rss_busy_mb, "MB")
    yield Row("memory at most", figures.rss_peak_mb, "MB", GOAL_MB)
    yield Row("cores used, nothing happening", figures.quiet_cores, "")
    yield Row(f"cores used, {_CALLS_PER_SECOND} calls a second", figures.busy_cores, "")
    yield Row("lines told", figures.lines_told, "")
    yield Row("line to console, median", figures.told_ms.p50, "ms")
    yield Row("line to console, 99th", figures.told_ms.p99, "ms")


def _json(figures: Figures) -> str:
    told = {name: round(value, 2) for name, value in asdict(figures).items() if name != "told_ms"}
    missed = [row.name for row in _rows(figures) if not row.is_met]
    return json.dumps({**told, "told_ms": rounded(figures.told_ms), "missed": missed})


def _tell(what: str) -> None:
    print(f"measuring {what} ...", file=sys.stderr, flush=True)
