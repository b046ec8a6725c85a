"""How a handful of durations lie."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from math import ceil


@dataclass(frozen=True, slots=True)
class Spread:
    """The median, and what 99 of 100 stay below."""

    p50: float
    p99: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """By nearest rank: a value that was really measured."""
        ordered = sorted(values)
        return cls(*(ordered[ceil(part * len(ordered)) - 1] for part in (0.5, 0.99)))


def milliseconds(duration: timedelta) -> float:
    """The duration as a number."""
    return duration / timedelta(milliseconds=1)
