"""Status pushes against a real receiver that checks every signature with the library."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from tests.warmline.notices.kit import (
    CANCELLED,
    SECRET,
    TENANT,
    Receiver,
    delivery,
    line,
    receiver,
    write_notices,
)
from warmline.clock import VirtualClock
from warmline.desk.slice import Notice, NoticeKind
from warmline.notices.choosing import sender_of
from warmline.notices.senders import LogSender
from warmline.notices.sending import NotSent
from warmline.notices.status import Push, RecordedPusher, WebhookPusher, pusher_of
from warmline.notices.store import list_messages
from warmline.seal import AesSeal
from warmline.settings import Settings, SettingsInvalid

if TYPE_CHECKING:
    from asyncpg import Pool, Record


@pytest.fixture
def clock(noon: datetime) -> VirtualClock:
    return VirtualClock(noon)


@pytest.fixture
async def service() -> AsyncIterator[Receiver]:
    """The customer-service system."""
    async with receiver() as listening:
        yield listening


@pytest.fixture
async def pusher(service: Receiver) -> AsyncIterator[WebhookPusher]:
    """Knows the service's address and secret."""
    pushing = WebhookPusher(service.url, SECRET)
    yield pushing
    await pushing.close()


def push(noon: datetime) -> Push:
    return Push(
        tenant=TENANT,
        id="notice_1",
        type="order.cancelled",
        happened_at=noon,
        data={"order": "order_1", "reason": "please call 13812345678"},
    )


@pytest.mark.rule("C26", "C27", "C31")
async def test_a_push_is_signed_and_says_what_happened_and_when(
    database: "Pool[Record]",
    seal: AesSeal,
    clock: VirtualClock,
    service: Receiver,
    pusher: WebhookPusher,
) -> None:
    (id_,) = await write_notices(database, seal, clock.now(), CANCELLED)
    await delivery(database, seal, clock, pusher=pusher).deliver(TENANT, id_)

    received = service.received.get_nowait()
    assert received.id == id_
    assert received.body == {
        "type": "order.cancelled",
        "timestamp": clock.now().isoformat(),
        "data": dict(CANCELLED.data),
    }
    assert (await line(database, id_)).outcome == "sent"


async def test_a_crisis_is_pushed_too(
    database: "Pool[Record]",
    seal: AesSeal,
    clock: VirtualClock,
    service: Receiver,
    pusher: WebhookPusher,
) -> None:
    raised = Notice(kind=NoticeKind.STATUS, template="crisis.raised", data={"order": "order_1"})
    (id_,) = await write_notices(database, seal, clock.now(), raised)
    await delivery(database, seal, clock, pusher=pusher).deliver(TENANT, id_)

    assert service.received.get_nowait().body["type"] == "crisis.raised"


@pytest.mark.rule("C26")
async def test_a_push_that_failed_comes_again_under_the_same_id_with_the_same_body(
    database: "Pool[Record]",
    seal: AesSeal,
    clock: VirtualClock,
    service: Receiver,
    pusher: WebhookPusher,
) -> None:
    service.answers = [503, 302]
    (id_,) = await write_notices(database, seal, clock.now(), CANCELLED)
    one = delivery(database, seal, clock, pusher=pusher)
    while (found := await line(database, id_)).outcome is None:
        clock.move_to(found.next_try_at or clock.now())
        await one.deliver(TENANT, id_)

    tries = [service.received.get_nowait() for _ in range(service.received.qsize())]
    assert [one.id for one in tries] == [id_, id_, id_]
    assert tries[0].body == tries[1].body == tries[2].body
    assert (found.outcome, found.fault) == ("sent", None)


async def test_a_receiver_that_is_gone_for_good_is_not_asked_again(
    database: "Pool[Record]",
    seal: AesSeal,
    clock: VirtualClock,
    service: Receiver,
    pusher: WebhookPusher,
) -> None:
    service.answers = [410]
    (id_,) = await write_notices(database, seal, clock.now(), CANCELLED)
    await delivery(database, seal, clock, pusher=pusher).deliver(TENANT, id_)

    given_up = await line(database, id_)
    assert (given_up.outcome, given_up.tries, given_up.fault) == ("gave_up", 1, "HTTP 410")


async def test_a_receiver_that_does_not_listen_is_a_failed_try(
    noon: datetime, unused_tcp_port: int
) -> None:
    silent = WebhookPusher(f"http://127.0.0.1:{unused_tcp_port}/status", SECRET)
    try:
        with pytest.raises(NotSent) as caught:
            await silent.push(push(noon))
    finally:
        await silent.close()

    assert (caught.value.fault, caught.value.final) == ("ClientConnectorError", False)


def test_no_phone_number_leaves_with_a_push(noon: datetime) -> None:
    """A reason is written by people."""
    body = push(noon).body()

    assert "13812345678" not in body
    assert json.loads(body)["data"]["order"] == "order_1"


async def test_without_an_address_a_push_is_only_shown_by_the_simulation(
    database: "Pool[Record]", seal: AesSeal, clock: VirtualClock
) -> None:
    (id_,) = await write_notices(database, seal, clock.now(), CANCELLED)
    await delivery(database, seal, clock).deliver(TENANT, id_)

    async with database.acquire() as connection:
        (message,) = await list_messages(connection, seal, TENANT)
    assert (message.id, message.kind, message.template) == (id_, "status", "order.cancelled")
    assert message.to == "customer-service system"
    assert json.loads(message.text)["data"] == dict(CANCELLED.data)


async def test_the_settings_choose_the_ways_out(
    database: "Pool[Record]", seal: AesSeal, clock: VirtualClock, tmp_path: Path
) -> None:
    settings = Settings.load(data_dir=tmp_path)
    told = settings.model_copy(
        update={"status_url": "https://crm.example/hook", "status_secret": SecretStr(SECRET)}
    )

    assert isinstance(sender_of(settings, database, seal, clock), LogSender)
    assert isinstance(pusher_of(settings, database, seal, clock), RecordedPusher)
    assert isinstance(pusher_of(told, database, seal, clock), WebhookPusher)


@pytest.mark.parametrize("secret", [None, "", "whsec_", "no base64 at all!"])
async def test_a_push_without_a_usable_secret_is_refused_in_one_sentence(
    database: "Pool[Record]",
    seal: AesSeal,
    clock: VirtualClock,
    tmp_path: Path,
    secret: str | None,
) -> None:
    settings = Settings.load(data_dir=tmp_path).model_copy(
        update={
            "status_url": "https://crm.example/hook",
            "status_secret": None if secret is None else SecretStr(secret),
        }
    )

    with pytest.raises(SettingsInvalid, match="WARMLINE_STATUS_SECRET cannot be used") as caught:
        pusher_of(settings, database, seal, clock)
    assert not secret or secret not in str(caught.value).replace("whsec_ in front", "")


async def test_the_timestamp_of_a_push_is_the_machines_whatever_the_simulated_clock_says(
    database: "Pool[Record]",
    seal: AesSeal,
    clock: VirtualClock,
    service: Receiver,
    pusher: WebhookPusher,
) -> None:
    """The receiver refuses what is five minutes off; its clock is not ours to move."""
    assert abs(clock.now() - datetime.now(UTC)).days > 0
    for moved in (0, 86_400):
        clock.advance(moved)
        await pusher.push(replace(push(clock.now()), id=f"notice_{moved}"))

    assert service.received.qsize() == 2
