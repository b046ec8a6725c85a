"""PgQueuer behind one small seam: its tables, and jobs put in by the transaction that decides.

A job only names what is to be done. What it works on, and how often that was tried, is kept in rows
of ours; so a job may be lost or run twice and nothing else is.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from terms.ids import TenantId

if TYPE_CHECKING:
    import asyncpg
    from pgqueuer import Queries

    from warmline.database import Connection


JOB_LOG_KEPT_FOR = timedelta(days=7)
JOB_FAULTS_KEPT_FOR = timedelta(days=90)

_AT_ONCE, _WAITS = 0, -1
"""Priorities: PgQueuer takes the highest first, and of one the oldest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something to do in the background: which kind, whose, and about what."""

    kind: str
    tenant: TenantId
    subject: str
    can_wait: bool = False  # one of many: everything else goes first

    @property
    def key(self) -> str:
        """No two jobs of one key wait at a time."""
        return f"{self.kind}:{self.tenant}:{self.subject}"

    def payload(self) -> bytes:
        """What PgQueuer carries."""
        return json.dumps({"tenant": self.tenant, "subject": self.subject}).encode()


def read_payload(kind: str, payload: bytes | None) -> Job:
    """The job that `Job.payload` wrote. Raises ValueError or KeyError for anything else."""
    told = json.loads(payload or b"")
    return Job(kind=kind, tenant=TenantId(told["tenant"]), subject=told["subject"])


async def enqueue_jobs(connection: "Connection", jobs: Iterable[Job]) -> None:
    """Put jobs into the queue, within the transaction at hand, in one statement.

    A job that already waits or runs is not put in twice.
    """
    wanted = {job.key: job for job in jobs}
    if not wanted:
        return
    await _queries(connection).enqueue(
        [job.kind for job in wanted.values()],
        [job.payload() for job in wanted.values()],
        [_WAITS if job.can_wait else _AT_ONCE for job in wanted.values()],
        dedupe_key=list(wanted),
        on_conflict="skip",
    )


async def note_job_fault(connection: "Connection", job: Job, fault: Exception) -> None:
    """Keep that a job raised, where PgQueuer's pruning does not reach. By the server's clock."""
    await connection.execute(
        """INSERT INTO job_faults AS known (tenant, kind, subject, fault, times, failed_at)
           VALUES ($1, $2, $3, $4, 1, clock_timestamp())
           ON CONFLICT (tenant, kind, subject) DO UPDATE
             SET fault = excluded.fault, times = known.times + 1, failed_at = excluded.failed_at""",
        *(job.tenant, job.kind, job.subject, type(fault).__name__),
    )


async def count_job_faults(connection: "Connection", within: timedelta) -> int:
    """How many jobs raised lately."""
    return int(
        await connection.fetchval(
            "SELECT count(*) FROM job_faults WHERE failed_at >= clock_timestamp() - $1::interval",
            within,
        )
    )


async def prune_job_log(connection: "Connection") -> None:
    """Drop what PgQueuer noted of jobs long done, and faults that nobody looked at for a season.

    By the server's clock: PgQueuer writes by no other.
    """
    for table, column, kept_for in (
        (_queries(connection).qbe.qualified.queue_table_log, "created", JOB_LOG_KEPT_FOR),
        ("job_faults", "failed_at", JOB_FAULTS_KEPT_FOR),
    ):
        await connection.execute(
            f"DELETE FROM {table} WHERE {column} < clock_timestamp() - $1::interval", kept_for
        )


async def is_queue_ready(connection: "Connection") -> bool:
    """Whether PgQueuer's own tables are there and at its version. Changes nothing."""
    queries = _queries(connection)
    if not await queries.schema_is_installed():
        return False
    return not (await queries.plan_upgrade()).statements


async def ensure_queue(connection: "Connection") -> None:
    """Install PgQueuer's own tables or bring them up to its version; changes nothing when current.

    Its trigger is switched off: it notifies inside the deciding transaction, and PostgreSQL lets
    transactions that notify commit only one after the other (docs/adr/0006).
    """
    queries = _queries(connection)
    if await queries.schema_is_installed():
        await queries.apply_upgrade()
    else:
        async with connection.transaction():
            await queries.install()
    names = queries.qbe.settings
    live = await connection.fetchval(
        """SELECT tgenabled <> 'D' FROM pg_trigger
           WHERE tgrelid = $1::text::regclass AND tgname = $2""",
        *(names.queue_table, names.trigger),
    )
    if live:
        await connection.execute(f"ALTER TABLE {names.queue_table} DISABLE TRIGGER {names.trigger}")


def _queries(connection: "Connection") -> "Queries":
    # Imported late: every command of ours migrates, few of them need the queue.
    from pgqueuer import Queries

    direct = cast("asyncpg.Connection[asyncpg.Record]", connection)
    return Queries.from_asyncpg_connection(direct)
