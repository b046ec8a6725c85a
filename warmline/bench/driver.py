"""The one driver of both sides: a fixed number of connections, each busy while there is work."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

_TIMEOUT = aiohttp.ClientTimeout(total=30)


@dataclass(frozen=True, slots=True)
class Post:
    """A request to make, and whom to tell the status (0: nobody was there) and the body."""

    url: str
    body: bytes
    answered: Callable[[int, bytes], None]


class Driver:
    """Posts whatever is put into it, in order, as many at a time as it has connections."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._waiting: asyncio.Queue[Post] = asyncio.Queue()

    def put(self, post: Post) -> None:
        """Have it posted in its turn."""
        self._waiting.put_nowait(post)

    async def work(self) -> None:
        """One connection's work, for ever."""
        while True:
            post = await self._waiting.get()
            try:
                async with self._session.post(post.url, data=post.body) as response:
                    status, body = response.status, await response.read()
            except (aiohttp.ClientError, TimeoutError, OSError):
                status, body = 0, b""
            post.answered(status, body)


@asynccontextmanager
async def a_driver(connections: int, token: str) -> AsyncIterator[Driver]:
    """A driver at work for as long as the block runs."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connector = aiohttp.TCPConnector(limit=connections, keepalive_timeout=60)
    async with aiohttp.ClientSession(
        connector=connector, headers=headers, timeout=_TIMEOUT
    ) as session:
        driver = Driver(session)
        workers = [asyncio.create_task(driver.work()) for _ in range(connections)]
        try:
            yield driver
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
