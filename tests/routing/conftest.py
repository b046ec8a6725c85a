"""The database of the routing tests, where anybody may be put on a call."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from asyncpg import Pool, Record


@pytest.fixture
async def routing_database(database: "Pool[Record]") -> "Pool[Record]":
    """A migrated database whose `engaged_counselors` is a table to write into.

    The dialer owns the real one, a view of its live calls; routing only ever reads it.
    """
    await database.execute(
        """DROP VIEW IF EXISTS engaged_counselors;
           CREATE TABLE engaged_counselors (tenant text NOT NULL, counselor text NOT NULL,
             call text NOT NULL, PRIMARY KEY (tenant, counselor))"""
    )
    return database
