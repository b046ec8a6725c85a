"""A real Asterisk for a run: Debian's package in the chroot that `.ci/asterisk` makes."""

import asyncio
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from dialer.carriers import CarrierRefused, CarrierUnknown
from dialer.carriers.asterisk.ari import Ari
from dialer.carriers.asterisk.configuration import Installation, write
from warmline.bench.waiting import NotMeasured
from warmline.prompts.audio import Sound, write_wav
from warmline.workers.sending import LANGUAGE

_CHROOT_VARIABLE = "WARMLINE_TEST_ASTERISK"
_CHROOT = "/var/cache/warmline/asterisk-forky"
_USER = "warmline"
_RATE = 8000
_START_SECONDS = 30.0
_LOOK_SECONDS = 0.05
_SPOKEN = ("welcome", "connecting", "press_1", "queue_position")
_DIRECTORIES = """[directories]
astetcdir => {here}
astmoddir => {modules}
astvarlibdir => /usr/share/asterisk
astdbdir => {here}/db
astkeydir => {here}/lib
astdatadir => /usr/share/asterisk
astagidir => /usr/share/asterisk/agi-bin
astspooldir => {here}/spool
astrundir => {here}/run
astlogdir => {here}/log
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A running Asterisk; its trunk leads to `phones_port` of loopback."""

    url: str
    password: str
    prompts: str
    sip_port: int
    phones_port: int
    process: int

    @property
    def settings(self) -> dict[str, str]:
        """What a service needs to know of it."""
        return {
            "CARRIER": "asterisk",
            "ASTERISK_URL": self.url,
            "ASTERISK_PASSWORD": self.password,
            "ASTERISK_PROMPTS": self.prompts,
        }


@asynccontextmanager
async def an_engine() -> AsyncIterator[Engine]:
    """An Asterisk for as long as the block runs. Raises NotMeasured."""
    root = _chroot()
    inside = f"/srv/warmline-bench-{os.getpid()}"
    directory = root / inside.lstrip("/")
    directory.mkdir()
    password = secrets.token_urlsafe(24)
    sip_port, phones_port, http_port = _free_ports()
    try:
        _furnish(root, inside, password, sip_port, phones_port, http_port)
        process = _launch(root, inside)
        try:
            engine = Engine(
                url=f"http://127.0.0.1:{http_port}",
                password=password,
                prompts=f"{inside}/sounds",
                sip_port=sip_port,
                phones_port=phones_port,
                process=process.pid,
            )
            await _ready(engine, process)
            yield engine
        finally:
            process.kill()
            process.wait()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _chroot() -> Path:
    root = Path(os.environ.get(_CHROOT_VARIABLE, _CHROOT))
    if os.geteuid() != 0:
        raise NotMeasured("only root can start Asterisk in its chroot")
    if not (root / "usr/sbin/asterisk").exists():
        raise NotMeasured(f"there is no Asterisk in {root}: make it with .ci/asterisk")
    return root


def _furnish(
    root: Path, inside: str, password: str, sip_port: int, phones_port: int, http_port: int
) -> None:
    directory = root / inside.lstrip("/")
    installation = Installation(
        ari_password=password,
        provider=f"127.0.0.1:{phones_port}",
        provider_addresses=("127.0.0.1",),
        http_port=http_port,
        sip_host="127.0.0.1",
        sip_port=sip_port,
        rtp_first_port=30000,
        rtp_last_port=33999,
        qualify_seconds=0,
    )
    write(installation, directory)
    modules = next(root.glob("usr/lib/*/asterisk/modules"))
    text = _DIRECTORIES.format(here=inside, modules=f"/{modules.relative_to(root)}")
    (directory / "asterisk.conf").write_text(text)
    for part in ("db", "lib", "spool", "run", "log", f"sounds/{LANGUAGE}"):
        (directory / part).mkdir(parents=True)
    spoken = write_wav(Sound(rate=_RATE, samples=[0] * _RATE))
    for prompt in _SPOKEN:
        (directory / "sounds" / LANGUAGE / f"{prompt}.wav").write_bytes(spoken)
    subprocess.run(["chroot", str(root), "chown", "-R", "asterisk:asterisk", inside], check=True)


def _launch(root: Path, inside: str) -> "subprocess.Popen[bytes]":
    chroot = ("chroot", "--userspec=asterisk:asterisk", str(root))
    return subprocess.Popen(
        [*chroot, "asterisk", "-f", "-C", f"{inside}/asterisk.conf"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


async def _ready(engine: Engine, process: "subprocess.Popen[bytes]") -> None:
    ari = Ari(engine.url, _USER, engine.password, _USER)
    try:
        for _ in range(int(_START_SECONDS / _LOOK_SECONDS)):
            if process.poll() is not None:
                raise NotMeasured(f"Asterisk ended with status {process.returncode}")
            try:
                await ari.ask("GET", "applications")
                return
            except (CarrierRefused, CarrierUnknown):  # it answers 404 while it loads
                await asyncio.sleep(_LOOK_SECONDS)
    finally:
        await ari.close()
    raise NotMeasured("Asterisk did not answer")


def _free_ports() -> list[int]:
    """Two for SIP over UDP, and one for HTTP."""
    kinds = (socket.SOCK_DGRAM, socket.SOCK_DGRAM, socket.SOCK_STREAM)
    probes = [socket.socket(socket.AF_INET, kind) for kind in kinds]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
