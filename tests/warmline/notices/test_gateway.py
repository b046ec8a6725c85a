"""SMS by the operator's gateway, against a real one that checks every signature."""

import asyncio
import base64
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from tests.warmline.notices.kit import (
    CANCELLED,
    CANCELLED_SMS,
    MINE,
    SECRET,
    TENANT,
    Receiver,
    delivery,
    line,
    receiver,
    write_notices,
)
from tests.warmline.notices.sms_gateway import Says, SmsGateway, access, says, sms_gateway
from warmline.clock import VirtualClock
from warmline.notices.codes import send_code
from warmline.notices.gateway import HttpSender
from warmline.notices.posting import SignedPoster
from warmline.notices.sending import NotSent
from warmline.notices.signing import Signing
from warmline.notices.status import WebhookPusher
from warmline.notices.store import NoticeLine
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record

OTHER_SECRET = "whsec_" + base64.b64encode(b"another one, of 24 bytes").decode()
CODE = "482913"


@pytest.fixture
def clock(noon: datetime) -> VirtualClock:
    return VirtualClock(noon)


@pytest.fixture
async def gateway() -> AsyncIterator[SmsGateway]:
    """The operator's gateway."""
    async with sms_gateway() as listening:
        yield listening


@pytest.fixture
async def sender(gateway: SmsGateway, tmp_path: Path) -> AsyncIterator[HttpSender]:
    """Knows the gateway's address and secret."""
    sending = HttpSender(access(gateway.url, tmp_path))
    yield sending
    await sending.close()


@pytest.fixture
async def service() -> AsyncIterator[Receiver]:
    """The customer-service system."""
    async with receiver() as listening:
        yield listening


async def test_an_sms_is_posted_signed_with_everything_the_gateway_needs_and_nothing_else(
    database: "Pool[Record]",
    seal: AesSeal,
    clock: VirtualClock,
    gateway: SmsGateway,
    sender: HttpSender,
) -> None:
    (id_,) = await write_notices(database, seal, clock.now(), CANCELLED_SMS)
    await delivery(database, seal, clock, sender=sender).deliver(TENANT, id_)

    (posted,) = gateway.posted
    assert posted.id == id_
    assert posted.headers["Content-Type"] == "application/json"
    assert "已取消" in posted.body.pop("text")
    assert posted.body == {
        "id": id_,
        "tenant": "default",
        "to": MINE.digits,
        "template": "order_cancelled",
        "language": "zh-CN",
    }
    sent = await line(database, id_)
    assert (sent.outcome, sent.tries, sent.fault) == ("sent", 1, None)


async def all_tries(
    database: "Pool[Record]", seal: AesSeal, clock: VirtualClock, sender: HttpSender
) -> NoticeLine:
    """One SMS, tried whenever it is due, until it has its outcome."""
    (id_,) = await write_notices(database, seal, clock.now(), CANCELLED_SMS)
    one = delivery(database, seal, clock, sender=sender)
    while (found := await line(database, id_)).outcome is None:
        clock.move_to(found.next_try_at or clock.now())
        await one.deliver(TENANT, id_)
    return found


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 599, 302])
async def test_what_may_pass_is_tried_again_under_the_same_id_with_the_same_body(
    database: "Pool[Record]",
    seal: AesSeal,
    clock: VirtualClock,
    gateway: SmsGateway,
    sender: HttpSender,
    status: int,
) -> None:
    start = clock.now()
    gateway.answers = [says(status), says(status)]
    found = await all_tries(database, seal, clock, sender)

    assert (found.outcome, found.tries) == ("sent", 3)
    assert clock.now() - start == timedelta(seconds=5 + 20)
    assert [posted.id for posted in gateway.posted] == [found.id] * 3
    assert gateway.posted[0].body == gateway.posted[1].body == gateway.posted[2].body


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422, 451, 499])
async def test_a_refusal_is_final_at_the_first_try(
    database: "Pool[Record]",
    seal: AesSeal,
    clock: VirtualClock,
    gateway: SmsGateway,
    sender: HttpSender,
    status: int,
) -> None:
    gateway.answers = [says(status)]
    found = await all_tries(database, seal, clock, sender)

    assert (found.outcome, found.tries, found.fault) == ("gave_up", 1, f"HTTP {status}")


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ({"reason": "BLACKLISTED"}, "HTTP 422: BLACKLISTED"),
        ({"reason": "MK:0005"}, "HTTP 422: MK:0005"),
        ({"reason": f"no.{MINE.digits[3:]}"}, "HTTP 422: no.138****5678"),
        ({"reason": f"code-{CODE}"}, "HTTP 422: code-***"),
        ({"reason": "a sentence may hold the message"}, "HTTP 422"),
        ({"reason": "x" * 41}, "HTTP 422"),
        ({"reason": 7}, "HTTP 422"),
        ({"reason": "BLACKLISTED", "echo": "x" * 5_000}, "HTTP 422"),
        (["BLACKLISTED"], "HTTP 422"),
    ],
)
async def test_a_refusal_keeps_the_gateways_own_word_and_nothing_that_could_be_a_message(
    database: "Pool[Record]",
    seal: AesSeal,
    clock: VirtualClock,
    gateway: SmsGateway,
    sender: HttpSender,
    told: Any,
    fault: str,
) -> None:
    gateway.answers = [says(422, told)]
    with capture_logs() as logs:
        found = await all_tries(database, seal, clock, sender)

    assert found.fault == fault
    assert logs[-1]["fault"] == fault


@pytest.mark.parametrize("body", [b"<h1>no</h1>", b"\xff\xfe", b"[" * 4_000, b""])
async def test_a_refusal_that_is_no_json_is_a_refusal_all_the_same(
    database: "Pool[Record]",
    seal: AesSeal,
    clock: VirtualClock,
    gateway: SmsGateway,
    sender: HttpSender,
    body: bytes,
) -> None:
    gateway.answers = [Says(status=400, body=body)]
    found = await all_tries(database, seal, clock, sender)

    assert (found.outcome, found.fault) == ("gave_up", "HTTP 400")


@pytest.mark.parametrize(
    ("asked", "waited_seconds"),
    [("60", 60), ("1", 5), ("99999999999", 10_800), ("soon", 5), ("-3", 5), ("", 5)],
)
async def test_a_gateway_that_asks_for_a_longer_wait_is_given_it(
    database: "Pool[Record]",
    seal: AesSeal,
    clock: VirtualClock,
    gateway: SmsGateway,
    sender: HttpSender,
    asked: str,
    waited_seconds: int,
) -> None:
    start = clock.now()
    gateway.answers = [says(503, retry_after=asked)]
    await all_tries(database, seal, clock, sender)

    assert clock.now() - start == timedelta(seconds=waited_seconds)


async def test_a_date_to_come_back_at_is_by_the_machines_clock(gateway: SmsGateway) -> None:
    """The simulated clock is nobody else's."""
    poster = SignedPoster(gateway.url, Signing(SECRET))
    at = datetime.now(UTC) + timedelta(seconds=90)
    gateway.answers = [says(429, retry_after=format_datetime(at, usegmt=True))]
    try:
        answered = await poster.post("notice_1", "{}")
    finally:
        await poster.close()

    assert 80 <= answered.wait_seconds <= 90


async def test_a_code_is_not_tried_again_when_it_will_have_run_out(
    database: "Pool[Record]",
    seal: AesSeal,
    clock: VirtualClock,
    gateway: SmsGateway,
    sender: HttpSender,
) -> None:
    gateway.answers = [says(429, retry_after="300")]
    id_ = await code_notice(database, seal, clock)
    await delivery(database, seal, clock, sender=sender).deliver(TENANT, id_)

    assert (await line(database, id_)).outcome == "gave_up"


async def code_notice(database: "Pool[Record]", seal: AesSeal, clock: VirtualClock) -> str:
    """A verification code on its way; the notice's id."""
    async with database.acquire() as connection, connection.transaction():
        return await send_code(
            connection,
            seal,
            TENANT,
            MINE,
            CODE,
            expires_at=clock.now() + timedelta(minutes=5),
            now=clock.now(),
            new_id=lambda prefix: f"{prefix}_1",
        )


async def test_a_redirect_is_not_followed_for_the_number_would_go_with_it(
    database: "Pool[Record]",
    seal: AesSeal,
    clock: VirtualClock,
    gateway: SmsGateway,
    sender: HttpSender,
) -> None:
    gateway.answers = [says(307, location="/elsewhere"), says(301, location="/elsewhere")]
    found = await all_tries(database, seal, clock, sender)

    assert (found.outcome, found.tries, gateway.elsewhere) == ("sent", 3, 0)


async def test_no_cookie_of_the_gateway_is_kept(
    database: "Pool[Record]",
    seal: AesSeal,
    clock: VirtualClock,
    gateway: SmsGateway,
    sender: HttpSender,
) -> None:
    gateway.answers = [says(503, set_cookie="track=1; Path=/")]
    await all_tries(database, seal, clock, sender)

    assert "Cookie" not in gateway.posted[1].headers


async def test_a_gateway_that_does_not_listen_is_a_failed_try(
    database: "Pool[Record]",
    seal: AesSeal,
    clock: VirtualClock,
    tmp_path: Path,
    unused_tcp_port: int,
) -> None:
    sender = HttpSender(access(f"http://127.0.0.1:{unused_tcp_port}/sms", tmp_path))
    (id_,) = await write_notices(database, seal, clock.now(), CANCELLED_SMS)
    try:
        await delivery(database, seal, clock, sender=sender).deliver(TENANT, id_)
    finally:
        await sender.close()

    found = await line(database, id_)
    assert (found.outcome, found.fault) == (None, "ClientConnectorError")


async def test_a_gateway_that_says_nothing_is_given_up_on(tmp_path: Path) -> None:
    over = asyncio.Event()

    async def silence(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    server = await asyncio.start_server(silence, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    poster = SignedPoster(f"http://127.0.0.1:{port}/sms", Signing(SECRET), timeout_seconds=0.2)
    try:
        async with asyncio.timeout(5):
            with pytest.raises(NotSent) as caught:
                await poster.post("notice_1", "{}")
    finally:
        await poster.close()
        over.set()
        server.close()
        await server.wait_closed()

    assert (caught.value.fault, caught.value.final) == ("TimeoutError", False)


async def test_no_log_line_of_any_level_holds_the_number_the_code_or_the_text(
    database: "Pool[Record]",
    seal: AesSeal,
    clock: VirtualClock,
    gateway: SmsGateway,
    sender: HttpSender,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    gateway.answers = [says(500, {"text": CODE, "to": MINE.digits}), says(400, {"to": MINE.digits})]
    id_ = await code_notice(database, seal, clock)
    one = delivery(database, seal, clock, sender=sender)
    with capture_logs() as logs:
        await one.deliver(TENANT, id_)
        clock.advance(5)
        await one.deliver(TENANT, id_)

    assert len(gateway.posted) == 2
    assert gateway.posted[0].body["to"] == MINE.digits
    assert CODE in gateway.posted[0].body["text"]
    told = repr(logs) + caplog.text + repr(await line(database, id_))
    assert "notice_given_up" in told
    for secret in (MINE.digits[3:], CODE, "验证码", SECRET):
        assert secret not in told


@pytest.mark.parametrize("gateways", [SECRET, OTHER_SECRET])
async def test_while_the_secret_is_changed_the_gateway_may_have_the_old_one_or_the_new_one(
    database: "Pool[Record]", seal: AesSeal, clock: VirtualClock, tmp_path: Path, gateways: str
) -> None:
    async with sms_gateway(gateways) as gateway:
        sender = HttpSender(access(gateway.url, tmp_path, f"{OTHER_SECRET}, {SECRET}"))
        found = await all_tries(database, seal, clock, sender)
        await sender.close()

    assert (found.outcome, found.tries, len(gateway.posted)) == ("sent", 1, 1)


async def test_a_status_push_is_signed_by_both_secrets_too(
    database: "Pool[Record]", seal: AesSeal, clock: VirtualClock, service: Receiver
) -> None:
    pusher = WebhookPusher(service.url, f"{OTHER_SECRET},{SECRET}")
    (id_,) = await write_notices(database, seal, clock.now(), CANCELLED)
    await delivery(database, seal, clock, pusher=pusher).deliver(TENANT, id_)
    await pusher.close()

    assert service.received.get_nowait().id == id_
