"""A refusal leaves nothing behind: every table is the same before and after (X53)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.house import House
from tests.people import CALLER, LISTENING
from tests.serving import Service, a_service
from tests.warmline.desk.database import contents, unchanged

SECOND_CALLER, SECOND_COUNSELOR = "+8613800000002", "+8613900000002"


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with a_service(database_url, tmp_path) as one:
        yield one


async def refused(service: Service, order: str, number: str, code: str, **body: str) -> None:
    """Press, be refused with `code`, and find nothing changed."""
    async with (
        unchanged(service.house.pool),
        service.client.post(
            f"/v1/orders/{order}/calls",
            json={"phone": number} | body,
            headers=service.device(number),
        ) as response,
    ):
        answer = await response.json()
        assert answer["code"] == code, answer
        assert response.status == (
            409 if code.startswith(("voucher", "counselor", "order")) else 422
        )


@pytest.mark.rule("X53", "A13", "A26", "A24")
async def test_a_refused_dial_leaves_nothing_behind_whatever_refused_it(service: Service) -> None:
    people = service.people
    present = await people.counselor()
    absent = await people.counselor(SECOND_COUNSELOR, available=False)
    first = await people.order(await people.caller(), present)
    second = await people.order(await people.caller(SECOND_CALLER), present)
    lonely = await people.order(await people.caller("+8613800000003"), absent)

    await refused(service, first, CALLER, "number_mismatch", phone=SECOND_CALLER)
    await refused(service, lonely, "+8613800000003", "counselor_offline")
    assert (await service.place_call(first, CALLER))[0] == 202
    await service.let_pass(2)  # the carrier's news about it is in
    await refused(service, first, CALLER, "voucher_in_use")
    await refused(service, second, SECOND_CALLER, "counselor_busy")
    await service.let_pass(10 * 3600 + 60)
    await refused(service, second, SECOND_CALLER, "outside_hours")


@pytest.mark.rule("X53", "A14", "X14")
async def test_an_order_that_is_not_opened_holds_no_voucher(service: Service) -> None:
    people = service.people
    counselor = await people.counselor()
    order = await people.order(await people.caller(), counselor)
    await people.caller(SECOND_CALLER)
    voucher = (await people.see_order(order)).voucher

    async def ask(number: str, **body: object) -> str:
        async with (
            unchanged(service.house.pool, but="rate_marks"),  # a wrong code is counted
            service.client.post(
                "/v1/orders", json={"program": LISTENING} | body, headers=service.device(number)
            ) as response,
        ):
            code: str = (await response.json())["code"]
            return code

    assert await ask(CALLER, counselor=counselor, voucher=voucher) == "voucher_in_use"
    assert await ask(CALLER, counselor=counselor, voucher="NOT-A-CODE") == "voucher_invalid"
    assert await ask(CALLER, counselor=counselor) == "voucher_invalid"
    assert await ask(SECOND_CALLER, counselor=counselor, voucher=voucher) == "voucher_invalid"
    assert await ask(CALLER, counselor="counselor_none", voucher=voucher) == "bad_input"


@pytest.mark.rule("X53", "A11", "A23")
async def test_a_dial_in_that_is_turned_away_leaves_its_news_and_three_orders_to_its_line(
    house: House,
) -> None:
    absent = await house.counselor(available=False)
    order = await house.order(await house.caller(), absent)
    before = await contents(house.pool)
    service = house.programs[LISTENING].routing.service_numbers[0].number.digits

    house.world.dial(CALLER, service, house.clock.now())
    await house.pass_time(20)

    after = await contents(house.pool)
    changed = {table for table in after if after[table] != before[table]}
    assert changed == {"news", "carrier_orders"}
    assert len(after["carrier_orders"]) == 3
    assert house.world.handset(CALLER).heard == ("counselor_offline",)
    assert (await house.see_order(order)).state == "open"
