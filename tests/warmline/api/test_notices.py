"""What staff see of notices: outcome and delivery, and nothing that was told in them."""

import asyncio
from pathlib import Path

from tests.serving import Service, a_service
from tests.warmline.api.test_sms_receipts import Desk, receipt
from tests.warmline.notices.kit import CANCELLED, MINE, ORDER, SECRET
from tests.warmline.notices.sms_gateway import says, sms_gateway


async def told(service: Service, path: str, headers: dict[str, str]) -> list[dict[str, object]]:
    """The items of one page."""
    async with service.client.get(path, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        text = await answer.text()
        for secret in (MINE.digits[3:], "已取消"):
            assert secret not in text
        items: list[dict[str, object]] = (await answer.json())["items"]
        return items


async def test_staff_find_the_sms_that_did_not_arrive_and_why(
    database_url: str, tmp_path: Path
) -> None:
    async with (
        sms_gateway() as gateway,
        a_service(
            database_url, tmp_path, sms="http", sms_url=gateway.url, sms_secret=SECRET
        ) as service,
    ):
        desk = Desk(service, gateway)
        arrived, lost, push = await desk.wrote(), await desk.wrote(), await desk.wrote(CANCELLED)
        await desk.tell(receipt(arrived), id_="receipt_1")
        await desk.tell(receipt(lost, "undelivered", reason="OFF"), id_="receipt_2")
        for role in ("operator", "support"):
            who = await service.sign_in(role)
            (found,) = await told(service, "/v1/notices?delivery=undelivered", who)
            assert (found["id"], found["delivery"], found["delivery_reason"]) == (
                lost,
                "undelivered",
                "OFF",
            )
            everything = await told(service, f"/v1/notices?order={ORDER}", who)
            assert [one["id"] for one in everything] == [push, lost, arrived]
        assert await told(service, "/v1/notices?order=order_none", who) == []


async def test_staff_see_what_a_gateway_refused_with_its_own_word(
    database_url: str, tmp_path: Path
) -> None:
    async with (
        sms_gateway() as gateway,
        a_service(
            database_url, tmp_path, sms="http", sms_url=gateway.url, sms_secret=SECRET
        ) as service,
    ):
        gateway.answers = [says(422, {"reason": "BLACKLISTED"})]
        notice = await Desk(service, gateway).wrote()
        await service.let_pass(61)  # nobody had a job for it
        operator = await service.sign_in("operator")
        found = await told(service, "/v1/notices?outcome=gave_up", operator)
        async with asyncio.timeout(10):
            while not found:
                found = await told(service, "/v1/notices?outcome=gave_up", operator)

    (line,) = found
    assert (line["id"], line["tries"], line["fault"]) == (notice, 1, "HTTP 422: BLACKLISTED")
    assert (line["outcome"], line["delivery"]) == ("gave_up", None)
