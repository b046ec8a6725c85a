"""Background jobs: a small registry, and PgQueuer's consumer running inside `serve`."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import asyncpg
import structlog
from pgqueuer import AsyncpgPoolDriver, Queries, QueueManager
from pgqueuer import Job as PickedJob
from pgqueuer.domain.errors import FailingListenerError
from pgqueuer.ports.driver import NotifyCallback

from terms.ids import TenantId
from warmline.notices.queue import note_job_fault, read_payload

if TYPE_CHECKING:
    from asyncpg import Pool, Record

RunJob = Callable[[TenantId, str], Awaitable[None]]
"""Does one kind of job for a tenant and a subject. It may be run twice for the same."""

TAKES_OVER_AFTER = timedelta(seconds=30)
"""A job whose process shows no sign of life for so long is run by another one."""

_LOOKS_EVERY = timedelta(seconds=2)
_BATCH = 10
_AT_ONCE = 20
_LAST_WAIT_SECONDS = 15.0
_AFTER_A_FAULT_SECONDS = 1.0
_AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, FailingListenerError)

_log = structlog.get_logger()


class BackgroundJobs:
    """Runs jobs until it is stopped; survives a database that goes away.

    Register every kind before `start`. A job that raises is logged, noted in `job_faults` and gone:
    whatever must not be lost is found again in rows of its own, as notices are by `NoticeSweep`.
    """

    name = "background jobs"

    def __init__(
        self, pool: "Pool[Record]", *, takes_over_after: timedelta = TAKES_OVER_AFTER
    ) -> None:
        self._pool = pool
        self._takes_over_after = takes_over_after
        self._kinds: dict[str, RunJob] = {}
        self._driver: _WakeableDriver | None = None
        self._manager: QueueManager | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    def register(self, kind: str, run: RunJob) -> None:
        """Say who does jobs of this kind. Raises ValueError when somebody already does."""
        if kind in self._kinds:
            raise ValueError(f"there is somebody for {kind} already")
        self._kinds[kind] = run

    def start(self) -> None:
        """Begin to take jobs."""
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self, *, wait_seconds: float = _LAST_WAIT_SECONDS) -> None:
        """Take no more jobs and finish those in hand; after `wait_seconds` leave them to others."""
        self._stopping.set()
        if self._manager is not None:
            self._manager.shutdown.set()
        if self._task is None:
            return
        done, _ = await asyncio.wait({self._task}, timeout=wait_seconds)
        if not done:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def wake(self) -> None:
        """Look at once: something was put into the queue and committed."""
        if self._driver is not None:
            self._driver.wake()

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._take_jobs()
            except _AWAY as fault:
                _log.warning("background_jobs_interrupted", fault=type(fault).__name__)
            except Exception:
                _log.exception("background_jobs_fault")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _AFTER_A_FAULT_SECONDS)

    async def _take_jobs(self) -> None:
        self._driver = _WakeableDriver(self._pool)
        self._manager = QueueManager(Queries(self._driver))
        for kind, run in self._kinds.items():
            self._manager.entrypoint(kind)(self._entrypoint(kind, run))
        if self._stopping.is_set():
            return
        await self._manager.run(
            dequeue_timeout=_LOOKS_EVERY,
            batch_size=_BATCH,
            max_concurrent_tasks=_AT_ONCE,
            shutdown_on_listener_failure=True,
            heartbeat_timeout=self._takes_over_after,
        )

    def _entrypoint(self, kind: str, run: RunJob) -> Callable[[PickedJob], Awaitable[None]]:
        async def take(picked: PickedJob) -> None:
            job = read_payload(kind, picked.payload)
            try:
                await run(job.tenant, job.subject)
            except Exception as fault:
                async with self._pool.acquire() as connection:
                    await note_job_fault(connection, job, fault)
                raise

        return take


class _WakeableDriver(AsyncpgPoolDriver):
    """PgQueuer's driver for a pool, which can be told by hand what its trigger would tell."""

    def __init__(self, pool: "Pool[Record]") -> None:
        super().__init__(pool)
        self._heard: tuple[str, NotifyCallback] | None = None
        self._listening = asyncio.Event()

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        await super().add_listener(channel, callback)
        self._heard = (channel, callback)
        self._listening.set()

    async def notify(self, channel: str, payload: str) -> None:
        # The manager asks itself whether it can hear before it listens, and gives up on the answer.
        await self._listening.wait()
        await super().notify(channel, payload)

    def wake(self) -> None:
        if self._heard is None:
            return  # it looks as soon as it listens
        channel, callback = self._heard
        changed = {
            "type": "table_changed_event",
            "channel": channel,
            "operation": "insert",
            "table": "pgqueuer",
            "sent_at": datetime.now(UTC).isoformat(),
        }
        callback(json.dumps(changed))
