"""Real `warmline serve` processes, one PostgreSQL and a real Asterisk with phones behind it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import aiohttp
import asyncpg

from dialer.call import Call, State
from dialer.store.calls import calls_of
from terms.ids import OrderId
from terms.phone import PhoneNumber
from terms.verdict import Verdict
from tests.chaos.server import Nursery, Server
from tests.dialer.carriers.rig import Behaviour
from tests.people import LISTENING, TENANT, People, device_token
from tests.phones.engine import PASSWORD
from tests.phones.house import hurried
from tests.phones.rig import AsteriskRig, carrier_on
from tests.phones.town import Line
from warmline.bench.phones.engine import Engine, ready
from warmline.clock import SystemClock
from warmline.ids import new_id
from warmline.programs import load_programs
from warmline.settings import Settings

_LOOK_SECONDS = 0.02
_PATIENCE_SECONDS = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """Two phones, and the order that is to bring them together."""

    order: OrderId
    caller: PhoneNumber
    counselor: PhoneNumber


@dataclass(frozen=True, slots=True)
class Deployment(People):
    """What a test may touch."""

    rig: AsteriskRig
    servers: list[Server]
    client: aiohttp.ClientSession

    async def pair(
        self, caller: Behaviour = Behaviour.ANSWERS, counselor: Behaviour = Behaviour.ACCEPTS
    ) -> Talk:
        """Two phones that behave so, and an open order of their owners."""
        phones = await self.rig.phone(caller), await self.rig.phone(counselor)
        who = await self.caller(phones[0].digits)
        whom = await self.counselor(phones[1].digits)
        order = await self.order(who, whom)
        return Talk(order=order, caller=phones[0], counselor=phones[1])

    async def press(self, talk: Talk, server: Server) -> None:
        """Press the button, at one of the processes."""
        url = f"{server.url}/v1/orders/{talk.order}/calls"
        headers = {"Authorization": f"Bearer {device_token(talk.caller.digits)}"}
        body = {"phone": talk.caller.digits}
        async with self.client.post(url, headers=headers, json=body) as response:
            assert response.status in (200, 201, 202), await response.text()

    async def talk(self, server: Server) -> Talk:
        """Two who talk with each other by now."""
        talk = await self.pair()
        await self.press(talk, server)
        await self.until(talk, State.BRIDGED)
        return talk

    async def until(self, talk: Talk, state: State) -> Call:
        """Return once the order's newest call is in this state."""
        seen: list[Call] = []

        async def is_so() -> bool:
            async with self.pool.acquire() as connection:
                seen[:] = (await calls_of(connection, TENANT, talk.order))[-1:]
            return bool(seen) and seen[0].state is state

        try:
            await self.comes_true(is_so)
        except TimeoutError:
            raise AssertionError(f"not {state}: {seen}\n{self.said()}") from None
        return seen[0]

    async def verdict(self, talk: Talk) -> Verdict:
        """The verdict on the order's call, once it is over."""
        verdict = (await self.until(talk, State.ENDED)).verdict
        assert verdict is not None
        return verdict

    async def comes_true(self, is_so: Callable[[], Awaitable[bool]]) -> float:
        """Wait until it is so; gives how many seconds that took."""
        began = monotonic()
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not await is_so():  # noqa: ASYNC110 - it comes true in another process
                await asyncio.sleep(_LOOK_SECONDS)
        return monotonic() - began

    async def holder(self) -> str:
        """Which process holds Asterisk by now; it has said so in its log."""
        holder: str = await self.pool.fetchval("SELECT holder FROM carrier_holders")
        return holder

    def line(self, number: PhoneNumber) -> Line:
        """The line that the phone is on."""
        (line,) = self.rig.lines(number)
        return line

    def rang(self, number: PhoneNumber) -> int:
        """How often the phone was rung: invitations with different call ids."""
        texts = self.rig.town.phones[number.digits].messages
        return len(
            {
                line
                for text in texts
                if text.startswith("INVITE")
                for line in text.split("\r\n")
                if line.lower().startswith("call-id:")
            }
        )

    def said(self) -> str:
        """What the processes logged."""
        return "\n".join(server.said for server in self.servers)


@asynccontextmanager
async def a_deployment(
    engine: Engine,
    nursery: Nursery,
    database_url: str,
    folder: Path,
    *,
    processes: int = 1,
    **program: str,
) -> AsyncIterator[Deployment]:
    """Processes that are started one after the other, so that the first one holds Asterisk."""
    await ready(engine)
    programs = folder / "programs"
    programs.mkdir()
    hurried(programs, LISTENING, **program)
    settings = Settings.load(data_dir=folder, database_url=database_url)
    variables = {
        "WARMLINE_DATABASE_URL": database_url,
        "WARMLINE_DATA_DIR": str(folder),
        "WARMLINE_PROGRAMS": str(programs),
        "WARMLINE_CARRIER": "asterisk",
        "WARMLINE_ASTERISK_URL": engine.url,
        "WARMLINE_ASTERISK_PASSWORD": PASSWORD,
        "WARMLINE_ASTERISK_PROMPTS": engine.sounds,
    }
    seal = settings.seal()
    rig = AsteriskRig(engine)
    await rig.town.open(engine.phones_port)
    servers = [Server(nursery, variables, folder / f"serve-{n}.log") for n in range(processes)]
    try:
        async with (
            asyncpg.create_pool(
                database_url, min_size=1, max_size=3, server_settings={"timezone": "UTC"}
            ) as pool,
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as client,
        ):
            for server in servers:
                await server.start()
            loaded = load_programs(programs)
            yield Deployment(pool, seal, SystemClock(), loaded, new_id, rig, servers, client)
    finally:
        for server in servers:
            server.kill()
        await _sweep(engine)
        await rig.town.close()


async def _sweep(engine: Engine) -> None:
    """Leave Asterisk as it was found."""
    rig = AsteriskRig(engine)
    rig.carrier = carrier_on(engine)
    await rig.carrier.open(rig.receive)
    await rig.clear()
    await rig.carrier.close()
