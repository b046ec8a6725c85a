"""The outbox of the desk: one job per notice, in the transaction that wrote the notice."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from terms.ids import TenantId
from warmline.notices.queue import Job, enqueue_jobs

if TYPE_CHECKING:
    from warmline.database import Connection

DELIVER = "deliver_notice"
"""The kind of job that sends one notice once."""


class QueuedOutbox:
    """Implements `warmline.desk.writing.Outbox` with PgQueuer."""

    async def enqueue(
        self,
        connection: "Connection",
        tenant: TenantId,
        notices: Sequence[str],
        now: datetime,
        *,
        can_wait: bool = False,
    ) -> None:
        """Have these notices sent if, and only if, the transaction at hand commits.

        `can_wait`: they are some of many thousands, and nobody waits for one: whatever somebody
        does wait for goes before them.
        """
        jobs = [Job(kind=DELIVER, tenant=tenant, subject=id_, can_wait=can_wait) for id_ in notices]
        await enqueue_jobs(connection, jobs)
