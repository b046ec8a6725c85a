"""Who may be chosen for an order, by its caller or by a steward."""

from datetime import timedelta

import pytest

from billing.store.program_texts import keep_program_text
from tests.people import CALLER, DOCTOR, LISTENING
from tests.serving import Service
from warmline.vouchers import issue_vouchers, new_codes


async def let_credential_run_out(service: Service, counselor: str) -> None:
    await service.house.pool.execute(
        "UPDATE counselors SET credential_valid_until = $2 WHERE id = $1",
        *(counselor, service.house.clock.now()),
    )


@pytest.mark.rule("A02")
async def test_nobody_whose_credential_ran_out_can_be_chosen(service: Service) -> None:
    counselor = await service.people.counselor()
    await service.people.caller()
    (code,) = new_codes(1)
    async with service.house.pool.acquire() as connection:
        (voucher,) = await issue_vouchers(
            connection,
            service.house.seal,
            service.house.settings.tenant,
            program=LISTENING,
            codes=[code],
            valid_until=service.house.clock.now() + timedelta(days=1),
            now=service.house.clock.now(),
        )
    await let_credential_run_out(service, counselor)
    body = {"program": LISTENING, "counselor": counselor, "voucher": code}
    headers = service.device(CALLER)

    async with service.client.post("/v1/orders", json=body, headers=headers) as response:
        assert response.status == 422
        assert (await response.json())["errors"][0]["pointer"] == "/counselor"

    state = await service.house.pool.fetchval(
        "SELECT state FROM vouchers WHERE id = $1", voucher.id
    )
    assert state == "issued"


@pytest.mark.rule("A02", "C06")
async def test_a_steward_matches_only_the_qualified_and_the_timeline_tells(
    service: Service,
) -> None:
    people = service.people
    fit = await people.counselor(program=DOCTOR)
    lapsed = await people.counselor("+8613900000002", program=DOCTOR)
    junior = await people.counselor("+8613900000003", program=DOCTOR)
    await let_credential_run_out(service, lapsed)
    await service.house.pool.execute("UPDATE counselors SET grade = 0 WHERE id = $1", junior)
    order = await people.order(await people.caller(), program=DOCTOR)
    steward = await service.sign_in("steward")
    path = f"/v1/orders/{order}/match"

    for unfit in (lapsed, junior, "counselor_nobody"):
        body = {"counselor": unfit}
        async with service.client.post(path, json=body, headers=steward) as response:
            assert response.status == 422, unfit
    assert (await people.see_order(order)).counselor is None
    body = {"counselor": fit, "reason": "knows the illness"}
    async with service.client.post(path, json=body, headers=steward) as response:
        assert response.status == 200, await response.text()
        assert (await response.json())["counselor"] == fit

    assert await people.timeline(order) == ["order.matched"]
    async with service.client.get(
        f"/v1/orders/{order}/events", headers=service.device(CALLER)
    ) as response:
        (line,) = (await response.json())["items"]
    assert line["data"] == {"counselor": fit}


@pytest.mark.rule("X38", "C06")
async def test_a_match_goes_by_the_program_the_order_was_opened_under(service: Service) -> None:
    counselor = await service.people.counselor(program=DOCTOR)
    await service.house.pool.execute("UPDATE counselors SET grade = 1 WHERE id = $1", counselor)
    sheet = service.house.programs[DOCTOR]
    order = await service.people.order(await service.people.caller(), program=DOCTOR)
    lenient = "\n".join(
        line for line in sheet.body.splitlines() if not line.startswith("least_grade")
    )
    assert lenient != sheet.body
    async with service.house.pool.acquire() as connection:
        await keep_program_text(
            connection,
            service.house.settings.tenant,
            program=DOCTOR,
            version="0",
            digest="older",
            body=lenient,
            now=service.house.clock.now(),
        )
    await service.house.pool.execute("UPDATE orders SET program_digest = 'older'")
    steward = await service.sign_in("steward")

    async with service.client.post(
        f"/v1/orders/{order}/match", json={"counselor": counselor}, headers=steward
    ) as response:
        assert response.status == 200, await response.text()
