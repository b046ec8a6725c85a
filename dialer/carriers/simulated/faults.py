"""Everything that can go wrong between a carrier and us, as knobs; and how news travels then."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import lru_cache
from heapq import heappop, heappush
from random import Random

from dialer.carriers import CarrierRefused, Report
from dialer.carriers.simulated.script import ScriptFault

_LONGEST_DELAY_MS = 60_000
_OVERTAKEN_BY_SECONDS = 2.0
_REFUSALS: tuple[tuple[str, int | None, int | None], ...] = (
    ("429", None, None),
    ("503", 38, 503),  # network out of order (RFC 3398)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Rates from 0 to 1 of each misfortune; all zero is a perfect carrier.

    `unknown`: an order gets no answer; every second one of those took effect all the same.
    `reorder`: news is held back up to two seconds and overtaken. `half_open`: a leg that joins a
    bridge falls silent at once.
    """

    lose: float = 0.0
    delay_ms: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    refuse: float = 0.0
    unknown: float = 0.0
    half_open: float = 0.0


NO_FAULTS = Faults()


def parse_faults(wanted: Mapping[str, object]) -> Faults:
    """The faults named by a JSON object; a knob not named is off. Raises `ScriptFault`."""
    known = {field.name for field in fields(Faults)}
    if unknown := sorted(set(wanted) - known):
        raise ScriptFault(f"unknown field: {unknown[0]}")
    values: dict[str, float] = {}
    for name, value in wanted.items():
        most = _LONGEST_DELAY_MS if name == "delay_ms" else 1
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            raise ScriptFault(f"{name} must be a number from 0 to {most}")
        values[name] = float(value)
    return Faults(**values)


def a_refusal(rng: Random) -> CarrierRefused:
    """One of the ways in which a carrier says no to a sound order."""
    code, q850, sip = rng.choice(_REFUSALS)
    return CarrierRefused(code, q850=q850, sip=sip)


class Postbox:
    """News on its way to us: at once and in order, unless a fault says otherwise.

    Since `ready_since` some has arrived; `late` is a heap of what has not, by the time it will.
    """

    __slots__ = ("_ready", "_roll", "_sequence", "late", "ready_since")

    def __init__(self, rng: Random) -> None:
        self._roll = rng.random
        self._ready: list[Report] = []
        self.ready_since: datetime | None = None
        self.late: list[tuple[datetime, int, Report]] = []
        self._sequence = 0

    def post(self, report: Report, at: datetime, faults: Faults) -> bool:
        """Send `report`, which came to be at `at`; False when it is lost, for good."""
        if faults is NO_FAULTS and not self.late:
            self._ready.append(report)
            self.ready_since = self.ready_since or at
            return True
        roll = self._roll
        if faults.lose and roll() < faults.lose:
            return False
        due = at + _delay(faults.delay_ms) if faults.delay_ms else at
        if faults.reorder and roll() < faults.reorder:
            due += timedelta(seconds=roll() * _OVERTAKEN_BY_SECONDS)
        self._sequence += 1
        heappush(self.late, (due, self._sequence, report))
        if faults.duplicate and roll() < faults.duplicate:
            again = due + timedelta(seconds=roll() * _OVERTAKEN_BY_SECONDS)
            self._sequence += 1
            heappush(self.late, (again, self._sequence, report))
        return True

    def collect(self, now: datetime) -> list[Report]:
        """Every report that has arrived by `now`, once."""
        arrived: list[Report] = []
        if self.ready_since is not None:
            arrived, self._ready, self.ready_since = self._ready, arrived, None
        late = self.late
        while late and late[0][0] <= now:
            arrived.append(heappop(late)[2])
        return arrived


@lru_cache(maxsize=8)
def _delay(milliseconds: float) -> timedelta:
    return timedelta(milliseconds=milliseconds)
