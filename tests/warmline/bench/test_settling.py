"""Measuring a settlement in small: the month it makes is one the settlement can read."""

import json
from subprocess import run
from sys import executable

SMALL = """
from warmline.bench.month import MonthScale
from warmline.bench.settling import run
raise SystemExit(run(as_json=True, scale=MonthScale(calls=2000, counselors=20)))
"""


def test_a_small_month_is_made_settled_and_measured_in_every_format() -> None:
    done = run([executable, "-c", SMALL], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["rows"]["calls"] == 2000
    assert [one["format"] for one in told["runs"]] == ["csv", "xlsx", "json"]
    assert all(one["seconds"] > 0 and one["rss_mb"] > 10 for one in told["runs"])
    assert all(one["file_bytes"] > 1000 for one in told["runs"])
