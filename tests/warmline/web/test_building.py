"""What makes the pages: their own tests, and a wheel that holds them."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.warmline.web.installed import build_wheel

_BIN = Path(sys.executable).parent
_ENVIRONMENT = {**os.environ, "PATH": f"{_BIN}{os.pathsep}{os.environ['PATH']}"}


def test_what_needs_no_browser_does_what_it_should() -> None:
    done = subprocess.run(
        ["npm", "test", "--silent"], cwd="web", env=_ENVIRONMENT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_a_wheel_holds_the_pages(tmp_path: Path) -> None:
    if not Path("warmline/web/built/caller.html").exists():
        pytest.fail("the pages are not built: run `make web`")
    held = set(zipfile.ZipFile(build_wheel(tmp_path)).namelist())
    assert {"warmline/web/built/caller.html", "warmline/web/built/staff.html"} <= held
    assert any(name.startswith("warmline/web/built/assets/caller-") for name in held)
    assert not any(name.startswith("web/") for name in held)
