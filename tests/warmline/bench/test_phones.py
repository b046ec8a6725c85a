"""What a run over real phones prints; the run itself needs an Asterisk, and is no test."""

import json

from typer.testing import CliRunner

from warmline.bench.phones.measuring import Figures
from warmline.bench.phones.report import as_json, as_table
from warmline.bench.spread import Spread
from warmline.cli import app
from warmline.exits import Unusable

FIGURES = Figures(
    calls=100,
    failed=1,
    set_up_ms=Spread(51.354, 99.9),
    next_ring_ms=Spread(34.5, 100.1),
    engine_cores=0.358,
    service_cores=0.09,
)


def test_a_program_reads_the_figures_and_what_fell_short() -> None:
    told = json.loads(as_json(FIGURES))

    assert told["set_up_ms"] == {"p50": 51.35, "p99": 99.9}
    assert told["missed"] == ["calls that failed", "freed to next ring, 99th"]


def test_a_person_reads_them_with_their_goals() -> None:
    table = as_table(FIGURES)

    assert "set-up, 99th                           99.9 ms    < 100 ms       met" in table
    assert table.count("falls short") == 2


def test_only_what_can_be_measured_is_asked_for() -> None:
    refused = CliRunner().invoke(app, ["bench", "--carrier", "pigeon"]).exception

    assert isinstance(refused, Unusable)
