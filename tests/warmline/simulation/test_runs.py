"""Whole runs: no promise is broken, whatever goes wrong, and the same seed is the same days."""

import json
from datetime import datetime
from typing import get_args

import pytest
from typer.testing import CliRunner

from dialer.carriers.simulated.faults import Faults
from dialer.events import CapExtended, Event, OrderWithdrawn
from dialer.leg import LetGoReason
from dialer.orders import HangUp
from terms.values import replace
from warmline.cli import app
from warmline.desk import fold
from warmline.desk.slice import Outcome, Slice
from warmline.exits import Unusable
from warmline.programs import Program, load_shipped
from warmline.simulation import cli, life, simulation
from warmline.simulation.deciding import Deciding
from warmline.simulation.digest import digest_of
from warmline.simulation.looking import Reconciler
from warmline.simulation.misfortune import DEFAULT, NONE, Misfortune, parse
from warmline.simulation.people import Town
from warmline.simulation.simulation import Outcome as RunOutcome
from warmline.simulation.simulation import Simulation
from warmline.simulation.watch import Promise

PROGRAMS = load_shipped()


def run(
    seed: int,
    *,
    days: int = 3,
    calls_per_day: int = 60,
    misfortune: Misfortune = DEFAULT,
    deciding: Deciding | None = None,
) -> RunOutcome:
    return Simulation(
        PROGRAMS,
        seed=seed,
        calls_per_day=calls_per_day,
        misfortune=misfortune,
        deciding=deciding or Deciding(),
    ).run(days)


@pytest.mark.rule("A24", "A25", "A32", "A33", "X03")
@pytest.mark.parametrize("seed", range(1, 7))
def test_no_promise_is_broken_under_faults_and_everything_comes_to_rest(seed: int) -> None:
    outcome = run(seed)

    assert outcome.violations == ()
    assert outcome.calls > 100


@pytest.mark.parametrize(
    "spec",
    [
        "none",
        "lose=0.3",
        "delay=20",
        "duplicate=1,reorder=1",
        "refuse=0.3",
        "unknown=0.3",
        "half_open=0.3",
        "restart=0.05",
    ],
)
def test_no_promise_is_broken_by_much_of_one_misfortune(spec: str) -> None:
    outcome = run(1, days=2, misfortune=parse(spec))

    assert outcome.violations == ()


def test_the_same_seed_is_the_same_days_and_another_seed_is_not() -> None:
    assert run(4) == run(4)
    assert run(4) != run(5)


def test_the_digest_tells_books_apart_and_is_the_same_for_the_same_days() -> None:
    def digest(seed: int, *, keep: bool = True) -> str:
        whole = Simulation(PROGRAMS, seed=seed, calls_per_day=30, misfortune=DEFAULT)
        whole.run(1)
        if not keep:
            id_, last = next(reversed(whole.books.calls.items()))
            whole.books.calls[id_] = replace(last, faults=last.faults + 1)
        return digest_of(whole.books)

    assert digest(4) == digest(4)
    assert len({digest(4), digest(5), digest(4, keep=False)}) == 3


def test_people_and_misfortune_do_everything_they_are_meant_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(life, "IN_DANGER", 0.3)
    seen: set[str] = set()

    def carry(slice_: Slice, event: Event, program: Program, now: datetime) -> Outcome:
        outcome = fold.carry(slice_, event, program, now)
        call = outcome.slice.call
        assert call is not None
        seen.update((type(event).__name__, call.state))
        seen.update(str(leg.let_go_why) for leg in call.legs if leg.let_go_why is not None)
        if call.verdict is not None:
            seen.add(call.verdict.kind)
        return outcome

    losing = Misfortune(carrier=Faults(lose=0.08, refuse=0.02, unknown=0.02), restart=0.005)
    deciding = Deciding(carry=carry)
    outcome = run(3, days=8, calls_per_day=100, misfortune=losing, deciding=deciding)

    assert outcome.deaths > 5
    assert seen >= {kind.__name__ for kind in get_args(Event) if kind not in _NEVER}
    assert seen >= {"waiting", "queued", "parted", "ended"}
    assert seen >= {why.value for why in LetGoReason}
    assert seen >= {
        *("party_ended", "cap_reached", "system_drop", "suspected_drop"),
        *("not_connected", "operator_ended", "indeterminate"),
    }


_NEVER = (CapExtended, OrderWithdrawn)
"""No shipped program has a soft cap, and an order is not cancelled from under its call."""


def test_looking_only_at_what_was_touched_finds_what_looking_at_everything_finds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    touched = run(6)

    def everything(self: Reconciler, now: datetime) -> None:
        self._world.witness.touched.update(self._books.live.values())
        notice(self, now)

    notice = Reconciler.notice
    monkeypatch.setattr(Reconciler, "notice", everything)
    assert run(6) == touched


@pytest.mark.rule("X55")
def test_somebody_in_danger_keeps_talking_though_the_carrier_would_not_lift_the_limit_at_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refusing = Misfortune(carrier=Faults(refuse=0.25))
    monkeypatch.setattr(life, "IN_DANGER", 1.0)
    monkeypatch.setattr(Town, "_talk_seconds", lambda town: 3000.0)
    assert run(3, misfortune=refusing).violations == ()

    monkeypatch.setattr(
        "warmline.workers.asking_again.is_asked_again",
        lambda order, refusal: isinstance(order, HangUp),
    )
    given_up = run(3, misfortune=refusing)
    assert {one.promise for one in given_up.violations} == {Promise.CRISIS}


def test_a_fault_is_a_rate_and_delay_is_in_seconds() -> None:
    assert parse(None) == parse("default") == parse("on") == DEFAULT
    assert parse("none") == parse("off") == NONE
    assert parse("lose=0.02, delay=0.2,restart=0.01") == Misfortune(
        carrier=Faults(lose=0.02, delay_ms=200), restart=0.01
    )


@pytest.mark.parametrize("spec", ["lose", "lose=2", "lose=x", "storms=0.1", "delay=61", "lose=-1"])
def test_a_fault_that_is_not_understood_is_said_to_be(spec: str) -> None:
    with pytest.raises(Unusable, match="is not understood"):
        parse(spec)


def test_the_command_prints_what_it_found_and_ends_well() -> None:
    asked = ["simulate", "--days", "1", "--seed", "7", "--calls-per-day", "20", "--json"]
    result = CliRunner().invoke(app, asked)

    assert result.exit_code == 0
    report = json.loads(result.output)
    assert (report["seed"], report["days"], report["violations"]) == (7, 1, [])
    assert report["calls"] > 10
    assert report["orders"] > 10
    assert report["wall_s"] > 0
    assert report["calls_per_cpu_minute"] > 0
    assert len(report["digest"]) == 32


def test_the_command_sweeps_a_range_of_seeds() -> None:
    asked = ["simulate", "--days", "1", "--seeds", "3-5", "--calls-per-day", "20", "--json"]
    result = CliRunner().invoke(app, asked)

    assert result.exit_code == 0
    assert [json.loads(line)["seed"] for line in result.output.splitlines()] == [3, 4, 5]


def test_the_command_fails_where_a_promise_is_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def forgetful(slice_: Slice, program: Program, now: datetime) -> Outcome:
        return Outcome(slice=slice_)

    whole = simulation.Simulation

    def broken(programs: object, **told: object) -> Simulation:
        return whole(PROGRAMS, **told, deciding=Deciding(lapse=forgetful))  # type: ignore[arg-type]

    monkeypatch.setattr(cli, "Simulation", broken)
    status = cli.run(days=2, seed=1, calls_per_day=20, faults="none", as_json=True)

    assert status == 1
    violations = json.loads(capsys.readouterr().out)["violations"]
    assert {one["promise"] for one in violations} >= {"every_order_comes_to_rest"}


def test_a_range_of_seeds_that_is_none_is_said_to_be() -> None:
    with pytest.raises(Unusable, match="no range of seeds"):
        cli.run(days=1, seed=1, calls_per_day=1, faults=None, as_json=True, seeds="9-3")
