"""A real Asterisk for a while: Debian's package in the chroot of `.ci/asterisk`, on loopback alone.

For measurements, and for the tests with phones.
"""

import asyncio
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dialer.carriers import CarrierRefused, CarrierUnknown
from dialer.carriers.asterisk.ari import Ari
from dialer.carriers.asterisk.configuration import Installation, write
from dialer.policy import GREETING
from warmline.bench.waiting import NotMeasured
from warmline.prompts.audio import Sound, write_wav
from warmline.workers.sending import LANGUAGE

_USER = "warmline"
_RATE = 8000
_START_SECONDS, _LOOK_SECONDS, _END_SECONDS = 30.0, 0.05, 10.0
_LOWEST_PRIORITY = ("nice", "-n", "19")
_SPOKEN = (GREETING, "connecting", "press_1", "time_is_up")
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
[options]
documentation_language = en_US
"""

Mend = Callable[[Path], None]
"""Changes the files that were rendered, in their directory."""


def chroot_directory() -> Path:
    """Where the chroot is looked for."""
    return Path(os.environ.get("WARMLINE_TEST_ASTERISK", "/var/cache/warmline/asterisk-forky"))


def why_not() -> str | None:
    """Why no Asterisk can be started here; None if one can."""
    root = chroot_directory()
    if os.geteuid() != 0:
        return "only root can start Asterisk in its chroot"
    if not (root / "usr/sbin/asterisk").exists():
        return f"there is no Asterisk in {root}: make it with .ci/asterisk"
    return None


def place_of(name: str) -> str:
    """The directory of one of that name, as it sees it itself."""
    return f"/srv/warmline-{os.getpid()}-{name}"


@dataclass(slots=True, kw_only=True)
class Engine:
    """A running Asterisk; its trunk leads to `phones_port` of loopback.

    `directory` is its own, with its configuration and log; `sounds` as it sees its prompts.
    """

    process: subprocess.Popen[bytes]
    directory: Path
    url: str
    password: str
    sounds: str
    sip_port: int
    phones_port: int
    softphones: Mapping[str, str]
    yields: bool

    @property
    def settings(self) -> dict[str, str]:
        """What a service needs to know of it."""
        return {
            "CARRIER": "asterisk",
            "ASTERISK_URL": self.url,
            "ASTERISK_PASSWORD": self.password,
            "ASTERISK_PROMPTS": self.sounds,
        }

    def log(self) -> str:
        """What it complained of."""
        return (self.directory / "log/messages").read_text(errors="replace")

    def kill(self) -> None:
        """Let it die without a word."""
        self.process.kill()
        self.process.wait()

    def launch_again(self) -> None:
        """Start it where it was."""
        self.process = _launch(self.directory, self.yields)

    def end(self) -> None:
        """Let it end as a restart of its service does."""
        self.process.terminate()
        try:
            self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def stop(self) -> None:
        """End it, and take its files away."""
        self.end()
        shutil.rmtree(self.directory)


def start(
    name: str,
    prompts: Mapping[str, bytes],
    mend: Mend = lambda directory: None,
    *,
    yields: bool = False,
    **differing: Any,
) -> Engine:
    """Start one whose installation differs so; it is `ready` when its ARI answers.

    `prompts` are WAV files by language and key, `zh-CN/press_1`. One that `yields` lets every other
    process of the machine go first, and is no part of this terminal.
    """
    root = chroot_directory()
    inside = place_of(name)
    directory = root / inside.lstrip("/")
    sip_port, phones_port, http_port = _free_ports()
    here: dict[str, Any] = {
        "ari_password": secrets.token_urlsafe(24),
        "provider": f"127.0.0.1:{phones_port}",
        "provider_addresses": ("127.0.0.1",),
        "http_port": http_port,
        "sip_host": "127.0.0.1",
        "sip_port": sip_port,
        "rtp_first_port": 30000,
        "rtp_last_port": 33999,
        "qualify_seconds": 0,  # the phones behind the trunk come and go
    } | differing
    installation = Installation(**here)
    directory.mkdir()
    _furnish(directory, installation, prompts)
    mend(directory)
    subprocess.run(["chroot", str(root), "chown", "-R", "asterisk:asterisk", inside], check=True)
    return Engine(
        process=_launch(directory, yields),
        directory=directory,
        url=f"http://127.0.0.1:{installation.http_port}",
        password=installation.ari_password,
        sounds=f"{inside}/sounds",
        sip_port=installation.sip_port,
        phones_port=phones_port,
        softphones=installation.softphones,
        yields=yields,
    )


def _furnish(directory: Path, installation: Installation, prompts: Mapping[str, bytes]) -> None:
    """Its configuration, the directories it writes to, and what it plays."""
    root = chroot_directory()
    write(installation, directory)
    modules = next(root.glob("usr/lib/*/asterisk/modules"))
    here = f"/{directory.relative_to(root)}"
    text = _DIRECTORIES.format(here=here, modules=f"/{modules.relative_to(root)}")
    (directory / "asterisk.conf").write_text(text)
    for part in ("db", "lib", "spool", "run", "log"):
        (directory / part).mkdir()
    for prompt, spoken in prompts.items():
        file = directory / "sounds" / f"{prompt}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(spoken)


def _launch(directory: Path, yields: bool) -> subprocess.Popen[bytes]:
    root = chroot_directory()
    configuration = f"/{directory.relative_to(root)}/asterisk.conf"
    chroot = ("chroot", "--userspec=asterisk:asterisk", str(root))
    return subprocess.Popen(
        [*(_LOWEST_PRIORITY if yields else ()), *chroot, "asterisk", "-f", "-C", configuration],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=yields,  # Ctrl-C is ours to take: calls end before it does
    )


async def ready(engine: Engine) -> None:
    """Return when its ARI answers. Raises NotMeasured."""
    ari = Ari(engine.url, _USER, engine.password, _USER)
    try:
        for _ in range(int(_START_SECONDS / _LOOK_SECONDS)):
            if engine.process.poll() is not None:
                raise NotMeasured(f"Asterisk ended: {engine.log()}")
            try:
                await ari.ask("GET", "applications")
                return
            except (CarrierRefused, CarrierUnknown):  # it answers 404 while it loads
                await asyncio.sleep(_LOOK_SECONDS)
    finally:
        await ari.close()
    raise NotMeasured("Asterisk did not answer")


@asynccontextmanager
async def an_engine() -> AsyncIterator[Engine]:
    """An Asterisk for as long as the block runs; its prompts are silent. Raises NotMeasured."""
    if (why := why_not()) is not None:
        raise NotMeasured(why)
    silence = write_wav(Sound(rate=_RATE, samples=[0] * _RATE))
    engine = start("bench", {f"{LANGUAGE}/{prompt}": silence for prompt in _SPOKEN})
    try:
        await ready(engine)
        yield engine
    finally:
        engine.kill()
        shutil.rmtree(engine.directory, ignore_errors=True)


def free_port() -> int:
    """A port of loopback that nobody uses for UDP just now."""
    return _free_ports()[0]


def _free_ports() -> tuple[int, int, int]:
    """Two for SIP over UDP, and one for HTTP."""
    kinds = (socket.SOCK_DGRAM, socket.SOCK_DGRAM, socket.SOCK_STREAM)
    probes = [socket.socket(socket.AF_INET, kind) for kind in kinds]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        sip, phones, http = (int(probe.getsockname()[1]) for probe in probes)
        return sip, phones, http
    finally:
        for probe in probes:
            probe.close()
