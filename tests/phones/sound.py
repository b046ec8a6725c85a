"""Tones: how a phone of the tests speaks, and how it knows what it hears. G.711 u-law, 8 kHz."""

import math
import struct
from collections.abc import Sequence
from functools import cache

RATE = 8000
PACKET_SAMPLES = 160
_BIAS, _CLIP = 0x84, 32635


def _encode(sample: int) -> int:
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), _CLIP) + _BIAS
    exponent = magnitude.bit_length() - 8
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return ~(sign | (exponent << 4) | mantissa) & 0xFF


def _decode(byte: int) -> int:
    byte = ~byte & 0xFF
    magnitude = (((byte & 0x0F) << 3) + _BIAS) << ((byte >> 4) & 0x07)
    return _BIAS - magnitude if byte & 0x80 else magnitude - _BIAS


_DECODED = tuple(_decode(byte) for byte in range(256))


@cache
def tone(hertz: int) -> tuple[bytes, ...]:
    """A second of the tone as packets; hertz is whole, so the second repeats without a click."""
    samples = [int(6000 * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(RATE)]
    coded = bytes(_encode(sample) for sample in samples)
    return tuple(coded[at : at + PACKET_SAMPLES] for at in range(0, RATE, PACKET_SAMPLES))


def tone_file(hertz: int, seconds: float) -> bytes:
    """The tone as a WAV file that Asterisk plays: 16 bit, mono."""
    samples = [int(9000 * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(RATE)]
    data = struct.pack(f"<{RATE}h", *samples)[: int(seconds * RATE) * 2]
    head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1,
                       RATE, 2 * RATE, 2, 16)  # fmt: skip
    return head + struct.pack("<4sI", b"data", len(data)) + data


def decoded(coded: bytes) -> list[int]:
    """Samples of a packet."""
    return [_DECODED[byte] for byte in coded]


def holds(samples: Sequence[int], hertz: int) -> bool:
    """Whether the tone is among what is heard (Goertzel)."""
    if not samples:
        return False
    coefficient = 2 * math.cos(2 * math.pi * hertz / RATE)
    before, last = 0.0, 0.0
    for sample in samples:
        before, last = last, sample + coefficient * last - before
    power = last * last + before * before - coefficient * last * before
    return math.sqrt(max(power, 0.0)) * 2 / len(samples) > 1200
