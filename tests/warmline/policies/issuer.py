"""A process that attends to policies once: `python -m ... DATABASE_URL NOW`."""

import asyncio
import sys
from datetime import datetime

import asyncpg

from tests.warmline.policies.keeper import SECRET, keeper
from warmline.clock import VirtualClock
from warmline.seal import AesSeal


async def main(database_url: str, now: str) -> None:
    """Until nothing is due that is not in another's hands."""
    async with asyncpg.create_pool(database_url, min_size=1, max_size=5) as pool:
        one = keeper(pool, AesSeal(SECRET), VirtualClock(datetime.fromisoformat(now)))
        await one.look()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
