"""Notices and background jobs as `serve` runs them: built once, started, stopped."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry

from terms.ids import ProgramId
from warmline.clock import Clock
from warmline.notices.choosing import sender_of
from warmline.notices.delivery import Delivery, NoticeMetrics, Withholding
from warmline.notices.outbox import DELIVER, QueuedOutbox
from warmline.notices.queue import Job, enqueue_jobs
from warmline.notices.senders import Sender
from warmline.notices.status import StatusPusher, pusher_of
from warmline.notices.store import due_notices, next_due_at
from warmline.notices.worker import TAKES_OVER_AFTER, BackgroundJobs
from warmline.policies.covers import covers_of
from warmline.policies.withholding import withholding_by_template
from warmline.programs import Program
from warmline.seal import AesSeal
from warmline.settings import Settings
from warmline.workers.looking import Looker

if TYPE_CHECKING:
    from asyncpg import Pool, Record


class NoticeSweep(Looker):
    """Gives a job to every notice whose next try is due and to those whose job was lost.

    Retries go by our clock, not by PgQueuer's, which is the database's and stands still for nobody.
    """

    name = "notice sweep"

    def __init__(self, pool: "Pool[Record]", clock: Clock, jobs: BackgroundJobs) -> None:
        super().__init__(clock)
        self._pool = pool
        self._jobs = jobs

    async def look(self) -> datetime | None:
        """Put in what is missing; one that has its job already is left alone."""
        now = self.clock.now()
        async with self._pool.acquire() as connection:
            due = await due_notices(connection, now)
            if due:
                jobs = [
                    Job(kind=DELIVER, tenant=tenant, subject=id_, can_wait=can_wait)
                    for tenant, id_, can_wait in due
                ]
                await enqueue_jobs(connection, jobs)
                self._jobs.wake()
            return await next_due_at(connection, now)


class Notices:
    """What `serve` holds. `outbox` goes to the desk, `jobs` takes further kinds of background work.

    Call `wake` after a commit that wrote notices: they are sent within milliseconds instead of
    seconds.
    """

    def __init__(
        self,
        pool: "Pool[Record]",
        seal: AesSeal,
        clock: Clock,
        *,
        sender: Sender,
        pusher: StatusPusher,
        zones: Mapping[ProgramId, ZoneInfo],
        registry: CollectorRegistry,
        withholding: Mapping[str, Withholding] | None = None,
        takes_over_after: timedelta = TAKES_OVER_AFTER,
    ) -> None:
        self.outbox = QueuedOutbox()
        self.jobs = BackgroundJobs(pool, takes_over_after=takes_over_after)
        self._ways_out = (sender, pusher)
        self._sweep = NoticeSweep(pool, clock, self.jobs)
        delivery = Delivery(
            pool=pool,
            seal=seal,
            clock=clock,
            sender=sender,
            pusher=pusher,
            zones=zones,
            metrics=NoticeMetrics(registry),
            withholding=withholding or {},
        )
        self.jobs.register(DELIVER, delivery.deliver)

    @classmethod
    def configured(
        cls,
        settings: Settings,
        pool: "Pool[Record]",
        seal: AesSeal,
        clock: Clock,
        programs: Mapping[ProgramId, Program],
        registry: CollectorRegistry,
    ) -> "Notices":
        """As the settings say. Raises SettingsInvalid."""
        return cls(
            pool,
            seal,
            clock,
            sender=sender_of(settings, pool, seal, clock),
            pusher=pusher_of(settings, pool, seal, clock),
            zones={id_: program.routing.hours.zone for id_, program in programs.items()},
            registry=registry,
            withholding=withholding_by_template(covers_of(programs)),
        )

    def start(self) -> None:
        """Begin to send."""
        self.jobs.start()
        self._sweep.start()

    async def stop(self) -> None:
        """Finish what is in hand; what is left, another process or the next start finds."""
        await asyncio.gather(self._sweep.stop(), self.jobs.stop())
        for way_out in self._ways_out:
            await way_out.close()

    def wake(self) -> None:
        """Look at once."""
        self.jobs.wake()
