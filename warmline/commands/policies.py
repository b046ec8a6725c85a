"""`warmline policies`: insurers' lists from a file."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from warmline.commands.running import AsJson, say, settings_of, with_database
from warmline.exits import Unusable

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    from warmline.policies.importing import Choice, Comparison
    from warmline.settings import Settings

policies_app = typer.Typer(help="Insurance policies.", no_args_is_help=True)

_SHOWN = 50  # of each kind, for a person to read; --json shows all


@policies_app.command("import")
def policies_import(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The insurer's list: CSV or XLSX.")],
    sponsor: Annotated[
        str, typer.Option(help="Whose list it is, where the lines do not tell.")
    ] = "default",
    apply: Annotated[
        bool, typer.Option("--apply", help="Write the changes; else they are only shown.")
    ] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Write the good policies though lines are rejected.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a list changes, or write it; exit status 1 when lines are rejected."""
    from warmline.policies.importing import Choice

    settings = settings_of(context)
    raw = _bytes(file)
    found, applied = with_database(
        settings,
        lambda connection: _take_over(
            connection, settings, raw, sponsor, Choice(apply=apply, partial=partial)
        ),
    )
    say(_data(found, applied), as_json, *_lines(found, applied, apply))
    if found.rejected:
        raise typer.Exit(1)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as refused:
        raise Unusable(f"{file} cannot be read ({refused.strerror}): mend the path.") from refused


async def _take_over(
    connection: "Connection[Record]",
    settings: "Settings",
    raw: bytes,
    sponsor: str,
    choice: "Choice",
) -> "tuple[Comparison, bool]":
    from billing.policies.columns import HeadersWrong
    from billing.policies.waiting import today_in_china
    from warmline.ids import new_id
    from warmline.policies.importing import Importer
    from warmline.policies.tables import read_table
    from warmline.sim_clock import kept_offset

    now = datetime.now(UTC) + await kept_offset(connection, settings.tenant)
    importer = Importer(
        seal=settings.seal(),
        tenant=settings.tenant,
        by="command",
        new_id=new_id,
        progress=_progress,
    )
    try:
        roster = importer.gather(read_table(raw), sponsor=sponsor, today=today_in_china(now))
    except HeadersWrong as wrong:
        raise Unusable(f"The first line cannot be used: {wrong}.") from wrong
    async with connection.transaction():
        return await importer.take_over(connection, roster, choice, now)


def _progress(stage: str, done: int, total: int | None) -> None:
    """For somebody who waits: on a terminal one line that changes, else a line each time."""
    told = f"{stage}: {done}" + ("" if total is None else f" of {total}")
    print(f"\r{told}   " if sys.stderr.isatty() else told, file=sys.stderr, end=_line_end())


def _line_end() -> str:
    return "" if sys.stderr.isatty() else "\n"


def _data(found: "Comparison", applied: bool) -> dict[str, Any]:
    from warmline.policies.showing import report

    return report(found, applied)


def _lines(found: "Comparison", applied: bool, wanted: bool) -> list[str]:
    shown = [
        *(f"new        {one.sponsor} {one.number}" for one in found.added[:_SHOWN]),
        *_more(len(found.added), "new policies"),
        *(
            f"changed    {one.policy.sponsor} {one.policy.number}: "
            + "; ".join(f"{c.field} {c.before or '-'} -> {c.after or '-'}" for c in one.changes)
            for one in found.changed[:_SHOWN]
        ),
        *_more(len(found.changed), "changed policies"),
        *(
            f"rejected   line {row.line}, policy {row.number or 'unknown'}: "
            + "; ".join(row.reasons)
            for row in found.rejected
        ),
        f"{found.rows} lines: {len(found.added)} policies new, {len(found.changed)} changed, "
        f"{found.unchanged} unchanged; {len(found.rejected)} lines rejected.",
    ]
    if applied:
        return [*shown, "Written."]
    if wanted:
        return [*shown, "Nothing was written: mend the rejected lines, or add --partial."]
    return [*shown, "Nothing was written: this was a look. Add --apply to write it."]


def _more(count: int, what: str) -> list[str]:
    return [f"... and {count - _SHOWN} more {what}"] if count > _SHOWN else []
