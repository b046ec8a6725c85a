"""What goes wrong on purpose: the carrier's faults, and deaths of our own process."""

from dataclasses import dataclass

from dialer.carriers.simulated.faults import NO_FAULTS, Faults
from warmline.exits import Unusable

_OFF = ("none", "off")
_ON = ("default", "on")


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfortune:
    """`restart`: how often, per order to the carrier, our process dies over it."""

    carrier: Faults = NO_FAULTS
    restart: float = 0.0


NONE = Misfortune()

DEFAULT = Misfortune(
    carrier=Faults(
        lose=0.02,
        delay_ms=200,
        duplicate=0.1,
        reorder=0.1,
        refuse=0.02,
        unknown=0.02,
        half_open=0.005,
    ),
    restart=0.002,
)

_RATES = ("lose", "duplicate", "reorder", "refuse", "unknown", "half_open", "restart")


def parse(text: str | None) -> Misfortune:
    """`lose=0.02,delay=0.2,..`, `default` (also when nothing is said), or `none`.

    `delay` is in seconds; a knob not named is off. Raises Unusable.
    """
    if text is None or text in _ON:
        return DEFAULT
    if text in _OFF:
        return NONE
    values = dict(_knob(part) for part in text.split(",") if part.strip())
    restart = values.pop("restart", 0.0)
    return Misfortune(carrier=Faults(**values), restart=restart)


def _knob(part: str) -> tuple[str, float]:
    name, _, written = (piece.strip() for piece in part.partition("="))
    try:
        value = float(written)
    except ValueError:
        value = -1.0
    if name == "delay" and 0 <= value <= 60:
        return "delay_ms", value * 1000
    if name in _RATES and 0 <= value <= 1:
        return name, value
    raise Unusable(
        f'The fault "{part.strip()}" is not understood: write rates from 0 to 1 of '
        f"{', '.join(_RATES)}, or delay in seconds, as in lose=0.02,delay=0.2."
    )
