"""Forward-only migrations: plain SQL files, applied in order, each in its own transaction.

What was applied is kept with a checksum, so that a file changed afterwards is noticed, and so is
a database that a newer version of Warmline has already moved on.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import pairwise
from typing import TYPE_CHECKING

from warmline.exits import Unusable
from warmline.notices.queue import ensure_queue

if TYPE_CHECKING:
    from warmline.database import Connection

LEAST_SERVER_VERSION = 15
_FILE_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_LOCK = 0x7761726D_6C696E65  # "warmline": one process migrates, the others wait

_CREATE = """CREATE TABLE IF NOT EXISTS schema_migrations (
    version    integer     PRIMARY KEY,
    name       text        NOT NULL,
    checksum   text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)"""


class MigrationError(Unusable):
    """The database and this version of Warmline do not fit together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One file: its number, its name, and its SQL."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """sha256 of the SQL, in hexadecimal."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def shipped(folder: Traversable | None = None) -> tuple[Migration, ...]:
    """The migrations of this version, in order. Raises ValueError for two of one number."""
    files = (folder or resources.files("warmline") / "migrations").iterdir()
    found = [
        Migration(version=int(match[1]), name=match[2], sql=file.read_text("utf-8"))
        for file in files
        if (match := _FILE_NAME.fullmatch(file.name))
    ]
    found.sort(key=lambda migration: migration.version)
    for earlier, later in pairwise(found):
        if earlier.version == later.version:
            raise ValueError(f"two migrations are numbered {later.version:04}")
    return tuple(found)


def fingerprint(migrations: Sequence[Migration]) -> str:
    """Changes when any migration does."""
    sums = "".join(migration.checksum for migration in migrations)
    return hashlib.sha256(sums.encode()).hexdigest()[:16]


async def migrate(
    connection: "Connection", migrations: Sequence[Migration]
) -> tuple[Migration, ...]:
    """Apply what is missing and return it; a second call applies nothing.

    PgQueuer's own tables follow, by its own means: they are no migrations of ours.

    Raises MigrationError when the server is too old, a file was changed after it was applied, or
    the database is newer than `migrations`.
    """
    check_server(connection)
    await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
    try:
        await connection.execute(_CREATE)
        missing = await pending(connection, migrations)
        for migration in missing:
            await _apply(connection, migration)
        await ensure_queue(connection)
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)
    return missing


async def pending(
    connection: "Connection", migrations: Sequence[Migration]
) -> tuple[Migration, ...]:
    """What `migrate` would apply. Raises MigrationError as it does, and changes nothing."""
    if await connection.fetchval("SELECT to_regclass('schema_migrations')") is None:
        return tuple(migrations)
    rows = await connection.fetch("SELECT version, name, checksum FROM schema_migrations")
    applied = {row["version"]: row for row in rows}
    known = {migration.version: migration for migration in migrations}
    for version, row in sorted(applied.items()):
        if version not in known:
            raise MigrationError(
                f"The database holds migration {version:04}_{row['name']}, which this version of "
                "Warmline does not know: start the newer version that wrote it."
            )
        if known[version].checksum != row["checksum"]:
            raise MigrationError(
                f"Migration {version:04}_{row['name']} was changed after it was applied: put the "
                "file back as it was and write the change as a new migration."
            )
    return tuple(m for m in migrations if m.version not in applied)


def check_server(connection: "Connection") -> None:
    """Raises MigrationError when the server is older than we can use."""
    version = connection.get_server_version()
    if version.major < LEAST_SERVER_VERSION:
        raise MigrationError(
            f"The database is PostgreSQL {version.major}: Warmline needs "
            f"{LEAST_SERVER_VERSION} or later."
        )


async def _apply(connection: "Connection", migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(migration.sql)
        await connection.execute(
            "INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)",
            migration.version,
            migration.name,
            migration.checksum,
        )
