"""Migrations against a real server: once, in order, and never behind anybody's back."""

import asyncio
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from warmline.database.migrate import (
    Migration,
    MigrationError,
    fingerprint,
    migrate,
    pending,
    shipped,
)

ROOMS = Migration(version=1, name="rooms", sql="CREATE TABLE rooms (id int)")
BEDS = Migration(version=2, name="beds", sql="CREATE TABLE beds (id int); SELECT 1")
BROKEN = Migration(version=2, name="broken", sql="CREATE TABLE halls (id int); SELECT 1 / 0")


async def tables(connection: "asyncpg.Connection[asyncpg.Record]") -> set[str]:
    rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {row["tablename"] for row in rows}


async def test_what_is_missing_is_applied_once(empty_database: str) -> None:
    connection = await asyncpg.connect(empty_database)
    try:
        assert await migrate(connection, [ROOMS]) == (ROOMS,)
        assert await migrate(connection, [ROOMS, BEDS]) == (BEDS,)
        assert await migrate(connection, [ROOMS, BEDS]) == ()
        assert {"rooms", "beds"} <= await tables(connection)
    finally:
        await connection.close()


async def test_a_migration_that_fails_leaves_nothing_behind(empty_database: str) -> None:
    connection = await asyncpg.connect(empty_database)
    try:
        with pytest.raises(asyncpg.DivisionByZeroError):
            await migrate(connection, [ROOMS, BROKEN])
        assert await tables(connection) == {"rooms", "schema_migrations"}
        assert await pending(connection, [ROOMS, BROKEN]) == (BROKEN,)
    finally:
        await connection.close()


async def test_a_migration_and_its_record_are_stored_together(empty_database: str) -> None:
    unrecordable = replace(
        BEDS, sql="CREATE TABLE beds (id int); INSERT INTO schema_migrations VALUES (2, 'x', 'y')"
    )
    connection = await asyncpg.connect(empty_database)
    try:
        with pytest.raises(asyncpg.UniqueViolationError):
            await migrate(connection, [ROOMS, unrecordable])
        assert await tables(connection) == {"rooms", "schema_migrations"}
    finally:
        await connection.close()


async def test_a_file_changed_after_it_was_applied_is_refused(empty_database: str) -> None:
    connection = await asyncpg.connect(empty_database)
    try:
        await migrate(connection, [ROOMS])
        with pytest.raises(MigrationError, match="0001_rooms was changed"):
            await migrate(connection, [replace(ROOMS, sql="CREATE TABLE rooms (id text)")])
    finally:
        await connection.close()


async def test_a_database_newer_than_the_code_is_refused(empty_database: str) -> None:
    connection = await asyncpg.connect(empty_database)
    try:
        await migrate(connection, [ROOMS, BEDS])
        with pytest.raises(MigrationError, match="0002_beds, which this version"):
            await migrate(connection, [ROOMS])
    finally:
        await connection.close()


async def test_processes_that_start_at_once_migrate_once(empty_database: str) -> None:
    async def one() -> int:
        connection = await asyncpg.connect(empty_database)
        try:
            return len(await migrate(connection, [ROOMS, BEDS]))
        finally:
            await connection.close()

    assert sum(await asyncio.gather(*(one() for _ in range(8)))) == 2


def test_the_shipped_migrations_are_numbered_without_a_repeat() -> None:
    versions = [migration.version for migration in shipped()]

    assert versions == sorted(set(versions))
    assert versions[0] == 1


def test_two_files_of_one_number_are_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "0001_a.sql").write_text("SELECT 1")
    (tmp_path / "0001_b.sql").write_text("SELECT 1")

    with pytest.raises(ValueError, match="two migrations are numbered 0001"):
        shipped(tmp_path)


def test_the_fingerprint_changes_with_any_migration() -> None:
    assert fingerprint([ROOMS]) != fingerprint([replace(ROOMS, sql="SELECT 2")])


async def test_every_table_but_the_migrations_own_puts_the_tenant_first(
    database: "asyncpg.Pool[asyncpg.Record]",
) -> None:
    rows = await database.fetch(
        """SELECT conrelid::regclass::text AS name, attname
           FROM pg_constraint JOIN pg_attribute
             ON attrelid = conrelid AND attnum = conkey[1]
           WHERE contype = 'p' AND connamespace = 'public'::regnamespace
             AND conrelid <> 'schema_migrations'::regclass
             AND conrelid::regclass::text NOT LIKE 'pgqueuer%'"""
    )

    assert len(rows) >= 5
    assert {row["name"] for row in rows if row["attname"] != "tenant"} == set()


async def test_every_table_has_a_primary_key(
    database: "asyncpg.Pool[asyncpg.Record]",
) -> None:
    bare = await database.fetch(
        """SELECT relname FROM pg_class c
           WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
             AND relname NOT LIKE 'pgqueuer%'
             AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = c.oid AND contype = 'p')"""
    )

    assert [row["relname"] for row in bare] == []
