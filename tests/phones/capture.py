"""All that goes over loopback by UDP, as the machine itself sees it: nobody's own account of it."""

import asyncio
import ctypes
import socket
import struct
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_ETH_P_IP, _UDP, _UDP_HEADER_BYTES = 0x0800, 17, 8
_SO_ATTACH_FILTER, _SOL_PACKET, _PACKET_STATISTICS = 26, 263, 6
_BUFFER_BYTES = 8 * 1024 * 1024
_LOAD_PROTOCOL, _IS, _GIVE = (0x30, 0, 0, 9), (0x15, 0, 1, _UDP), 0x06
_UDP_ALONE = (_LOAD_PROTOCOL, _IS, (_GIVE, 0, 0, 0xFFFF), (_GIVE, 0, 0, 0))
"""A program for the kernel: it looks at the ninth byte of an IPv4 packet, and gives UDP's."""


@dataclass(slots=True)
class Capture:
    """What was seen so far: both ports of each datagram, and what was in it."""

    seen: list[tuple[int, int, bytes]] = field(default_factory=list)

    def of(self, ports: Collection[int]) -> list[bytes]:
        """Everything that went to these ports or came from them."""
        return [body for source, to, body in self.seen if source in ports or to in ports]


@contextmanager
def captured() -> Iterator[Capture]:
    """Look on while the block runs. Fails if anything was missed. It takes root."""
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_IP))
    capture, loop = Capture(), asyncio.get_running_loop()
    with wire:
        wire.setblocking(False)
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        _attach(wire)
        wire.bind(("lo", 0))
        loop.add_reader(wire, _take, wire, capture)
        try:
            yield capture
            _take(wire, capture)
        finally:
            loop.remove_reader(wire)
        _, missed = struct.unpack("II", wire.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
        assert missed == 0


def _attach(wire: socket.socket) -> None:
    steps = b"".join(struct.pack("HBBI", *step) for step in _UDP_ALONE)
    program = ctypes.create_string_buffer(steps)
    described = struct.pack("HL", len(_UDP_ALONE), ctypes.addressof(program))
    wire.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, described)


def _take(wire: socket.socket, capture: Capture) -> None:
    with suppress(BlockingIOError):
        while True:
            packet = wire.recv(0xFFFF)
            datagram = packet[4 * (packet[0] & 0x0F) :]
            source, to = struct.unpack("!HH", datagram[:4])
            capture.seen.append((source, to, datagram[_UDP_HEADER_BYTES:]))
