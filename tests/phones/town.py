"""Phones behind one SIP trunk: they ring, talk in tones, press keys and go silent.

A phone here speaks SIP and RTP over loopback to a real Asterisk; nothing of Warmline is in it.
"""

import asyncio
import struct
import time
from collections import deque
from dataclasses import dataclass, field
from itertools import count

from tests.phones.sip import (
    MediaAddress,
    Message,
    media_of,
    parse,
    request,
    response,
    session_description,
    uri_of,
    user_of,
)
from tests.phones.sound import PACKET_SAMPLES, decoded, holds, tone

_PACKET_SECONDS = 0.02
_EAR_PACKETS = 10
_identities = count(1)


@dataclass
class Phone:
    """A phone of the town. `answers` is the status it gives: 180 rings until a hand takes it.

    One that is `mute` answers and never sends a packet.
    """

    number: str
    voice: int
    answers: int = 200
    reason: str = ""
    presses: str = ""
    mute: bool = False
    line: "Line | None" = None
    heard: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)


class Line(asyncio.DatagramProtocol):
    """One call of a phone: its dialog and its audio."""

    def __init__(self, town: "Town", phone: Phone, call_id: str) -> None:
        self.town, self.phone, self.call_id = town, phone, call_id
        town.every_line.append(self)
        self.tag = f"t{next(_identities)}"
        self.invite: Message | None = None  # what rang us
        self.local, self.remote, self.target = "", "", ""
        self.sequence = 1
        self.media: MediaAddress | None = None
        self.answered = self.closed = False
        self.silent = phone.mute
        self.last_response, self.description = b"", ""
        self.sent_invite: tuple[str, ...] = ()
        self._packets = self._sent = 0
        self._ear: deque[tuple[float, list[int]]] = deque(maxlen=_EAR_PACKETS)
        self.received: list[tuple[float, bytes]] = []
        self.closed_at: float | None = None
        self._prompt_ear: list[int] = []
        self._prompt: str | None = None
        self._rtp: asyncio.DatagramTransport | None = None
        self._speaking: asyncio.Task[None] | None = None

    async def open(self) -> int:
        """Open the line's ear; gives its port."""
        self._rtp, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        return int(self._rtp.get_extra_info("sockname")[1])

    def talk(self) -> None:
        """Begin to speak; press what the phone presses."""
        self.answered = True
        self._speaking = asyncio.create_task(self._speak())

    def close(self) -> None:
        """The call is no more; its ear stays open, for nothing may reach it any more."""
        if self.closed_at is None:
            self.closed_at = time.monotonic()
        self.closed = True
        if self._speaking is not None:
            self._speaking.cancel()
        if self.phone.line is self:
            self.phone.line = None
        self.town.lines.pop(self.call_id, None)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """What the phone hears."""
        if data[1] & 0x7F != 0:
            return
        self.received.append((time.monotonic(), data[12:]))
        if self.silent or self.closed:
            return
        samples = decoded(data[12:])
        self._ear.append((time.monotonic(), samples))
        self._prompt_ear += samples
        if len(self._prompt_ear) >= 5 * PACKET_SAMPLES:
            self._listen_for_prompts()

    def hears(self, hertz: int) -> bool:
        """Whether the tone was in what was heard just now."""
        since = time.monotonic() - _EAR_PACKETS * _PACKET_SECONDS * 1.5
        return holds([one for at, heard in self._ear if at > since for one in heard], hertz)

    def heard_from(self, hertz: int) -> tuple[float, float] | None:
        """When the tone was heard first and last, in all of the call; None if it never was."""
        moments = [at for at, coded in self.received if holds(decoded(coded), hertz)]
        return (moments[0], moments[-1]) if moments else None

    def talked_with(self, other: "Line") -> float:
        """Seconds from the first to the last packet with the other's voice in it."""
        heard = self.heard_from(other.phone.voice)
        assert heard is not None
        return heard[1] - heard[0]

    @property
    def heard_after_the_end(self) -> float:
        """Seconds for which audio still came when the call was over."""
        end = self.closed_at
        if end is None or not self.received:
            return 0.0
        return max(self.received[-1][0] - end, 0.0)

    def close_ear(self) -> None:
        """Close the ear."""
        if self._rtp is not None:
            self._rtp.close()

    def _listen_for_prompts(self) -> None:
        samples, self._prompt_ear = self._prompt_ear, []
        found = next((p for p, hertz in self.town.prompts.items() if holds(samples, hertz)), None)
        if found is not None and found != self._prompt:
            self.phone.heard.append(found)
        self._prompt = found

    async def _speak(self) -> None:
        voice, begun = tone(self.phone.voice), time.monotonic()
        pressing = asyncio.create_task(self._press_soon()) if self.phone.presses else None
        try:
            while True:
                if not self.silent:
                    self._send(0, voice[self._packets % len(voice)])
                self._packets += 1
                await asyncio.sleep(begun + self._packets * _PACKET_SECONDS - time.monotonic())
        finally:
            if pressing is not None:
                pressing.cancel()

    async def _press_soon(self) -> None:
        await asyncio.sleep(0.5)
        await self.press(self.phone.presses)

    async def press(self, digits: str) -> None:
        """Press keys, as RFC 4733 tells them."""
        assert self.media is not None
        for digit in digits:
            event, begun = "0123456789*#".index(digit), self._packets * PACKET_SAMPLES
            for step in range(1, 9):
                ended = 0x80 if step > 5 else 0
                payload = struct.pack("!BBH", event, 10 | ended, min(step, 6) * PACKET_SAMPLES)
                self._send(self.media.event_type | (0x80 if step == 1 else 0), payload, begun)
                await asyncio.sleep(_PACKET_SECONDS)
            await asyncio.sleep(0.1)

    def _send(self, kind: int, payload: bytes, stamp: int | None = None) -> None:
        if self._rtp is None or self.media is None or self._rtp.is_closing():
            return
        self._sent += 1
        stamp = self._packets * PACKET_SAMPLES if stamp is None else stamp
        head = struct.pack("!BBHII", 0x80, kind, self._sent & 0xFFFF, stamp, id(self) & 0xFFFFFFFF)
        self._rtp.sendto(head + payload, ("127.0.0.1", self.media.port))


class Town(asyncio.DatagramProtocol):
    """The far side of the trunk: every phone of the tests."""

    def __init__(self, engine_port: int, prompts: dict[str, int]) -> None:
        self.prompts = prompts
        self.lines: dict[str, Line] = {}
        self.phones: dict[str, Phone] = {}
        self.every_line: list[Line] = []
        self._engine = ("127.0.0.1", engine_port)
        self._work: set[asyncio.Task[None]] = set()

    async def open(self, port: int) -> None:
        """Listen where Asterisk's trunk points to."""
        self._sip, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", port)
        )
        self._port = port

    async def close(self) -> None:
        """Every line goes dead."""
        for line in self.every_line:
            line.close()
            line.close_ear()
        for work in self._work:
            work.cancel()
        self._sip.close()
        await asyncio.sleep(0)

    # --- what hands do ------------------------------------------------------------------------

    async def pick_up(self, phone: Phone) -> None:
        """Take the ringing call."""
        await self._answer(_line_of(phone))

    def put_down(self, phone: Phone, reason: str = "") -> None:
        """Hang up; a call that rings is rejected, one still being dialled is cancelled."""
        line = _line_of(phone)
        if line.answered:
            self._bye(line, reason)
        elif line.invite is not None:
            self._respond(line, line.invite, 603, "Decline")
            line.close()
        else:
            self._cancel(line)

    async def dial(self, phone: Phone, to: str, *, withhold: bool) -> None:
        """Dial a number of Warmline's."""
        line = Line(self, phone, f"out{next(_identities)}@town")
        phone.line = self.lines[line.call_id] = line
        user = "anonymous" if withhold else phone.number
        host = "anonymous.invalid" if withhold else f"127.0.0.1:{self._port}"
        line.local = f"<sip:{user}@{host}>;tag={line.tag}"
        line.target = f"sip:{to}@127.0.0.1:{self._engine[1]}"
        line.remote = f"<{line.target}>"
        branch = f"Via: SIP/2.0/UDP 127.0.0.1:{self._port};branch=z9hG4bK{line.tag}"
        line.sent_invite = (branch, f"From: {line.local}", f"To: {line.remote}",
                            f"Call-ID: {line.call_id}")  # fmt: skip
        contact = f"Contact: <sip:town@127.0.0.1:{self._port}>"
        body = session_description(await line.open())
        self._send(
            request("INVITE", line.target, *line.sent_invite, "CSeq: 1 INVITE", contact, body=body)
        )

    # --- SIP ----------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """A message from Asterisk."""
        if not data.strip():
            return
        message = parse(data)
        line = self.lines.get(message.header("call-id"))
        phone = self._phone_meant(message)
        if phone is not None:
            phone.messages.append(message.text)
        task = asyncio.create_task(self._take(message, line))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    def _phone_meant(self, message: Message) -> Phone | None:
        """Whose message it is, also when the call is over."""
        for line in self.every_line:
            if line.call_id == message.header("call-id"):
                return line.phone
        rings = message.status is None and message.method == "INVITE"
        return self.phones.get(user_of(message.first.split()[1])) if rings else None

    async def _take(self, message: Message, line: Line | None) -> None:
        if message.status is not None:
            self._take_response(message, line)
        elif message.method == "INVITE" and line is None:
            await self._ring(message)
        elif message.method == "INVITE" and line is not None and line.invite is not None:
            if message.header("cseq") == line.invite.header("cseq"):
                self._send(line.last_response)  # sent again: it did not hear us
            else:
                self._respond(line, message, 200, "OK", line.description)
        elif message.method == "CANCEL" and line is not None and line.invite is not None:
            self._send(response(message, 200, "OK", line.tag))
            self._respond(line, line.invite, 487, "Request Terminated")
            line.close()
        elif message.method == "BYE":
            self._send(response(message, 200, "OK", "x"))
            if line is not None:
                line.close()
        elif message.method == "OPTIONS":
            self._send(response(message, 200, "OK", "x"))

    async def _ring(self, message: Message) -> None:
        phone = self.phones.get(user_of(message.first.split()[1]))
        if phone is None:
            self._send(response(message, 404, "Not Found", "x"))
            return
        if phone.line is not None or phone.answers >= 300:
            status = phone.answers if phone.answers >= 300 else 486
            extra = (phone.reason,) if phone.reason else ()
            self._send(response(message, status, "No", "x", *extra))
            return
        line = Line(self, phone, message.header("call-id"))
        phone.line = self.lines[line.call_id] = line
        phone.heard.clear()
        line.invite, line.media = message, media_of(message.body)
        line.remote = message.header("from")
        line.local = f"{message.header('to')};tag={line.tag}"
        line.target = uri_of(message.header("contact"))
        self._respond(line, message, 180, "Ringing")
        if phone.answers == 200:
            await self._answer(line)

    async def _answer(self, line: Line) -> None:
        assert line.invite is not None
        line.description = session_description(await line.open())
        self._respond(line, line.invite, 200, "OK", line.description)
        line.talk()

    def _take_response(self, message: Message, line: Line | None) -> None:
        if line is None or message.method != "INVITE" or message.status is None:
            return
        if message.status >= 300:
            headers = (*line.sent_invite[:2], f"To: {message.header('to')}", line.sent_invite[3])
            self._send(request("ACK", line.target, *headers, "CSeq: 1 ACK"))
            line.close()
        elif message.status >= 200:
            line.remote = message.header("to")
            line.target = uri_of(message.header("contact"))
            self._send(self._in_dialog(line, "ACK", 1))
            line.media = media_of(message.body)
            if not line.answered:
                line.talk()

    def _respond(self, line: Line, to: Message, status: int, reason: str, body: str = "") -> None:
        contact = f"Contact: <sip:town@127.0.0.1:{self._port}>"
        line.last_response = response(to, status, reason, line.tag, contact, body=body)
        self._send(line.last_response)

    def _bye(self, line: Line, reason: str) -> None:
        line.sequence += 1
        extra = (f"Reason: {reason}",) if reason else ()
        self._send(self._in_dialog(line, "BYE", line.sequence, *extra))
        line.close()

    def _cancel(self, line: Line) -> None:
        self._send(request("CANCEL", line.target, *line.sent_invite, "CSeq: 1 CANCEL"))

    def _in_dialog(self, line: Line, method: str, sequence: int, *extra: str) -> bytes:
        branch = f"z9hG4bK{next(_identities)}"
        return request(
            method,
            line.target,
            f"Via: SIP/2.0/UDP 127.0.0.1:{self._port};branch={branch}",
            f"From: {line.local}",
            f"To: {line.remote}",
            f"Call-ID: {line.call_id}",
            f"CSeq: {sequence} {method}",
            *extra,
        )

    def _send(self, data: bytes) -> None:
        if not self._sip.is_closing():
            self._sip.sendto(data, self._engine)


def _line_of(phone: Phone) -> Line:
    assert phone.line is not None, "the phone is on no call"
    return phone.line
