"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The sizes of a run. The defaults are those the goals speak of."""

    before: int = 10
    """Calls that are placed first and not counted: plans are made and code is warmed up."""

    calls: int = 100
    """So many talk at once in the end, and as many counselors are at work."""

    calls_per_second: int = 10

    hold_seconds: float = 10.0
    """How long all of them talk, with audio from both sides of each."""

    freed: int = 60
    """Calls that are ended then, with as many callers waiting in the queue."""

    freed_per_second: int = 10

    patience_seconds: float = 60.0
    """How long any one step may take before the run is given up."""
