"""`warmline report` as a person runs it."""

import json
import os
import sys
from pathlib import Path

import openpyxl
import pytest

from warmline import cli

HEADING = "leg,started_at,billed_seconds\r\n"
LINE = "call_1/caller/1,2026-11-01T10:00:00+08:00,61\r\n"


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    database_url: str,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> "Run":
    """`run(...)` on a migrated database of its own."""
    for name in [name for name in os.environ if name.startswith("WARMLINE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WARMLINE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("WARMLINE_DATABASE_URL", database_url)
    return Run(monkeypatch, capfdbinary)


class Run:
    """Runs the command in this process."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, captured: pytest.CaptureFixture[bytes]
    ) -> None:
        self._monkeypatch = monkeypatch
        self._captured = captured

    def __call__(self, *arguments: str) -> tuple[int, bytes, str]:
        """Exit status, output and errors."""
        self._monkeypatch.setattr(sys, "argv", ["warmline", "report", *arguments])
        self._captured.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        sys.stdout.flush()
        written = self._captured.readouterr()
        return int(ended.value.code or 0), written.out, written.err.decode()


def test_a_month_is_printed_as_csv_or_json(run: Run) -> None:
    status, output, _ = run("settlement", "--month", "2026-11")
    assert status == 0
    assert output.startswith(b"\xef\xbb\xbfreport,month,table,")
    status, output, _ = run("settlement", "--month", "2026-11", "--json")
    assert status == 0
    told = json.loads(output)
    assert told["month"] == "2026-11"
    assert told["counselors"] == told["differences"] == []
    status, output, _ = run("calls", "--month", "2026-11", "--format", "json")
    assert json.loads(output)["days"] == []


def test_a_file_is_named_after_what_it_holds(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    for format in ("csv", "xlsx", "json"):
        status, output, _ = run(
            "settlement", "--month", "2026-11", "--format", format, "--out", str(folder)
        )
        assert status == 0
        assert output.decode().strip() == str(folder / f"settlement-2026-11.{format}")
    book = openpyxl.load_workbook(folder / "settlement-2026-11.xlsx")
    assert book.sheetnames == ["counselors", "programs", "carriers", "differences", "notes"]


def test_a_report_that_fails_leaves_no_file_behind(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "reports"
    monkeypatch.setenv("WARMLINE_DATABASE_URL", "postgresql://127.0.0.1:1/nowhere")
    status, output, _ = run("settlement", "--month", "2026-11", "--out", str(folder))
    assert (status, output) == (2, b"")
    assert list(folder.iterdir()) == []


def test_a_directory_that_is_none_is_one_sentence(run: Run, tmp_path: Path) -> None:
    in_the_way = tmp_path / "a file"
    in_the_way.write_text("")
    status, _, errors = run("settlement", "--month", "2026-11", "--out", str(in_the_way))
    assert status == 2
    assert "name another --out" in errors


@pytest.mark.rule("B11")
def test_what_a_sponsor_may_see_is_sums_of_its_programs(run: Run) -> None:
    status, output, _ = run("settlement", "--month", "2026-11", "--sponsor", "x", "--json")
    assert status == 0
    assert set(json.loads(output)) == {"report", "month", "zone", "notes", "programs"}


def test_what_is_no_month_is_one_sentence(run: Run) -> None:
    status, output, errors = run("settlement", "--month", "2026-13")
    assert (status, output) == (2, b"")
    assert errors == "2026-13 is no month: write a month like 2026-11.\n"


def test_a_carriers_list_is_taken_in_and_settled(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "legs.csv"
    file.write_text(HEADING + LINE, encoding="utf-8-sig")
    status, output, _ = run("carrier-records", str(file), "--carrier", "twilio", "--json")
    assert (status, json.loads(output)) == (0, {"carrier": "twilio", "legs": 1})
    _, output, _ = run("settlement", "--month", "2026-11", "--json")
    (differing,) = json.loads(output)["differences"]
    assert (differing["leg"], differing["difference"]) == ("call_1/caller/1", "unknown")
    assert (differing["billed_seconds"], differing["recorded_seconds"]) == (None, 61)


def test_a_list_that_cannot_be_used_is_one_sentence(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "legs.csv"
    file.write_bytes(b"\xff\xfe\x00")
    status, _, errors = run("carrier-records", str(file), "--carrier", "twilio")
    assert (status, "is not UTF-8" in errors) == (2, True)
    status, _, errors = run("carrier-records", str(tmp_path / "none"), "--carrier", "twilio")
    assert (status, "cannot be read" in errors) == (2, True)


def test_twilio_is_asked_for_its_records_only_by_who_has_an_account(run: Run) -> None:
    status, _, errors = run("twilio-records", "--month", "2026-11")

    assert status == 2
    assert errors.count("\n") == 1
    assert "WARMLINE_TWILIO_ACCOUNT_SID" in errors
