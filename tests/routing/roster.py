"""Putting counselors into a real PostgreSQL, at rest or on a call."""

from typing import TYPE_CHECKING

from routing.counselor import Counselor
from routing.store.counselors import add_counselor
from terms.ids import CounselorId
from tests.routing.people import MINE, NOON, TENANT
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record
    from asyncpg.pool import PoolConnectionProxy


async def staff(pool: "Pool[Record]", seal: AesSeal, *counselors: Counselor) -> None:
    """Store them, all with one number."""
    async with pool.acquire() as connection, connection.transaction():
        for counselor in counselors:
            await add_counselor(connection, seal, TENANT, counselor, MINE)


async def engage(
    connection: "Pool[Record] | PoolConnectionProxy[Record]", counselor: CounselorId, call: str
) -> None:
    """Put the counselor on a call of the dialer's."""
    await connection.execute(
        """INSERT INTO calls
             (tenant, id, order_id, purpose, state, counselor, record, version, started_at)
           VALUES ($1, $2, $2, 'consult', 'bridged', $3, '{}', 1, $4)""",
        *(TENANT, call, counselor, NOON),
    )
