"""What `make` does before it does anything."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def test_compiled_code_is_kept_whatever_the_environment_says() -> None:
    told = subprocess.run(
        ["make", "--no-print-directory", "--eval", "told: ; @env", "told"],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert "PATH=" in told
    assert "PYTHONDONTWRITEBYTECODE" not in told
