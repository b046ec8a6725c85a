"""Jobs live and die with the transaction that put them in."""

from datetime import datetime
from typing import TYPE_CHECKING

import asyncpg
import pytest

from terms.ids import TenantId
from warmline.database.migrate import migrate, shipped
from warmline.notices.outbox import DELIVER, QueuedOutbox
from warmline.notices.queue import Job, enqueue_jobs, ensure_queue, read_payload

if TYPE_CHECKING:
    from asyncpg import Pool, Record

TENANT = TenantId("default")


class Abandoned(Exception):
    """The deciding transaction fails."""


async def jobs(database: "Pool[Record]") -> list[Job]:
    rows = await database.fetch("SELECT entrypoint, payload FROM pgqueuer ORDER BY id")
    return [read_payload(row["entrypoint"], row["payload"]) for row in rows]


@pytest.mark.rule("C26")
async def test_a_committed_decision_leaves_one_job_for_each_notice(
    database: "Pool[Record]", noon: datetime
) -> None:
    async with database.acquire() as connection, connection.transaction():
        await QueuedOutbox().enqueue(connection, TENANT, ["notice_1", "notice_2"], noon)

    assert await jobs(database) == [
        Job(kind=DELIVER, tenant=TENANT, subject="notice_1"),
        Job(kind=DELIVER, tenant=TENANT, subject="notice_2"),
    ]


@pytest.mark.rule("C26")
async def test_a_decision_that_is_rolled_back_leaves_no_job(
    database: "Pool[Record]", noon: datetime
) -> None:
    async def decide_in_vain(connection: "asyncpg.pool.PoolConnectionProxy[Record]") -> None:
        async with connection.transaction():
            await QueuedOutbox().enqueue(connection, TENANT, ["notice_1"], noon)
            raise Abandoned

    async with database.acquire() as connection:
        with pytest.raises(Abandoned):
            await decide_in_vain(connection)

    assert await jobs(database) == []


async def test_several_notices_cost_one_statement(database: "Pool[Record]", noon: datetime) -> None:
    asked: list[str] = []
    async with database.acquire() as connection:
        await QueuedOutbox().enqueue(connection, TENANT, ["first"], noon)  # asyncpg learns types
        with connection.query_logger(lambda record: asked.append(record.query)):
            await QueuedOutbox().enqueue(connection, TENANT, ["a", "b", "c"], noon)
            await QueuedOutbox().enqueue(connection, TENANT, [], noon)

    assert len(asked) == 1


async def test_a_job_that_waits_is_not_put_in_twice(database: "Pool[Record]") -> None:
    job = Job(kind="retention", tenant=TENANT, subject="2030")
    async with database.acquire() as connection:
        await enqueue_jobs(connection, [job, job])
        await enqueue_jobs(connection, [job])

    assert await jobs(database) == [job]


async def test_putting_in_a_job_notifies_nobody_inside_the_transaction(
    database: "Pool[Record]",
) -> None:
    """PostgreSQL commits transactions that notify one after the other (docs/adr/0006)."""
    enabled = await database.fetchval(
        "SELECT tgenabled FROM pg_trigger WHERE tgname = 'tg_pgqueuer_changed'"
    )

    assert enabled == b"D"


async def test_migrating_again_leaves_the_queue_and_what_waits_in_it(
    database: "Pool[Record]",
) -> None:
    async with database.acquire() as connection:
        await enqueue_jobs(connection, [Job(kind=DELIVER, tenant=TENANT, subject="notice_1")])
        await migrate(connection, shipped())
        await ensure_queue(connection)

    assert len(await jobs(database)) == 1


async def test_a_queue_of_an_older_pgqueuer_is_brought_up_to_date(database: "Pool[Record]") -> None:
    async with database.acquire() as connection:
        await connection.execute("ALTER TABLE pgqueuer DROP COLUMN slot")
        await ensure_queue(connection)

        assert await connection.fetchval(
            """SELECT true FROM pg_attribute
               WHERE attrelid = 'pgqueuer'::regclass AND attname = 'slot'"""
        )
        assert (
            await connection.fetchval(
                "SELECT tgenabled FROM pg_trigger WHERE tgname = 'tg_pgqueuer_changed'"
            )
            == b"D"
        )
