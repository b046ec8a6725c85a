"""The way of a code: under seal until it is sent, then nowhere."""

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from tests.warmline.notices.kit import MINE, TENANT, Airwaves, always, delivery, line
from warmline.clock import VirtualClock
from warmline.notices.codes import send_code
from warmline.notices.store import list_messages
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record

CODE = "482913"
LIVES = timedelta(minutes=5)


@pytest.fixture
def clock(noon: datetime) -> VirtualClock:
    return VirtualClock(noon)


async def send(database: "Pool[Record]", seal: AesSeal, now: datetime) -> str:
    async with database.acquire() as connection, connection.transaction():
        return await send_code(
            connection,
            seal,
            TENANT,
            MINE,
            CODE,
            expires_at=now + LIVES,
            now=now,
            new_id=lambda prefix: f"{prefix}_1",
        )


async def everything_stored(database: "Pool[Record]") -> str:
    rows = await database.fetch(
        "SELECT n::text FROM notices n UNION SELECT s::text FROM sim_messages s"
    )
    queued = await database.fetch("SELECT encode(payload, 'escape') FROM pgqueuer")
    return " ".join(str(row[0]) for row in (*rows, *queued))


@pytest.mark.rule("B12")
async def test_a_code_goes_by_sms_to_the_number_it_was_asked_for(
    database: "Pool[Record]", seal: AesSeal, clock: VirtualClock
) -> None:
    id_ = await send(database, seal, clock.now())
    air = Airwaves()
    await delivery(database, seal, clock, sender=air).deliver(TENANT, id_)

    (sms,) = air.sent
    assert sms.to == MINE
    assert f"验证码{CODE}，5分钟内有效" in sms.text
    assert CODE not in repr(sms)


async def test_neither_code_nor_number_is_stored_or_logged_in_clear(
    database: "Pool[Record]",
    seal: AesSeal,
    clock: VirtualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with capture_logs() as logs, caplog.at_level(logging.DEBUG):
        id_ = await send(database, seal, clock.now())
        before = await everything_stored(database)
        await delivery(database, seal, clock).deliver(TENANT, id_)
    after = await everything_stored(database)

    told = " ".join((before, after, repr(logs), caplog.text))
    assert CODE not in told
    assert CODE.encode().hex() not in told
    assert MINE.digits[3:] not in told


async def test_the_simulation_shows_the_code_to_whoever_plays_the_caller(
    database: "Pool[Record]", seal: AesSeal, clock: VirtualClock
) -> None:
    id_ = await send(database, seal, clock.now())
    await delivery(database, seal, clock).deliver(TENANT, id_)

    async with database.acquire() as connection:
        (message,) = await list_messages(connection, seal, TENANT)
    assert (message.kind, message.template) == ("sms", "verification_code")
    assert CODE in message.text


@pytest.mark.parametrize("sender", [Airwaves(), Airwaves(always("HTTP 503"))])
async def test_once_there_is_an_outcome_the_code_is_forgotten(
    database: "Pool[Record]", seal: AesSeal, clock: VirtualClock, sender: Airwaves
) -> None:
    id_ = await send(database, seal, clock.now())
    one = delivery(database, seal, clock, sender=sender)
    while (found := await line(database, id_)).outcome is None:
        clock.move_to(found.next_try_at or clock.now())
        await one.deliver(TENANT, id_)

    kept = await database.fetchrow("SELECT address_sealed, secret_sealed FROM notices")
    assert kept is not None
    assert tuple(kept) == (None, None)


async def test_a_code_is_not_tried_again_once_it_has_run_out(
    database: "Pool[Record]", seal: AesSeal, clock: VirtualClock
) -> None:
    sent_at = clock.now()
    id_ = await send(database, seal, sent_at)
    one = delivery(database, seal, clock, sender=Airwaves(always("HTTP 503")))
    while (found := await line(database, id_)).outcome is None:
        clock.move_to(found.next_try_at or clock.now())
        await one.deliver(TENANT, id_)

    assert (found.outcome, found.tries) == ("gave_up", 4)
    assert clock.now() < sent_at + LIVES


async def test_a_code_that_ran_out_while_nobody_worked_is_not_sent(
    database: "Pool[Record]", seal: AesSeal, clock: VirtualClock
) -> None:
    id_ = await send(database, seal, clock.now())
    clock.advance(LIVES.total_seconds())
    air = Airwaves()
    await delivery(database, seal, clock, sender=air).deliver(TENANT, id_)

    assert air.sent == []
    assert (await line(database, id_)).outcome == "gave_up"
