"""A redis-server of the test's own that can be killed and started again on its port."""

import asyncio
import subprocess
from pathlib import Path

from tests.chaos.server import free_port

_UP_SECONDS = 20


class RedisServer:
    """It keeps nothing over a kill, as nothing of ours may rest on it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    async def start(self) -> None:
        """Start it and wait until it answers."""
        arguments = ["--port", str(self._port), "--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen(  # noqa: ASYNC220 - it returns at once
            ["redis-server", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        async with asyncio.timeout(_UP_SECONDS):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self._port)
                except OSError:
                    await asyncio.sleep(0.01)
                else:
                    writer.close()
                    await writer.wait_closed()
                    return

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
