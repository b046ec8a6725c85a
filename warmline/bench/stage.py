"""One service under measurement with everything around it: its carrier, its driver, its people."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import aiohttp
import asyncpg
from aiohttp import web

from terms.ids import CallId
from warmline.bench.driver import Driver, a_driver
from warmline.bench.exchange import Exchange
from warmline.bench.ground import Ground
from warmline.bench.people import Customer, People
from warmline.bench.scale import Scale
from warmline.bench.waiting import NotMeasured, until
from warmline.settings import Settings
from warmline.sim_clock import keep_offset

if TYPE_CHECKING:
    from warmline.database import Connection

_NOON_UTC_HOUR = 4  # in Shanghai, where every program's hours are
_ACCEPTED = 202
_PLACED_AT_ONCE = 8


class MovedClock:
    """The service's time, in our process: the machine's and how far it was moved ahead."""

    def __init__(self, ahead: timedelta) -> None:
        self.ahead = ahead

    def __call__(self) -> datetime:
        """The service's present."""
        return datetime.now(UTC) + self.ahead


@dataclass(slots=True, kw_only=True)
class Stage:
    """What the measurements work with."""

    scale: Scale
    settings: Settings
    clock: MovedClock
    connection: "Connection"
    exchange: Exchange
    driver: Driver
    client: aiohttp.ClientSession
    people: People

    async def place(self, customer: Customer) -> CallId:
        """Press the button. Raises NotMeasured when the service refuses."""
        async with self.client.post(
            f"/v1/orders/{customer.order}/calls",
            json={"phone": customer.number},
            headers={"Authorization": f"Bearer {customer.token}"},
        ) as response:
            told = await response.json()
        if response.status != _ACCEPTED:
            raise NotMeasured(f"a call was refused: {told.get('code')}")
        return CallId(told["id"])

    async def place_all(self, customers: Sequence[Customer]) -> list[CallId]:
        """Press all the buttons, a few at a time."""
        room = asyncio.Semaphore(_PLACED_AT_ONCE)

        async def one(customer: Customer) -> CallId:
            async with room:
                return await self.place(customer)

        return await asyncio.gather(*(one(customer) for customer in customers))

    async def withdraw(self, customer: Customer) -> None:
        """Hang up in the app. Raises NotMeasured when the service refuses."""
        async with self.client.delete(
            f"/v1/orders/{customer.order}/calls/current",
            headers={"Authorization": f"Bearer {customer.token}"},
        ) as response:
            if response.status != _ACCEPTED:
                raise NotMeasured(f"a call was not ended: {await response.text()}")

    async def quiet(self, what: str) -> None:
        """Until all of the carrier's news is acknowledged."""
        await until(lambda: self.exchange.is_quiet, self.scale.patience_seconds, what)

    async def move_clock_to(self, instant: datetime) -> None:
        """Have the service's clock show `instant`, which is ahead; it looks once a second."""
        self.clock.ahead = max(self.clock.ahead, instant - datetime.now(UTC))
        await keep_offset(self.connection, self.settings.tenant, self.clock.ahead)


@asynccontextmanager
async def a_stage(ground: Ground, name: str, scale: Scale) -> AsyncIterator[Stage]:
    """A stage at noon, its service not started yet."""
    clock = MovedClock(_until_noon(datetime.now(UTC)))
    exchange = Exchange(clock)
    async with a_carrier(exchange) as handsets_url:
        settings = await ground.new_house(name, handsets_url)
        exchange.service = settings.address
        connection = await asyncpg.connect(settings.database_url)
        try:
            await keep_offset(connection, settings.tenant, clock.ahead)
            async with (
                a_driver(scale.connections, settings.handsets_token()) as driver,
                aiohttp.ClientSession(base_url=settings.address) as client,
            ):
                exchange.use(driver)
                yield Stage(
                    scale=scale,
                    settings=settings,
                    clock=clock,
                    connection=connection,
                    exchange=exchange,
                    driver=driver,
                    client=client,
                    people=People(connection, settings.seal(), settings.tenant, clock),
                )
        finally:
            await connection.close()


@asynccontextmanager
async def a_carrier(exchange: Exchange) -> AsyncIterator[str]:
    """The carrier's own server; yields its address."""
    app = web.Application(client_max_size=2**24)
    app.add_routes(exchange.routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _until_noon(now: datetime) -> timedelta:
    """How far a clock must be moved to show the next noon in Shanghai: every service is open."""
    noon = now.replace(hour=_NOON_UTC_HOUR, minute=0, second=0, microsecond=0)
    return (noon if noon >= now else noon + timedelta(days=1)) - now
