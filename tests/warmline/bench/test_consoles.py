"""Open consoles, in small: what is printed, and that nothing is left behind."""

import json
import os
import tempfile
from pathlib import Path
from subprocess import run
from sys import executable

SMALL = """
from warmline.bench.consoles import ConsoleScale, run
raise SystemExit(run(ConsoleScale(consoles=6, quiet_seconds=1, calls=4), as_json=True))
"""


def test_a_small_run_opens_consoles_tells_them_of_calls_and_leaves_nothing_behind() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        environment = {**os.environ, "TMPDIR": folder}
        done = run(
            [executable, "-c", SMALL], capture_output=True, text=True, timeout=300, env=environment
        )
        assert done.returncode == 0, done.stderr
        assert list(Path(folder).iterdir()) == []
    told = json.loads(done.stdout)
    assert (told["consoles"], told["missed"]) == (6, [])
    assert 20 < told["rss_open_mb"] <= told["rss_peak_mb"]
    assert 0 < told["told_ms"]["p50"] <= told["told_ms"]["p99"]
    # One supervisor sees every line of the four calls, and each counselor those of their own.
    assert told["lines_told"] >= 4 * 10
