"""What the family doctor's sheet asks, each rule as a story."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from billing.order import State as OrderState
from billing.voucher import State as VoucherState
from dialer.call import State
from dialer.carriers.simulated.script import Script
from dialer.events import CallerHungUp, CapExtended, CrisisRaised
from terms.ids import OrderId, ProgramId
from terms.refusals import RefusalCode, Refused
from terms.verdict import Role, VerdictKind
from tests.house import ANSWERS, NO_ANSWER, VOICEMAIL, House, a_house, hangs_up
from tests.people import CALLER, COUNSELOR, DOCTOR
from tests.serving import Service, a_service
from tests.warmline.notices.kit import SECRET, receiver
from warmline.programs import load_programs, load_shipped
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record

SECOND_CALLER, THIRD_CALLER = "+8613800000002", "+8613800000003"
SECOND_DOCTOR = "+8613900000002"
EXPERT = ProgramId("expert-consult")
PAID = ProgramId("paid-consult")


def other_program(id_: ProgramId, *changes: tuple[str, str]) -> str:
    """The family doctor's text under another id and with other limits."""
    body = load_shipped()[DOCTOR].body.replace('id = "family-doctor"', f'id = "{id_}"')
    for old, new in (*changes, ('service_numbers = ["+862100000015"]', "service_numbers = []")):
        assert old in body
        body = body.replace(old, new)
    return body


@pytest.fixture
async def wide_house(
    database: "Pool[Record]", seal: AesSeal, noon: datetime, tmp_path: Path
) -> AsyncIterator[House]:
    """Beside the shipped programs an expert with a soft cap, and a consult that takes vouchers."""
    expert = other_program(EXPERT, ('cap_kind = "hard"', 'cap_kind = "soft"'))
    paid = other_program(
        PAID,
        ('voucher = "none"', 'voucher = "required"'),
        ("no_contact_consumes = false", "no_contact_consumes = true"),
    )
    for name, body in (("expert", expert), ("paid", paid)):
        (tmp_path / f"{name}.toml").write_text(body, encoding="utf-8")
    async with a_house(database, seal, noon, programs=load_programs(tmp_path)) as one:
        yield one


async def consult(house: House, number: str = CALLER, script: Script = ANSWERS) -> OrderId:
    """An order of somebody who wants to talk to a doctor."""
    return await house.order(await house.caller(number, script=script), program=DOCTOR)


async def rung(house: House, order: OrderId, role: Role) -> list[datetime]:
    """When phones of that role were rung for the order's newest call."""
    return [leg.rung_at for leg in (await house.see_call(order)).legs if leg.role is role]


@pytest.mark.rule("C03", "D11", "X39", "C05", "X33")
async def test_at_three_in_the_morning_a_doctor_is_rung_at_once_and_talks_15_minutes(
    house: House,
) -> None:
    await house.pass_time(15 * 3600)
    await house.counselor(program=DOCTOR)
    order = await consult(house)

    await house.call(order)
    asked_at = house.clock.now()
    await house.pass_time(30)
    talking = await house.see_call(order)
    assert talking.connected_at is not None
    assert talking.connected_at - asked_at < timedelta(seconds=30)
    await house.pass_time(1000)

    ended = await house.see_call(order)
    assert ended.verdict is not None
    assert ended.verdict.kind is VerdictKind.CAP_REACHED
    assert ended.talked(house.clock.now()).total_seconds() == 900
    assert (await house.see_order(order)).state is OrderState.COMPLETED


@pytest.mark.rule("C25", "C26", "C27", "C31", "X27")
async def test_three_unanswered_calls_cancel_the_order_and_everybody_is_told(
    house: House,
) -> None:
    await house.counselor(program=DOCTOR)
    order = await consult(house, script=NO_ANSWER)
    await house.call(order)

    await house.pass_time(200)
    assert (await house.see_call(order)).counted == 1
    assert await house.notices(order) == []
    await house.pass_time(60)
    assert (await house.see_call(order)).counted == 2
    assert await house.notices(order) == ["we_will_call_again"]
    await house.pass_time(600)

    ended = await house.see_call(order)
    assert (ended.state, ended.counted) == (State.ENDED, 3)
    first, second, third = await rung(house, order, Role.CALLER)
    assert second - first >= timedelta(seconds=180 + 30)
    assert third - second >= timedelta(seconds=300 + 30)
    after = await house.see_order(order)
    assert (after.state, after.closed_reason) == (OrderState.CANCELLED, "no_contact")
    assert await house.notices(order) == [
        "we_will_call_again",
        "order.cancelled",
        "order_cancelled",
    ]
    await house.pass_time(7200)
    assert len(await rung(house, order, Role.CALLER)) == 3
    with pytest.raises(Refused) as refused:
        await house.call(order)
    assert refused.value.code is RefusalCode.ORDER_NOT_OPEN


@pytest.mark.rule("C25", "C26", "C27", "C31")
async def test_the_cancel_reaches_the_customer_by_sms_and_their_service_system_signed(
    database_url: str, tmp_path: Path
) -> None:
    async with (
        receiver() as customer_service,
        a_service(
            database_url, tmp_path, status_url=customer_service.url, status_secret=SECRET
        ) as service,
    ):
        await service.people.counselor(program=DOCTOR)
        order = await service.people.order(await service.people.caller(), program=DOCTOR)
        await service.script(COUNSELOR, answers="yes", presses="1")
        await service.script(CALLER, answers="busy")
        await service.place_call(order, CALLER)
        for _ in range(20):
            await service.let_pass(60)

        async with asyncio.timeout(20):
            push = await customer_service.received.get()
        assert (push.body["type"], push.body["data"]["order"]) == ("order.cancelled", order)
        assert (await service.people.see_order(order)).state is OrderState.CANCELLED
        async with asyncio.timeout(20):
            while "order_cancelled" not in (sent := await messages(service)):
                await service.let_pass(1)
        assert sorted(sent) == ["order_cancelled", "we_will_call_again"]


async def messages(service: Service) -> list[str]:
    """Templates of the SMS that were sent."""
    async with service.client.get("/sim/messages") as response:
        return [one["template"] for one in await response.json()]


@pytest.mark.rule("X27", "X31", "X01")
@pytest.mark.parametrize("phone", [NO_ANSWER, VOICEMAIL])
async def test_a_doctor_who_does_not_come_to_the_phone_costs_the_caller_no_attempt(
    house: House, phone: Script
) -> None:
    await house.counselor(program=DOCTOR, script=phone)
    order = await consult(house)
    await house.call(order)
    await house.pass_time(600)

    call = await house.see_call(order)
    assert (call.counted, (await house.see_order(order)).attempts_counted) == (0, 0)
    assert await rung(house, order, Role.CALLER) == []
    assert await house.notices(order) == []


@pytest.mark.rule("X28", "X27")
async def test_nobody_reached_gives_the_use_back_once_and_takes_it_the_second_time(
    wide_house: House,
) -> None:
    house = wide_house
    await house.counselor(program=PAID)
    caller = await house.caller(script=NO_ANSWER)
    order = await house.order(caller, program=PAID)
    await house.call(order)
    await house.pass_time(1200)
    assert (await house.see_order(order)).state is OrderState.CANCELLED
    first = await house.see_voucher(order)
    assert (first.state, first.no_contacts) == (VoucherState.RETURNED, 1)

    again = await house.order(caller, program=PAID, voucher=first.id)
    await house.call(again)
    await house.pass_time(1200)

    assert (await house.see_order(again)).state is OrderState.CANCELLED
    assert (await house.see_voucher(again)).state is VoucherState.CONSUMED


@pytest.mark.rule("C18", "X33", "X06")
async def test_an_experts_15_minutes_are_said_and_not_cut_and_more_is_on_record(
    wide_house: House,
) -> None:
    house = wide_house
    await house.counselor(program=EXPERT)
    order = await house.order(await house.caller(script=hangs_up(1300)), program=EXPERT)
    await house.call(order)
    await house.pass_time(920)

    assert (await house.see_call(order)).state is State.BRIDGED
    assert "time_is_up" in house.world.handset(CALLER).heard
    await house.command(order, CapExtended(600))
    assert "cap_extended" in await house.timeline(order)
    await house.pass_time(600)
    ended = await house.see_call(order)
    assert ended.talked(house.clock.now()).total_seconds() == 1300
    assert (await house.see_order(order)).state is OrderState.COMPLETED


@pytest.mark.rule("X33", "C05")
async def test_the_family_doctors_15_minutes_cannot_be_extended(house: House) -> None:
    await house.counselor(program=DOCTOR)
    order = await consult(house)
    await house.call(order)
    await house.pass_time(60)

    with pytest.raises(Refused) as refused:
        await house.command(order, CapExtended(600))
    assert refused.value.code is RefusalCode.NOT_NOW


@pytest.mark.rule("C08", "D12")
async def test_the_doctor_owes_a_summary_and_the_order_is_completed_without_it(
    house: House,
) -> None:
    doctor = await house.counselor(program=DOCTOR)
    order = await consult(house, script=hangs_up(120))
    await house.call(order)
    await house.pass_time(140)

    assert (await house.see_order(order)).state is OrderState.COMPLETED
    owed = await house.pool.fetchrow("SELECT * FROM wrap_ups")
    assert owed is not None
    assert (owed["counselor"], owed["required"], owed["written_at"]) == (doctor, True, None)
    waits = await consult(house, SECOND_CALLER)
    await house.call(waits, SECOND_CALLER)
    assert (await house.see_call(waits)).state is State.QUEUED
    await house.pass_time(180)
    assert (await house.see_call(waits)).counselor == doctor


@pytest.mark.rule("C11", "X34")
async def test_consults_are_without_number_but_one_at_a_time(service: Service) -> None:
    await service.people.counselor(program=DOCTOR)
    await service.people.caller()
    headers = service.device(CALLER)

    async def ask() -> tuple[int, dict[str, str]]:
        async with service.client.post(
            "/v1/orders", json={"program": DOCTOR}, headers=headers
        ) as response:
            return response.status, await response.json()

    for _ in range(4):
        status, order = await ask()
        assert status == 201
        refused, told = await ask()
        assert (refused, told["code"]) == (409, "call_in_progress")
        path = f"/v1/orders/{order['id']}"
        async with service.client.delete(path, headers=headers) as response:
            assert (await response.json())["state"] == "cancelled"


@pytest.mark.rule("C06")
async def test_the_doctor_whom_a_steward_matched_is_rung_though_another_was_idle_longer(
    service: Service,
) -> None:
    longest = await service.people.counselor(program=DOCTOR)
    matched = await service.people.counselor(SECOND_DOCTOR, program=DOCTOR)
    order = await service.people.order(await service.people.caller(), program=DOCTOR)
    steward = await service.sign_in("steward")
    caller = service.device(CALLER)
    path, body = f"/v1/orders/{order}/match", {"counselor": matched, "reason": "a cardiologist"}

    async with service.client.post(path, json=body, headers=caller) as response:
        assert response.status == 403
    async with service.client.post(path, json=body, headers=steward) as response:
        assert (response.status, (await response.json())["counselor"]) == (200, matched)
    await service.place_call(order, CALLER)

    assert (await service.people.see_call(order)).counselor == matched
    assert (await service.people.see_counselor(longest))[1] is None
    kept = await service.house.pool.fetchrow("SELECT * FROM counselor_matches")
    assert kept is not None
    assert (kept["counselor"], kept["reason"]) == (matched, "a cardiologist")


@pytest.mark.rule("C07", "C12", "A02")
async def test_a_doctor_of_too_low_a_grade_is_never_rung(house: House) -> None:
    junior = await house.counselor(program=DOCTOR)
    await house.pool.execute("UPDATE counselors SET grade = 0 WHERE id = $1", junior)
    order = await consult(house)

    await house.call(order)
    await house.pass_time(300)
    assert (await house.see_call(order)).state is State.QUEUED
    senior = await house.counselor(SECOND_DOCTOR, program=DOCTOR)
    await house.pass_time(1)
    assert (await house.see_call(order)).counselor == senior


@pytest.mark.rule("D15", "D19", "X32", "X55", "X43")
async def test_who_waits_is_served_in_turn_and_danger_before_everybody(house: House) -> None:
    orders = [await consult(house, number) for number in (CALLER, SECOND_CALLER, THIRD_CALLER)]
    for order, number in zip(orders, (CALLER, SECOND_CALLER, THIRD_CALLER), strict=True):
        await house.call(order, number)
        await house.pass_time(1)
    await house.command(orders[2], CrisisRaised())

    await house.counselor(program=DOCTOR)
    await house.settle()
    assert [(await house.see_call(order)).state for order in orders] == [
        State.QUEUED,
        State.QUEUED,
        State.RINGING_FIRST,
    ]
    await house.counselor(SECOND_DOCTOR, program=DOCTOR)
    await house.settle()
    assert (await house.see_call(orders[0])).state is State.RINGING_FIRST
    assert (await house.see_call(orders[1])).state is State.QUEUED


@pytest.mark.rule("X32")
async def test_leaving_the_queue_costs_nothing_and_moves_the_others_up(house: House) -> None:
    first, second = await consult(house), await consult(house, SECOND_CALLER)
    await house.call(first)
    await house.pass_time(1)
    await house.call(second, SECOND_CALLER)
    await house.command(first, CallerHungUp())

    left = await house.see_order(first)
    assert (left.state, left.attempts_counted) == (OrderState.OPEN, 0)
    await house.counselor(program=DOCTOR)
    await house.settle()
    assert (await house.see_call(second)).state is State.RINGING_FIRST
    assert (await house.see_call(first)).state is State.ENDED


@pytest.mark.rule("X55", "X33", "C05")
async def test_danger_lifts_the_doctors_cap_too(house: House) -> None:
    await house.counselor(program=DOCTOR)
    order = await consult(house)
    await house.call(order)
    await house.pass_time(600)
    await house.command(order, CrisisRaised())
    await house.pass_time(3600)

    assert (await house.see_call(order)).state is State.BRIDGED
    assert len(house.world.standing_legs()) == 2
    assert house.world.handset(COUNSELOR).hears == (CALLER,)


@pytest.mark.rule("D15", "X32")
async def test_nobody_who_dials_later_goes_before_those_who_wait(house: House) -> None:
    waiting = [await _queued(house, f"+861380000010{number}") for number in range(2)]
    await house.counselor(program=DOCTOR)

    late = await _queued(house, "+8613800000109")
    await house.pass_time(1)

    states = [(await house.see_call(order)).state for order in (*waiting, late)]
    assert states == ["ringing_first", "queued", "queued"]


async def _queued(house: House, number: str) -> OrderId:
    order = await house.order(await house.caller(number), program=DOCTOR)
    await house.call(order, number)
    return order
