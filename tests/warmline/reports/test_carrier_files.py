"""A carrier's list of legs: all of it or nothing, and never a number."""

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.people import TENANT
from warmline.exits import Unusable
from warmline.reports.carrier_files import MOST_FAULTS, take_in

if TYPE_CHECKING:
    from asyncpg import Pool, Record

NOW = datetime(2026, 12, 1, tzinfo=UTC)
HEADING = "leg,started_at,billed_seconds,from,to"
GOOD = "call_1/caller/1,2026-11-01T10:00:00+08:00,61,+8613800000001,+8613900000001"


async def take(database: "Pool[Record]", *lines: str, unit_seconds: int = 1) -> int:
    """Take in a file of these lines."""
    file = io.StringIO("\r\n".join(lines), newline="")
    async with database.acquire() as connection:
        return await take_in(connection, TENANT, "twilio", file, unit_seconds=unit_seconds, now=NOW)


async def stored(database: "Pool[Record]") -> list[str]:
    return [str(dict(row)) for row in await database.fetch("SELECT * FROM carrier_records")]


async def test_what_a_carrier_recorded_is_kept_by_leg_without_the_numbers_beside_it(
    database: "Pool[Record]",
) -> None:
    assert await take(database, HEADING, GOOD, unit_seconds=60) == 1
    (kept,) = await stored(database)
    assert "'leg': 'call_1/caller/1'" in kept
    assert "'billed_seconds': 61" in kept
    assert "'unit_seconds': 60" in kept
    assert "86138" not in kept


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("+8613800000001,2026-11-01T10:00:00+08:00,1", "Line 3: leg looks like a phone number"),
        ("13800000001,2026-11-01T10:00:00+08:00,1", "Line 3: leg looks like a phone number"),
        ("=1,2026-11-01T10:00:00+08:00,1", "Line 3: leg is not the name of a leg"),
        (",2026-11-01T10:00:00+08:00,1", "Line 3: leg is not the name of a leg"),
        ("call_2/caller/1,2026-11-01T10:00:00,1", "Line 3: started_at must be a time with"),
        ("call_2/caller/1,yesterday,1", "Line 3: started_at must be a time with its offset"),
        ("call_2/caller/1,2026-11-01T10:00:00+08:00,-1", "Line 3: billed_seconds must be a whole"),
        ("call_2/caller/1,2026-11-01T10:00:00+08:00,1.5", "Line 3: billed_seconds must be a"),
        ("call_2/caller/1,2026-11-01T10:00:00+08:00,٣", "Line 3: billed_seconds must be a"),
        (f"call_2/caller/1,2026-11-01T10:00:00+08:00,{'9' * 5000}", "Line 3: billed_seconds must"),
        ("call_2/caller/1,0001-01-01T00:00:00+14:00,1", "Line 3: started_at must be a time"),
        ("call_2/caller/1,9999-12-31T23:59:00-14:00,1", "Line 3: started_at must be a time"),
        ("call_2/caller/1", "Line 3: started_at must be a time with its offset"),
        (GOOD, "The leg call_1/caller/1 has two lines"),
    ],
)
async def test_a_file_with_one_bad_line_is_refused_whole_and_the_line_is_named(
    database: "Pool[Record]", line: str, told: str
) -> None:
    with pytest.raises(Unusable) as refused:
        await take(database, HEADING, GOOD, line)
    assert told in str(refused.value)
    assert "13800000001" not in str(refused.value), "no number in an error text"
    assert await stored(database) == []


async def test_a_file_without_the_columns_says_which_they_are(database: "Pool[Record]") -> None:
    for lines in ((), ("a,b",)):
        with pytest.raises(Unusable, match="leg, started_at, billed_seconds"):
            await take(database, *lines)


async def test_of_many_bad_lines_only_the_first_are_named(database: "Pool[Record]") -> None:
    with pytest.raises(Unusable) as refused:
        await take(database, HEADING, *("x,y,z" for _ in range(1000)))
    assert str(refused.value).count("Line ") == MOST_FAULTS
