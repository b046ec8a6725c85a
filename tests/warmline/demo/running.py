"""The demo as a process of its own, started and stopped as a person at a terminal would."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

COMMAND = str(Path(sys.executable).with_name("warmline"))
START_SECONDS = 90.0
STOP_SECONDS = 20.0
_LOOK_SECONDS = 0.05


@contextmanager
def a_folder() -> Iterator[Path]:
    """A folder that the account of the embedded PostgreSQL may pass; emptied of processes too."""
    folder = Path(tempfile.mkdtemp(prefix="warmline-demo-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        for process in processes_of(folder):
            os.kill(process, signal.SIGKILL)
        until(lambda: not processes_of(folder), STOP_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probing:
        probing.bind(("127.0.0.1", 0))
        port: int = probing.getsockname()[1]
        return port


def environment(data_dir: Path, port: int, **settings: str) -> dict[str, str]:
    """The environment of a command with these settings and no others of ours."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("WARMLINE_")}
    return {
        **plain,
        "WARMLINE_DATA_DIR": str(data_dir),
        "WARMLINE_PORT": str(port),
        **{f"WARMLINE_{name.upper()}": value for name, value in settings.items()},
    }


class DemoProcess:
    """`warmline demo` in a process group of its own, which is what Ctrl-C reaches."""

    def __init__(
        self, data_dir: Path, port: int, *, command: str = COMMAND, **settings: str
    ) -> None:
        self.data_dir = data_dir
        self.url = f"http://127.0.0.1:{port}"
        data_dir.mkdir(mode=0o711, exist_ok=True)
        self._said = data_dir.parent / f"said-{time.time_ns()}"
        self._complained = self._said.with_suffix(".err")
        self._began = time.monotonic()
        with self._said.open("w") as said, self._complained.open("w") as complained:
            self._process = subprocess.Popen(
                [command, "demo"],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=complained,
                env=environment(data_dir, port, **settings),
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.kill()

    @property
    def output(self) -> str:
        """What it has printed."""
        return self._said.read_text(encoding="utf-8")

    @property
    def errors(self) -> str:
        """What it has logged."""
        return self._complained.read_text(encoding="utf-8")

    @property
    def playbill(self) -> Any:
        """The file it leaves for programs."""
        return json.loads((self.data_dir / "demo.json").read_text(encoding="utf-8"))

    def ready(self) -> float:
        """Wait for the print-out; how many seconds it took."""
        until(lambda: "Ctrl-C" in self.output or self._process.poll() is not None, START_SECONDS)
        assert self._process.poll() is None, self.errors
        return time.monotonic() - self._began

    def interrupt(self) -> int:
        """Ctrl-C: every process of the group hears it. The exit status."""
        os.killpg(self._process.pid, signal.SIGINT)
        return self._process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """`kill -9`, of this process alone."""
        self._process.kill()
        self._process.wait()


def until(holds: Any, seconds: float) -> None:
    """Wait until `holds()`; fails when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(_LOOK_SECONDS)


def processes_of(data_dir: Path) -> list[int]:
    """Every process that was given this folder, by its command line or its environment."""
    return [
        int(process.name)
        for process in Path("/proc").glob("[0-9]*")
        if os.fsencode(data_dir) in _given_to(process)
    ]


def _given_to(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    except OSError:  # it has ended meanwhile, or is somebody else's
        return b""
