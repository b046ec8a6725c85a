"""A whole run in small: what it prints, and that it leaves nothing behind."""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from subprocess import run
from sys import executable

import pytest

from warmline.bench.events import Rates
from warmline.bench.measuring import Figures
from warmline.bench.report import as_json, as_table
from warmline.bench.spread import Spread

SMALL = """
from warmline.bench import run
from warmline.bench.scale import Scale
raise SystemExit(run(as_json=True, scale=Scale(
    connections=4, rounds=1, calls_per_round=6, floor_per_round=30, placed=6, roster=20, at_work=8,
    ringing=2, freed=4, cap_window_seconds=0.5, patience_seconds=60,
)))
"""


@pytest.fixture
def figures() -> Figures:
    """Every goal just met."""
    return Figures(
        rates=Rates(floor=1000.0, service=400.0, ratio=0.4),
        place_call_ms=Spread(14.9, 59.9),
        offer_ms=Spread(20.0, 49.9),
        cap_overshoot_ms=Spread(100.0, 249.9),
        recovery_s=2.99,
        rss_mb=199.9,
    )


@pytest.fixture
def empty_folder() -> Iterator[Path]:
    """A short path that the embedded server's own account may pass through."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


def test_a_small_run_measures_everything_and_leaves_nothing_behind(empty_folder: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(empty_folder)}
    done = run(
        [executable, "-c", SMALL], capture_output=True, text=True, timeout=300, env=environment
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    spreads = ("place_call_ms", "offer_ms", "cap_overshoot_ms")
    single = ("floor_events_per_s", "events_per_s", "ratio", "recovery_s", "rss_mb")
    assert set(told) == {*spreads, *single, "missed"}
    assert all(0 < told[name]["p50"] <= told[name]["p99"] for name in spreads)
    assert all(told[name] > 0 for name in single)
    assert list(empty_folder.iterdir()) == []


def test_goals_that_are_met_are_said_to_be_met(figures: Figures) -> None:
    assert json.loads(as_json(figures))["missed"] == []
    assert "falls short" not in as_table(figures)


def test_what_falls_short_is_said_to_fall_short() -> None:
    short = Figures(
        rates=Rates(floor=1000.0, service=399.0, ratio=0.399),
        place_call_ms=Spread(15.0, 60.0),
        offer_ms=Spread(20.0, 50.0),
        cap_overshoot_ms=Spread(100.0, 250.0),
        recovery_s=3.0,
        rss_mb=200.0,
    )
    assert len(json.loads(as_json(short))["missed"]) == 7
    assert as_table(short).count("falls short") == 7
    assert " met" not in as_table(short)


def test_news_alone_is_told_as_in_a_whole_run(figures: Figures) -> None:
    alone, whole = json.loads(as_json(figures.rates)), json.loads(as_json(figures))
    assert alone == {name: whole[name] for name in alone}
    assert as_table(figures).startswith(as_table(figures.rates))


def test_a_spread_holds_values_that_were_measured() -> None:
    assert Spread.of(range(1, 101)) == Spread(50, 99)
    assert Spread.of([7]) == Spread(7, 7)
