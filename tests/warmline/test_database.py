"""The embedded server: found again after a kill, stopped by the last who uses it."""

import asyncio
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from warmline.database import embedded
from warmline.database.embedded import EmbeddedDatabase, EmbeddedDatabaseFailed
from warmline.database.pool import DatabaseUnreachable, connected, open_pool

START_AND_WAIT = """
import sys, time
from pathlib import Path
from warmline.database.embedded import EmbeddedDatabase
EmbeddedDatabase(Path(sys.argv[1])).start()
print("started", flush=True)
time.sleep(60)
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Not pytest's own, which is closed to the account the server runs as."""
    folder = Path(tempfile.mkdtemp(prefix="warmline-tests-db-"))
    folder.chmod(0o711)
    yield folder
    embedded.stop(folder)
    shutil.rmtree(folder)


def is_running(data_dir: Path) -> bool:
    return (data_dir / "postgres" / "postmaster.pid").exists()


def has_sockets(url: str) -> bool:
    """Whether the directory is there in which a server of this address listens."""
    return Path(parse_qs(urlsplit(url).query)["host"][0]).is_dir()


def server_process(data_dir: Path) -> int:
    return int((data_dir / "postgres" / "postmaster.pid").read_text().split()[0])


def kill(process: int) -> None:
    """Kill it and wait until it is dead."""
    handle = os.pidfd_open(process)
    os.kill(process, signal.SIGKILL)
    select.select([handle], [], [])
    os.close(handle)


async def ask(url: str, question: str) -> object:
    async with connected(url) as connection:
        return await connection.fetchval(question)


async def test_what_was_written_is_there_after_a_restart(data_dir: Path) -> None:
    first = EmbeddedDatabase(data_dir)
    await ask(first.start(), "CREATE TABLE kept AS SELECT 7 AS value")
    assert first.leave()
    assert not is_running(data_dir)

    again = EmbeddedDatabase(data_dir)
    assert await ask(again.start(), "SELECT value FROM kept") == 7
    assert again.leave()


async def test_nothing_that_keeps_data_safe_is_off(data_dir: Path) -> None:
    database = EmbeddedDatabase(data_dir)
    url = database.start()
    for setting in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
        assert await ask(url, f"SHOW {setting}") == "on"
    assert await ask(url, "SHOW server_encoding") == "UTF8"
    assert await ask(url, "SHOW timezone") == "UTC"


async def test_it_listens_on_a_socket_that_only_we_may_use(data_dir: Path) -> None:
    url = EmbeddedDatabase(data_dir).start()

    assert await ask(url, "SHOW listen_addresses") == ""
    assert (data_dir / "postgres").stat().st_mode & 0o077 == 0
    assert (data_dir / "postgres" / ".s.PGSQL.5432").stat().st_mode & 0o077 == 0


def test_the_last_to_leave_stops_it(data_dir: Path) -> None:
    one, other = EmbeddedDatabase(data_dir), EmbeddedDatabase(data_dir)
    assert one.start() == other.start()

    assert not one.leave()
    assert is_running(data_dir)
    assert other.leave()
    assert not is_running(data_dir)
    assert not other.leave()


def test_after_a_kill_it_is_found_again_and_still_stops(data_dir: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", START_AND_WAIT, str(data_dir)], stdout=subprocess.PIPE
    ) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"started\n"
        server = server_process(data_dir)
        killed.send_signal(signal.SIGKILL)
    assert is_running(data_dir)

    database = EmbeddedDatabase(data_dir)
    assert asyncio.run(ask(database.start(), "SELECT 1")) == 1
    assert server_process(data_dir) == server
    assert database.leave()
    assert not is_running(data_dir)


async def test_a_server_that_was_lost_is_started_again_beside_its_users(data_dir: Path) -> None:
    one, other = EmbeddedDatabase(data_dir), EmbeddedDatabase(data_dir)
    url = one.start()
    other.start()
    kill(server_process(data_dir))

    assert one.start() == url

    assert await ask(url, "SELECT 1") == 1
    assert not one.leave()
    assert other.leave()


async def test_stop_stops_it_whoever_uses_it(data_dir: Path) -> None:
    database = EmbeddedDatabase(data_dir)
    url = database.start()

    assert embedded.stop(data_dir)
    assert not embedded.stop(data_dir)
    with pytest.raises(DatabaseUnreachable):
        await ask(url, "SELECT 1")
    assert not database.leave()


def test_a_server_left_behind_is_stopped_only_when_nobody_uses_it(data_dir: Path) -> None:
    database = EmbeddedDatabase(data_dir)
    database.start()
    assert not embedded.stop_if_unused(data_dir)

    database._let_go()

    assert embedded.stop_if_unused(data_dir)
    assert not is_running(data_dir)


async def test_a_process_number_that_is_now_somebody_else_s_does_not_deceive(
    data_dir: Path,
) -> None:
    first = EmbeddedDatabase(data_dir)
    first.start()
    note = data_dir / "postgres" / "postmaster.pid"
    lines = note.read_text().splitlines()
    first.leave()
    note.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    assert await ask(EmbeddedDatabase(data_dir).start(), "SELECT 1") == 1


async def test_a_cluster_that_was_half_made_is_made_anew(data_dir: Path) -> None:
    (data_dir / "postgres.making").mkdir()
    (data_dir / "postgres.making" / "PG_VERSION").write_text("18\n")

    assert await ask(EmbeddedDatabase(data_dir).start(), "SELECT 1") == 1


async def test_a_path_too_long_for_a_socket_is_no_obstacle(data_dir: Path) -> None:
    deep = data_dir.joinpath(*["a-rather-long-name-of-a-directory"] * 4)
    deep.mkdir(parents=True)
    database = EmbeddedDatabase(deep)
    try:
        url = database.start()
        assert await ask(url, "SELECT 1") == 1
        assert str(deep) not in url
        assert has_sockets(url)
    finally:
        database.leave()
    assert not has_sockets(url)


async def test_a_directory_closed_to_others_stays_closed(data_dir: Path) -> None:
    closed = data_dir / "closed"
    closed.mkdir(mode=0o700)
    database = EmbeddedDatabase(closed)
    url = database.start()
    home = (closed / "postgres").resolve()
    try:
        assert await ask(url, "SELECT 1") == 1
        assert closed.stat().st_mode & 0o777 == 0o700
        database.leave()
        assert await ask(database.start(), "SELECT 2") == 2
        assert (closed / "postgres").resolve() == home
    finally:
        database.leave()
        if not home.is_relative_to(closed):
            shutil.rmtree(home.parent)


def test_a_cluster_that_cannot_start_is_one_sentence(data_dir: Path) -> None:
    EmbeddedDatabase(data_dir).start()
    embedded.stop(data_dir)

    with pytest.raises(EmbeddedDatabaseFailed, match=r"could not start .*: see ") as failed:
        EmbeddedDatabase(data_dir, configuration={"shared_buffers": "lots"}).start()

    assert "\n" not in str(failed.value)
    assert not embedded.stop(data_dir)


@pytest.mark.parametrize("path", ["/nothing", ""])
async def test_a_server_that_does_not_answer_is_one_sentence_without_the_password(
    path: str,
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with pytest.raises(DatabaseUnreachable) as failed:
            await open_pool(f"postgresql://us:s3cret@127.0.0.1:{port}{path}")

    assert "at 127.0.0.1 cannot be used (connection refused): start it or" in str(failed.value)
    assert "s3cret" not in str(failed.value)


async def test_a_database_that_is_not_there_is_one_sentence(postgres_url: str) -> None:
    url = postgres_url.replace("/warmline?", "/nothing?")

    with pytest.raises(DatabaseUnreachable, match="The database nothing at its socket"):
        await open_pool(url)


async def test_a_pool_speaks_utc(database_url: str) -> None:
    pool = await open_pool(database_url, size=2)
    try:
        assert await pool.fetchval("SHOW timezone") == "UTC"
    finally:
        await pool.close()
    assert isinstance(pool, asyncpg.Pool)
