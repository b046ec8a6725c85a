"""From an insurer's list to a talk: import, wait, a message at ten, redeem, call."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from billing.policies.waiting import CHINA, today_in_china
from tests.billing.policies.lists import cells
from tests.people import CALLER, COUNSELOR, LISTENING
from tests.serving import Service
from tests.warmline.policies.kit import as_csv

POLICYHOLDER = "13600000001"
THE_REST_OF_A_DAY = 22 * 3600


async def imported(service: Service, operator: dict[str, str], **changed: str | None) -> None:
    today = today_in_china(service.house.clock.now())
    bought = (today - timedelta(days=30)).isoformat()
    row = cells(
        **{"purchased_on": bought, "effective_on": bought, "policyholder_phone": POLICYHOLDER}
        | {"ends_on": None}
        | changed
    )
    async with service.client.post(
        "/v1/policies/import?apply=true",
        data=as_csv([row]),
        headers=operator | {"Content-Type": "text/csv"},
    ) as response:
        answer = await response.json()
        assert answer["applied"], answer


async def messages(service: Service) -> list[dict[str, Any]]:
    async with service.client.get("/sim/messages") as response:
        told = await response.json()
    return [one for one in told if one["template"] == "voucher_code"]


async def first_message(service: Service) -> dict[str, Any]:
    for _ in range(200):
        if found := await messages(service):
            return found[0]
        await asyncio.sleep(0.05)
    raise AssertionError("no code was sent")


@pytest.mark.rule("A05", "A16", "X12", "X14", "C01")
async def test_the_code_a_policyholder_gets_at_ten_buys_a_talk_for_whoever_holds_it(
    service: Service,
) -> None:
    operator = await service.sign_in("operator")
    await imported(service, operator)

    await service.let_pass(THE_REST_OF_A_DAY - 60)
    assert await messages(service) == []
    await service.let_pass(60)
    sms = await first_message(service)

    assert sms["to"] == "+86136****0001"
    assert service.house.clock.now().astimezone(CHINA).hour == 10
    counselor = await service.people.counselor()
    await service.people.caller()
    await service.script(CALLER, answers="yes", after_seconds=1)
    await service.script(COUNSELOR, answers="yes", after_seconds=1, presses="1")
    code = sms["text"].split("兑换码")[1][:19]
    body = {"program": LISTENING, "counselor": counselor, "voucher": code}
    async with service.client.post(
        "/v1/orders", json=body, headers=service.device(CALLER)
    ) as response:
        assert response.status == 201, await response.text()
        order = (await response.json())["id"]
    status, _ = await service.place_call(order, CALLER)
    assert status == 202
    await service.let_pass(30)
    async with service.client.get("/v1/vouchers", headers=service.device(CALLER)) as response:
        assert [one["state"] for one in (await response.json())["items"]] == ["consumed"]


@pytest.mark.rule("A17", "X15")
async def test_a_policy_surrendered_the_evening_before_sends_nothing(service: Service) -> None:
    operator = await service.sign_in("operator")
    await imported(service, operator)
    await service.let_pass(THE_REST_OF_A_DAY / 2)

    await imported(service, operator, status="退保")
    await service.let_pass(THE_REST_OF_A_DAY)

    assert await messages(service) == []
    assert await service.house.pool.fetchval("SELECT count(*) FROM vouchers") == 0
