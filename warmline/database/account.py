"""Which system account the embedded PostgreSQL runs as, and what that account can reach.

PostgreSQL refuses to run as root. As root we run it as an unprivileged account of its own, and
loosen no directory for it: what it cannot reach is put where it can.
"""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from warmline.exits import Unusable

NAME = "warmline"
_SHARED = Path("/var/lib/warmline")
_ROOT = 0


class RunAs(TypedDict, total=False):
    """The arguments of `subprocess.run` that change the account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A system account; `switched` when it is not the one we run as."""

    user: int
    group: int
    switched: bool

    def run_as(self) -> RunAs:
        """What `subprocess.run` needs to become this account."""
        if not self.switched:
            return {}
        return {"user": self.user, "group": self.group, "extra_groups": []}


def choose() -> Account:
    """Our own account; as root the account `warmline`, made when it is missing.

    Raises Unusable when it cannot be made.
    """
    if os.geteuid() != _ROOT:
        return Account(user=os.geteuid(), group=os.getegid(), switched=False)
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        entry = _make()
    return Account(user=entry.pw_uid, group=entry.pw_gid, switched=True)


def hand_over(account: Account, path: Path) -> None:
    """Let `account` own `path`."""
    if account.switched:
        os.chown(path, account.user, account.group)


def home_for(account: Account, wanted: Path) -> Path:
    """`wanted`, or where its link points, so that `account` can reach it.

    A data directory that only root may enter gets a link to a place of its own: under the
    system's temporary directory when the data directory is temporary too, else in /var/lib.
    """
    if wanted.is_symlink():
        return _linked(wanted)
    if wanted.exists() or _can_enter(account, wanted.parent):
        return wanted
    temporary = Path(tempfile.gettempdir()).resolve()
    shared = temporary if wanted.is_relative_to(temporary) else _SHARED
    shared.mkdir(mode=0o755, exist_ok=True)
    home = shared / f"warmline-{secrets.token_hex(6)}"
    home.mkdir(mode=0o711)
    link = home / "postgres"
    wanted.symlink_to(link)
    return link


def _linked(wanted: Path) -> Path:
    home = Path(os.readlink(wanted))
    if not home.parent.is_dir():
        raise Unusable(
            f"{wanted} points to {home}, which is gone: put the database back from a backup, or "
            "remove the link to begin with an empty one."
        )
    return home


def reachable_binaries(account: Account, binaries: Path) -> Path:
    """`binaries`, or a copy of their installation where `account` can run them."""
    if _can_enter(account, binaries):
        return binaries
    package = binaries.parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    release = f"{binaries.parent.name}-{int((binaries / 'postgres').stat().st_mtime)}"
    copy = _SHARED / release
    if not copy.exists():
        making = Path(f"{copy}.{os.getpid()}")
        shutil.copytree(binaries.parent, making / package.name / binaries.parent.name)
        if libraries.is_dir():
            shutil.copytree(libraries, making / libraries.name)
        _open_to_all(making)
        try:
            making.rename(copy)
        except OSError:  # somebody else was first
            shutil.rmtree(making)
    return copy / package.name / binaries.parent.name / "bin"


def _open_to_all(folder: Path) -> None:
    for place, _, files in os.walk(folder):
        os.chmod(place, 0o755)
        for file in files:
            path = Path(place, file)
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(mode | (0o555 if mode & 0o100 else 0o444))


def _can_enter(account: Account, directory: Path) -> bool:
    """Whether `account` may pass through every directory down to this one."""
    if not account.switched:
        return True
    return all(_is_passable(account, place) for place in (directory, *directory.parents))


def _is_passable(account: Account, directory: Path) -> bool:
    status = directory.stat()
    if status.st_uid == account.user:
        return bool(status.st_mode & 0o100)
    if status.st_gid == account.group:
        return bool(status.st_mode & 0o010)
    return bool(status.st_mode & 0o001)


def _make() -> pwd.struct_passwd:
    options = "--system --user-group --no-create-home --home-dir /nonexistent --shell /bin/false"
    try:
        subprocess.run(
            ["useradd", *options.split(), NAME],
            check=True,
            capture_output=True,
            env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"},
        )
    except (OSError, subprocess.CalledProcessError) as refused:
        raise Unusable(
            f"PostgreSQL does not run as root, and the account {NAME} could not be made for it: "
            "run Warmline as another user, or name a server in WARMLINE_DATABASE_URL."
        ) from refused
    return pwd.getpwnam(NAME)
