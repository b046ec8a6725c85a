"""A process that pushes notices until it is killed: `python -m ... DATABASE_URL RECEIVER_URL`."""

import asyncio
import sys

import asyncpg
from prometheus_client import CollectorRegistry

from tests.warmline.notices.kit import SECRET, ZONES
from warmline.clock import SystemClock
from warmline.notices.senders import LogSender
from warmline.notices.service import Notices
from warmline.notices.status import WebhookPusher
from warmline.seal import AesSeal


async def main(database_url: str, receiver_url: str) -> None:
    """Run for ever."""
    seal, clock = AesSeal(b"the victim sends no SMS and opens no number"), SystemClock()
    async with asyncpg.create_pool(database_url, min_size=1, max_size=5) as pool:
        notices = Notices(
            pool,
            seal,
            clock,
            sender=LogSender(pool, seal, clock),
            pusher=WebhookPusher(receiver_url, SECRET),
            zones=ZONES,
            registry=CollectorRegistry(),
        )
        notices.start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
