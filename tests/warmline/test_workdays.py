"""Operators import the years that the library does not know."""

import asyncio
import os
import sys
from datetime import date
from pathlib import Path

import asyncpg
import pytest

from routing.store.calendar import load_workdays
from terms.calendar import Workdays
from terms.ids import TenantId
from warmline import cli
from warmline.workdays import CalendarWrong, read_days, seed_calendar

LIST = """day,worked,name
2027-02-07,yes,春节
2027-01-01,no,元旦
"""


def test_a_list_is_read_in_the_order_of_its_days() -> None:
    days = read_days(LIST, "2027.csv")

    assert [(one.day, one.worked, one.name, one.source) for one in days] == [
        (date(2027, 1, 1), False, "元旦", "2027.csv"),
        (date(2027, 2, 7), True, "春节", "2027.csv"),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "first line"),
        ("date,worked,name\n", "first line"),
        ("day,worked,name\n", "no day"),
        ("day,worked,name\n2027-13-01,no,x\n", "line 2"),
        ("day,worked,name\n\n2027-01-01,perhaps,x\n", "line 3"),
        ("day,worked,name\n2027-01-01,no\n", "2 columns"),
        ("day,worked,name\n2027-01-01,no,x\n2027-01-01,yes,x\n", "again"),
    ],
)
def test_a_list_with_a_fault_is_not_taken_over_and_the_line_is_named(text: str, told: str) -> None:
    with pytest.raises(CalendarWrong, match=told):
        read_days(text, "2027.csv")


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["warmline", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return int(left.value.code or 0)


@pytest.fixture
def environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str
) -> pytest.MonkeyPatch:
    for name in [name for name in os.environ if name.startswith("WARMLINE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WARMLINE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("WARMLINE_DATABASE_URL", database_url)
    return monkeypatch


async def _workdays(database_url: str, *, seeded: bool) -> Workdays:
    connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(database_url)
    try:
        if seeded:
            await seed_calendar(connection, TenantId("default"))
        return await load_workdays(connection, TenantId("default"))
    finally:
        await connection.close()


def test_an_imported_year_is_known_and_a_later_seeding_leaves_it_alone(
    environment: pytest.MonkeyPatch, tmp_path: Path, database_url: str
) -> None:
    (tmp_path / "2027.csv").write_text(LIST)
    asyncio.run(_workdays(database_url, seeded=True))

    assert run(environment, "holidays", "import", str(tmp_path / "2027.csv")) == 0

    known = asyncio.run(_workdays(database_url, seeded=True))
    assert known.known_until == date(2027, 12, 31)
    assert not known.is_workday(date(2027, 1, 1))
    assert known.is_workday(date(2027, 2, 7))  # a Sunday
    assert known.is_workday(date(2025, 1, 26))  # what was known before stays


def test_a_faulty_file_changes_nothing_and_is_one_sentence(
    environment: pytest.MonkeyPatch,
    tmp_path: Path,
    database_url: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "2027.csv").write_text(LIST + "2027-03-01,maybe,x\n")

    assert run(environment, "holidays", "import", str(tmp_path / "2027.csv")) == 2

    assert "line 4" in capsys.readouterr().err
    assert asyncio.run(_workdays(database_url, seeded=False)).known_until is None
