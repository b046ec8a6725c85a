"""Two hundred devices with one code, over real HTTP: one gets it, and it is not lost (A22, X02)."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from billing.order import State as OrderState
from billing.voucher import State as VoucherState
from dialer.store.calls import calls_of
from terms.ids import CounselorId, OrderId
from tests.people import COUNSELOR, LISTENING, TENANT
from tests.serving import Service
from tests.warmline.api.everybody import new_code

DEVICES = 200
DIALS_AGAIN = 10
BUSY = 503

Answer = tuple[int, dict[str, Any]]


def number(place: int) -> str:
    return f"+86138{place:08}"


async def ask(
    service: Service, method: str, path: str, of: str, body: dict[str, object] | None = None
) -> Answer:
    """Status and answer. Who is told that the service is busy comes again when it says."""
    while True:
        async with service.client.request(
            method, path, json=body, headers=service.device(of)
        ) as response:
            if response.status != BUSY:
                return response.status, await response.json()
            wait_seconds = float(response.headers["Retry-After"])
        await asyncio.sleep(wait_seconds)


async def redeem_and_dial(
    service: Service, code: str, counselor: CounselorId
) -> dict[str, list[Answer]]:
    """Every device opens an order with the code and dials it, all of them at once."""

    async def one(of: str) -> list[Answer]:
        body: dict[str, object] = {"program": LISTENING, "voucher": code, "counselor": counselor}
        opened = await ask(service, "POST", "/v1/orders", of, body)
        if opened[0] != 201:
            return [opened]
        path = f"/v1/orders/{opened[1]['id']}/calls"
        return [opened, await ask(service, "POST", path, of, {"phone": of})]

    numbers = [number(place) for place in range(DEVICES)]
    answers = await asyncio.gather(*(one(of) for of in numbers))
    return dict(zip(numbers, answers, strict=True))


@pytest.mark.rule("A14", "A18", "A22", "A23", "X02", "X14")
async def test_of_two_hundred_devices_that_redeem_and_dial_one_code_one_connects(
    service: Service,
) -> None:
    counselor = await service.people.counselor()
    code = await new_code(service)
    for place in range(DEVICES):
        await service.people.caller(number(place))

    answers = await redeem_and_dial(service, code, counselor)

    ((winner, won),) = [(of, told) for of, told in answers.items() if told[0][0] == 201]
    order = OrderId(won[0][1]["id"])
    assert won[1][0] == 202
    lost = Counter(told[0][1]["code"] for of, told in answers.items() if of != winner)
    assert lost == {"voucher_in_use": DEVICES - 1}
    assert await service.house.pool.fetchval("SELECT count(*) FROM orders") == 1
    assert await service.house.pool.fetchval("SELECT count(*) FROM calls") == 1

    await gives_up(service, order, winner)
    await service.let_pass(1)  # nobody is rung twice within a second
    again = await asyncio.gather(*(service.place_call(order, winner) for _ in range(DIALS_AGAIN)))

    assert Counter(status for status, _ in again) == {202: 1, 409: DIALS_AGAIN - 1}
    assert {answer["code"] for status, answer in again if status == 409} == {"voucher_in_use"}
    await talks(service, order, winner)
    async with service.house.pool.acquire() as connection:
        calls = await calls_of(connection, TENANT, order)
    assert [call.connected_at is not None for call in calls] == [False, True]
    assert await uses(service) == 1
    for of in (winner, number(DEVICES - 1)):
        body: dict[str, object] = {"program": LISTENING, "voucher": code}
        status, answer = await ask(service, "POST", "/v1/orders", of, body)
        assert (status, answer["code"]) == (422, "voucher_invalid")


@pytest.mark.rule("A33", "A34", "X02")
async def test_a_code_whose_winner_cannot_connect_and_gives_the_order_up_is_free_at_once(
    service: Service,
) -> None:
    counselor = await service.people.counselor()
    code = await new_code(service)
    of = number(0)
    await service.people.caller(of)
    body: dict[str, object] = {"program": LISTENING, "voucher": code, "counselor": counselor}
    _, first = await ask(service, "POST", "/v1/orders", of, body)
    assert (await service.place_call(first["id"], of))[0] == 202
    await gives_up(service, OrderId(first["id"]), of)

    assert (await ask(service, "DELETE", f"/v1/orders/{first['id']}", of))[0] == 200
    status, second = await ask(service, "POST", "/v1/orders", of, body)

    assert status == 201
    assert (await service.place_call(second["id"], of))[0] == 202


async def gives_up(service: Service, order: OrderId, of: str) -> None:
    """The call that nobody answered is ended, and the order may be dialled again."""
    assert (await ask(service, "DELETE", f"/v1/orders/{order}/calls/current", of))[0] == 202
    assert (await service.people.see_order(order)).state is OrderState.OPEN
    assert (await service.people.see_voucher(order)).state is VoucherState.HELD
    assert await uses(service) == 0


async def talks(service: Service, order: OrderId, of: str) -> None:
    """Both answer and talk for two minutes."""
    await service.script(of, answers="yes", after_seconds=1, talks_for_seconds=120)
    await service.script(COUNSELOR, answers="yes", after_seconds=1, presses="1")
    await service.let_pass(300)
    assert (await service.people.see_order(order)).state is OrderState.COMPLETED
    assert (await service.people.see_voucher(order)).state is VoucherState.CONSUMED


async def uses(service: Service) -> int:
    """How often the voucher was used."""
    count: int = await service.house.pool.fetchval(
        """SELECT count(*) FROM ledger_entries
           WHERE book LIKE 'voucher/%' AND to_account = 'consumed'"""
    )
    return count
