"""`warmline program`: checking a file, and whom word of a change reached."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from warmline.commands.running import AsJson, say, settings_of, with_database
from warmline.exits import Unusable

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    from billing.policies.changes import Change
    from terms.ids import ProgramId
    from warmline.policies.store import Reached
    from warmline.settings import Settings

    Announcements = list[tuple[ProgramId, Change, Reached]]

program_app = typer.Typer(help="Programs.", no_args_is_help=True)


@program_app.command("check")
def program_check(
    file: Annotated[Path, typer.Argument(help="A program's TOML file.")], as_json: AsJson = False
) -> None:
    """Print every fault of a program file with its line; exit status 1 if there is one."""
    from warmline.programs import check

    try:
        faults = check(file)
    except OSError as refused:
        raise Unusable(f"{file} cannot be read ({refused.strerror}): mend the path.") from refused
    say(
        {"file": str(file), "faults": [dataclasses.asdict(fault) for fault in faults]},
        as_json,
        *(f"{file}: {fault}" for fault in faults),
        *([] if faults else [f"{file} can be used."]),
    )
    if faults:
        raise typer.Exit(1)


@program_app.command("changes")
def program_changes(context: typer.Context, as_json: AsJson = False) -> None:
    """List what the programs announce, and how many customers were told of each change."""
    settings = settings_of(context)
    found = with_database(settings, lambda connection: _reached(connection, settings))
    say(
        {"changes": [_data(*one) for one in found]},
        as_json,
        *(_line(*one) for one in found),
        *([] if found else ["No program announces a change."]),
    )


async def _reached(connection: "Connection[Record]", settings: "Settings") -> "Announcements":
    from warmline.policies.store import Reached, reached_by_change
    from warmline.programs import load_programs

    found: Announcements = []
    for id_, program in sorted(load_programs(settings.programs).items()):
        reached = await reached_by_change(connection, settings.tenant, id_)
        for change in program.billing.cover.changes:
            found.append((id_, change, reached.get(change.key, Reached(known_at=None))))
    return found


def _data(program: "ProgramId", change: "Change", reached: "Reached") -> dict[str, Any]:
    counted = dataclasses.asdict(reached)
    for key in ("known_at", "first_sent_at"):
        counted[key] = None if counted[key] is None else counted[key].isoformat()
    return {
        "program": program,
        "kind": change.kind.value,
        "effective_on": change.effective_on.isoformat(),
        "announced_on": change.announced_on.isoformat(),
        "text": {"zh": change.zh, "en": change.en},
        **counted,
    }


def _line(program: "ProgramId", change: "Change", reached: "Reached") -> str:
    return (
        f"{program}, {change.kind} from {change.effective_on}, announced on {change.announced_on}: "
        f"{reached.told} told, {reached.waiting} waiting, {reached.failed} failed, "
        f"{reached.withheld} withheld."
    )
