"""`make phones`, worked by a script instead of a person."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.phones.required import require
from tests.phones.trial import loudness
from warmline.bench.phones.engine import chroot_directory, free_port

ROOT = Path(__file__).parents[2]
_GENEROUS_SECONDS = 90


class Terminal:
    """What somebody at the terminal sees and types."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.seen = ""

    async def sees(self, pattern: str) -> str:
        """Read on until a line holds that; gives the line."""
        assert self.process.stdout is not None
        with suppress(TimeoutError):
            async with asyncio.timeout(_GENEROUS_SECONDS):
                while line := (await self.process.stdout.readline()).decode():
                    self.seen += line
                    if re.search(pattern, line):
                        return line
        raise AssertionError(f"no {pattern} in {self.seen}")

    async def types(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n".encode())
        await self.process.stdin.drain()


@asynccontextmanager
async def terminal(directory: Path) -> AsyncIterator[Terminal]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.phones.trial"),
        cwd=ROOT,
        env={**os.environ, "WARMLINE_DATA_DIR": str(directory), "SIP_PORT": str(free_port())},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Terminal(process)
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.wait(), 30)


def left_running(directory: Path) -> list[str]:
    """Command lines of processes that name the directory."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(directory) in line:
                found.append(line)
    return found


@pytest.fixture
def open_directory(tmp_path: Path) -> Path:
    """One that the database may enter, which runs under an account of its own."""
    require("baresip")
    tmp_path.chmod(0o711)
    return tmp_path


async def test_a_newcomer_hears_a_real_call_and_ctrl_c_ends_everything(
    open_directory: Path,
) -> None:
    async with terminal(open_directory) as screen:
        await screen.sees("counselor .* password")
        await screen.sees("quit")
        await screen.types("call")
        await screen.sees("ringing first .*caller's phone rings")
        await screen.types("a")
        await screen.sees("ringing second .*counselor's phone rings")
        await screen.types("b")
        await screen.sees("counselor's phone is answered")
        await screen.types("1")
        heard = await screen.sees("bridged .*caller hears #.*counselor hears #|bridged.*#.*#")
        assert heard.count("#") > 8  # both are loud
        await screen.types("x")
        assert "party_ended, by caller" in await screen.sees("-- ended")
        screen.process.send_signal(signal.SIGINT)
        await screen.sees("Stopped")
        await screen.process.wait()  # a second Ctrl-C would meet it on its way out

    assert screen.process.returncode == 0
    assert left_running(open_directory) == []
    inside = chroot_directory() / "srv"
    assert list(inside.glob(f"warmline-{screen.process.pid}-*")) == []


async def test_closing_the_terminal_ends_everything_too(open_directory: Path) -> None:
    async with terminal(open_directory) as screen:
        await screen.sees("quit")
        screen.process.send_signal(signal.SIGHUP)
        await screen.sees("Stopped")
        await screen.process.wait()

    assert screen.process.returncode == 0
    assert left_running(open_directory) == []
    assert list((chroot_directory() / "srv").glob(f"warmline-{screen.process.pid}-*")) == []


def test_loudness_tells_silence_from_a_tone() -> None:
    assert loudness([]) == loudness([0] * 100) == 0
    assert loudness([32767, -32767] * 50) == 60
    assert 30 < loudness([3000, -3000] * 50) < 50
