"""`warmline bench --settlement`: how long a month of calls takes to settle, and in how much memory.

The command `warmline report settlement` itself is run and watched, each format once.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg

from billing.settlement import Month
from warmline.bench.ground import Ground, a_ground
from warmline.bench.month import MonthScale, count_rows, fill_month
from warmline.bench.waiting import NotMeasured
from warmline.database.migrate import migrate, shipped
from warmline.exits import EXIT_STATUS

MONTH = Month(date(2026, 11, 1))
GOAL_SECONDS = 60.0
GOAL_MB = 300.0
_FORMATS = ("csv", "xlsx", "json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """One run of the command."""

    format: str
    seconds: float
    rss_mb: float
    file_bytes: int


def run(*, as_json: bool, scale: MonthScale | None = None) -> int:
    """Measure and print; the exit status says only whether it could be measured."""
    try:
        rows, runs = asyncio.run(_measure(scale or MonthScale()))
    except NotMeasured as why:
        print(f"It could not be measured: {why}.", file=sys.stderr)
        return EXIT_STATUS
    if as_json:
        print(json.dumps({"rows": rows, "runs": [asdict(one) for one in runs]}))
    else:
        print("\n".join(_lines(rows, runs)))
    return 0


async def _measure(scale: MonthScale) -> tuple[dict[str, int], list[Settled]]:
    async with a_ground() as ground:
        url = await ground.new_database("month")
        connection = await asyncpg.connect(url, server_settings={"timezone": "UTC"})
        try:
            await migrate(connection, shipped())
            since, until = MONTH.span(ZoneInfo("Asia/Shanghai"))
            await fill_month(connection, scale, since, until, _tell)
            rows = await count_rows(connection)
        finally:
            await connection.close()
        return rows, [await asyncio.to_thread(_settle, ground, url, one) for one in _FORMATS]


def _settle(ground: Ground, url: str, format: str) -> Settled:
    """Run the command, and ask the system what its process took at most."""
    _tell(f"settling into {format}")
    command = "from warmline.cli import main; main()"
    arguments = ("report", "settlement", "--month", str(MONTH), "--format", format, "--out")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("WARMLINE_")},
        "WARMLINE_DATABASE_URL": url,
        "WARMLINE_DATA_DIR": str(ground.folder),
    }
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        process = os.posix_spawn(
            sys.executable,
            [sys.executable, "-c", command, *arguments, folder],
            environment,
            file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0o600)],
        )
        _, status, usage = os.wait4(process, 0)
        seconds = time.perf_counter() - began
        if status:
            raise NotMeasured(f"the command ended with status {os.waitstatus_to_exitcode(status)}")
        written = sum(file.stat().st_size for file in Path(folder).iterdir())
    return Settled(
        format=format,
        seconds=round(seconds, 2),
        rss_mb=round(usage.ru_maxrss / 1024, 1),
        file_bytes=written,
    )


def _lines(rows: dict[str, int], runs: list[Settled]) -> Iterator[str]:
    yield "a month of " + ", ".join(f"{count:,} {name}" for name, count in rows.items())
    for one in runs:
        met = one.seconds < GOAL_SECONDS and one.rss_mb < GOAL_MB
        yield (
            f"{one.format:5} {one.seconds:7.2f} s  {one.rss_mb:7.1f} MB  {one.file_bytes:,} bytes"
            + ("" if met else f"  missed: < {GOAL_SECONDS:.0f} s and < {GOAL_MB:.0f} MB")
        )


def _tell(what: str) -> None:
    print(f"{what} ...", file=sys.stderr, flush=True)
