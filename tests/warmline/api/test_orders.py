"""Orders and their calls, over HTTP."""

import asyncio

import pytest

from tests.people import CALLER, COUNSELOR, DOCTOR, device_token
from tests.serving import Service

OTHER = "+8613800000002"


@pytest.mark.rule("A11", "A13")
async def test_another_number_than_the_verified_one_cannot_call(service: Service) -> None:
    counselor = await service.people.counselor()
    order = await service.people.order(await service.people.caller(), counselor)

    async with service.client.post(
        f"/v1/orders/{order}/calls", json={"phone": OTHER}, headers=service.device(CALLER)
    ) as response:
        assert response.status == 422
        assert (await response.json())["code"] == "number_mismatch"
    assert await service.house.pool.fetchval("SELECT count(*) FROM calls") == 0


@pytest.mark.rule("A24", "X05")
async def test_nobody_is_let_in_after_closing_and_the_answer_says_when_it_opens(
    service: Service,
) -> None:
    counselor = await service.people.counselor()
    order = await service.people.order(await service.people.caller(), counselor)
    await service.let_pass(10 * 3600)

    status, answer = await service.place_call(order, CALLER)

    assert (status, answer["code"]) == (422, "outside_hours")
    assert "10:00" in str(answer["detail"])


async def test_what_belongs_to_others_is_not_there(service: Service) -> None:
    counselor = await service.people.counselor()
    order = await service.people.order(await service.people.caller(), counselor)
    await service.people.caller(OTHER)
    stranger = service.device(OTHER)

    for method, path, body in (
        ("GET", f"/v1/orders/{order}", None),
        ("POST", f"/v1/orders/{order}/calls", {"phone": OTHER}),
        ("DELETE", f"/v1/orders/{order}", None),
        ("DELETE", f"/v1/orders/{order}/calls/current", None),
        ("GET", f"/v1/orders/{order}/events", None),
    ):
        async with service.client.request(method, path, json=body, headers=stranger) as response:
            assert response.status == 404, (method, path)
    async with service.client.get("/v1/orders", headers=stranger) as response:
        assert (await response.json())["items"] == []


async def test_the_same_key_gives_the_same_call_and_rings_once(service: Service) -> None:
    counselor = await service.people.counselor()
    order = await service.people.order(await service.people.caller(), counselor)
    headers = service.device(CALLER) | {"Idempotency-Key": "one-press"}

    async def press() -> tuple[int, object]:
        async with service.client.post(
            f"/v1/orders/{order}/calls", json={"phone": CALLER}, headers=headers
        ) as response:
            return response.status, (await response.json()).get("id")

    first, second = await asyncio.gather(press(), press())
    assert first == second == (202, first[1])
    assert await service.house.pool.fetchval("SELECT count(*) FROM calls") == 1


@pytest.mark.rule("A15", "A33", "A34")
async def test_an_order_given_up_gives_the_voucher_back(service: Service) -> None:
    counselor = await service.people.counselor()
    order = await service.people.order(await service.people.caller(), counselor)
    headers = service.device(CALLER)

    async with service.client.delete(f"/v1/orders/{order}", headers=headers) as response:
        assert response.status == 200
        assert (await response.json())["state"] == "cancelled"
    async with service.client.get("/v1/vouchers", headers=headers) as response:
        (voucher,) = (await response.json())["items"]
    assert voucher["state"] == "returned"

    body = {"program": "psych-listening", "counselor": counselor, "voucher": voucher["id"]}
    async with service.client.post("/v1/orders", json=body, headers=headers) as response:
        assert response.status == 201, await response.text()
        again = await response.json()
    assert again["state"] == "open"
    assert again["remaining_seconds"] == 1500


async def test_hanging_up_in_the_app_ends_the_call_and_keeps_the_order(service: Service) -> None:
    counselor = await service.people.counselor()
    order = await service.people.order(await service.people.caller(), counselor)
    assert (await service.place_call(order, CALLER))[0] == 202

    async with service.client.delete(
        f"/v1/orders/{order}/calls/current", headers=service.device(CALLER)
    ) as response:
        assert response.status == 202
        assert (await response.json())["state"] == "ended"
    assert (await service.people.see_order(order)).state == "open"


async def test_the_caller_sees_the_talk_but_not_the_evidence(service: Service) -> None:
    counselor = await service.people.counselor()
    order = await service.people.order(await service.people.caller(), counselor)
    await service.script(CALLER, answers="yes", talks_for_seconds=60)
    await service.script(COUNSELOR, answers="yes", presses="1")
    await service.place_call(order, CALLER)
    await service.let_pass(120)

    async with service.client.get(
        f"/v1/orders/{order}/events?limit=100", headers=service.device(CALLER)
    ) as response:
        kinds = [entry["kind"] for entry in (await response.json())["items"]]
    assert "connected" in kinds
    assert "order.completed" in kinds
    assert "judged" not in kinds


@pytest.mark.rule("C03", "X32")
async def test_callers_of_a_pool_wait_in_line_and_know_their_place(service: Service) -> None:
    numbers = [f"+8613800000{number:03}" for number in range(1, 4)]
    orders = [
        await service.people.order(await service.people.caller(number), program=DOCTOR)
        for number in numbers
    ]
    places = [
        (await service.place_call(order, number))[1]["position"]
        for order, number in zip(orders, numbers, strict=True)
    ]
    assert places == [1, 2, 3]

    await service.people.counselor(program=DOCTOR)
    service.house.desk.counselor_came_free(service.house.settings.tenant)
    await service.let_pass(1)
    first, *others = [(await service.people.see_call(order)).state for order in orders]
    assert first == "ringing_first"
    assert others == ["queued", "queued"]


async def test_a_token_that_was_superseded_no_longer_counts(service: Service) -> None:
    await service.people.caller()
    await service.house.pool.execute("UPDATE devices SET superseded_at = now()")
    async with service.client.get(
        "/v1/orders", headers={"Authorization": f"Bearer {device_token(CALLER)}"}
    ) as response:
        assert response.status == 401
        assert response.content_type == "application/problem+json"
