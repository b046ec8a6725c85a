"""Points lost by wrong codes, against a real PostgreSQL."""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING

from routing.guessing import Miss, TriedBy
from routing.store.guesses import Tries, code_locked_until, count_miss
from tests.routing.people import HOUR, NOON, TENANT

if TYPE_CHECKING:
    from asyncpg import Pool, Record

LIN: Tries = {TriedBy.DEVICE: b"phone-1", TriedBy.NUMBER: b"lin", TriedBy.ADDRESS: b"cafe"}
LIN_ANEW: Tries = {TriedBy.DEVICE: b"phone-2", TriedBy.NUMBER: b"lin", TriedBy.ADDRESS: b"home"}
MEI: Tries = {TriedBy.DEVICE: b"phone-3", TriedBy.NUMBER: b"mei", TriedBy.ADDRESS: b"cafe"}


async def guess(pool: "Pool[Record]", tried_by: Tries, now: datetime = NOON) -> bool:
    """One code that is none; whether it was let through."""
    async with pool.acquire() as connection, connection.transaction():
        if await code_locked_until(connection, TENANT, tried_by, now) is not None:
            return False
        await count_miss(connection, TENANT, tried_by, Miss.GUESS, now)
        return True


async def test_of_fifty_guesses_at_once_no_more_get_through_than_one_after_another(
    database: "Pool[Record]",
) -> None:
    let_through = await asyncio.gather(*(guess(database, LIN) for _ in range(50)))

    assert sum(let_through) == 5
    assert await guess(database, LIN, NOON + HOUR)


async def test_whoever_is_locked_out_locks_no_neighbour_out(database: "Pool[Record]") -> None:
    while await guess(database, LIN):
        pass

    assert await guess(database, MEI)


async def test_another_device_of_the_number_has_only_what_the_number_has_left(
    database: "Pool[Record]",
) -> None:
    while await guess(database, LIN):
        pass
    more = 0
    while await guess(database, LIN_ANEW):
        more += 1

    assert more == 3  # 30 points of the number, 20 of them lost on the other device
