"""Phones behind the trunk: SIPp answers every call at once and sends audio until it is hung up."""

import asyncio
import shutil
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from warmline.bench.phones.engine import Engine
from warmline.bench.waiting import NotMeasured

_SILENCE_ULAW = b"\xff"
_SECOND = 8000

_ANSWER = """
      SIP/2.0 {status}
      [last_Via:]
      [last_From:]
      [last_To:];tag=phone[call_number]
      [last_Call-ID:]
      [last_CSeq:]
      Contact: <sip:[local_ip]:[local_port]>
{content}      Content-Length: [len]

{body}"""
_DESCRIPTION = """      v=0
      o=phone 1 1 IN IP4 [local_ip]
      s=-
      c=IN IP4 [media_ip]
      t=0 0
      m=audio [rtpstream_audio_port] RTP/AVP 0
      a=rtpmap:0 PCMU/8000
"""
_SCENARIO = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="phones">
  <recv request="INVITE"/>
  <send><![CDATA[{ringing}]]></send>
  <send retrans="500"><![CDATA[{answered}]]></send>
  <recv request="ACK"/>
  <nop><action><exec rtp_stream="{audio},-1,0"/></action></nop>
  <recv request="BYE"/>
  <send><![CDATA[
      SIP/2.0 200 OK
      [last_Via:]
      [last_From:]
      [last_To:]
      [last_Call-ID:]
      [last_CSeq:]
      Content-Length: 0

  ]]></send>
</scenario>
"""


@asynccontextmanager
async def phones(engine: Engine, folder: Path) -> AsyncIterator[None]:
    """Any number of phones for as long as the block runs. Raises NotMeasured."""
    sipp = shutil.which("sipp")
    if sipp is None:
        raise NotMeasured("SIPp is not installed: apt-get install sip-tester")
    audio, scenario = folder / "audio.ul", folder / "phones.xml"
    audio.write_bytes(_SILENCE_ULAW * _SECOND)
    content = "      Content-Type: application/sdp\n"
    scenario.write_text(
        _SCENARIO.format(
            ringing=_ANSWER.format(status="180 Ringing", content="", body=""),
            answered=_ANSWER.format(status="200 OK", content=content, body=_DESCRIPTION),
            audio=audio,
        )
    )
    process = await asyncio.create_subprocess_exec(
        *(sipp, "-sf", str(scenario), "-i", "127.0.0.1", "-p", str(engine.phones_port)),
        *("-mi", "127.0.0.1", "-mp", "40000", "-nostdin", "-skip_rlimit"),
        cwd=folder,
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=DEVNULL,
    )
    try:
        yield
        if process.returncode is not None:
            raise NotMeasured(f"SIPp ended by itself with status {process.returncode}")
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
