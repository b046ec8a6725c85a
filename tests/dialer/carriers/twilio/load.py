"""How the whole served process fares with calls over Twilio: a thousand of them, thirty a second.

`python -m tests.dialer.carriers.twilio.load` starts `warmline serve` on a PostgreSQL of its own
with full durability, and a Twilio that stands in, all on this machine's first two cores. A webhook
is timed where Twilio is: from before it is sent until its answer is read.
"""

import argparse
import asyncio
import gc
import json
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path

import aiohttp
import asyncpg
import uvloop

from dialer.store.calls import calls_of
from terms.ids import ProgramId, TenantId
from tests.twilio_standin.calls import Address
from tests.twilio_standin.clock import RunningClock
from tests.twilio_standin.document import load_files
from tests.twilio_standin.operations import Operations
from tests.twilio_standin.phones import Reply, Script
from tests.twilio_standin.standin import Twilio, a_twilio, new_account
from warmline.bench.ground import Ground, a_ground, kill, ready
from warmline.bench.people import Customer, People
from warmline.bench.spread import Spread
from warmline.bench.waiting import until
from warmline.clock import machine_now
from warmline.programs import load_programs, load_shipped
from warmline.settings import PREFIX, Settings

LISTENING = ProgramId("psych-listening")
OURS = "+862155500100"
PUBLIC = "https://warmline.example"
_ACCEPTED = 202
_TOO_BUSY = 503
_PATIENCE_SECONDS = 180.0
_WITHOUT_ALL_ENDS = """
    SELECT count(*) FROM calls WHERE state <> 'ended' OR EXISTS (
        SELECT FROM jsonb_array_elements(record->'legs') AS leg WHERE leg->>'release' IS NULL
    )
"""
"""Calls that are not over, or of which a leg's end is not known yet."""

_GOOD = range(200, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How many calls, how fast, and how the people in them behave."""

    calls: int = 1000
    calls_per_second: float = 30.0
    answers_after_seconds: float = 0.5
    talk_seconds: float = 3.0


@dataclass(slots=True, kw_only=True)
class Figures:
    """What came of it. A call here is a whole one: it has two legs at Twilio."""

    calls: int
    calls_per_second: float
    refused: int
    """How many buttons the service did not take, with a 5xx that says so."""

    placed_in_seconds: float
    ended_in_seconds: float
    twilio_calls: int
    verdicts: dict[str, int]
    rung_more_than_once: int
    still_live: int
    not_as_documented: list[str]
    webhooks: int
    webhooks_per_second: float
    refused_webhooks: int
    webhook_ms: Spread
    webhook_ms_by_kind: dict[str, Spread] = field(default_factory=dict)
    service_cpu_ms_per_call: float = 0.0
    """What the service used of a core; unlike the times it hardly depends on who else is busy."""

    @property
    def wrong(self) -> dict[str, object]:
        """Everything that did not go as it should; empty when all did."""
        placed = self.calls - self.refused
        found = {
            "buttons refused": self.refused,
            "verdicts": {k: n for k, n in self.verdicts.items() if k != "party_ended"},
            "calls without a verdict": placed - sum(self.verdicts.values()),
            "Twilio calls too many": self.twilio_calls - 2 * placed,
            "phones rung more than once": self.rung_more_than_once,
            "still live at Twilio": self.still_live,
            "not as documented": self.not_as_documented,
            "webhooks refused": self.refused_webhooks,
        }
        return {what: value for what, value in found.items() if value}


def open_all_day(folder: Path) -> Path:
    """A folder with the shipped program, open whenever this is run, and reached by our number."""
    folder.mkdir()
    text = load_shipped()[LISTENING].body
    for key, value in (("hours", '"24h"'), ("service_numbers", f'["{OURS}"]')):
        text, changed = re.subn(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.MULTILINE)
        assert changed == 1
    (folder / f"{LISTENING}.toml").write_text(text)
    return folder


def twilio_settings(twilio: Twilio) -> dict[str, str]:
    """What the service is told of this Twilio."""
    return {
        "carrier": "twilio",
        "public_url": PUBLIC,
        "twilio_account_sid": twilio.account.sid,
        "twilio_auth_token": twilio.account.token,
        "twilio_numbers": OURS,
        "twilio_calls_per_second": "100",
        "twilio_api_url": twilio.url,
    }


@asynccontextmanager
async def a_town(
    operations: Operations, services: dict[str, str], load: Load, ahead: timedelta = timedelta()
) -> AsyncIterator[Twilio]:
    """A Twilio in real time whose phones answer; whoever was rung second accepts by pressing 1."""
    account = new_account()
    clock = RunningClock(ahead)
    async with a_twilio(operations, services, clock=clock, account=account) as twilio:
        number = twilio.number(OURS)
        number.voice = Address(url=f"{PUBLIC}/carrier/twilio/inbound")
        number.status = Address(url=f"{PUBLIC}/carrier/twilio/calls")
        twilio.knobs.prompt_seconds = 0.5
        twilio.exchange.phones.usual = Script(
            reply=Reply.ANSWERS, after_seconds=load.answers_after_seconds, presses="1"
        )
        yield twilio


@dataclass(slots=True, kw_only=True)
class Run:
    """Buttons pressed at their time, and what became of the calls."""

    load: Load
    twilio: Twilio
    customers: list[Customer]
    tenant: TenantId
    connection: "asyncpg.Connection[asyncpg.Record]"
    client: aiohttp.ClientSession

    async def go(self) -> Figures:
        """Press every button at its own time, whether those before it were answered or not."""
        load, twilio = self.load, self.twilio
        for customer in self.customers:
            script = Script(
                reply=Reply.ANSWERS,
                after_seconds=load.answers_after_seconds,
                talk_seconds=load.talk_seconds,
            )
            twilio.phone(customer.number, script)
        loop = asyncio.get_running_loop()
        begins = loop.time()
        taken = await asyncio.gather(
            *(
                self._press(customer, begins + n / load.calls_per_second)
                for n, customer in enumerate(self.customers)
            )
        )
        seconds = loop.time() - begins
        placed = [one for one, is_taken in zip(self.customers, taken, strict=True) if is_taken]
        await self.until_over(len(placed))
        return await self._figures(placed, seconds, loop.time() - begins)

    async def _press(self, customer: Customer, at: float) -> bool:
        await asyncio.sleep(at - asyncio.get_running_loop().time())
        async with self.client.post(
            f"/v1/orders/{customer.order}/calls",
            json={"phone": customer.number},
            headers={"Authorization": f"Bearer {customer.token}"},
        ) as response:
            assert response.status in (_ACCEPTED, _TOO_BUSY), await response.text()
            return response.status == _ACCEPTED

    async def until_over(self, placed: int) -> None:
        """Until nothing of so many calls goes on any more, here and there."""
        calls, mouth = self.twilio.exchange.calls, self.twilio.mouth
        await until(
            lambda: (
                len(calls) >= 2 * placed
                and not any(call.is_live for call in calls.values())
                and not mouth.outstanding
            ),
            _PATIENCE_SECONDS,
            "ending all calls",
        )
        for _ in range(400):  # the last news is being folded
            if not await self.connection.fetchval(_WITHOUT_ALL_ENDS):
                return
            await asyncio.sleep(0.05)

    async def verdict(self, customer: Customer) -> str:
        """How the order's only call ended."""
        calls = await calls_of(self.connection, self.tenant, customer.order)
        kinds = [str(call.verdict.kind) if call.verdict else "none" for call in calls]
        return "+".join(kinds)

    async def _figures(self, placed: list[Customer], seconds: float, ended: float) -> Figures:
        verdicts = Counter([await self.verdict(customer) for customer in placed])
        sent = self.twilio.mouth.sent
        kinds: dict[str, list[float]] = {}
        for one in sent:
            kinds.setdefault(one.post.what.partition(" ")[0], []).append(one.seconds * 1000)
        phones = self.twilio.exchange.phones.all()
        return Figures(
            calls=len(self.customers),
            calls_per_second=self.load.calls_per_second,
            refused=len(self.customers) - len(placed),
            placed_in_seconds=seconds,
            ended_in_seconds=ended,
            twilio_calls=len(self.twilio.exchange.calls),
            verdicts=dict(verdicts),
            rung_more_than_once=sum(phone.rung > 1 for phone in phones),
            still_live=len(self.twilio.live_calls()),
            not_as_documented=list(self.twilio.faults),
            webhooks=len(sent),
            webhooks_per_second=len(sent) / ended,
            refused_webhooks=sum(one.status not in _GOOD for one in sent),
            webhook_ms=Spread.of(one.seconds * 1000 for one in sent),
            webhook_ms_by_kind={kind: Spread.of(values) for kind, values in kinds.items()},
        )


async def measure(load: Load) -> Figures:
    """Everything from nothing. Raises NotMeasured, DocumentMissing, Unusable."""
    operations = Operations(load_files())
    services: dict[str, str] = {}
    async with a_ground() as ground, a_town(operations, services, load) as twilio:
        settings = await ground.new_house("twilio", "")
        services[PUBLIC] = f"http://127.0.0.1:{settings.port}"
        programs = open_all_day(ground.folder / "programs")
        connection = await asyncpg.connect(settings.database_url)
        people = People(
            connection,
            settings.seal(),
            settings.tenant,
            machine_now,
            programs=load_programs(programs),
        )
        counselors = await people.counselors(load.calls, LISTENING)
        customers = await people.customers(load.calls, LISTENING, counselors)
        more = {**twilio_settings(twilio), "programs": str(programs)}
        async with (
            _served(ground, settings, more) as process,
            aiohttp.ClientSession(base_url=services[PUBLIC]) as client,
        ):
            run = Run(
                load=load,
                twilio=twilio,
                customers=customers,
                tenant=settings.tenant,
                connection=connection,
                client=client,
            )
            try:
                gc.freeze()  # a look through Twilio's document would count as the service's time
                gc.disable()
                started = _cpu_seconds(process.pid)
                figures = await run.go()
                used = _cpu_seconds(process.pid) - started
                figures.service_cpu_ms_per_call = 1000 * used / load.calls
                return figures
            finally:
                gc.enable()
                await connection.close()


@asynccontextmanager
async def _served(
    ground: Ground, settings: Settings, more: dict[str, str]
) -> AsyncIterator[Process]:
    """`warmline serve`, once it is ready."""
    assert settings.secret_key is not None
    ours = {
        "database_url": settings.database_url,
        "data_dir": str(settings.data_dir),
        "port": str(settings.port),
        "secret_key": settings.secret_key.get_secret_value(),
        **more,
    }
    environment = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
    environment |= {f"{PREFIX}{name.upper()}": str(value) for name, value in ours.items()}
    log_file = ground.folder / "serve.log"
    with log_file.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from warmline.cli import main; main()", "serve"),
            env=environment,
            stdin=DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        await ready(f"http://127.0.0.1:{settings.port}")
        yield process
    except BaseException:
        print(log_file.read_text()[-3000:], file=sys.stderr)
        raise
    finally:
        await kill(process)


async def _until_told(load: Load) -> Figures:
    """Measure; being told to end, clean up like after Ctrl-C."""
    measuring = asyncio.current_task()
    assert measuring is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, measuring.cancel)
    return await measure(load)


def _cpu_seconds(pid: int) -> float:
    """What the process has used of a core since it was started."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure and print; exits 1 unless every call was right."""
    parser = argparse.ArgumentParser(description=__doc__)
    usual = Load()
    parser.add_argument("--calls", type=int, default=usual.calls)
    parser.add_argument("--rate", type=float, default=usual.calls_per_second)
    parser.add_argument("--talk", type=float, default=usual.talk_seconds)
    given = parser.parse_args()
    load = Load(calls=given.calls, calls_per_second=given.rate, talk_seconds=given.talk)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        figures = runner.run(_until_told(load))
    print(json.dumps({**asdict(figures), "wrong": figures.wrong}, indent=2, default=str))
    sys.exit(1 if figures.wrong else 0)


if __name__ == "__main__":
    main()
