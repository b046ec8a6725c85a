"""What every test may ask for: a real PostgreSQL, a seal, and noon."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from warmline.database.embedded import EmbeddedDatabase, stop_if_unused
from warmline.database.migrate import fingerprint, migrate, shipped
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record

DEBIAN_BINARIES = Path("/usr/lib/postgresql/15/bin")
_URL_VARIABLE = "WARMLINE_TEST_DATABASE_URL"

_FOLDERS = "warmline-tests-"
_TEMPLATE_LOCK = 0x74656D706C617465
_numbers = count(1)

# A throw-away server need not survive a power cut.
_FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--server-postgres",
        action="store_true",
        help=f"test on Debian's PostgreSQL 15 ({DEBIAN_BINARIES}) instead of the embedded one",
    )


@pytest.fixture(scope="session")
def postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A running PostgreSQL: `WARMLINE_TEST_DATABASE_URL`, Debian's, or the embedded one."""
    if given := os.environ.get(_URL_VARIABLE):
        yield given
        return
    server = request.config.getoption("--server-postgres")
    if server and not DEBIAN_BINARIES.is_dir():
        pytest.fail("--server-postgres needs `apt-get install postgresql-15`")
    _sweep()
    # pytest's own temporary directories are closed to the account the server runs as.
    folder = Path(tempfile.mkdtemp(prefix=_FOLDERS))
    folder.chmod(0o711)
    database = EmbeddedDatabase(
        folder, binaries=DEBIAN_BINARIES if server else None, configuration=_FAST
    )
    try:
        yield database.start()
    finally:
        database.leave()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_template(postgres_url: str) -> str:
    """The name of a database with every migration applied, to be copied by each test."""
    name = f"warmline_template_{fingerprint(shipped())}"
    with ThreadPoolExecutor(1) as thread:  # beside whatever loop the tests use
        thread.submit(asyncio.run, _make_template(postgres_url, name)).result()
    return name


@pytest.fixture
async def empty_database(postgres_url: str) -> AsyncIterator[str]:
    """The address of a new database without a single table."""
    async with _copy_of("template1", postgres_url) as url:
        yield url


@pytest.fixture
async def database_url(postgres_url: str, migrated_template: str) -> AsyncIterator[str]:
    """The address of a new migrated database: for tests that start processes."""
    async with _copy_of(migrated_template, postgres_url) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> "AsyncIterator[Pool[Record]]":
    """A pool on a new migrated database."""
    async with asyncpg.create_pool(
        database_url, min_size=1, max_size=10, server_settings={"timezone": "UTC"}
    ) as pool:
        yield pool


@pytest.fixture(scope="session")
def seal() -> AesSeal:
    """One installation's seal."""
    return AesSeal(b"a secret that only the tests know, 0123456789")


@pytest.fixture(scope="session")
def noon() -> datetime:
    """12:00 in Shanghai on Tuesday, 1 January 2030."""
    return datetime(2030, 1, 1, 4, 0, tzinfo=UTC)


def _sweep() -> None:
    """Remove the servers of test runs that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDERS}*"):
        ours = folder.stat().st_uid == os.geteuid()
        if ours and (folder / "postgres.users").exists() and stop_if_unused(folder):
            shutil.rmtree(folder, ignore_errors=True)


async def _make_template(url: str, name: str) -> None:
    admin = await asyncpg.connect(url)
    try:
        await admin.execute("SELECT pg_advisory_lock($1)", _TEMPLATE_LOCK)
        if await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            return
        making = f"{name}_making"
        await admin.execute(f"DROP DATABASE IF EXISTS {making} WITH (FORCE)")
        await admin.execute(f"CREATE DATABASE {making}")
        connection = await asyncpg.connect(_with_database(url, making))
        try:
            await migrate(connection, shipped())
        finally:
            await connection.close()
        await admin.execute(f"ALTER DATABASE {making} RENAME TO {name}")
    finally:
        await admin.close()


@asynccontextmanager
async def _copy_of(template: str, url: str) -> AsyncIterator[str]:
    name = f"warmline_test_{os.getpid()}_{next(_numbers)}"
    admin = await asyncpg.connect(url)
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield _with_database(url, name)
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


def _with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
