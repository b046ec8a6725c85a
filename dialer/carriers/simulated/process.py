"""Finding the handsets process, starting one where there is none, and stopping it."""

import asyncio
import fcntl
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from dialer.carriers.simulated.address import Address, read_address, shared_token
from dialer.carriers.simulated.wire import WIRE_VERSION, JsonObject

_LOOK_SECONDS = 0.03
_START_SECONDS = 15.0
_PROBE_TIMEOUT = aiohttp.ClientTimeout(total=2)


class HandsetsNotStarted(Exception):
    """The handsets process did not come up; the text says what it said last."""


async def ensure_running(
    data_dir: Path, *, host: str = "127.0.0.1", port: int = 0, open_to_network: bool = False
) -> Address:
    """The handsets process of this data directory; started, detached from us, if none lives.

    Several callers at once start one. A new process takes the old one's port when it is free, so
    that whoever knew the address still does. Raises HandsetsNotStarted, OSError.
    """
    token = shared_token(data_dir)
    async with _alone(data_dir):
        known = read_address(data_dir)
        if known is not None and await is_alive(known, token):
            return known
        if known is not None and port == 0:
            port = known.port
        try:
            return await _start(data_dir, token, host, port, open_to_network)
        except HandsetsNotStarted:
            if known is None or port != known.port:
                raise
            return await _start(data_dir, token, host, 0, open_to_network)


async def is_alive(address: Address, token: str) -> bool:
    """Whether the process named by `address` answers there and speaks our version."""
    found = await _health(address, token)
    return found is not None and found.get("wire_version") == WIRE_VERSION


async def _health(address: Address, token: str) -> JsonObject | None:
    """What the process named by `address` says of itself; None when it is not there."""
    try:
        async with (
            aiohttp.ClientSession(timeout=_PROBE_TIMEOUT) as session,
            session.get(f"{address.url}/health", headers=_shown(token)) as response,
        ):
            found = await response.json() if response.status == 200 else None
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("pid") == address.pid else None


async def stop(address: Address, token: str) -> None:
    """End the process and wait until it is gone from its address; one that is gone is done."""
    try:
        async with (
            aiohttp.ClientSession(timeout=_PROBE_TIMEOUT) as session,
            session.post(f"{address.url}/stop", headers=_shown(token)),
        ):
            pass
    except (aiohttp.ClientError, TimeoutError):
        return
    while await is_alive(address, token):  # noqa: ASYNC110 - another process cannot set our event
        await asyncio.sleep(_LOOK_SECONDS)


async def stop_if_unused(data_dir: Path) -> bool:
    """End the process of this data directory unless a service still takes its news.

    Returns whether there is none any more. Every call in that world ends with it.
    """
    token = shared_token(data_dir)
    async with _alone(data_dir):
        address = read_address(data_dir)
        if address is None or (found := await _health(address, token)) is None:
            return True
        if found.get("receivers") != 0:
            return False
        await stop(address, token)
        return True


async def _start(
    data_dir: Path, token: str, host: str, port: int, open_to_network: bool
) -> Address:
    starter = await _spawn(data_dir, host, port, open_to_network)
    assert starter.stdout is not None
    try:
        # The starter's child holds the pipe: a line means it listens, an end means it died.
        said = await asyncio.wait_for(starter.stdout.readline(), _START_SECONDS)
        await starter.wait()
    except TimeoutError:
        said = b""
    address = read_address(data_dir)
    if not said or address is None or not await is_alive(address, token):
        raise HandsetsNotStarted(_last_words(data_dir))
    return address


async def _spawn(data_dir: Path, host: str, port: int, open_to_network: bool) -> Process:
    command = [sys.executable, "-m", "dialer.carriers.simulated.server", "--detach"]
    command += ["--data-dir", str(data_dir), "--host", host, "--port", str(port)]
    if open_to_network:
        command.append("--open-to-network")
    source = str(Path(__file__).parents[3])
    path = os.pathsep.join(filter(None, (source, os.environ.get("PYTHONPATH"))))
    with (data_dir / "handsets.log").open("wb") as said:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=said,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,  # neither our death nor Ctrl-C in our terminal reaches it
        )


@asynccontextmanager
async def _alone(data_dir: Path) -> AsyncIterator[None]:
    """Hold the starter's lock; the kernel lets go of it when we die."""
    with (data_dir / "handsets.lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(_LOOK_SECONDS)
        yield


def _last_words(data_dir: Path) -> str:
    said = (data_dir / "handsets.log").read_text(encoding="utf-8", errors="replace").strip()
    return said.splitlines()[-1] if said else "The handsets did not answer in time."


def _shown(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
