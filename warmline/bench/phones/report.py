"""Figures of a run over real phones, as JSON and as a table that says which goals were met."""

import json
from collections.abc import Iterator

from warmline.bench.phones.measuring import Figures
from warmline.bench.report import Row, rounded, table


def as_json(figures: Figures) -> str:
    """The names other programs rely on, and which goals were missed."""
    return json.dumps(
        {
            "calls": figures.calls,
            "failed": figures.failed,
            "set_up_ms": rounded(figures.set_up_ms),
            "next_ring_ms": rounded(figures.next_ring_ms),
            "engine_cores": round(figures.engine_cores, 2),
            "service_cores": round(figures.service_cores, 2),
            "missed": [row.name for row in rows(figures) if not row.is_met],
        }
    )


def as_table(figures: Figures) -> str:
    """For people."""
    return table(rows(figures))


def rows(figures: Figures) -> Iterator[Row]:
    """Every figure with its goal."""
    yield Row("calls", figures.calls, "")
    yield Row("calls that failed", figures.failed, "", 1)
    yield Row("set-up, median", figures.set_up_ms.p50, "ms")
    yield Row("set-up, 99th", figures.set_up_ms.p99, "ms", 100)
    yield Row("freed to next ring, median", figures.next_ring_ms.p50, "ms")
    yield Row("freed to next ring, 99th", figures.next_ring_ms.p99, "ms", 100)
    yield Row("Asterisk, of one core", figures.engine_cores, "")
    yield Row("Warmline, of one core", figures.service_cores, "")
