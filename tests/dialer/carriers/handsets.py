"""A handsets server and services that listen to it, over real loopback HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from dialer.carriers import Receive
from dialer.carriers.simulated.address import Address
from dialer.carriers.simulated.client import NEWS_PATH, SimulatedCarrier, receive_routes
from dialer.carriers.simulated.server import serve

TOKEN = "token-of-the-tests"
Locate = Callable[[], Awaitable[Address]]


@asynccontextmanager
async def handsets_server(*, open_to_network: bool = False) -> AsyncIterator[Address]:
    """A server in this loop, as the process runs it."""
    ended, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
    server = asyncio.create_task(
        serve(
            *("127.0.0.1", 0, TOKEN, ended),
            open_to_network=open_to_network,
            seed=1,
            ready=ready,
        )
    )
    await asyncio.wait((server, ready), return_when=asyncio.FIRST_COMPLETED)
    try:
        yield ready.result() if ready.done() else await _failed(server)
    finally:
        ended.set()
        await server


async def _failed(server: asyncio.Task[None]) -> Address:
    await server
    raise AssertionError("the server ended before it listened")


@dataclass
class Service:
    """A `warmline serve` reduced to its ear: it can die without a word and come back."""

    locate: Locate
    token: str
    runner: web.AppRunner | None = None
    carrier: SimulatedCarrier | None = None

    async def start(self, receive: Receive, *, port: int = 0) -> SimulatedCarrier:
        probe = SimulatedCarrier(self.locate, self.token, "")
        app = web.Application()
        app.add_routes(receive_routes(probe))
        self.runner = web.AppRunner(app, access_log=None)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", port).start()
        probe.receives_at = f"http://127.0.0.1:{self.port}{NEWS_PATH}"
        await probe.open(receive)
        self.carrier = probe
        return probe

    @property
    def port(self) -> int:
        assert self.runner is not None
        return int(self.runner.addresses[0][1])

    async def stop(self) -> None:
        if self.carrier is not None:
            await self.carrier.close()
        if self.runner is not None:
            await self.runner.cleanup()
