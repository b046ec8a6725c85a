"""`warmline serve` as a process that can be killed and started again on its port."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from socket import socket
from time import monotonic
from typing import Any

import aiohttp

_READY_SECONDS = 120
_LOOK_SECONDS = 0.01
_ROOT = Path(__file__).parents[2]

# Python reads the modules once, in a process that does nothing else; every service is a copy of it
# that goes on with the command itself. A start then costs what our start costs. The copies end
# with it, and it ends with the test.
_NURSERY = """
import ctypes, json, os, signal, sys
import warmline.serve
from warmline.cli import main

PR_SET_PDEATHSIG = 1

def begin(environment, log):
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.environ.clear()
    os.environ.update(environment)
    said = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for file, at in ((nothing, 0), (said, 1), (said, 2)):
        os.dup2(file, at)
    sys.argv = ["warmline", "serve"]
    main()

print("ready", flush=True)
for line in sys.stdin:
    wish = json.loads(line)
    if "await" in wish:
        print(os.waitstatus_to_exitcode(os.waitpid(wish["await"], 0)[1]), flush=True)
        continue
    process = os.fork()
    if process == 0:
        begin(**wish)
        break
    print(process, flush=True)
"""


class Nursery:
    """Where services are born, and where they are known to have ended."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _NURSERY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=_ROOT,
            text=True,
        )
        assert self._answer() == "ready"

    def begin(self, environment: Mapping[str, str], log: Path) -> int:
        """Start a service; returns its process id."""
        return int(self._ask({"environment": dict(environment), "log": str(log)}))

    def ended(self, process: int) -> int:
        """Wait for the end of a service; returns its exit status, negative for a signal."""
        return int(self._ask({"await": process}))

    def close(self) -> None:
        """End everything that was born here."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _ask(self, wish: dict[str, Any]) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(wish) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


class Server:
    """One service on one port, again and again."""

    def __init__(self, nursery: Nursery, settings: Mapping[str, str], log: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: int | None = None
        self._nursery = nursery
        self._log = log
        kept = {name: value for name, value in os.environ.items() if not _is_ours(name)}
        self._environment = {**kept, **settings, "WARMLINE_PORT": str(self.port)}

    async def start(self) -> float:
        """Start, and wait until it is ready; returns how many seconds that took."""
        began = monotonic()
        self.begin()
        await self.ready()
        return monotonic() - began

    def begin(self) -> None:
        """Start, and wait for nothing."""
        assert self.process is None
        self.process = self._nursery.begin(self._environment, self._log)

    async def ready(self) -> None:
        """Until the service says that it is."""
        async with asyncio.timeout(_READY_SECONDS), aiohttp.ClientSession() as client:
            while True:
                try:
                    async with client.get(f"{self.url}/readyz") as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(_LOOK_SECONDS)

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None:
            os.kill(self.process, signal.SIGKILL)
            self._nursery.ended(self.process)
            self.process = None

    async def stop(self) -> tuple[int, float]:
        """SIGTERM; returns the exit status and how many seconds it took."""
        assert self.process is not None
        began = monotonic()
        os.kill(self.process, signal.SIGTERM)
        status = await asyncio.to_thread(self._nursery.ended, self.process)
        self.process = None
        return status, monotonic() - began

    def freeze(self) -> None:
        """SIGSTOP: it is not dead, and will not know that it was away."""
        assert self.process is not None
        os.kill(self.process, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        assert self.process is not None
        os.kill(self.process, signal.SIGCONT)

    @property
    def said(self) -> str:
        """What the processes have logged."""
        return self._log.read_text(encoding="utf-8")


def free_port() -> int:
    """A port of this machine that nobody uses."""
    with closing(socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_ours(name: str) -> bool:
    return name.startswith("WARMLINE_")
