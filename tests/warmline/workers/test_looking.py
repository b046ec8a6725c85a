"""The loop that all workers share."""

import asyncio
from datetime import UTC, datetime, timedelta

from warmline.clock import SystemClock
from warmline.workers.looking import Looker


class Blocked(Looker):
    """Always sees something due that somebody else holds."""

    name = "blocked"

    def __init__(self) -> None:
        super().__init__(SystemClock())
        self.looks = 0
        self.enough = asyncio.Event()

    async def look(self) -> datetime | None:
        """Something was due a second ago."""
        self.looks += 1
        if self.looks >= 4:
            self.enough.set()
        return datetime.now(UTC) - timedelta(seconds=1)


async def test_a_worker_that_cannot_do_what_is_due_takes_a_breath_between_looks() -> None:
    worker = Blocked()
    began = datetime.now(UTC)
    worker.start()
    await worker.enough.wait()
    took = datetime.now(UTC) - began
    await worker.stop()

    assert took >= timedelta(milliseconds=3 * 50)
    assert took < timedelta(seconds=3)
