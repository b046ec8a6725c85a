"""Figures as JSON, and as a table that says which goals were met."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from warmline.bench.events import Rates
from warmline.bench.measuring import Figures
from warmline.bench.spread import Spread


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `goal` None: nothing is promised about it."""

    name: str
    measured: float
    unit: str
    goal: float | None = None
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the goal, if there is one, was met."""
        if self.goal is None:
            return True
        return self.measured >= self.goal if self.at_least else self.measured < self.goal


def as_json(figures: Figures | Rates) -> str:
    """The names other programs rely on, and which goals were missed."""
    missed = [row.name for row in rows(figures) if not row.is_met]
    if isinstance(figures, Rates):
        return json.dumps({**_rates(figures), "missed": missed})
    return json.dumps(
        {
            **_rates(figures.rates),
            "place_call_ms": rounded(figures.place_call_ms),
            "offer_ms": rounded(figures.offer_ms),
            "cap_overshoot_ms": rounded(figures.cap_overshoot_ms),
            "recovery_s": round(figures.recovery_s, 2),
            "rss_mb": round(figures.rss_mb, 1),
            "missed": missed,
        }
    )


def _rates(rates: Rates) -> dict[str, float]:
    return {
        "floor_events_per_s": round(rates.floor, 1),
        "events_per_s": round(rates.service, 1),
        "ratio": round(rates.ratio, 3),
    }


def as_table(figures: Figures | Rates) -> str:
    """For people."""
    return table(rows(figures))


def table(rows: Iterable[Row]) -> str:
    """Lines of text, one for each figure."""
    lines = [f"{'':34} {'measured':>12}   {'goal':<14}"]
    for row in rows:
        goal = (
            "" if row.goal is None else f"{'>=' if row.at_least else '<'} {row.goal:g} {row.unit}"
        )
        said = "" if row.goal is None else "met" if row.is_met else "falls short"
        lines.append(f"{row.name:34} {row.measured:8.4g} {row.unit:3}   {goal:<14} {said}".rstrip())
    return "\n".join(lines)


def rows(figures: Figures | Rates) -> Iterator[Row]:
    """Every figure with its goal."""
    rates = figures if isinstance(figures, Rates) else figures.rates
    yield Row("floor", rates.floor, "/s")
    yield Row("carrier news", rates.service, "/s")
    yield Row("carrier news to floor", rates.ratio, "", 0.4, at_least=True)
    if isinstance(figures, Rates):
        return
    yield Row("call placed to ring, median", figures.place_call_ms.p50, "ms", 15)
    yield Row("call placed to ring, 99th", figures.place_call_ms.p99, "ms", 60)
    yield Row("freed to next offer, median", figures.offer_ms.p50, "ms")
    yield Row("freed to next offer, 99th", figures.offer_ms.p99, "ms", 50)
    yield Row("cap overshoot, median", figures.cap_overshoot_ms.p50, "ms")
    yield Row("cap overshoot, 99th", figures.cap_overshoot_ms.p99, "ms", 250)
    yield Row("recovery after kill -9", figures.recovery_s, "s", 3)
    yield Row("memory then", figures.rss_mb, "MB", 200)


def rounded(spread: Spread) -> dict[str, float]:
    """Its figures as JSON shows them."""
    return {name: round(value, 2) for name, value in asdict(spread).items()}
