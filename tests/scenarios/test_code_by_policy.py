"""From an insurer's list to a talk: import, wait, a message at ten, redeem, call."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from billing.policies.waiting import CHINA, today_in_china
from tests.billing.policies.lists import cells
from tests.people import CALLER, COUNSELOR, LISTENING
from tests.scenarios.claiming import ask
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


async def opened(service: Service, sms: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """An order with the code of the message."""
    code = sms["text"].split("兑换码")[1][:19]
    counselor = await service.people.counselor()
    body = {"program": LISTENING, "counselor": counselor, "voucher": code}
    return await ask(service, "POST", "/v1/orders", service.device(CALLER), body)


async def given_a_code(service: Service) -> tuple[dict[str, str], dict[str, Any]]:
    """The operator who imported the policy, and the message that brought its code."""
    operator = await service.sign_in("operator")
    await imported(service, operator)
    await service.let_pass(THE_REST_OF_A_DAY)
    await service.people.caller()
    return operator, await first_message(service)


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
    await service.people.caller()
    await service.script(CALLER, answers="yes", after_seconds=1)
    await service.script(COUNSELOR, answers="yes", after_seconds=1, presses="1")
    status, order = await opened(service, sms)
    assert status == 201, order
    status, _ = await service.place_call(order["id"], CALLER)
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


@pytest.mark.rule("X15")
async def test_a_code_that_comes_back_after_the_surrender_opens_no_other_order(
    service: Service,
) -> None:
    operator, sms = await given_a_code(service)
    status, order = await opened(service, sms)
    assert status == 201, order
    await imported(service, operator, status="退保")
    me = service.device(CALLER)
    status, _ = await ask(service, "DELETE", f"/v1/orders/{order['id']}", me)
    assert status == 200

    status, refused = await opened(service, sms)

    assert (status, refused["code"]) == (422, "voucher_invalid")
    assert "policy" in refused["detail"]
    await service.let_pass(70)
    _, page = await ask(service, "GET", "/v1/vouchers", me)
    assert [one["state"] for one in page["items"]] == ["voided"]


@pytest.mark.rule("X15", "X10")
async def test_nothing_takes_the_place_of_a_code_whose_policy_has_ended(service: Service) -> None:
    _, sms = await given_a_code(service)
    status, order = await opened(service, sms)
    assert status == 201, order
    await service.house.pool.execute(
        "UPDATE insurance_policies SET status = 'surrendered', due_at = NULL"
    )
    me, support = service.device(CALLER), await service.sign_in("support")
    status, _ = await ask(service, "DELETE", f"/v1/orders/{order['id']}", me)
    assert status == 200
    _, page = await ask(service, "GET", "/v1/vouchers", me)
    voucher = page["items"][0]["id"]

    why = {"reason": "lost"}
    status, refused = await ask(service, "POST", f"/v1/vouchers/{voucher}/reissue", support, why)

    assert (status, refused["code"]) == (422, "voucher_invalid")


@pytest.mark.rule("X15", "X10")
async def test_support_is_told_that_a_code_whose_policy_has_ended_gets_no_successor(
    service: Service,
) -> None:
    operator, sms = await given_a_code(service)
    await service.script(CALLER, answers="yes", talks_for_seconds=20, ends_by="hangup")
    await service.script(COUNSELOR, answers="yes", after_seconds=1, presses="1")
    status, order = await opened(service, sms)
    assert status == 201, order
    status, _ = await service.place_call(order["id"], CALLER)
    assert status == 202
    await service.let_pass(60)
    status, claim = await ask(
        *(service, "POST", f"/v1/orders/{order['id']}/claims", service.device(CALLER)),
        {"reason": "too short"},
    )
    assert status == 201, claim
    support = await service.sign_in("support")
    _, before = await ask(service, "GET", f"/v1/claims/{claim['id']}", support)

    await imported(service, operator, status="退保")

    _, after = await ask(service, "GET", f"/v1/claims/{claim['id']}", support)
    assert before["proposal"] == {"decision": "reissue", "reasons": ["short_call"]}
    assert after["proposal"] == {
        "decision": "resume",
        "reasons": ["short_call", "policy_has_ended"],
    }
    status, refused = await ask(
        *(service, "POST", f"/v1/claims/{claim['id']}/decision", support),
        {"decision": "reissue", "reason": "all the same"},
    )
    assert (status, refused["code"]) == (422, "voucher_invalid")
