"""The package as somebody gets it who has no checkout: a wheel in a virtual environment.

What Warmline needs to run is linked into it, and nothing else: no tools of ours, no Node. Nothing
is downloaded.
"""

import subprocess
import sys
import venv
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def build_wheel(into: Path) -> Path:
    """The wheel of this checkout."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = into.glob("*.whl")
    return wheel


def install(wheel: Path, into: Path) -> Path:
    """A fresh environment with the wheel and what it asks for; its folder of commands."""
    venv.create(into, with_pip=False, symlinks=True)
    python = into / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    alone = ["--no-deps", "--no-index", "--no-compile", "--disable-pip-version-check"]
    subprocess.run([*pip, *alone, str(wheel)], check=True, capture_output=True)
    (packages,) = into.glob("lib/python*/site-packages")
    for source in _files_needed("warmline"):
        link = packages / source.name
        if not link.exists():
            link.symlink_to(source)
    return into / "bin"


def _files_needed(name: str) -> set[Path]:
    """The top of every package that this one asks for, and of those that they ask for."""
    found: set[Path] = set()
    known: set[str] = set()
    asked = _asked_by(name, frozenset())
    while asked:
        wanted = asked.pop()
        key = f"{canonicalize_name(wanted.name)}{sorted(wanted.extras)}"
        if key not in known:
            known.add(key)
            found |= _top_of(wanted.name)
            asked += _asked_by(wanted.name, frozenset(wanted.extras))
    return found


def _asked_by(name: str, extras: frozenset[str]) -> list[Requirement]:
    told = map(Requirement, distribution(name).requires or ())
    return [
        one
        for one in told
        if one.marker is None or any(one.marker.evaluate({"extra": e}) for e in (*extras, ""))
    ]


def _top_of(name: str) -> set[Path]:
    held = distribution(name)
    tops = {file.parts[0] for file in held.files or () if file.parts[0] != ".."}
    return {Path(str(held.locate_file(top))) for top in tops - {"__pycache__"}}
