"""`warmline vouchers`: issuing codes, which are shown or written down once."""

import csv
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warmline.commands.running import AsJson, say, settings_of, with_database
from warmline.exits import Unusable

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    from terms.ids import ProgramId
    from warmline.settings import Settings

vouchers_app = typer.Typer(help="Vouchers.", no_args_is_help=True)

_FOR_ITS_OWNER_ALONE = 0o600


@vouchers_app.command("issue")
def vouchers_issue(
    context: typer.Context,
    program: Annotated[str, typer.Option(help="The program they are good for.")],
    valid_until: Annotated[
        str, typer.Option(help="The first moment they are no longer good: 2027-01-31, in UTC.")
    ],
    count: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 1,
    file: Annotated[
        Path | None,
        typer.Option(help="A new CSV file for the codes, readable by its owner alone."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Issue vouchers. Their codes are shown this once, or written to a file instead."""
    from billing.code import spaced
    from terms.ids import ProgramId
    from warmline.vouchers import new_codes

    settings, now = settings_of(context), datetime.now(UTC)
    ends = _moment(valid_until, now)
    _check_takes_vouchers(settings, program)
    codes = new_codes(count)
    shown = [spaced(code) for code in codes]
    with _on_file(file, program, ends, shown):
        with_database(
            settings,
            lambda connection: _issue(connection, settings, ProgramId(program), codes, ends, now),
        )
    _say_issued({"program": program, "valid_until": ends.isoformat()}, file, shown, as_json)


async def _issue(
    connection: "Connection[Record]",
    settings: "Settings",
    program: "ProgramId",
    codes: Sequence[str],
    ends: datetime,
    now: datetime,
) -> None:
    """Issue them, and seal the ledger at once: no service need run that would."""
    from warmline.ledger.sealing import set_seals
    from warmline.vouchers import issue_vouchers

    seal = settings.seal()
    async with connection.transaction():
        await issue_vouchers(
            connection,
            seal,
            settings.tenant,
            program=program,
            codes=codes,
            valid_until=ends,
            now=now,
        )
        await set_seals(connection, seal, now)


def _say_issued(
    data: dict[str, object], file: Path | None, codes: Sequence[str], as_json: bool
) -> None:
    """Show the codes, or where they are written: never both."""
    if file is None:
        say({**data, "codes": codes}, as_json, *codes)
    else:
        told = f"{len(codes)} codes are in {file}; they are kept nowhere else."
        say({**data, "count": len(codes), "file": str(file)}, as_json, told)


@contextmanager
def _on_file(
    file: Path | None, program: str, ends: datetime, codes: Sequence[str]
) -> Iterator[None]:
    """Write the codes before they are issued, so that none is lost; keep no file of codes that
    were not issued. Without a file nothing is written.
    """
    if file is None:
        yield
        return
    _write(file, program, ends, codes)
    try:
        yield
    except Exception:
        file.unlink(missing_ok=True)
        raise


def _write(file: Path, program: str, ends: datetime, codes: Sequence[str]) -> None:
    """Write the codes to a new file, and to the disk. Raises Unusable, and leaves nothing then."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FOR_ITS_OWNER_ALONE)
    except FileExistsError as there:
        raise Unusable(f"{file} exists already: choose another name.") from there
    except OSError as refused:
        raise Unusable(
            f"{file} cannot be written ({refused.strerror}): mend the path."
        ) from refused
    try:
        os.fchmod(descriptor, _FOR_ITS_OWNER_ALONE)  # whatever the mask says
        with os.fdopen(descriptor, "w", encoding="ascii", newline="") as opened:
            writer = csv.writer(opened)
            writer.writerow(("code", "program", "valid_until"))
            writer.writerows((code, program, ends.isoformat()) for code in codes)
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as refused:
        with suppress(OSError):
            file.unlink()
        raise Unusable(f"{file} cannot be written ({refused.strerror}): make room.") from refused


def _moment(text: str, now: datetime) -> datetime:
    """A moment to come, in UTC unless it says otherwise."""
    from warmline.vouchers import VALID_BEFORE

    try:
        moment = datetime.fromisoformat(text)
    except ValueError as refused:
        raise Unusable(f"{text} is not a date: write it like 2027-01-31.") from refused
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment <= now:
        raise Unusable(f"{text} is over: choose a time to come.")
    if moment >= VALID_BEFORE:
        raise Unusable(f"{text} is too far ahead: choose a time before {VALID_BEFORE.year}.")
    return moment.astimezone(UTC)


def _check_takes_vouchers(settings: "Settings", program: str) -> None:
    from terms.ids import ProgramId
    from warmline.programs import load_programs

    programs = load_programs(settings.programs)
    takers = sorted(one.id for one in programs.values() if one.billing.voucher == "required")
    if ProgramId(program) not in takers:
        raise Unusable(
            f"No program {program} takes vouchers: choose one of {', '.join(takers) or 'none'}."
        )
