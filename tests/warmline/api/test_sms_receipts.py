"""What the operator's gateway tells of an SMS: signed, taken once, and seen with the notice."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook
from structlog.testing import capture_logs

from tests.serving import Service, a_service
from tests.warmline.api.dump import changes, dump
from tests.warmline.api.test_bad_input import JSON, spoilt
from tests.warmline.notices.kit import (
    CANCELLED,
    CANCELLED_SMS,
    MINE,
    SECRET,
    TENANT,
    line,
    write_notices,
)
from tests.warmline.notices.sms_gateway import SmsGateway, sms_gateway
from warmline.desk.slice import Notice

OLD_SECRET = "whsec_" + base64.b64encode(b"the one before, 24 bytes").decode()
STRANGERS = "whsec_" + base64.b64encode(b"nobody knows that one ..").decode()
AT = datetime(2026, 3, 1, 4, tzinfo=UTC)
PATH = "/v1/sms-receipts"


@dataclass(frozen=True, slots=True)
class Desk:
    """A service with a gateway, and the gateway's way to tell receipts."""

    service: Service
    gateway: SmsGateway

    async def wrote(self, notice: Notice = CANCELLED_SMS) -> str:
        """A notice that nobody has tried yet."""
        house = self.service.house
        now = house.clock.now()
        (id_,) = await write_notices(house.pool, house.seal, now, notice, queued=False)
        return id_

    async def tell(
        self,
        body: dict[str, Any],
        *,
        id_: str = "receipt_1",
        secret: str = SECRET,
        ago_seconds: int = 0,
        **headers: Any,
    ) -> tuple[int, dict[str, Any]]:
        """Sign and post a receipt as the gateway does."""
        text = json.dumps(body)
        at = datetime.now(UTC) - timedelta(seconds=ago_seconds)
        signed = {
            "content-type": "application/json",
            "webhook-id": id_,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret).sign(id_, at, text),
        }
        return await self.post(text.encode(), signed | headers)

    async def post(self, raw: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Post whatever it is."""
        async with self.service.client.post(PATH, data=raw, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def stands(self, notice: str) -> tuple[str | None, str | None]:
        """The delivery that is shown with the notice, and the reason."""
        found = await line(self.service.house.pool, notice)
        return found.delivery, found.delivery_reason

    async def receipts(self) -> int:
        """How many are kept."""
        kept: int = await self.service.house.pool.fetchval("SELECT count(*) FROM sms_receipts")
        return kept

    async def counted(self, state: str) -> float:
        """What the metric says."""
        async with self.service.client.get("/metrics") as answer:
            lines = (await answer.text()).splitlines()
        name = f'warmline_sms_receipts_total{{state="{state}"}} '
        return sum(float(one.removeprefix(name)) for one in lines if one.startswith(name))


def receipt(notice: str, state: str = "delivered", **more: Any) -> dict[str, Any]:
    """A receipt's body."""
    return {"id": notice, "state": state, "at": AT.isoformat()} | more


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    """Both run. The service is changing its secret; the gateway has the newer one."""
    async with (
        sms_gateway() as gateway,
        a_service(
            database_url,
            tmp_path,
            sms="http",
            sms_url=gateway.url,
            sms_secret=f"{SECRET},{OLD_SECRET}",
        ) as service,
    ):
        yield Desk(service, gateway)


async def test_a_code_goes_out_by_the_gateway_and_its_receipt_comes_back(desk: Desk) -> None:
    asking = desk.service.client.post("/v1/device-verifications", json={"phone": MINE.digits})
    async with asking as answer:
        assert answer.status == 202
    async with asyncio.timeout(10):
        await desk.gateway.arrived.wait()
    (posted,) = desk.gateway.posted

    assert (posted.body["to"], posted.body["template"]) == (MINE.digits, "verification_code")
    body = receipt(posted.body["id"], tenant=posted.body["tenant"])
    status, told = await desk.tell(body)
    assert (status, told) == (
        200,
        {"id": posted.id, "delivery": "delivered", "taken": "new"},
    )
    assert await desk.stands(posted.id) == ("delivered", None)
    assert await desk.counted("delivered") == 1


async def test_an_sms_that_did_not_arrive_calls_for_somebody_once(desk: Desk) -> None:
    notice = await desk.wrote()
    with capture_logs() as logs:
        for _ in range(3):
            status, told = await desk.tell(receipt(notice, "undelivered", reason="MK:0005"))
            assert (status, told["delivery"]) == (200, "undelivered")

    assert told["taken"] == "repeated"
    assert await desk.stands(notice) == ("undelivered", "MK:0005")
    assert [one for one in logs if one["event"] == "sms_undelivered"] == [
        {
            "event": "sms_undelivered",
            "log_level": "error",
            "notice": notice,
            "tenant": TENANT,
            "reason": "MK:0005",
        }
    ]
    assert await desk.counted("undelivered") == 1
    assert await desk.receipts() == 1


async def test_a_receipt_told_many_times_at_once_is_kept_once(desk: Desk) -> None:
    notice = await desk.wrote()
    answers = await asyncio.gather(*(desk.tell(receipt(notice)) for _ in range(8)))

    assert sorted(told["taken"] for _, told in answers) == ["new"] + ["repeated"] * 7
    assert await desk.receipts() == 1


async def test_a_repeat_changes_not_one_row_though_it_tells_something_else(desk: Desk) -> None:
    notice = await desk.wrote()
    await desk.tell(receipt(notice))
    before = await dump(desk.service.house.pool)
    later = (AT + timedelta(hours=1)).isoformat()
    status, told = await desk.tell(receipt(notice, "undelivered", at=later))

    assert (status, told["taken"], told["delivery"]) == (200, "repeated", "delivered")
    assert changes(before, await dump(desk.service.house.pool)) == {}


async def test_receipts_may_come_in_any_order_and_what_happened_last_stands(desk: Desk) -> None:
    notice = await desk.wrote()
    later = (AT + timedelta(minutes=10)).isoformat()
    first = await desk.tell(receipt(notice, "delivered", at=later), id_="receipt_2")
    with capture_logs() as logs:
        second = await desk.tell(receipt(notice, "undelivered", reason="OFF"), id_="receipt_1")

    assert first[1]["taken"] == "new"
    assert second == (200, {"id": notice, "delivery": "delivered", "taken": "late"})
    assert await desk.stands(notice) == ("delivered", None)
    assert await desk.receipts() == 2
    assert not [one for one in logs if one["event"] == "sms_undelivered"]


async def test_a_receipt_of_an_unknown_sms_is_told_so_and_not_kept(desk: Desk) -> None:
    push = await desk.wrote(CANCELLED)
    notice = await desk.wrote()
    for body in (receipt("notice_none"), receipt(push), receipt(notice, tenant="another")):
        status, problem = await desk.tell(body)
        assert (status, problem["code"]) == (404, "not_found"), body
        assert "do not tell it again" in problem["detail"]

    assert await desk.receipts() == 0


async def test_what_may_be_a_number_or_a_code_is_not_kept_with_a_reason(desk: Desk) -> None:
    notice = await desk.wrote()
    reason = f"to.{MINE.digits[3:]}:482913"
    await desk.tell(receipt(notice, "undelivered", reason=reason))

    kept = json.dumps(await dump(desk.service.house.pool))
    assert MINE.digits[3:] not in kept
    assert "482913" not in kept
    assert await desk.stands(notice) == ("undelivered", "to.138****5678:***")


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
async def test_while_the_secret_is_changed_both_of_them_count(desk: Desk, secret: str) -> None:
    notice = await desk.wrote()

    assert (await desk.tell(receipt(notice), secret=secret))[0] == 200


async def refused(desk: Desk, status: int, problem: dict[str, Any]) -> None:
    assert (status, problem["code"]) == (403, "forbidden")
    assert await desk.receipts() == 0


@pytest.mark.parametrize("ago_seconds", [330, -330, 86_400])
async def test_a_receipt_signed_more_than_five_minutes_off_is_refused(
    desk: Desk, ago_seconds: int
) -> None:
    notice = await desk.wrote()
    await refused(desk, *await desk.tell(receipt(notice), ago_seconds=ago_seconds))
    assert (await desk.tell(receipt(notice), ago_seconds=ago_seconds // 3 % 290))[0] == 200


FORGED: tuple[dict[str, Any], ...] = (
    {"webhook-signature": "v1,"},
    {"webhook-signature": ""},
    {"webhook-signature": "v1"},
    {"webhook-signature": "v1,a,b"},
    {"webhook-signature": "v1,\xff\xfe"},
    {"webhook-signature": "v2,c2lnbmVk"},
    {"webhook-id": "another"},
    {"webhook-id": ""},
    {"webhook-timestamp": "now"},
    {"webhook-timestamp": "nan"},
    {"webhook-timestamp": "1e400"},
    {"webhook-timestamp": "9" * 400},
    {"webhook-timestamp": ""},
)


async def test_a_forged_receipt_is_refused_and_nothing_is_stored(desk: Desk) -> None:
    notice = await desk.wrote()
    before = await dump(desk.service.house.pool)

    await refused(desk, *await desk.tell(receipt(notice), secret=STRANGERS))
    for headers in FORGED:
        await refused(desk, *await desk.tell(receipt(notice), **headers))
    assert changes(before, await dump(desk.service.house.pool)) == {}


async def test_a_body_that_was_changed_on_its_way_is_refused(desk: Desk) -> None:
    notice = await desk.wrote()
    text, now = json.dumps(receipt(notice)), datetime.now(UTC)
    headers = JSON | {
        "webhook-id": "receipt_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("receipt_1", now, text),
    }
    for changed in (
        text.replace("delivered", "undelivered"),
        text.replace(notice, "notice_9"),
        f"{text} ",
    ):
        await refused(desk, *await desk.post(changed.encode(), headers))
    assert (await desk.post(text.encode(), headers))[0] == 200


async def test_unsigned_nobody_learns_what_is_wrong_with_a_body_or_whether_a_notice_is_there(
    desk: Desk,
) -> None:
    notice = await desk.wrote()
    told = {(await desk.post(json.dumps(receipt(one)).encode(), JSON))[1]["detail"]
            for one in (notice, "notice_none")}  # fmt: skip
    for request, status, _ in spoilt(receipt(notice)):
        if status != 413:
            answer = await desk.post(request["data"], request["headers"])
            told.add(answer[1]["detail"])
            await refused(desk, *answer)

    assert len(told) == 1


async def test_a_signed_body_that_is_not_what_was_asked_for_is_refused_and_changes_nothing(
    desk: Desk,
) -> None:
    notice = await desk.wrote()
    before = await dump(desk.service.house.pool)
    good = receipt(notice)
    for spoils in (
        {"id": ""},
        {"id": "a b"},
        {"id": None},
        {"state": "accepted"},
        {"state": 1},
        {"at": "yesterday"},
        {"at": "2026-03-01T04:00:00"},
        {"tenant": ""},
        {"reason": "two words"},
        {"reason": "x" * 41},
        {"reason": ""},
        {"more": 1},
    ):
        status, problem = await desk.tell(good | spoils)
        assert (status, problem["code"]) == (422, "bad_input"), spoils
    status, problem = await desk.tell(good, id_="x" * 256)
    assert (status, problem["errors"][0]["in"]) == (422, "header")

    assert changes(before, await dump(desk.service.house.pool)) == {}


async def test_without_a_gateway_every_receipt_is_refused(
    database_url: str, tmp_path: Path
) -> None:
    async with sms_gateway() as gateway, a_service(database_url, tmp_path) as service:
        desk = Desk(service, gateway)
        await refused(desk, *await desk.tell(receipt(await desk.wrote())))
