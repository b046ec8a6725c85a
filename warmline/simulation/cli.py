"""`warmline simulate`: one seed or many, and what came of them."""

import contextlib
import gc
import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from warmline.exits import Unusable
from warmline.programs import load_shipped
from warmline.simulation.digest import digest_of
from warmline.simulation.misfortune import Misfortune, parse
from warmline.simulation.simulation import Outcome, Simulation
from warmline.simulation.watch import Violation

_SHOWN_AS_TEXT = 10


def run(
    *,
    days: int,
    seed: int,
    calls_per_day: int,
    faults: str | None,
    as_json: bool,
    seeds: str | None = None,
) -> int:
    """Simulate, print what came of it, and answer the exit status: 1 when a promise was broken."""
    misfortune = parse(faults)
    first, last = _range(seeds) if seeds is not None else (seed, seed)
    broken = 0
    with _nothing_to_collect():
        for one in range(first, last + 1):
            report = simulate(days, one, calls_per_day, misfortune)
            broken += bool(report["violations"])
            print(json.dumps(report) if as_json else _text(report), flush=True)
            if one < last:
                gc.collect()  # what this seed was made of, all at once
    return 1 if broken else 0


def simulate(days: int, seed: int, calls_per_day: int, misfortune: Misfortune) -> dict[str, Any]:
    """One seed's report. The digest is reckoned when the clocks have been read."""
    began, cpu_began = time.perf_counter(), time.process_time()
    simulation = Simulation(
        load_shipped(), seed=seed, calls_per_day=calls_per_day, misfortune=misfortune
    )
    outcome = simulation.run(days)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    return _report(days, seed, outcome) | {
        "digest": digest_of(simulation.books),
        "wall_s": round(seconds, 3),
        "cpu_s": round(cpu_seconds, 3),
        "calls_per_minute": round(60 * outcome.calls / seconds),
        "calls_per_cpu_minute": round(60 * outcome.calls / cpu_seconds),
    }


@contextlib.contextmanager
def _nothing_to_collect() -> Iterator[None]:
    """A run's books only grow, and values hold no cycles: looking for some is time wasted.

    Nor is it looked for among what was loaded before.
    """
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.enable()


def _report(days: int, seed: int, outcome: Outcome) -> dict[str, Any]:
    return {
        "seed": seed,
        "days": days,
        "calls": outcome.calls,
        "connected": outcome.connected,
        "orders": outcome.orders,
        "restarts": outcome.deaths,
        "violations": [_violation(one) for one in outcome.violations],
        "violation_count": outcome.violation_count,
    }


def _violation(violation: Violation) -> dict[str, str]:
    return {
        "promise": violation.promise,
        "at": violation.at.isoformat(),
        "subject": violation.subject,
        "seen": violation.seen,
    }


def _text(report: dict[str, Any]) -> str:
    lines = [
        f"seed {report['seed']}: {report['days']} days, {report['calls']} calls that rang, "
        f"{report['connected']} orders connected, {report['restarts']} restarts, "
        f"{report['violation_count']} violations, {report['wall_s']} s "
        f"({report['calls_per_minute']} calls a minute, {report['calls_per_cpu_minute']} of CPU)"
    ]
    kinds = Counter(one["promise"] for one in report["violations"])
    lines += [f"  {promise}: {number}" for promise, number in kinds.most_common()]
    lines += [
        f"  {one['at']} {one['promise']} {one['subject']}: {one['seen']}"
        for one in report["violations"][:_SHOWN_AS_TEXT]
    ]
    return "\n".join(lines)


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    if not (first.isdigit() and last.isdigit() and int(first) <= int(last)):
        raise Unusable(f'"{text}" is no range of seeds: write it as 1-1000.')
    return int(first), int(last)
