"""`warmline report`: what operators account for, as files."""

import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, TypeAlias

import typer

from warmline.commands.running import AsJson, say, settings_of, with_database
from warmline.exits import Unusable
from warmline.reports.formats import Format

if TYPE_CHECKING:
    from billing.settlement import Month
    from warmline.database import Connection
    from warmline.reports.settlement import Asking
    from warmline.reports.tables import Report

    Reporting: TypeAlias = Callable[[Connection, Asking], Awaitable[Report]]

report_app = typer.Typer(help="Settlement and figures of a month.", no_args_is_help=True)

InMonth = Annotated[str, typer.Option("--month", help="The calendar month: 2026-11.")]
AsFormat = Annotated[Format, typer.Option("--format", help="How it is written.")]
IntoFolder = Annotated[
    Path | None, typer.Option("--out", help="Write a file into this directory; else print it.")
]


@report_app.command("settlement")
def report_settlement(
    context: typer.Context,
    month: InMonth,
    format: AsFormat = Format.CSV,
    out: IntoFolder = None,
    sponsor: Annotated[
        str | None, typer.Option(help="Only what this sponsor may see: sums of its programs.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Settle a month: counselors, programs and sponsors, carriers, legs that differ."""
    from warmline.reports.settlement import settlement, sponsor_sums

    async def of_sponsor(connection: "Connection", asking: "Asking") -> "Report":
        assert sponsor is not None
        return await sponsor_sums(connection, asking, sponsor)

    reporting = settlement if sponsor is None else of_sponsor
    _report(context, month, Format.JSON if as_json else format, out, reporting)


@report_app.command("calls")
def report_calls(
    context: typer.Context,
    month: InMonth,
    format: AsFormat = Format.CSV,
    out: IntoFolder = None,
    as_json: AsJson = False,
) -> None:
    """Count a month's calls per day and program: offered, connected, abandoned, how they ended."""
    from warmline.reports.calls import call_figures

    _report(context, month, Format.JSON if as_json else format, out, call_figures)


@report_app.command("twilio-records")
def report_twilio_records(context: typer.Context, month: InMonth, as_json: AsJson = False) -> None:
    """Ask Twilio what it recorded of a month's legs, for the settlement to compare."""
    from billing.policies.waiting import CHINA
    from warmline.carriers.twilio_records import take_in_twilio

    settings, now = settings_of(context), datetime.now(UTC)
    since, until = _month(month).span(CHINA)
    taken = with_database(
        settings,
        lambda connection: take_in_twilio(connection, settings, since, until, now),
    )
    say(
        {"carrier": "twilio", "legs": taken.legs, "others": taken.others},
        as_json,
        f"Took in {taken.legs} legs of twilio; {taken.others} calls of the account are none of "
        "our legs, or of more than 90 days ago.",
    )


@report_app.command("carrier-records")
def report_carrier_records(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The carrier's list: CSV, one line per leg.")],
    carrier: Annotated[str, typer.Option(help="Whose list it is.")],
    unit_seconds: Annotated[
        int, typer.Option(min=1, max=86_400, help="Every leg is rounded up to a multiple of this.")
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Take in what a carrier recorded, for the settlement to compare."""
    from warmline.reports.carrier_files import take_in

    settings, now = settings_of(context), datetime.now(UTC)
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            taken = with_database(
                settings,
                lambda connection: take_in(
                    connection, settings.tenant, carrier, lines, unit_seconds=unit_seconds, now=now
                ),
            )
    except OSError as refused:
        raise Unusable(f"{file} cannot be read ({refused.strerror}): mend the path.") from refused
    except UnicodeDecodeError as refused:
        raise Unusable(f"{file} is not UTF-8: save it as CSV UTF-8.") from refused
    say({"carrier": carrier, "legs": taken}, as_json, f"Took in {taken} legs of {carrier}.")


def _report(
    context: typer.Context,
    month: str,
    format: Format,
    out: Path | None,
    reporting: "Reporting",
) -> None:
    when = _month(month)
    if out is not None:
        name = f"{context.info_name}-{when}.{format}"
        with _whole_file(out, name) as file:
            _write(context, when, format, file, reporting)
        print(out / name)
    elif format is Format.XLSX and sys.stdout.isatty():
        raise Unusable("An XLSX file is not for a screen: name a directory with --out.")
    else:
        _write(context, when, format, sys.stdout.buffer, reporting)


def _month(month: str) -> "Month":
    from billing.settlement import read_month

    try:
        return read_month(month)
    except ValueError as refused:
        raise Unusable(f"{month} is no month: {refused}.") from refused


@contextmanager
def _whole_file(folder: Path, name: str) -> Iterator[IO[bytes]]:
    """A file that bears its name once it is complete; nothing is left of one that is not."""
    unfinished = folder / f".{name}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = unfinished.open("wb")
    except OSError as refused:
        why = f"{folder / name} cannot be written ({refused.strerror})"
        raise Unusable(f"{why}: name another --out.") from refused
    try:
        with file:
            yield file
        unfinished.replace(folder / name)
    finally:
        unfinished.unlink(missing_ok=True)


def _write(
    context: typer.Context, month: "Month", format: Format, out: IO[bytes], reporting: "Reporting"
) -> None:
    from warmline.programs import load_programs
    from warmline.reports.files import write_report
    from warmline.reports.settlement import Asking, at_one_instant

    settings = settings_of(context)
    asking = Asking(
        tenant=settings.tenant,
        installation=settings.tenant,
        month=month,
        programs=load_programs(settings.programs),
        level=settings.service_level,
    )

    async def work(connection: "Connection") -> None:
        async with at_one_instant(connection):
            await write_report(await reporting(connection, asking), format, out)

    with_database(settings, work)
