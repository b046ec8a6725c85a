"""A real Asterisk for the tests, in a chroot made once by `.ci/asterisk`, on loopback alone."""

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from dialer.carriers.asterisk.configuration import Installation, write
from tests.phones.sound import tone_file

PASSWORD = "of-the-tests"
SHORTEST_RTP_TIMEOUT_SECONDS = 15
SOFTPHONES = {f"+861370000000{n}": f"of-phone-{n}" for n in range(1, 5)}
"""The passwords of phones that may register, by their numbers."""

PROMPTS = {
    ("zh-CN", "welcome"): 2600,
    ("zh-CN", "ending_soon"): 2800,
    ("en", "welcome"): 3000,
    ("en", "ending_soon"): 3200,
    ("zh-CN", "greeting"): 2700,
    ("zh-CN", "press_1"): 3300,
    ("zh-CN", "connecting"): 3400,
    ("zh-CN", "left_5"): 3500,
    ("zh-CN", "time_is_up"): 2900,
    ("zh-CN", "dropped_ringing_again"): 3600,
    ("zh-CN", "nobody_reached"): 3700,
    ("zh-CN", "caller_not_reached"): 3750,
}
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


@dataclass(slots=True, kw_only=True)
class Engine:
    """A running Asterisk."""

    process: subprocess.Popen[bytes]
    directory: Path
    url: str
    sip_port: int
    town_port: int
    sounds: str
    softphones: Mapping[str, str]

    def log(self) -> str:
        """What it complained of."""
        return (self.directory / "log/messages").read_text(errors="replace")

    def kill(self) -> None:
        """Let it die without a word."""
        self.process.kill()
        self.process.wait()

    def launch_again(self) -> None:
        """Start it where it was."""
        self.process = _launch(self.directory)

    def end(self) -> None:
        """Let it end as a restart of its service does."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()

    def stop(self) -> None:
        """End it, and take its files away."""
        self.end()
        shutil.rmtree(self.directory)


def start(
    name: str,
    keys: Path | None = None,
    mend: Callable[[Path], None] = lambda directory: None,
    **differing: Any,
) -> Engine:
    """Start one whose installation differs so; it is ready when its ARI answers.

    `keys` is a directory with `cert.pem`, `key.pem` and perhaps `ca.pem` for TLS. `mend` may change
    the files that were rendered.
    """
    root = chroot_directory()
    inside = f"/srv/warmline-{os.getpid()}-{name}"
    directory = root / inside.lstrip("/")
    sip_port, town_port, http_port = _free_ports(3)
    directory.mkdir()
    here: dict[str, Any] = {
        "ari_password": PASSWORD,
        "provider": f"127.0.0.1:{town_port}",
        "provider_addresses": ("127.0.0.1",),
        "http_port": http_port,
        "sip_host": "127.0.0.1",
        "sip_port": sip_port,
        "rtp_first_port": 30000,
        "rtp_last_port": 31999,
        "qualify_seconds": 0,  # the town comes and goes with each test
        "softphones": SOFTPHONES,
    }
    if keys is not None:
        here |= {f"tls_{kind}_file": f"{inside}/{kind}.pem" for kind in ("cert", "key")}
        authority = "ca" if (keys / "ca.pem").exists() else "cert"
        here["tls_ca_file"] = f"{inside}/{authority}.pem"
        for kind in {"cert", "key", authority}:
            shutil.copy(keys / f"{kind}.pem", directory)
    here |= differing
    write(Installation(**here), directory)
    modules = next(root.glob("usr/lib/*/asterisk/modules"))
    text = _DIRECTORIES.format(here=inside, modules=f"/{modules.relative_to(root)}")
    (directory / "asterisk.conf").write_text(text)
    for part in ("db", "lib", "spool", "run", "log"):
        (directory / part).mkdir()
    _write_prompts(directory / "sounds")
    mend(directory)
    subprocess.run(["chroot", str(root), "chown", "-R", "asterisk:asterisk", inside], check=True)
    return Engine(
        process=_launch(directory),
        directory=directory,
        url=f"http://127.0.0.1:{here['http_port']}",
        sip_port=here["sip_port"],
        town_port=town_port,
        sounds=f"{inside}/sounds",
        softphones=here["softphones"],
    )


def _launch(directory: Path) -> subprocess.Popen[bytes]:
    root = chroot_directory()
    inside = f"/{directory.relative_to(root)}"
    chroot = ("chroot", "--userspec=asterisk:asterisk", str(root))
    return subprocess.Popen(
        ["nice", "-n", "19", *chroot, "asterisk", "-f", "-C", f"{inside}/asterisk.conf"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is ours to take: calls end before it does
    )


async def ready(engine: Engine) -> None:
    """Return when its ARI answers."""
    header = {"Authorization": aiohttp.encode_basic_auth("warmline", PASSWORD)}
    async with asyncio.timeout(30), aiohttp.ClientSession(headers=header) as session:
        while True:
            if engine.process.poll() is not None:
                raise AssertionError(f"Asterisk ended: {engine.log()}")
            with suppress(aiohttp.ClientError):
                async with session.get(f"{engine.url}/ari/applications") as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.05)


def _write_prompts(directory: Path) -> None:
    for (language, prompt), hertz in PROMPTS.items():
        file = directory / language / f"{prompt}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(tone_file(hertz, 0.5))


def free_port() -> int:
    """A port of loopback that nobody uses just now."""
    return _free_ports(1)[0]


def _free_ports(how_many: int) -> list[int]:
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(how_many)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
