"""What the product sheet of the listening call asks of an order and its voucher, as stories."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from billing.order import State as OrderState
from billing.voucher import State as VoucherState
from dialer.call import State
from dialer.carriers.simulated.script import Answers, Script
from terms.ids import CounselorId, OrderId
from terms.refusals import RefusalCode, Refused
from terms.verdict import Role, VerdictKind
from tests.house import ACCEPTS, ANSWERS, NO_ANSWER, VOICEMAIL, House, a_house, drops, hangs_up
from tests.people import CALLER, COUNSELOR, LISTENING
from tests.serving import Service
from warmline.programs import load_programs, load_shipped
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record

DAY = 24 * 3600
SECOND_CALLER, SECOND_COUNSELOR = "+8613800000002", "+8613900000002"


async def cut_off(house: House, order: OrderId, after_seconds: float) -> None:
    """The caller's line is lost after so much talk, and not found again."""
    house.world.script(CALLER, drops(after_seconds))
    await house.call(order)
    await house.pass_time(after_seconds)
    house.world.script(CALLER, NO_ANSWER)
    await house.pass_time(300)


@pytest.mark.rule("A32", "A33", "X03", "A31")
async def test_an_order_nobody_dialled_ends_after_24_hours_to_the_second(house: House) -> None:
    order = await house.order(await house.caller(), await house.counselor())

    await house.pass_time(DAY - 1)
    assert (await house.see_order(order)).state is OrderState.OPEN
    assert (await house.see_voucher(order)).state is VoucherState.HELD
    await house.pass_time(1)

    assert (await house.see_order(order)).state is OrderState.EXPIRED
    assert (await house.see_voucher(order)).state is VoucherState.RETURNED
    assert await house.notices(order) == ["order.expired", "order_expired"]
    with pytest.raises(Refused) as refused:
        await house.call(order)
    assert refused.value.code is RefusalCode.ORDER_EXPIRED


@pytest.mark.rule("X03", "X05")
async def test_a_call_that_connects_after_the_24_hours_are_over_is_talked_to_its_end(
    house: House,
) -> None:
    counselor = await house.counselor(script=replace(ACCEPTS, after_seconds=15))
    order = await house.order(await house.caller(script=hangs_up(300)), counselor)
    await house.pass_time(DAY - 5)
    await back_to_work(house, counselor)

    await house.call(order)
    await house.pass_time(10)
    assert house.clock.now() > (await house.see_order(order)).expires_at
    assert (await house.see_order(order)).state is OrderState.IN_CALL
    await house.pass_time(400)

    assert (await house.see_order(order)).state is OrderState.COMPLETED
    assert (await house.see_voucher(order)).state is VoucherState.CONSUMED


@pytest.mark.rule("X03", "A33")
async def test_attempts_that_are_on_at_24_hours_are_waited_for_and_then_it_ends(
    house: House,
) -> None:
    counselor = await house.counselor()
    order = await house.order(await house.caller(script=NO_ANSWER), counselor)
    await house.pass_time(DAY - 5)
    await back_to_work(house, counselor)

    await house.call(order)
    await house.pass_time(60)
    assert (await house.see_order(order)).state is OrderState.IN_CALL
    await house.pass_time(600)

    assert (await house.see_call(order)).counted == 3
    assert (await house.see_order(order)).state is OrderState.EXPIRED
    assert (await house.see_voucher(order)).state is VoucherState.RETURNED


@pytest.mark.rule("A20", "X13")
async def test_an_order_opened_in_time_is_good_after_the_vouchers_last_day(house: House) -> None:
    counselor = await house.counselor()
    caller = await house.caller(script=hangs_up(300))
    order = await house.order(caller, counselor, voucher_seconds=3600)
    await house.pass_time(2 * 3600)
    assert (await house.see_voucher(order)).state is VoucherState.HELD

    await house.call(order)
    await house.pass_time(400)
    assert (await house.see_voucher(order)).state is VoucherState.CONSUMED


@pytest.mark.rule("A20", "X13")
async def test_a_voucher_that_comes_back_after_its_last_day_has_expired_and_its_owner_is_told(
    house: House,
) -> None:
    order = await house.order(
        await house.caller(), await house.counselor(), voucher_seconds=DAY - 1
    )

    await house.pass_time(DAY)

    assert (await house.see_order(order)).state is OrderState.EXPIRED
    assert (await house.see_voucher(order)).state is VoucherState.EXPIRED
    assert await house.notices(order) == ["order.expired", "voucher_ran_out"]


@pytest.mark.rule("A27", "X07", "A18", "X56")
async def test_one_cap_holds_over_all_calls_of_an_order_and_one_voucher_pays(
    house: House,
) -> None:
    counselor = await house.counselor()
    other = await house.counselor(SECOND_COUNSELOR)
    order = await house.order(await house.caller(), counselor)
    await cut_off(house, order, 400)
    assert (await house.see_order(order)).remaining_seconds == 1100

    house.world.script(CALLER, ANSWERS)
    await house.call(order)
    await house.pass_time(1200)

    last = await house.see_call(order)
    assert last.verdict is not None
    assert last.verdict.kind is VerdictKind.CAP_REACHED
    assert last.talked(house.clock.now()).total_seconds() == 1100
    parties = {leg.party for leg in last.legs if leg.role is Role.COUNSELOR}
    assert parties == {counselor}
    assert (await house.see_counselor(other))[0].wrap_up_until is None
    assert (await house.see_order(order)).talked_seconds == 1500
    used = await house.pool.fetchval(
        "SELECT count(*) FROM ledger_entries WHERE to_account = 'consumed'"
    )
    assert used == 1


@pytest.mark.rule("X07")
async def test_after_a_late_drop_at_least_five_minutes_are_left(house: House) -> None:
    order = await house.order(await house.caller(), await house.counselor())
    await cut_off(house, order, 1400)
    assert (await house.see_order(order)).remaining_seconds == 300

    house.world.script(CALLER, ANSWERS)
    await house.call(order)
    await house.pass_time(400)

    assert (await house.see_call(order)).talked(house.clock.now()).total_seconds() == 300
    assert (await house.see_order(order)).state is OrderState.COMPLETED


@pytest.mark.rule("A28", "X07", "A27")
async def test_the_rest_of_a_talk_is_kept_for_24_hours_from_the_drop_and_then_gone(
    house: House,
) -> None:
    counselor = await house.counselor()
    order = await house.order(await house.caller(), counselor)
    await cut_off(house, order, 300)
    interrupted = await house.see_order(order)
    ended_at = (await house.see_call(order)).ended_at
    assert ended_at is not None
    assert interrupted.resume_until == ended_at + timedelta(seconds=DAY)

    left = interrupted.resume_until - house.clock.now()
    await house.pass_time(left.total_seconds() - 1)
    assert (await house.see_order(order)).state is OrderState.INTERRUPTED
    await house.pass_time(1)

    assert (await house.see_order(order)).state is OrderState.CLOSED
    assert (await house.see_voucher(order)).state is VoucherState.CONSUMED
    with pytest.raises(Refused) as refused:
        await house.call(order)
    assert refused.value.code is RefusalCode.ORDER_NOT_OPEN


@pytest.mark.rule("A30", "A27", "X07")
async def test_a_rest_that_the_counselor_cannot_take_now_stays_for_later(house: House) -> None:
    counselor = await house.counselor()
    order = await house.order(await house.caller(), counselor)
    await cut_off(house, order, 300)
    until = (await house.see_order(order)).resume_until
    house.world.script(CALLER, ANSWERS)
    house.world.script(COUNSELOR, VOICEMAIL)

    await house.call(order)
    await house.pass_time(300)

    after = await house.see_order(order)
    assert (after.state, after.remaining_seconds) == (OrderState.INTERRUPTED, 1200)
    assert after.resume_until == until


@pytest.mark.rule("A33", "A34", "A31", "C01")
async def test_the_voucher_of_an_order_that_ran_out_opens_another_with_somebody_else(
    service: Service,
) -> None:
    first = await service.people.counselor()
    other = await service.people.counselor(SECOND_COUNSELOR)
    order = await service.people.order(await service.people.caller(), first)
    await service.let_pass(DAY + 1)
    assert (await service.people.see_order(order)).state is OrderState.EXPIRED
    async with service.client.get("/v1/vouchers", headers=service.device(CALLER)) as response:
        (mine,) = (await response.json())["items"]
    assert (mine["program"], mine["state"]) == (LISTENING, "returned")

    body = {"program": LISTENING, "counselor": other, "voucher": mine["id"]}
    async with service.client.post(
        "/v1/orders", json=body, headers=service.device(CALLER)
    ) as response:
        again = await response.json()

    assert (response.status, again["counselor"], again["state"]) == (201, other, "open")
    assert again["id"] != order


@pytest.mark.rule("A14", "A18", "X02")
async def test_a_voucher_that_an_order_holds_or_used_opens_no_second_one(
    service: Service,
) -> None:
    counselor = await service.people.counselor()
    order = await service.people.order(await service.people.caller(), counselor)
    voucher = (await service.people.see_order(order)).voucher
    body = {"program": LISTENING, "counselor": counselor, "voucher": voucher}

    async def try_again() -> tuple[int, str]:
        async with service.client.post(
            "/v1/orders", json=body, headers=service.device(CALLER)
        ) as response:
            return response.status, (await response.json())["code"]

    assert await try_again() == (409, "voucher_in_use")
    await service.script(CALLER, answers="yes", talks_for_seconds=100)
    await service.script(COUNSELOR, answers="yes", presses="1")
    await service.place_call(order, CALLER)
    await service.let_pass(200)
    assert (await service.people.see_voucher(order)).state is VoucherState.CONSUMED
    assert await try_again() == (422, "voucher_invalid")


@pytest.mark.rule("A38", "A43", "A04", "A24", "A01")
async def test_before_the_dial_the_caller_can_read_what_it_costs_and_what_it_is_not(
    service: Service,
) -> None:
    counselor = await service.people.counselor()
    async with service.client.get("/v1/programs") as response:
        sheets = {one["id"]: one for one in (await response.json())["items"]}
    sheet = sheets[LISTENING]
    told = load_shipped()[LISTENING]

    assert sheet["charge_notice"] == {"zh": told.charge_notice.zh, "en": told.charge_notice.en}
    assert "运营商" in sheet["charge_notice"]["zh"]
    assert "不能代替" in sheet["disclaimer"]["zh"]
    assert "professional" in sheet["disclaimer"]["en"]
    assert {"work_stress", "parenting", "other"} <= set(sheet["topics"])
    assert (sheet["talk_seconds"], sheet["is_open"], sheet["opens_at"]) == (1500, True, None)
    async with service.client.get(f"/v1/programs/{LISTENING}/counselors") as response:
        (listed,) = (await response.json())["items"]
    assert (listed["id"], listed["state"]) == (counselor, "available")

    await service.let_pass(10.5 * 3600)
    async with service.client.get("/v1/programs") as response:
        sheets = {one["id"]: one for one in (await response.json())["items"]}
    assert not sheets[LISTENING]["is_open"]
    assert sheets[LISTENING]["opens_at"].endswith("T02:00:00Z")


@pytest.mark.rule("A40")
async def test_pressing_over_and_over_is_slowed_down_with_the_time_to_wait(
    service: Service,
) -> None:
    counselor = await service.people.counselor()
    order = await service.people.order(await service.people.caller(), counselor)
    await service.script(CALLER, answers="by_hand")
    for _ in range(6):
        assert (await service.place_call(order, CALLER))[0] == 202
        async with service.client.delete(
            f"/v1/orders/{order}/calls/current", headers=service.device(CALLER)
        ) as response:
            assert response.status == 202
        await service.let_pass(2)

    status, answer = await service.place_call(order, CALLER)
    assert (status, answer["code"]) == (429, "rate_limited")
    assert (await service.people.see_order(order)).state is OrderState.OPEN
    await service.let_pass(300)
    assert (await service.place_call(order, CALLER))[0] == 202


@pytest.fixture
async def changed_house(
    database: "Pool[Record]", seal: AesSeal, noon: datetime, tmp_path: Path
) -> AsyncIterator[House]:
    """A house whose listening program was replaced by a file: ten minutes, and one warning."""
    body = load_shipped()[LISTENING].body.replace("cap_seconds = 1500", "cap_seconds = 600")
    body = body.replace("warn_seconds = [120, 30]", "warn_seconds = [60]")
    (tmp_path / "listening.toml").write_text(body, encoding="utf-8")
    async with a_house(database, seal, noon, programs=load_programs(tmp_path)) as one:
        yield one


@pytest.mark.rule("X38", "C02")
async def test_an_order_keeps_the_text_it_was_opened_under_though_the_file_has_changed(
    changed_house: House,
) -> None:
    house = changed_house
    before_the_change = replace(house, programs=load_shipped())
    first = await house.counselor()
    second = await house.counselor(SECOND_COUNSELOR)
    old = await before_the_change.order(await house.caller(), first)
    new = await house.order(await house.caller(SECOND_CALLER), second)

    await house.call(old)
    await house.call(new, SECOND_CALLER)
    await house.pass_time(1600)

    talks = [(await house.see_order(order)).talked_seconds for order in (old, new)]
    assert talks == [1500, 600]
    warnings = [
        [prompt for prompt in house.world.handset(number).heard if prompt.startswith("left_")]
        for number in (CALLER, SECOND_CALLER)
    ]
    assert warnings == [["left_120", "left_30"], ["left_60"]]


async def back_to_work(house: House, counselor: CounselorId) -> None:
    """The counselor's shift was over; the next one has begun."""
    await house.pool.execute(
        "UPDATE counselors SET presence = 'available', lease_until = $2 WHERE id = $1",
        counselor,
        house.clock.now() + timedelta(hours=8),
    )


@pytest.mark.rule("A39", "X02")
async def test_a_caller_who_gives_up_while_the_counselor_rings_keeps_everything(
    house: House,
) -> None:
    counselor = await house.counselor(script=Script(answers=Answers.BY_HAND))
    order = await house.order(await house.caller(), counselor)
    await house.call(order)
    await house.pass_time(5)
    assert (await house.see_call(order)).state is State.RINGING_SECOND

    house.world.put_down(CALLER, house.clock.now())
    await house.settle()

    after = await house.see_order(order)
    assert (after.state, after.attempts_counted) == (OrderState.OPEN, 0)
    assert (await house.see_voucher(order)).state is VoucherState.HELD
    assert (await house.see_counselor(counselor))[1] is None
    assert house.world.standing_legs() == ()
