"""The worker as `serve` runs it: started, woken, interrupted, killed and stopped."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

from terms.ids import TenantId
from tests.warmline.notices.kit import (
    CANCELLED,
    CANCELLED_SMS,
    SECRET,
    TENANT,
    ZONES,
    Airwaves,
    outcome,
    receiver,
    write_notices,
)
from warmline.clock import Clock, SystemClock, VirtualClock
from warmline.notices import worker
from warmline.notices.queue import Job, enqueue_jobs
from warmline.notices.senders import Sender
from warmline.notices.sending import NotSent
from warmline.notices.service import Notices
from warmline.notices.status import RecordedPusher, StatusPusher, WebhookPusher
from warmline.notices.worker import BackgroundJobs, _WakeableDriver
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record

ROOT = Path(__file__).parents[3]


@asynccontextmanager
async def running(
    database: "Pool[Record]",
    seal: AesSeal,
    clock: Clock,
    *,
    sender: Sender | None = None,
    pusher: StatusPusher | None = None,
) -> AsyncIterator[Notices]:
    """Notices at work; a dead process's jobs are taken over after a second."""
    notices = Notices(
        database,
        seal,
        clock,
        sender=sender or Airwaves(),
        pusher=pusher or RecordedPusher(database, seal, clock),
        zones=ZONES,
        registry=CollectorRegistry(),
        takes_over_after=timedelta(seconds=1),
    )
    notices.start()
    try:
        yield notices
    finally:
        await notices.stop()


async def until(database: "Pool[Record]", question: str) -> None:
    """Wait for the database to say yes, at most ten seconds."""
    async with asyncio.timeout(10):
        while not await database.fetchval(question):  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # the database tells nobody


@pytest.mark.rule("C26", "C27")
async def test_what_was_decided_is_sent_by_the_worker(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    clock, air = SystemClock(), Airwaves()
    async with running(database, seal, clock, sender=air) as notices:
        ids = await write_notices(database, seal, clock.now(), CANCELLED, CANCELLED_SMS)
        notices.wake()
        outcomes = [(await outcome(database, id_)).outcome for id_ in ids]

    assert outcomes == ["sent", "sent"]
    assert [sms.id for sms in air.sent] == [ids[1]]


async def test_a_woken_worker_does_not_wait_for_its_next_look(
    database: "Pool[Record]", seal: AesSeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_LOOKS_EVERY", timedelta(minutes=5))
    clock = SystemClock()
    async with running(database, seal, clock) as notices:
        (warm,) = await write_notices(database, seal, clock.now(), CANCELLED)
        await outcome(database, warm)  # now it listens, and has just looked
        (id_,) = await write_notices(database, seal, clock.now(), CANCELLED)
        notices.wake()
        assert (await outcome(database, id_)).outcome == "sent"


@pytest.mark.rule("C26")
async def test_a_retry_comes_when_our_clock_says_so(
    database: "Pool[Record]", seal: AesSeal, noon: datetime
) -> None:
    clock, air = VirtualClock(noon), Airwaves(iter([NotSent("HTTP 503")]))
    async with running(database, seal, clock, sender=air) as notices:
        (id_,) = await write_notices(database, seal, clock.now(), CANCELLED_SMS)
        notices.wake()
        await until(
            database,
            "SELECT tries = 1 AND NOT EXISTS (SELECT FROM pgqueuer) FROM notices",
        )
        clock.advance(5)
        assert (await outcome(database, id_)).tries == 2


@pytest.mark.rule("C26")
async def test_a_push_in_the_hands_of_a_killed_process_comes_again_under_the_same_id(
    database: "Pool[Record]", database_url: str, seal: AesSeal
) -> None:
    async with receiver() as service:
        service.held = asyncio.Event()
        (id_,) = await write_notices(database, seal, datetime.now(UTC), CANCELLED)
        victim = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.warmline.notices.victim", database_url, service.url),
            cwd=ROOT,
        )
        try:
            async with asyncio.timeout(20):
                first = await service.received.get()
        finally:
            victim.kill()
            await victim.wait()
        service.held.set()
        pusher = WebhookPusher(service.url, SECRET)
        async with running(database, seal, SystemClock(), pusher=pusher):
            async with asyncio.timeout(20):
                second = await service.received.get()
            assert (await outcome(database, id_)).outcome == "sent"

    assert first.id == second.id == id_
    assert first.body == second.body


async def test_stopping_finishes_the_job_in_hand_and_takes_no_other(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    async with receiver() as service:
        service.held = asyncio.Event()
        pusher = WebhookPusher(service.url, SECRET)
        async with running(database, seal, SystemClock(), pusher=pusher) as notices:
            (in_hand,) = await write_notices(database, seal, datetime.now(UTC), CANCELLED)
            await service.received.get()
            stopping = asyncio.create_task(notices.stop())
            await asyncio.sleep(0)
            (later,) = await write_notices(database, seal, datetime.now(UTC), CANCELLED)
            notices.wake()
            service.held.set()
            await stopping

    rows = await database.fetch("SELECT id, outcome FROM notices ORDER BY id")
    assert [tuple(row) for row in rows] == [(in_hand, "sent"), (later, None)]


async def test_a_database_that_went_away_is_come_back_to(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    clock = SystemClock()
    async with running(database, seal, clock):
        (before,) = await write_notices(database, seal, clock.now(), CANCELLED)
        await outcome(database, before)
        async with database.acquire() as connection:
            await connection.execute(
                """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE datname = current_database() AND pid <> pg_backend_pid()"""
            )
        (after,) = await write_notices(database, seal, clock.now(), CANCELLED)
        assert (await outcome(database, after)).outcome == "sent"


async def test_other_kinds_of_background_work_find_their_place(database: "Pool[Record]") -> None:
    done: asyncio.Queue[tuple[TenantId, str]] = asyncio.Queue()

    async def forget(tenant: TenantId, year: str) -> None:
        done.put_nowait((tenant, year))

    jobs = BackgroundJobs(database)
    jobs.register("retention", forget)
    jobs.start()
    try:
        async with database.acquire() as connection:
            job = Job(kind="retention", tenant=TENANT, subject="2030")
            await enqueue_jobs(connection, [job])
        jobs.wake()
        async with asyncio.timeout(10):
            assert await done.get() == (TENANT, "2030")
    finally:
        await jobs.stop()


async def test_what_somebody_waits_for_goes_before_thousands_that_nobody_waits_for(
    database: "Pool[Record]",
) -> None:
    jobs, done = BackgroundJobs(database), []

    async def run(tenant: TenantId, subject: str) -> None:
        done.append(subject)

    jobs.register("send", run)
    async with database.acquire() as connection:
        many = [
            Job(kind="send", tenant=TENANT, subject=f"one of many {n}", can_wait=True)
            for n in range(100)
        ]
        await enqueue_jobs(connection, many)
        await enqueue_jobs(connection, [Job(kind="send", tenant=TENANT, subject="a code")])
    jobs.start()
    try:
        async with asyncio.timeout(10):
            while len(done) <= len(many):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    finally:
        await jobs.stop()

    assert done[0] == "a code"


async def test_two_for_one_kind_of_work_are_a_mistake(database: "Pool[Record]") -> None:
    async def forget(_tenant: TenantId, _year: str) -> None: ...

    jobs = BackgroundJobs(database)
    jobs.register("retention", forget)
    with pytest.raises(ValueError, match="somebody for retention already"):
        jobs.register("retention", forget)


async def test_the_worker_asks_whether_it_can_hear_only_once_it_listens(
    database: "Pool[Record]",
) -> None:
    driver, heard = _WakeableDriver(database), asyncio.Queue[str | bytes | bytearray]()
    async with driver:
        asking = asyncio.create_task(driver.notify("hearing", "can you hear me?"))
        await database.fetchval("SELECT 1")
        await driver.add_listener("hearing", heard.put_nowait)
        async with asyncio.timeout(10):
            assert await heard.get() == "can you hear me?"
        await asking


async def test_a_job_that_raised_stays_visible(database: "Pool[Record]") -> None:
    jobs = BackgroundJobs(database)
    tried = asyncio.Event()

    async def fail(tenant: TenantId, subject: str) -> None:
        tried.set()
        raise ValueError(subject)

    jobs.register("fail", fail)
    async with database.acquire() as connection:
        await enqueue_jobs(connection, [Job(kind="fail", tenant=TENANT, subject="x")])
    jobs.start()
    await asyncio.wait_for(tried.wait(), 10)
    await jobs.stop()

    row = await database.fetchrow("SELECT tenant, kind, subject, fault, times FROM job_faults")
    assert row is not None
    assert tuple(row) == (TENANT, "fail", "x", "ValueError", 1)
