"""Twilio's document: brought by npm, the one that is pinned, and nothing without it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.twilio_standin.document import FILES, DocumentMissing, bring, check
from tests.twilio_standin.operations import Operations

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def test_the_lock_names_one_package_its_version_and_hash_and_no_address() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text())
    wanted = json.loads((HERE / "package.json").read_text())["dependencies"]
    packages = {name: one for name, one in lock["packages"].items() if name}

    assert set(packages) == {"node_modules/@twilio/cli-core"}
    (package,) = packages.values()
    assert wanted == {"@twilio/cli-core": package["version"]}
    assert package["integrity"].startswith("sha512-")
    assert "resolved" not in (HERE / "package-lock.json").read_text()


def test_it_is_brought_once(tmp_path: Path, operations: Operations) -> None:
    assert operations.all()
    try:
        folder = bring(tmp_path)
    except DocumentMissing as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"TWILIO WAS NOT TESTED: npm brings its document no more: {missing}")
    marked = {name: (folder / name).stat().st_mtime_ns for name in FILES}

    assert bring(tmp_path) == folder
    assert {name: (folder / name).stat().st_mtime_ns for name in FILES} == marked
    assert [path.name for path in (tmp_path.glob(".new-*"))] == []


def test_another_file_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "twilio_api_v2010.json"
    other.write_text("{}")

    with pytest.raises(DocumentMissing, match="not the file that is pinned"):
        check(other, FILES[other.name])
    with pytest.raises(DocumentMissing, match="not in the npm package"):
        check(tmp_path / "none.json", "")


def test_nothing_half_brought_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nowhere" / "python"))

    with pytest.raises(DocumentMissing, match="no npm"):
        bring(tmp_path / "cache")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [".lock"]


@pytest.mark.parametrize("ci", [True, False])
def test_without_it_the_suite_says_so_loudly_and_fails_in_ci(tmp_path: Path, ci: bool) -> None:
    (tmp_path / "test_one.py").write_text("def test_one(operations):\n    pass\n")
    (tmp_path / "conftest.py").write_text(
        "from tests.twilio_standin import document, fixtures\n"
        "from tests.twilio_standin.fixtures import operations, pytest_terminal_summary\n"
        "def gone():\n"
        "    raise document.DocumentMissing('npm is away')\n"
        "fixtures.load_files = gone\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("CI", None)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", "--rootdir", str(tmp_path),
         "-p", "no:cacheprovider", str(tmp_path)],
        env={**environment, **({"CI": "true"} if ci else {})},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip

    assert "TWILIO WAS NOT TESTED" in ran.stdout
    assert "npm is away" in ran.stdout
    assert ran.returncode == (1 if ci else 0)
