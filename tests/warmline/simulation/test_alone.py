"""A simulation is a process of its own: what it starts with, and what it must not depend on."""

import os
import subprocess
import sys

HISTORY = """
from hashlib import sha256
from warmline.programs import load_shipped
from warmline.simulation.misfortune import DEFAULT
from warmline.simulation.simulation import Simulation

tape = []
outcome = Simulation(
    load_shipped(), seed=3, calls_per_day=60, misfortune=DEFAULT, tape=tape
).run(2)
print(len(tape), sha256(repr((tape, outcome)).encode()).hexdigest())
"""

LOADED = """
import sys
import warmline.simulation.cli
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def python(code: str, **environment: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return ran.stdout


def test_the_same_seed_is_the_same_history_however_python_salts_its_hashes() -> None:
    one, two = (python(HISTORY, PYTHONHASHSEED=salt) for salt in ("1", "2"))
    assert one == two
    assert int(one.split()[0]) > 1000


def test_a_simulation_starts_without_what_only_a_server_needs() -> None:
    heavy = {"asyncpg", "aiohttp", "pydantic", "structlog", "cryptography"}
    assert not heavy.intersection(python(LOADED).split())
