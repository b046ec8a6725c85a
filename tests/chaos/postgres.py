"""A PostgreSQL of the test's own that is stopped and started under those who use it."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from warmline.database.embedded import EmbeddedDatabase

FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT
_GONE_SECONDS = 30


class Postgres:
    """As durable as it ships: what was committed must outlive an immediate stop."""

    def __init__(self, folder: Path, binaries: Path | None) -> None:
        self._database = EmbeddedDatabase(folder, binaries=binaries)
        self.url = self._database.start()

    async def stop(self, mode: signal.Signals) -> None:
        """End it: `FAST` rolls back and checkpoints, `IMMEDIATE` leaves that to the next start."""
        connection = await asyncpg.connect(self.url)
        try:
            note = await connection.fetchval("SELECT pg_read_file('postmaster.pid')")
        finally:
            await connection.close()
        process = int(note.splitlines()[0])
        os.kill(process, mode)
        async with asyncio.timeout(_GONE_SECONDS):
            while _is_alive(process):  # noqa: ASYNC110 - a server cannot set our event
                await asyncio.sleep(0.01)

    async def start(self) -> None:
        """Start it again."""
        await asyncio.to_thread(self._database.start)

    def leave(self) -> None:
        """Done with it."""
        self._database.leave()


def _is_alive(process: int) -> bool:
    """Whether it still runs; one that only waits for its parent to notice its end does not."""
    try:
        return bool(Path(f"/proc/{process}/cmdline").read_text())
    except OSError:
        return False


@contextmanager
def a_postgres(binaries: Path | None) -> Iterator[Postgres]:
    """A new cluster, gone with the block."""
    folder = Path(tempfile.mkdtemp(prefix="warmline-tests-"))
    folder.chmod(0o711)
    try:
        postgres = Postgres(folder, binaries)
        try:
            yield postgres
        finally:
            postgres.leave()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
