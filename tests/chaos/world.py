"""A world for chaos: a database, phones in their own process, and services that may die."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import asyncpg

from dialer.carriers.simulated.address import Address
from dialer.carriers.simulated.control import RemoteHands
from dialer.carriers.simulated.faults import Faults
from dialer.carriers.simulated.process import ensure_running, stop
from dialer.carriers.simulated.wire import JsonObject
from terms.phone import PhoneNumber
from tests.chaos.programs import write_programs
from tests.chaos.server import Nursery, Server
from tests.people import TENANT, People, device_token
from warmline.clock import SystemClock
from warmline.ids import new_id
from warmline.people.store import StaffMember, add_staff, add_staff_token
from warmline.people.tokens import token_hash
from warmline.programs import load_programs
from warmline.settings import Settings
from warmline.sim_clock import keep_offset, kept_offset

if TYPE_CHECKING:
    from asyncpg import Pool, Record

PATIENCE_SECONDS = 90
_LOOK_SECONDS = 0.02


@dataclass(slots=True)
class World:
    """What a test may touch."""

    pool: "Pool[Record]"
    people: People
    clock: SystemClock
    hands: RemoteHands
    servers: list[Server]
    client: aiohttp.ClientSession
    events: list[JsonObject] = field(default_factory=list)

    @property
    def server(self) -> Server:
        """The first service, where a test has no other."""
        return self.servers[0]

    # -- asking ------------------------------------------------------------------------------

    async def ask(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: object = None,
        key: str | None = None,
        at: int = 0,
    ) -> tuple[int, Any]:
        """One request; a service that is away is asked again until it answers."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    async with self.client.request(
                        method, self.servers[at].url + path, headers=headers, json=body
                    ) as response:
                        if response.status != 503:
                            return response.status, await response.json(content_type=None)
                except (aiohttp.ClientError, TimeoutError):
                    pass
                await asyncio.sleep(_LOOK_SECONDS)

    async def press(self, order: str, number: str, *, at: int = 0) -> tuple[int, Any]:
        """The caller presses the button, and again when the answer is lost."""
        return await self.ask(
            "POST",
            f"/v1/orders/{order}/calls",
            token=device_token(number),
            body={"phone": number},
            key=f"press-{order}",
            at=at,
        )

    async def let_pass(self, seconds: float, *, at: int = 0) -> None:
        """Let time pass for everybody, and everything due in it happen."""
        async with self.client.post(
            f"{self.servers[at].url}/sim/clock",
            json={"advance_seconds": seconds},
            timeout=aiohttp.ClientTimeout(total=300),
        ) as response:
            assert response.status == 200, await response.text()
        await self.follow_clock()

    async def let_pass_alone(self, seconds: float) -> None:
        """Let time pass for the phones while no service of ours lives."""
        offset = self.clock.offset + timedelta(seconds=seconds)
        async with self.pool.acquire() as connection:
            await keep_offset(connection, TENANT, offset)
        self.clock.set_offset(offset)
        await self.hands.move_clock(offset.total_seconds())

    async def sign_in(self, member: StaffMember, token: str) -> None:
        """A member of staff, and the token they hold."""
        async with self.pool.acquire() as connection, connection.transaction():
            await add_staff(connection, member, self.now())
            await add_staff_token(connection, TENANT, member.id, token_hash(token), self.now())

    async def calls_of(self, order: str) -> list[str]:
        """The order's calls, oldest first."""
        rows = await self.look("SELECT id FROM calls WHERE order_id = $1 ORDER BY id", order)
        return [row["id"] for row in rows]

    async def look(self, query: str, *arguments: object) -> "list[Record]":
        """Rows of the database, as soon as it is there."""
        found: list[Record] = []

        async def is_there() -> bool:
            found[:] = await self.pool.fetch(query, *arguments)
            return True

        await self.until(is_there)
        return found

    async def follow_clock(self) -> None:
        """Take over how far the world's clock was moved."""
        async with self.pool.acquire() as connection:
            self.clock.set_offset(await kept_offset(connection, TENANT))

    # -- phones ------------------------------------------------------------------------------

    async def bad(self, **faults: float) -> None:
        """Make the carrier as bad as told, and good again without a word."""
        await self.hands.set_faults(Faults(**faults))

    async def hears_somebody(self, number: str) -> None:
        """Wait until the phone hears another one."""

        async def hears() -> bool:
            return bool((await self.hands.handset(PhoneNumber(number))).hears)

        await self.until(hears)

    async def read_events(self) -> list[JsonObject]:
        """Everything the handsets process has logged; it keeps the last 20,000 only."""
        after = int(str(self.events[-1]["n"])) if self.events else 0
        self.events += await self.hands.events(after)
        return self.events

    # -- waiting -----------------------------------------------------------------------------

    async def until(
        self, holds: Callable[[], Awaitable[bool]], *, seconds: float = PATIENCE_SECONDS
    ) -> None:
        """Wait until it holds; what cannot be asked now does not. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while True:
                with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                    if await holds():
                        return
                await asyncio.sleep(_LOOK_SECONDS)

    async def timelines_grow(self, lines: int, *, seconds: float) -> None:
        """Wait until so many lines were added, but no longer: a point in the calls' own time."""
        newest = "SELECT coalesce(max(seq), 0) FROM timeline"
        goal = (await self.look(newest))[0][0] + lines

        async def holds() -> bool:
            return bool(await self.pool.fetchval(newest) >= goal)

        with suppress(TimeoutError):
            await self.until(holds, seconds=seconds)

    async def call_is(self, order: str, *states: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until the order's newest call is in one of the states."""

        async def holds() -> bool:
            found = await self.pool.fetchval(
                "SELECT state FROM calls WHERE order_id = $1 ORDER BY id DESC LIMIT 1", order
            )
            return found in states

        await self.until(holds, seconds=seconds)

    async def all_obeyed(self) -> None:
        """Wait until nothing is left to be sent that is due."""

        async def holds() -> bool:
            pending = "SELECT 1 FROM carrier_orders WHERE outcome IS NULL AND due_at <= $1 LIMIT 1"
            return await self.pool.fetchval(pending, self.now()) is None

        await self.until(holds)

    async def all_at_rest(self) -> None:
        """Wait until no call is under way and nothing is left to be sent or heard."""

        async def holds() -> bool:
            busy = await self.pool.fetchval(
                """SELECT (SELECT count(*) FROM calls WHERE state <> 'ended')
                        + (SELECT count(*) FROM carrier_orders WHERE outcome IS NULL)"""
            )
            return busy == 0 and await self.hands.news_waiting() == 0

        await self.until(holds)

    def now(self) -> datetime:
        """The world's time."""
        return self.clock.now()


@asynccontextmanager
async def a_world(
    nursery: Nursery, database_url: str, folder: Path, *, services: int = 1, **settings: str
) -> AsyncIterator[World]:
    """A world on this database; every process of it ends with the block."""
    programs = write_programs(folder / "programs")
    chosen = Settings.load(data_dir=folder, database_url=database_url)
    token = chosen.handsets_token()
    (folder / "handsets.token").write_text(token)
    address = await ensure_running(folder)
    variables = {
        "WARMLINE_DATABASE_URL": database_url,
        "WARMLINE_DATA_DIR": str(folder),
        "WARMLINE_PROGRAMS": str(programs),
        "WARMLINE_HANDSETS_URL": address.url,  # so that no service ends them
        **{f"WARMLINE_{name.upper()}": value for name, value in settings.items()},
    }
    servers = [Server(nursery, variables, folder / f"serve-{n}.log") for n in range(services)]
    hands = RemoteHands(_always(address), token)
    clock = SystemClock()
    try:
        async with (
            asyncpg.create_pool(
                database_url, min_size=1, max_size=5, server_settings={"timezone": "UTC"}
            ) as pool,
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as client,
        ):
            people = People(pool, chosen.seal(), clock, load_programs(programs), new_id)
            yield World(pool, people, clock, hands, servers, client)
    finally:
        for server in servers:
            server.kill()
        await hands.close()
        await stop(address, token)


def _always(address: Address) -> Callable[[], Awaitable[Address]]:
    async def locate() -> Address:
        return address

    return locate


A_LONG_TIME = timedelta(days=3).total_seconds()
"""After that every order has come to rest by itself."""
