"""One try at one notice, and the tries that follow, by a clock that the test moves."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from tests.warmline.notices.kit import (
    CANCELLED,
    CANCELLED_SMS,
    MINE,
    TENANT,
    Airwaves,
    always,
    delivery,
    line,
    write_notices,
)
from warmline.clock import VirtualClock
from warmline.desk.slice import Notice, NoticeKind
from warmline.notices.retries import MOST_TRIES, next_try_at
from warmline.notices.sending import NotSent
from warmline.notices.service import NoticeSweep
from warmline.notices.store import list_messages, list_notices
from warmline.notices.worker import BackgroundJobs
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record


@pytest.fixture
def clock(noon: datetime) -> VirtualClock:
    return VirtualClock(noon)


@pytest.mark.rule("C26", "C27", "C31")
async def test_a_cancelled_order_is_told_to_the_caller_and_to_the_customer_service_system(
    database: "Pool[Record]", seal: AesSeal, clock: VirtualClock
) -> None:
    ids = await write_notices(database, seal, clock.now(), CANCELLED, CANCELLED_SMS)
    for id_ in ids:
        await delivery(database, seal, clock).deliver(TENANT, id_)

    async with database.acquire() as connection:
        messages = await list_messages(connection, seal, TENANT)
    told = {message.kind: message for message in messages}
    assert told["sms"].to == "+86138****5678"
    assert "已取消" in told["sms"].text
    assert '"type":"order.cancelled"' in told["status"].text
    assert [(await line(database, id_)).outcome for id_ in ids] == ["sent", "sent"]


@pytest.mark.rule("A32", "A33")
async def test_an_expired_order_is_told_to_the_caller_with_the_voucher_that_came_back(
    database: "Pool[Record]", seal: AesSeal, clock: VirtualClock
) -> None:
    expired = Notice(kind=NoticeKind.SMS, template="order_expired", data=CANCELLED.data)
    (id_,) = await write_notices(database, seal, clock.now(), expired)
    air = Airwaves()
    await delivery(database, seal, clock, sender=air).deliver(TENANT, id_)

    (sms,) = air.sent
    assert sms.to == MINE
    assert "兑换码已退回账户" in sms.text


async def test_what_was_sent_is_not_sent_again_by_a_second_job(
    database: "Pool[Record]", seal: AesSeal, clock: VirtualClock
) -> None:
    (id_,) = await write_notices(database, seal, clock.now(), CANCELLED_SMS)
    air = Airwaves()
    one = delivery(database, seal, clock, sender=air)
    await one.deliver(TENANT, id_)
    await one.deliver(TENANT, id_)

    assert len(air.sent) == 1


@pytest.mark.rule("C26")
async def test_a_try_that_failed_is_repeated_when_its_time_has_come_and_not_before(
    database: "Pool[Record]", seal: AesSeal, clock: VirtualClock
) -> None:
    (id_,) = await write_notices(database, seal, clock.now(), CANCELLED_SMS)
    air = Airwaves(iter([NotSent("HTTP 503"), None]))
    one = delivery(database, seal, clock, sender=air)
    await one.deliver(TENANT, id_)
    failed = await line(database, id_)
    assert (failed.outcome, failed.tries, failed.fault) == (None, 1, "HTTP 503")
    assert failed.next_try_at == clock.now() + timedelta(seconds=5)

    clock.advance(4)
    await one.deliver(TENANT, id_)
    assert air.sent == []

    clock.advance(1)
    await one.deliver(TENANT, id_)
    sent = await line(database, id_)
    assert [sms.id for sms in air.sent] == [id_]
    assert (sent.outcome, sent.tries, sent.sent_at) == ("sent", 2, clock.now())


@pytest.mark.rule("C26")
async def test_after_eight_tries_within_five_hours_somebody_is_called_for(
    database: "Pool[Record]", seal: AesSeal, clock: VirtualClock
) -> None:
    start = clock.now()
    (id_,) = await write_notices(database, seal, start, CANCELLED_SMS)
    registry = CollectorRegistry()
    one = delivery(database, seal, clock, sender=Airwaves(always("HTTP 503")), registry=registry)
    with capture_logs() as logs:
        while (await line(database, id_)).outcome is None:
            await one.deliver(TENANT, id_)
            at = (await line(database, id_)).next_try_at
            clock.move_to(at or clock.now())

    given_up = await line(database, id_)
    assert (given_up.outcome, given_up.tries, given_up.sent_at) == ("gave_up", 8, None)
    assert timedelta(hours=4) < clock.now() - start < timedelta(hours=5, minutes=30)
    assert logs[-1]["event"] == "notice_given_up"
    assert logs[-1]["log_level"] == "error"
    tries = {"kind": "sms", "outcome": "gave_up"}
    assert registry.get_sample_value("warmline_notice_tries_total", tries) == 1


def test_waits_between_tries_grow_to_three_hours(noon: datetime) -> None:
    waits = [next_try_at(tries, noon, None) for tries in range(1, MOST_TRIES + 1)]

    assert waits[-1] is None
    seconds = [(at - noon).total_seconds() for at in waits if at is not None]
    assert seconds == [5, 20, 80, 320, 1280, 5120, 10800]


@pytest.mark.parametrize(
    "failure", [RuntimeError("+8613812345678 is out of reach"), OSError(), TimeoutError()]
)
async def test_an_unforeseen_fault_counts_as_a_try_and_gives_nothing_away(
    database: "Pool[Record]", seal: AesSeal, clock: VirtualClock, failure: Exception
) -> None:
    (id_,) = await write_notices(database, seal, clock.now(), CANCELLED_SMS)
    air = Airwaves(iter([failure]))
    with capture_logs() as logs:
        await delivery(database, seal, clock, sender=air).deliver(TENANT, id_)

    assert (await line(database, id_)).fault == type(failure).__name__
    assert "13812345678" not in repr(logs)


@pytest.mark.parametrize(
    "hopeless",
    [
        replace(CANCELLED_SMS, template="no_such_text"),
        replace(CANCELLED_SMS, template="order_interrupted", data={}),
    ],
)
async def test_a_notice_that_no_try_can_help_is_given_up_at_once(
    database: "Pool[Record]", seal: AesSeal, clock: VirtualClock, hopeless: Notice
) -> None:
    (id_,) = await write_notices(database, seal, clock.now(), hopeless)
    await delivery(database, seal, clock).deliver(TENANT, id_)

    given_up = await line(database, id_)
    assert (given_up.outcome, given_up.tries) == ("gave_up", 1)


async def test_a_number_sealed_under_a_lost_secret_does_not_keep_the_notice_for_ever(
    database: "Pool[Record]", seal: AesSeal, clock: VirtualClock
) -> None:
    (id_,) = await write_notices(database, seal, clock.now(), CANCELLED_SMS)
    stranger = AesSeal(b"the secret of quite another installation 0123456789")
    await delivery(database, stranger, clock).deliver(TENANT, id_)

    assert (await line(database, id_)).fault == "SealBroken"


async def test_the_log_of_a_simulated_sms_holds_neither_number_nor_text(
    database: "Pool[Record]", seal: AesSeal, clock: VirtualClock
) -> None:
    (id_,) = await write_notices(database, seal, clock.now(), CANCELLED_SMS)
    with capture_logs() as logs:
        await delivery(database, seal, clock).deliver(TENANT, id_)

    assert logs == [
        {
            "event": "sms_simulated",
            "log_level": "info",
            "to": "+86138****5678",
            "template": "order_cancelled",
            "notice": id_,
        }
    ]


async def test_a_simulated_sms_sent_twice_is_shown_once(
    database: "Pool[Record]", seal: AesSeal, clock: VirtualClock
) -> None:
    (id_,) = await write_notices(database, seal, clock.now(), CANCELLED_SMS)
    one = delivery(database, seal, clock)
    await one.deliver(TENANT, id_)
    await database.execute("UPDATE notices SET outcome = NULL")
    await one.deliver(TENANT, id_)

    async with database.acquire() as connection:
        assert len(await list_messages(connection, seal, TENANT)) == 1
    assert (await line(database, id_)).outcome == "sent"


async def test_operators_see_every_notice_in_pages_newest_first(
    database: "Pool[Record]", seal: AesSeal, clock: VirtualClock
) -> None:
    ids = await write_notices(database, seal, clock.now(), CANCELLED, CANCELLED_SMS, CANCELLED)
    await delivery(database, seal, clock).deliver(TENANT, ids[1])

    async with database.acquire() as connection:
        first = await list_notices(connection, TENANT, limit=2)
        rest = await list_notices(connection, TENANT, limit=2, before=first[-1].id)
        waiting = await list_notices(connection, TENANT, limit=9, outcomes=[None])
    assert [one.id for one in (*first, *rest)] == ids[::-1]
    assert [one.id for one in waiting] == [ids[2], ids[0]]


async def jobs_waiting(database: "Pool[Record]") -> int:
    count: int = await database.fetchval("SELECT count(*) FROM pgqueuer")
    return count


async def test_a_notice_whose_job_was_lost_gets_another_after_a_minute(
    database: "Pool[Record]", seal: AesSeal, clock: VirtualClock
) -> None:
    await write_notices(database, seal, clock.now(), CANCELLED, queued=False)
    sweep = NoticeSweep(database, clock, BackgroundJobs(database))

    clock.advance(59)
    await sweep.look()
    assert await jobs_waiting(database) == 0

    clock.advance(1)
    await sweep.look()
    await sweep.look()
    assert await jobs_waiting(database) == 1


async def test_the_sweep_puts_in_a_retry_when_it_is_due_and_says_when_the_next_one_is(
    database: "Pool[Record]", seal: AesSeal, clock: VirtualClock
) -> None:
    (id_,) = await write_notices(database, seal, clock.now(), CANCELLED_SMS, queued=False)
    air = Airwaves(always("HTTP 503"))
    await delivery(database, seal, clock, sender=air).deliver(TENANT, id_)
    sweep = NoticeSweep(database, clock, BackgroundJobs(database))

    due_at = await sweep.look()
    assert due_at == clock.now() + timedelta(seconds=5)
    assert await jobs_waiting(database) == 0

    clock.move_to(due_at)
    assert await sweep.look() is None
    assert await jobs_waiting(database) == 1
