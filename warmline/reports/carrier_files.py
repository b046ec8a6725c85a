"""A carrier's own records from a CSV file: one line per leg, by our name for it.

Needed columns: `leg`, `started_at` (with its offset), `billed_seconds`. Others are passed over, so
that a number in them is never stored.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from dialer.records import CarrierRecord
from dialer.store.records import add_records, told_twice
from terms.ids import LegId, TenantId
from warmline.exits import Unusable

if TYPE_CHECKING:
    from warmline.database import Connection

NEEDED = ("leg", "started_at", "billed_seconds")
MOST_FAULTS = 20
"""How many bad lines are named at once."""

_LEG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./:-]{0,127}")
_NUMBER = re.compile(r"\+?[0-9]{5,15}")
_SECONDS = re.compile(r"[0-9]{1,6}")
_MOST_SECONDS = 7 * 86_400
_YEARS = range(2000, 3000)


async def take_in(
    connection: "Connection",
    tenant: TenantId,
    carrier: str,
    lines: Iterable[str],
    *,
    unit_seconds: int,
    now: datetime,
) -> int:
    """Store every record of the file, or none; how many legs it names.

    Raises Unusable, which names the lines that cannot be used.
    """
    faults: list[str] = []
    async with connection.transaction():
        records = read_records(lines, unit_seconds, faults)
        try:
            taken = await add_records(connection, tenant, carrier, records, now)
        except csv.Error as refused:
            raise Unusable(f"Nothing was taken in. This is no CSV file: {refused}.") from refused
        if faults:
            raise Unusable("Nothing was taken in. " + " ".join(faults))
        if (leg := await told_twice(connection)) is not None:
            raise Unusable(f"Nothing was taken in. The leg {leg} has two lines: leave one.")
    return taken


def read_records(
    lines: Iterable[str], unit_seconds: int, faults: list[str]
) -> Iterator[CarrierRecord]:
    """The good lines of a file; what is wrong with the others is added to `faults`."""
    reader = csv.DictReader(lines)
    missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        faults.append(f"The first line must name the columns {', '.join(missing)}.")
        return
    for row in reader:
        fault = _fault(row)
        if fault is None:
            yield CarrierRecord(
                leg=LegId(row["leg"]),
                started_at=datetime.fromisoformat(row["started_at"]),
                billed_seconds=int(row["billed_seconds"]),
                unit_seconds=unit_seconds,
            )
        elif len(faults) < MOST_FAULTS:
            faults.append(f"Line {reader.line_num}: {fault}.")


def _fault(row: dict[str, str]) -> str | None:
    """What is wrong with a line. It never repeats what the line holds: that may be a number."""
    leg, started, billed = (row[name] or "" for name in NEEDED)
    if _NUMBER.fullmatch(leg):
        return "leg looks like a phone number; give the leg's own name"
    if not _LEG.fullmatch(leg):
        return "leg is not the name of a leg"
    if not _is_instant(started):
        return "started_at must be a time with its offset, like 2026-11-01T10:00:00+08:00"
    if not _SECONDS.fullmatch(billed) or int(billed) > _MOST_SECONDS:
        return "billed_seconds must be a whole number"
    return None


def _is_instant(text: str) -> bool:
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        return False
    return told.tzinfo is not None and told.year in _YEARS
