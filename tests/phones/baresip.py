"""Debian's baresip as a phone: somebody else's SIP and RTP, registered at Asterisk.

It speaks a tone and writes what it hears into a file; hands reach it over a socket of its own.
"""

import asyncio
import json
import signal
import socket
import wave
from array import array
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.phones.sound import RATE, holds

_GENEROUS_SECONDS = 15.0
_WAVE_HEADER_BYTES = 44
_MODULES = ("g711", "ausine", "aubridge", "sndfile", "ctrl_tcp")
_APPLICATIONS = ("account", "menu")
_CONFIG = """poll_method epoll
sip_listen 127.0.0.1:{sip}
audio_player aubridge,nowhere{sip}
audio_source ausine,{hertz}
ausrc_srate 48000
ausrc_channels 2
auplay_srate 8000
auplay_channels 1
rtp_ports {rtp}-{rtp_end}
snd_path {directory}
ctrl_tcp_listen 127.0.0.1:{control}
module_path {modules}
"""


def modules_directory() -> Path:
    """Where Debian puts its modules."""
    return next(Path("/usr/lib").glob("**/baresip/modules"))


@dataclass(slots=True, kw_only=True)
class Baresip:
    """One phone. `answers` is baresip's own word: auto, or manual for by hand."""

    number: str
    password: str
    hertz: int
    directory: Path
    registrar: str
    answers: str = "auto"
    sip_port: int = 0
    certificate: Path | None = None  # it takes calls over TLS and SRTP alone, and does not register
    events: list[dict[str, object]] = field(default_factory=list)
    ports: frozenset[int] = frozenset()  # for SIP, audio and what is told about audio
    _process: asyncio.subprocess.Process | None = None
    _writer: asyncio.StreamWriter | None = None
    _reading: asyncio.Task[None] | None = None
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        """Start it; returns once it is registered."""
        sip, control = self.sip_port or port_with_neighbour(), _free_port(socket.SOCK_STREAM)
        rtp = port_with_neighbour()
        self.ports = frozenset({sip, *range(rtp, rtp + 21)})
        self.directory.mkdir()
        config = _CONFIG.format(
            sip=sip,
            control=control,
            rtp=rtp,
            rtp_end=rtp + 20,
            hertz=self.hertz,
            directory=self.directory,
            modules=modules_directory(),
        )
        config += "".join(f"module {name}.so\n" for name in _MODULES)
        config += "".join(f"module_app {name}.so\n" for name in _APPLICATIONS)
        account = (
            f"<sip:{self.number}@{self.registrar}>;auth_user={self.number};"
            f"auth_pass={self.password};answermode={self.answers};audio_codecs=PCMU"
        )
        if self.certificate is None:
            account += ";regint=60"
        else:
            account += ";regint=0;mediaenc=srtp-mand"
            config += f"module srtp.so\nsip_certificate {self.certificate}\n"
        (self.directory / "config").write_text(config)
        (self.directory / "accounts").write_text(f"{account}\n")
        (self.directory / "contacts").touch()
        with (self.directory / "log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *("baresip", "-f", str(self.directory)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        await self._connect(control)
        if self.certificate is None:
            await self._registered()

    async def _registered(self) -> None:
        log = self.directory / "log"
        try:
            async with asyncio.timeout(_GENEROUS_SECONDS):
                while "200 OK" not in log.read_text(errors="replace"):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(log.read_text(errors="replace")) from None

    async def _connect(self, port: int) -> None:
        try:
            async with asyncio.timeout(_GENEROUS_SECONDS):
                while True:
                    with suppress(OSError):
                        reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
                        break
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError((self.directory / "log").read_text(errors="replace")) from None
        self._reading = asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length = await reader.readuntil(b":")
                told = json.loads(await reader.readexactly(int(length[:-1])))
                await reader.readexactly(1)
                self.events.append(told)
                self._more.set()

    async def happens(self, type_: str, times: int = 1) -> None:
        """Return once it told of that, so many times."""
        try:
            async with asyncio.timeout(_GENEROUS_SECONDS):
                while sum(event.get("type") == type_ for event in self.events) < times:
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            log = (self.directory / "log").read_text(errors="replace")
            raise AssertionError(f"no {type_}: {self.events}\n{log}") from None

    def command(self, name: str, parameters: str = "") -> None:
        """What a hand does: accept, hangup, dial, sndcode."""
        assert self._writer is not None
        text = json.dumps({"command": name, "params": parameters})
        self._writer.write(f"{len(text)}:{text},".encode())

    def send_signal(self, number: signal.Signals) -> None:
        """Kill or freeze the program itself."""
        assert self._process is not None
        self._process.send_signal(number)

    async def stop(self) -> None:
        """End it; once more does nothing."""
        if self._reading is not None:
            self._reading.cancel()
        if self._writer is not None:
            self._writer.close()
            with suppress(ConnectionError):
                await self._writer.wait_closed()
            self._writer = None
        if self._process is not None:
            await _end(self._process)

    def recordings(self) -> list[Path]:
        """What it was sent, a file for each call, the last one last."""
        return sorted(self.directory.glob("*-dec.wav"), key=lambda one: one.stat().st_mtime)

    def heard_lately(self, seconds: float) -> list[int]:
        """The last samples it was sent, of a call that may still go on."""
        files = self.recordings()
        raw = files[-1].read_bytes()[_WAVE_HEADER_BYTES:] if files else b""
        return array("h", raw[: len(raw) // 2 * 2]).tolist()[-int(seconds * RATE) :]

    def heard(self) -> list[int]:
        """Every sample it was sent in its last call; whole once it is stopped."""
        with wave.open(str(self.recordings()[-1])) as sound:
            assert (sound.getnchannels(), sound.getframerate()) == (1, RATE)
            return array("h", sound.readframes(sound.getnframes())).tolist()

    def heard_seconds(self, hertz: int) -> float:
        """For how long the tone was in what it heard."""
        samples, step = self.heard(), RATE // 50
        slices = (samples[at : at + step] for at in range(0, len(samples), step))
        return sum(holds(one, hertz) for one in slices) / 50


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGCONT)
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), 5)
    except TimeoutError:
        process.kill()
        await process.wait()


def _free_port(kind: socket.SocketKind = socket.SOCK_DGRAM, port: int = 0) -> int:
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", port))
        return int(one.getsockname()[1])


def port_with_neighbour() -> int:
    """A free port before a free one: baresip takes the next port too, for TLS and for RTCP."""
    while True:
        port = _free_port()
        with suppress(OSError):
            if port % 2 == 0:
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    _free_port(kind, port)
                    _free_port(kind, port + 1)
                return port
