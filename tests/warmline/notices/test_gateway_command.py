"""A gateway that is set up by halves stops the command: one sentence, exit status 2."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.warmline.notices.kit import SECRET


def serve(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """`warmline serve` as a process of its own, which is expected to end by itself."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("WARMLINE")}
    named = {f"WARMLINE_{name.upper()}": value for name, value in settings.items()}
    return subprocess.run(
        [Path(sys.executable).with_name("warmline"), "serve"],
        env=environ | {"WARMLINE_DATA_DIR": str(folder)} | named,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "set WARMLINE_SMS_URL and WARMLINE_SMS_SECRET."),
        ({"sms_url": "https://sms.example/v1"}, "set WARMLINE_SMS_SECRET."),
        ({"sms_url": "sms.example"}, "WARMLINE_SMS_URL cannot be used: "),
        ({"sms_url": "http://sms.example", "sms_secret": SECRET}, "begin with https://"),
        ({"sms_url": "https://sms.example", "sms_secret": "short"}, "24 random bytes"),
    ],
)
def test_a_gateway_set_by_halves_is_one_sentence_and_exit_status_2(
    tmp_path: Path, settings: dict[str, str], told: str
) -> None:
    done = serve(tmp_path / "data", sms="http", **settings)

    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "data").exists()
