"""`warmline policies import` as a person runs it."""

import json
import os
import sys
from pathlib import Path

import pytest

from tests.billing.policies.lists import cells
from tests.warmline.policies.kit import as_csv
from warmline import cli


class Run:
    """Runs the command in this process."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, captured: pytest.CaptureFixture[str]
    ) -> None:
        self._monkeypatch = monkeypatch
        self._captured = captured

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Exit status, output and errors."""
        self._monkeypatch.setattr(sys, "argv", ["warmline", "policies", "import", *arguments])
        self._captured.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        written = self._captured.readouterr()
        return int(ended.value.code or 0), written.out, written.err


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    database_url: str,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    for name in [name for name in os.environ if name.startswith("WARMLINE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WARMLINE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("WARMLINE_DATABASE_URL", database_url)
    return Run(monkeypatch, capsys)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "list.csv"
    path.write_bytes(as_csv([cells(), cells(policy_number="P-2", status="?")]))
    return path


def test_a_person_sees_first_then_writes_and_is_told_every_bad_line(run: Run, file: Path) -> None:
    status, looked, _ = run(str(file))
    assert status == 1
    assert "new        default P-1" in looked
    assert "rejected   line 3, policy P-2: status: must be one of in_force" in looked
    assert "Nothing was written: this was a look. Add --apply to write it." in looked

    status, refused, _ = run(str(file), "--apply")
    assert status == 1
    assert "Nothing was written: mend the rejected lines, or add --partial." in refused

    status, written, told = run(str(file), "--apply", "--partial")
    assert status == 1
    assert written.endswith("Written.\n")
    assert "writing: 1 of 1" in told

    file.write_bytes(as_csv([cells(policyholder_phone="13800000009")]))
    status, changed, _ = run(str(file))
    assert status == 0
    assert "changed    default P-1: policyholder.phone +86138****0001 -> +86138****0009" in changed


def test_a_program_reads_the_same_as_json(run: Run, file: Path) -> None:
    status, output, _ = run(str(file), "--json", "--sponsor", "众安")

    told = json.loads(output)
    assert status == 1
    assert (told["applied"], told["new"], told["rejected"]) == (False, 1, 1)
    assert told["new_policies"] == [{"sponsor": "众安", "number": "P-1"}]
    assert told["rejected_lines"][0]["line"] == 3


def test_a_file_that_cannot_be_used_is_one_sentence(run: Run, tmp_path: Path) -> None:
    shoes, nothing = tmp_path / "shoes.csv", tmp_path / "nothing.csv"
    shoes.write_text("shoes,hats\n1,2\n")

    status, _, unknown = run(str(shoes))
    assert status == 2
    assert "The first line cannot be used: column 1: the header 'shoes' is not known" in unknown
    status, _, missing = run(str(nothing))
    assert status == 2
    assert missing == f"{nothing} cannot be read (No such file or directory): mend the path.\n"
