"""Just enough SIP and SDP for a phone behind a trunk, over UDP on loopback."""

import re
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A request or response as it came in."""

    first: str
    headers: tuple[tuple[str, str], ...]
    body: str
    text: str

    def header(self, name: str) -> str:
        """The first value of a header; empty if it is not there."""
        return next((value for key, value in self.headers if key == name), "")

    def headers_of(self, name: str) -> list[str]:
        """Every value of a header, in order."""
        return [value for key, value in self.headers if key == name]

    @property
    def status(self) -> int | None:
        """Of a response; None for a request."""
        return int(self.first.split()[1]) if self.first.startswith("SIP/2.0 ") else None

    @property
    def method(self) -> str:
        """Of a request, or of the request a response answers."""
        if self.status is None:
            return self.first.split()[0]
        return self.header("cseq").split()[1]


_SHORT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length"}


def parse(data: bytes) -> Message:
    """A datagram as a message."""
    text = data.decode()
    head, _, body = text.partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers = []
    for line in lines:
        name, _, value = line.partition(":")
        name = name.strip().lower()
        headers.append((_SHORT.get(name, name), value.strip()))
    return Message(first=first, headers=tuple(headers), body=body, text=text)


def uri_of(header: str) -> str:
    """The URI in a From, To or Contact."""
    found = re.search(r"<([^>]+)>", header)
    return found[1] if found else header.partition(";")[0]


def user_of(uri: str) -> str:
    """The user of a SIP URI."""
    found = re.match(r"sips?:([^@;]+)@", uri)
    return found[1] if found else ""


def response(request: Message, status: int, reason: str, tag: str, *headers: str,
             body: str = "") -> bytes:  # fmt: skip
    """An answer to a request; the same tag makes one dialog of several answers."""
    to = request.header("to")
    if ";tag=" not in to and status > 100:
        to += f";tag={tag}"
    lines = [f"SIP/2.0 {status} {reason}"]
    lines += [f"Via: {via}" for via in request.headers_of("via")]
    lines += [f"Record-Route: {route}" for route in request.headers_of("record-route")]
    lines += [f"From: {request.header('from')}", f"To: {to}"]
    lines += [f"Call-ID: {request.header('call-id')}", f"CSeq: {request.header('cseq')}"]
    return _ended(lines, headers, body)


def request(method: str, uri: str, *headers: str, body: str = "") -> bytes:
    """A request with its headers as given."""
    return _ended([f"{method} {uri} SIP/2.0", "Max-Forwards: 70"], headers, body)


def _ended(lines: list[str], headers: tuple[str, ...], body: str) -> bytes:
    lines += headers
    if body:
        lines.append("Content-Type: application/sdp")
    lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def session_description(port: int) -> str:
    """We take u-law and RFC 4733 keys at this port of loopback."""
    return (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
        "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaAddress:
    """Where the other side wants its audio."""

    port: int
    event_type: int = field(default=101)


def media_of(description: str) -> MediaAddress:
    """What an SDP asks for."""
    port = re.search(r"^m=audio (\d+) ", description, re.M)
    events = re.search(r"^a=rtpmap:(\d+) telephone-event/8000", description, re.M)
    assert port is not None, description
    return MediaAddress(port=int(port[1]), event_type=int(events[1]) if events else 101)
