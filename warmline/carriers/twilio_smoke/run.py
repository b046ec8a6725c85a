"""All trials, one after the other; one that fails leaves its questions open."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from warmline.carriers.twilio_smoke.questions import QUESTIONS
from warmline.carriers.twilio_smoke.stage import Stage
from warmline.carriers.twilio_smoke.trials import TRIALS, Trial

OPEN = "open"


async def run_trials(
    stage: Stage, say: Callable[[str], None], trials: Sequence[Trial] = TRIALS
) -> list[dict[str, Any]]:
    """What was found, by question."""
    found: dict[int, list[str]] = {}
    for number, trial in enumerate(trials, start=1):
        say(f"[{number}/{len(trials)}] {trial.title}")
        try:
            for answer in await trial.run(stage):
                found.setdefault(answer.question, []).append(answer.found)
        except Exception as fault:  # whatever it is: the other trials are worth making
            say(f"    not finished: {type(fault).__name__}: {fault}")
            await _let_go_all(stage)
    return [
        {
            "number": question.number,
            "question": question.text,
            "found": "; ".join(found.get(question.number, [OPEN])),
            "borne": question.borne,
        }
        for question in QUESTIONS
    ]


def record(stage: Stage, directory: Path) -> Path:
    """Write every webhook that came, without numbers and places: a fixture for tests."""
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "webhooks.json"
    table = [
        {"at": seen.at.isoformat(), "path": seen.path, "fields": seen.fields} for seen in stage.seen
    ]
    file.write_text(json.dumps(table, indent=1, ensure_ascii=False), "utf-8")
    return file


async def _let_go_all(stage: Stage) -> None:
    for live in await stage.carrier.live_legs():
        await stage.carrier.hang_up(live.leg)
