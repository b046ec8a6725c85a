"""SMS by Twilio, and codes by Verify, over a Twilio that stands in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import aiohttp
import pytest
from prometheus_client import CollectorRegistry
from twilio.request_validator import RequestValidator

from dialer.carriers.twilio.access import Access
from dialer.carriers.twilio.webhooks import Signatures
from tests.answering import answering
from tests.twilio_standin.fixtures import operations, pytest_terminal_summary
from tests.twilio_standin.operations import Operations
from tests.twilio_standin.standin import Twilio, a_twilio
from tests.warmline.notices.kit import CANCELLED_SMS, MINE, TENANT, delivery, line, write_notices
from warmline.clock import VirtualClock
from warmline.notices.codes import send_code
from warmline.notices.receipts import DeliveryState
from warmline.notices.senders import Sms
from warmline.notices.sending import NotSent
from warmline.notices.taking import ReceiptMetrics
from warmline.notices.texts import VERIFICATION_CODE, Language
from warmline.notices.twilio import SmsAccess, TwilioSender, message_routes, receipt_of
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record

__all__ = ["operations", "pytest_terminal_summary"]

PUBLIC, OURS = "https://warmline.example", "+862155500100"
NOON = datetime(2030, 1, 1, 4, tzinfo=UTC)
SID = "SM" + "7" * 32
CODE = "482913"


@pytest.fixture
def clock(noon: datetime) -> VirtualClock:
    return VirtualClock(noon)


@pytest.fixture
async def twilio(
    operations: Operations, database: "Pool[Record]", clock: VirtualClock
) -> AsyncIterator[Twilio]:
    """A Twilio that tells our process what became of an SMS."""
    services: dict[str, str] = {}
    async with a_twilio(operations, services) as twilio:
        twilio.number(OURS)
        signatures = Signatures(PUBLIC, (twilio.account.token,))
        metrics = ReceiptMetrics(CollectorRegistry())
        async with answering(message_routes(signatures, database, clock, metrics)) as address:
            services[PUBLIC] = address
            yield twilio


def access(twilio: Twilio) -> SmsAccess:
    account = Access(
        account_sid=twilio.account.sid, auth_token=twilio.account.token, api_url=twilio.url
    )
    return SmsAccess(access=account, public_url=PUBLIC, sender=OURS)


@asynccontextmanager
async def sender(access: SmsAccess) -> AsyncIterator[TwilioSender]:
    sending = TwilioSender(access)
    try:
        yield sending
    finally:
        await sending.close()


def a_code(code: str = CODE) -> Sms:
    return Sms(
        tenant=TENANT,
        id="notice_1",
        to=MINE,
        template=VERIFICATION_CODE,
        language=Language.ZH,
        text=f"您的验证码：{code}",
        code=code,
    )


async def test_an_sms_is_sent_and_its_delivery_is_told(
    twilio: Twilio, database: "Pool[Record]", seal: AesSeal, clock: VirtualClock
) -> None:
    (id_,) = await write_notices(database, seal, clock.now(), CANCELLED_SMS)

    async with sender(access(twilio)) as sending:
        await delivery(database, seal, clock, sender=sending).deliver(TENANT, id_)
    await twilio.settle()

    (message,) = twilio.office.messages.values()
    assert (message.to, message.from_) == (MINE.digits, OURS)
    assert twilio.phone(MINE.digits).messages == [message.body]
    sent = await line(database, id_)
    assert (sent.outcome, sent.delivery) == ("sent", DeliveryState.DELIVERED)


async def test_an_sms_that_does_not_arrive_is_told_with_twilios_reason(
    twilio: Twilio, database: "Pool[Record]", seal: AesSeal, clock: VirtualClock
) -> None:
    twilio.office.undeliverable[MINE.digits] = 30003
    (id_,) = await write_notices(database, seal, clock.now(), CANCELLED_SMS)

    async with sender(access(twilio)) as sending:
        await delivery(database, seal, clock, sender=sending).deliver(TENANT, id_)
    await twilio.settle()

    told = await line(database, id_)
    assert (told.delivery, told.delivery_reason) == (DeliveryState.UNDELIVERED, "30003")


async def test_a_receipt_told_twice_is_kept_once_and_a_forged_one_never(
    twilio: Twilio, database: "Pool[Record]", seal: AesSeal, clock: VirtualClock
) -> None:
    (id_,) = await write_notices(database, seal, clock.now(), CANCELLED_SMS)
    path = f"/carrier/twilio/messages/{TENANT}/{id_}"
    fields = {"MessageSid": SID, "MessageStatus": "delivered", "Empty": ""}
    signed = RequestValidator(twilio.account.token).compute_signature(PUBLIC + path, fields)
    address = twilio.mouth.services[PUBLIC]

    async with aiohttp.ClientSession() as session:

        async def post(signature: str | None) -> int:
            headers = {} if signature is None else {"X-Twilio-Signature": signature}
            async with session.post(address + path, data=fields, headers=headers) as answer:
                return answer.status

        assert [await post(None), await post("forged"), await post("")] == [403] * 3
        async with database.acquire() as connection:
            assert await connection.fetchval("SELECT count(*) FROM sms_receipts") == 0
        assert [await post(signed), await post(signed)] == [204, 204]

    async with database.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM sms_receipts") == 1


async def test_a_code_goes_by_verify_where_that_is_set_and_is_still_ours_to_judge(
    twilio: Twilio, database: "Pool[Record]", seal: AesSeal, clock: VirtualClock
) -> None:
    verifying = replace(access(twilio), verify_service=twilio.office.verify_service)
    async with database.acquire() as connection, connection.transaction():
        id_ = await send_code(
            connection,
            seal,
            TENANT,
            MINE,
            CODE,
            expires_at=clock.now() + timedelta(minutes=5),
            now=clock.now(),
            new_id=lambda prefix: f"{prefix}_1",
        )

    async with sender(verifying) as sending:
        await delivery(database, seal, clock, sender=sending).deliver(TENANT, id_)

    (verification,) = twilio.office.codes
    assert (verification.to, verification.code) == (MINE.digits, CODE)
    assert twilio.office.messages == {}
    assert (await line(database, id_)).outcome == "sent"


async def test_what_verify_refuses_goes_by_sms(twilio: Twilio) -> None:
    verifying = replace(access(twilio), verify_service=twilio.office.verify_service)

    async with sender(verifying) as sending:
        for _ in range(6):
            await sending.send_sms(a_code())

    assert twilio.office.codes[0].sends == 5
    assert len(twilio.office.messages) == 1


async def test_other_texts_never_go_by_verify(twilio: Twilio) -> None:
    verifying = replace(access(twilio), verify_service=twilio.office.verify_service)

    async with sender(verifying) as sending:
        await sending.send_sms(replace(a_code(), template="voucher_code"))

    assert (len(twilio.office.codes), len(twilio.office.messages)) == (0, 1)


async def test_a_refusal_is_final_and_names_no_number(twilio: Twilio) -> None:
    async with sender(replace(access(twilio), sender="+862155500999")) as sending:
        with pytest.raises(NotSent) as refused:
            await sending.send_sms(a_code())

    assert refused.value.final
    assert refused.value.fault == "HTTP 400: 21606"
    assert MINE.digits not in f"{refused.value!r}{refused.value.__cause__!r}"


async def test_an_account_that_is_not_let_in_is_tried_again(twilio: Twilio) -> None:
    wrong = replace(access(twilio).access, auth_token="another")
    async with sender(replace(access(twilio), access=wrong)) as sending:
        with pytest.raises(NotSent) as refused:
            await sending.send_sms(a_code())

    assert not refused.value.final


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("queued", None),
        ("sent", None),
        ("delivered", DeliveryState.DELIVERED),
        ("undelivered", DeliveryState.UNDELIVERED),
        ("failed", DeliveryState.UNDELIVERED),
        ("read", None),
        ("", None),
    ],
)
def test_only_ends_are_receipts(status: str, state: DeliveryState | None) -> None:
    fields = {"MessageSid": SID, "MessageStatus": status, "ErrorCode": "30005"}

    receipt = receipt_of("notice_1", fields, NOON)

    assert (None if receipt is None else receipt.state) is state
    if receipt is not None:
        assert receipt.id == f"{SID}:{status}"
        assert receipt.reason == ("30005" if state is DeliveryState.UNDELIVERED else None)
