"""Verifying the phone in the hand, over HTTP."""

import asyncio
import re

import pytest

from tests.people import CALLER
from tests.serving import Service
from tests.warmline.api.everybody import everybody

OTHER = "+8613800000002"


async def ask_for_code(service: Service, number: str = CALLER) -> str:
    async with service.client.post("/v1/device-verifications", json={"phone": number}) as response:
        assert response.status == 202, await response.text()
        return str((await response.json())["id"])


async def last_code(service: Service) -> str:
    """What the newest SMS says, once it is sent."""
    async with asyncio.timeout(10):
        while True:
            async with service.client.get("/sim/messages") as response:
                for one in await response.json():
                    if one["template"] == "verification_code":
                        code = re.search(r"\d{6}", one["text"])
                        assert code is not None
                        return code[0]
            await asyncio.sleep(0.02)


async def confirm(service: Service, verification: str, code: str) -> tuple[int, dict[str, object]]:
    async with service.client.post(
        f"/v1/device-verifications/{verification}/confirm", json={"code": code}
    ) as response:
        return response.status, await response.json()


@pytest.mark.rule("A08", "A10", "B12")
async def test_the_code_of_the_sms_makes_a_device_that_may_act(service: Service) -> None:
    verification = await ask_for_code(service)
    status, answer = await confirm(service, verification, await last_code(service))

    assert status == 201
    assert answer["phone"] == "+86138****0001"
    token = {"Authorization": f"Bearer {answer['device_token']}"}
    async with service.client.get("/v1/orders", headers=token) as response:
        assert response.status == 200


@pytest.mark.rule("A10", "A13")
async def test_five_wrong_codes_are_counted_and_the_right_one_is_then_too_late(
    service: Service,
) -> None:
    verification = await ask_for_code(service)
    code = await last_code(service)
    wrong = f"{(int(code) + 1) % 10**6:06}"

    answers = [await confirm(service, verification, wrong) for _ in range(5)]
    late = await confirm(service, verification, code)

    assert {answer["code"] for _, answer in answers} <= {"code_wrong", "code_expired"}
    assert answers[0][1]["code"] == "code_wrong"
    assert (late[0], late[1]["code"]) == (422, "code_expired")


async def test_a_second_code_within_a_minute_is_refused_with_the_time_to_wait(
    service: Service,
) -> None:
    await ask_for_code(service)
    async with service.client.post("/v1/device-verifications", json={"phone": CALLER}) as response:
        assert response.status == 429
        assert int(response.headers["Retry-After"]) > 0
        assert (await response.json())["code"] == "rate_limited"


async def test_neither_number_nor_code_is_in_the_database_in_the_clear(service: Service) -> None:
    await ask_for_code(service)
    code = await last_code(service)

    tables = await service.house.pool.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    )
    for (table,) in tables:
        rows = await service.house.pool.fetch(f'SELECT t::text AS line FROM "{table}" t')
        for row in rows:
            assert CALLER.removeprefix("+86") not in row["line"], table
            assert f'"{code}"' not in row["line"], table


@pytest.mark.rule("A08", "B12")
@pytest.mark.parametrize(
    "number", ["+862112345678", "+8613800000", "+861380000000123", "+864001234567", "+999123456"]
)
async def test_what_is_no_mobile_is_told_so_and_no_sms_is_sent(
    service: Service, number: str
) -> None:
    async with service.client.post("/v1/device-verifications", json={"phone": number}) as response:
        problem = await response.json()

    assert (response.status, problem["code"]) == (422, "bad_input")
    (fault,) = problem["errors"]
    assert fault["pointer"] == "/phone"
    assert fault["detail"].startswith("must be a mobile number")
    assert await service.house.pool.fetchval("SELECT count(*) FROM notices") == 0
    assert await service.house.pool.fetchval("SELECT count(*) FROM verifications") == 0


async def test_an_order_for_a_customer_names_a_mobile_too(service: Service) -> None:
    all_ = await everybody(service, talking=False)
    body = {
        "program": "psych-listening",
        "counselor": all_.counselor,
        "voucher": all_.code,
        "phone": "+862112345678",
    }
    status, problem = await all_.ask("app", "POST", "/v1/orders", json=body)
    assert (status, problem["code"]) == (422, "bad_input")

    status, order = await all_.ask(
        "app", "POST", "/v1/orders", json=body | {"phone": "+8613800000042"}
    )
    assert status == 201, order
