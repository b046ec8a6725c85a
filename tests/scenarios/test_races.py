"""Many at once, through real HTTP: exactly one wins, and nobody else loses anything (A22, X02)."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from billing.order import State as OrderState
from billing.voucher import State as VoucherState
from tests.people import CALLER
from tests.serving import Service, a_service


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with a_service(database_url, tmp_path) as one:
        yield one


@pytest.mark.rule("A22", "A23", "X02")
async def test_of_a_hundred_dials_for_one_order_one_is_accepted(service: Service) -> None:
    counselor = await service.people.counselor()
    order = await service.people.order(await service.people.caller(), counselor)

    answers = await asyncio.gather(*(service.place_call(order, CALLER) for _ in range(100)))

    assert Counter(status for status, _ in answers) == {202: 1, 409: 99}
    codes = Counter(answer["code"] for status, answer in answers if status == 409)
    assert codes == {"voucher_in_use": 99}
    assert (await service.people.see_voucher(order)).state is VoucherState.HELD
    assert await service.house.pool.fetchval("SELECT count(*) FROM calls") == 1


@pytest.mark.rule("A26", "X53")
async def test_of_a_hundred_callers_for_one_counselor_one_gets_through(service: Service) -> None:
    counselor = await service.people.counselor()
    numbers = [f"+86138{number:08}" for number in range(100)]
    orders = [
        await service.people.order(await service.people.caller(number), counselor)
        for number in numbers
    ]

    answers = await asyncio.gather(
        *(service.place_call(order, number) for order, number in zip(orders, numbers, strict=True))
    )

    assert Counter(status for status, _ in answers) == {202: 1, 409: 99}
    codes = Counter(answer["code"] for status, answer in answers if status == 409)
    assert codes == {"counselor_busy": 99}
    lost = [order for order, (status, _) in zip(orders, answers, strict=True) if status == 409]
    for order in lost:
        assert (await service.people.see_order(order)).state is OrderState.OPEN
        assert (await service.people.see_voucher(order)).state is VoucherState.HELD


async def test_a_call_goes_all_the_way_through_http(service: Service) -> None:
    counselor = await service.people.counselor()
    order = await service.people.order(await service.people.caller(), counselor)
    await service.script(CALLER, answers="yes", after_seconds=1, talks_for_seconds=120)
    await service.script("+8613900000001", answers="yes", after_seconds=1, presses="1")

    status, call = await service.place_call(order, CALLER)
    assert (status, call["state"]) == (202, "ringing_first")
    await service.let_pass(10)
    async with service.client.get(
        f"/v1/orders/{order}", headers=service.device(CALLER)
    ) as response:
        seen = await response.json()
    assert seen["call"]["state"] == "bridged"
    assert seen["call"]["ends_at"] is not None
    await service.let_pass(300)

    after = await service.people.see_order(order)
    assert after.state is OrderState.COMPLETED
    assert after.talked_seconds in (119, 120)
