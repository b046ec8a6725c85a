"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The sizes of a run. The defaults are those the goals speak of."""

    connections: int = 24
    """How many requests the driver keeps under way, to the floor and to the service alike."""

    rounds_before: int = 3
    """Nobody's first requests count: plans are made and code is warmed up first."""

    rounds: int = 12
    calls_per_round: int = 60
    """Whole lives of calls per round; each round is held against a floor measured beside it."""

    floor_per_round: int = 1000

    placed: int = 500
    placed_per_second: int = 50

    roster: int = 8000
    at_work: int = 1000
    """Counselors at work, each on a call: so many calls are live."""

    ringing: int = 100
    """Of these calls, how many still ring: a counselor is freed by ending one of them."""

    freed: int = 300
    freed_per_second: int = 20

    cap_window_seconds: float = 10.0
    """All caps of the live calls fall within it."""

    patience_seconds: float = 180.0
    """How long any one step may take before the run is given up."""
