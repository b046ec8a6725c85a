"""SIPp as the provider behind the trunk: one call, told what to answer by a scenario."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_GENEROUS_SECONDS = 20
_TO_CALLER = """
      [last_Via:]
      [last_From:]
      [last_To:];tag=sipp[call_number]
      [last_Call-ID:]
      [last_CSeq:]
      Contact: <sip:[local_ip]:[local_port]>
"""
_ASKED = '\n  <recv request="INVITE" rrs="true"/>'
_ACKNOWLEDGED = '\n  <recv request="ACK"/>'


def _answer(status: str, body: str = "") -> str:
    content = "      Content-Type: application/sdp\n" if body else ""
    text = f"\n      SIP/2.0 {status}{_TO_CALLER}{content}      Content-Length: [len]\n\n{body}"
    return f"\n  <send><![CDATA[{text}    ]]></send>"


_DESCRIPTION = """      v=0
      o=sipp 1 1 IN IP[local_ip_type] [local_ip]
      s=-
      c=IN IP[media_ip_type] [media_ip]
      t=0 0
      m=audio [media_port] RTP/AVP 0
      a=rtpmap:0 PCMU/8000
"""


def refuses(status: str) -> str:
    """A scenario: ring, then refuse so."""
    return _scenario(_ASKED + _answer("180 Ringing") + _answer(status) + _ACKNOWLEDGED)


def answers_and_waits() -> str:
    """A scenario: ring, answer, and be hung up on."""
    ended = '\n  <recv request="BYE"/>' + _answer("200 OK").replace(";tag=sipp[call_number]", "")
    answered = _answer("180 Ringing") + _answer("200 OK", _DESCRIPTION)
    return _scenario(_ASKED + answered + _ACKNOWLEDGED + ended)


def answers_and_hangs_up(after_ms: int, reason: str) -> str:
    """A scenario: ring, answer, and say goodbye after a while, with that Reason header."""
    header = f"      Reason: {reason}\n" if reason else ""
    goodbye = f"""
  <pause milliseconds="{after_ms}"/>
  <send retrans="500"><![CDATA[
      BYE [next_url] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: [$to]
      To: [$from]
      [last_Call-ID:]
      CSeq: 1 BYE
      Max-Forwards: 70
{header}      Content-Length: 0

    ]]></send>
  <recv response="200"/>"""
    who = "".join(
        f'<ereg regexp="&lt;.*tag=[^;[:space:]]+" search_in="hdr" header="{name}:" '
        f'assign_to="{name.lower()}"/>'
        for name in ("From", "To")
    )
    acknowledged = f'\n  <recv request="ACK"><action>{who}</action></recv>'
    answered = _answer("180 Ringing") + _answer("200 OK", _DESCRIPTION)
    return _scenario(_ASKED + answered + acknowledged + goodbye)


def _scenario(steps: str) -> str:
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="phone">'
    return f"{head}{steps}\n</scenario>\n"


@dataclass(slots=True, kw_only=True)
class Sipp:
    """One run: it ends after one call, well (0) or not."""

    process: asyncio.subprocess.Process
    directory: Path

    async def well(self) -> bool:
        """Whether the one call went as the scenario says, once it is over."""
        return await asyncio.wait_for(self.process.wait(), _GENEROUS_SECONDS) == 0

    async def stop(self) -> None:
        """End it."""
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()


async def start(directory: Path, port: int, scenario: str) -> Sipp:
    """Begin to listen on that port of loopback; what it hears it sends back."""
    _write(directory, scenario)
    options = ("-sf", "scenario.xml", "-m", "1", "-rtp_echo", "-nostdin", "-trace_err")
    with (directory / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *("sipp", *options, "-i", "127.0.0.1", "-p", str(port)),
            cwd=directory,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    async with asyncio.timeout(_GENEROUS_SECONDS):  # its port is there once it listens
        while not _is_bound(port):  # noqa: ASYNC110 - another process binds it
            await asyncio.sleep(0.02)
    return Sipp(process=process, directory=directory)


def _write(directory: Path, scenario: str) -> None:
    directory.mkdir(exist_ok=True)
    (directory / "scenario.xml").write_text(scenario)


def _is_bound(port: int) -> bool:
    return f":{port:04X} " in Path("/proc/net/udp").read_text()
