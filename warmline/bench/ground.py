"""Where a run takes place: a temporary directory, an embedded PostgreSQL, processes of our own.

Durability is as shipped. Whatever is started here ends here, and what a killed run left behind is
swept up by the next.
"""

import asyncio
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import asyncpg
from pydantic import SecretStr

from warmline.bench.waiting import NotMeasured
from warmline.database.embedded import EmbeddedDatabase, stop_if_unused
from warmline.database.migrate import migrate, shipped
from warmline.settings import PREFIX, Settings

_FOLDERS = "warmline-bench-"
_CORES = 2
_START_SECONDS = 30.0
_LOOK_SECONDS = 0.005
_READY = 200


@dataclass(frozen=True, slots=True)
class Ground:
    """A directory and a database server."""

    folder: Path
    server: str

    async def new_database(self, name: str, tables: str = "") -> str:
        """The address of a new database with these tables."""
        admin = await asyncpg.connect(self.server)
        try:
            await admin.execute(f"CREATE DATABASE {name}")
        finally:
            await admin.close()
        url = urlunsplit(urlsplit(self.server)._replace(path=f"/{name}"))
        if tables:
            connection = await asyncpg.connect(url)
            await connection.execute(tables)
            await connection.close()
        return url

    async def new_house(self, name: str, handsets_url: str) -> Settings:
        """Settings of a service on a new migrated database."""
        url = await self.new_database(name)
        connection = await asyncpg.connect(url)
        try:
            await migrate(connection, shipped())
        finally:
            await connection.close()
        data_dir = self.folder / name
        data_dir.mkdir(mode=0o711)
        return Settings.model_construct(
            **{
                **{key: field.default for key, field in Settings.model_fields.items()},
                "database_url": url,
                "data_dir": data_dir,
                "port": _free_port(),
                "secret_key": SecretStr(secrets.token_urlsafe(48)),
                "handsets_url": handsets_url,
            }
        )


@asynccontextmanager
async def a_ground() -> AsyncIterator[Ground]:
    """A ground for as long as the block runs, on two cores. Raises Unusable."""
    _take_two_cores()
    _sweep()
    folder = _new_folder()
    embedded = EmbeddedDatabase(folder)
    try:
        yield Ground(folder, await asyncio.to_thread(embedded.start))
    finally:
        await asyncio.shield(asyncio.to_thread(embedded.leave))
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def a_service(
    settings: Settings, more: Mapping[str, str] | None = None
) -> AsyncIterator[Process]:
    """`warmline serve` with these settings, once it is ready; killed at the end of the block.

    `more` are further ones, by the names of their variables.
    """
    started = await start_service(settings, more)
    try:
        await ready(settings.address)
        yield started
    finally:
        await kill(started)


async def start_service(settings: Settings, more: Mapping[str, str] | None = None) -> Process:
    """Start `warmline serve`; its log goes to a file, as it would in earnest."""
    assert settings.secret_key is not None
    ours = {
        "DATABASE_URL": settings.database_url,
        "DATA_DIR": str(settings.data_dir),
        "PORT": str(settings.port),
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "HANDSETS_URL": settings.handsets_url,
        **(more or {}),
    }
    environment = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package is compiled once
    environment |= {f"{PREFIX}{name}": value for name, value in ours.items() if value}
    with (settings.data_dir / "serve.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from warmline.cli import main; main()", "serve"),
            env=environment,
            stdin=DEVNULL,
            stdout=log,
            stderr=log,
        )


async def ready(address: str) -> None:
    """Return once the service says that it is ready. Raises NotMeasured."""
    async with aiohttp.ClientSession(base_url=address) as client:
        for _ in range(int(_START_SECONDS / _LOOK_SECONDS)):
            with suppress(aiohttp.ClientError):
                async with client.get("/readyz") as response:
                    if response.status == _READY:
                        return
            await asyncio.sleep(_LOOK_SECONDS)
    raise NotMeasured("the service did not become ready")


@asynccontextmanager
async def a_floor(url: str) -> AsyncIterator[str]:
    """The floor's server on that database; yields its address."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from warmline.bench.floor import main; main()", url),
        stdin=PIPE,
        stdout=PIPE,
    )
    try:
        assert process.stdout is not None
        address = (await process.stdout.readline()).decode().strip()
        if not address:
            raise NotMeasured("the floor's server did not start")
        yield address
    finally:
        await kill(process)


async def kill(process: Process) -> None:
    """kill -9, and wait until it is gone."""
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGKILL)
    await process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _take_two_cores() -> None:
    """The goals are for two cores; whatever we start inherits them."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:_CORES])


def _new_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix=_FOLDERS))
    folder.chmod(0o711)  # as root, the embedded PostgreSQL's own account has to get in
    return folder


def _sweep() -> None:
    """Remove what runs that were killed left behind."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDERS}*"):
        ours = folder.stat().st_uid == os.geteuid()
        if ours and (folder / "postgres.users").exists() and stop_if_unused(folder):
            shutil.rmtree(folder, ignore_errors=True)
