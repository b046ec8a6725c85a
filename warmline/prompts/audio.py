"""Sound as numbers: one voice, 16 bit, brought to the rates that phones use. Pure."""

import io
import math
import wave
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from operator import mul

SAMPLE_BYTES = 2
LEAD_SECONDS = 0.1
"""Phones swallow the first moment of what is played to them."""

_LOUDEST = 0.6 * 32767  # leaves the codec room
_CROSSINGS = 10  # of the filter on each side: more cuts sharper


class NotASound(ValueError):
    """Not a WAV file of one channel with 16 bits; the text says what it is."""


@dataclass(frozen=True, slots=True)
class Sound:
    """Samples from -32768 to 32767, `rate` of them a second."""

    rate: int
    samples: Sequence[int]

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.rate


def read_wav(raw: bytes) -> Sound:
    """The sound of a WAV file. Raises NotASound."""
    try:
        with wave.open(io.BytesIO(raw)) as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            frames = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as broken:
        raise NotASound(f"is not a WAV file with PCM ({broken or 'it is cut off'})") from broken
    if (channels, width) != (1, SAMPLE_BYTES):
        raise NotASound(f"has {channels} channels of {8 * width} bits")
    samples = array("h")
    samples.frombytes(frames[: len(frames) // SAMPLE_BYTES * SAMPLE_BYTES])
    return Sound(rate, samples)


def write_wav(sound: Sound) -> bytes:
    """The sound as a WAV file with the plainest of headers, which Asterisk reads."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(SAMPLE_BYTES)
        out.setframerate(sound.rate)
        out.writeframes(array("h", sound.samples).tobytes())
    return file.getvalue()


def for_the_phone(sound: Sound, rate: int) -> Sound:
    """At `rate`, equally loud whatever the voice, with a moment of silence before and after."""
    spoken = resampled(sound, rate)
    loudest = max((abs(sample) for sample in spoken), default=0.0)
    factor = _LOUDEST / loudest if loudest else 0.0
    silence = [0] * round(LEAD_SECONDS * rate)
    return Sound(rate, [*silence, *(round(factor * sample) for sample in spoken), *silence])


def resampled(sound: Sound, rate: int) -> list[float]:
    """The samples at another rate; what that rate cannot hold is filtered away, not folded back."""
    divisor = math.gcd(sound.rate, rate)
    up, down = rate // divisor, sound.rate // divisor
    filters = _filters(up, down)
    reach = len(filters[0]) // 2
    padded = [0.0] * reach + [float(sample) for sample in sound.samples] + [0.0] * reach
    length = len(filters[0])
    made = []
    for index in range(len(sound.samples) * up // down):
        at, phase = divmod(index * down, up)
        made.append(sum(map(mul, padded[at + 1 : at + 1 + length], filters[phase])))
    return made


@cache
def _filters(up: int, down: int) -> list[tuple[float, ...]]:
    """One windowed sinc for every place an output sample can have between two input samples."""
    cutoff = min(1.0, up / down) * 0.95
    reach = math.ceil(_CROSSINGS / cutoff)
    filters = []
    for phase in range(up):
        offsets = [tap - phase / up for tap in range(1 - reach, reach + 1)]
        weights = [_sinc(cutoff * x) * _window(x / (reach + 1)) for x in offsets]
        total = sum(weights)
        filters.append(tuple(weight / total for weight in weights))
    return filters


def _sinc(x: float) -> float:
    return 1.0 if x == 0 else math.sin(math.pi * x) / (math.pi * x)


def _window(x: float) -> float:
    """Blackman, from -1 to 1."""
    return 0.42 + 0.5 * math.cos(math.pi * x) + 0.08 * math.cos(2 * math.pi * x)
