"""What the hotline article asks, as far as the phones go: numbers, queue, danger, handing over."""

import json
from typing import TYPE_CHECKING

import pytest

from billing.order import State as OrderState
from billing.voucher import State as VoucherState
from dialer.call import State
from dialer.events import (
    CallerHungUp,
    CounselorHungUp,
    CrisisRaised,
    TransferConfirmed,
    TransferRequested,
)
from routing.store.targets import put_target
from routing.transfer import AgencyKind, Region, TransferTarget
from terms.ids import CounselorId, OrderId, TargetId
from terms.phone import PhoneNumber
from terms.refusals import RefusalCode, Refused
from tests.house import ACCEPTS, ANSWERS, NO_ANSWER, House
from tests.people import CALLER, COUNSELOR, LISTENING, TENANT
from tests.scenarios.hotline import (
    HOTLINE,
    NAMES_THE_LINE,
    OLD_NUMBER,
    SECOND_CALLER,
    SHORT_NUMBER,
    THIRD_CALLER,
    train,
    trained,
    waiting,
)
from tests.serving import Service

if TYPE_CHECKING:
    pass

POLICE, SECOND_POLICE, FAR_POLICE = "+862100000110", "+862100000111", "+861000000110"


@pytest.mark.rule("D01", "D03", "D04", "D11", "D42", "X39", "D15")
async def test_the_short_number_and_the_old_one_lead_to_one_queue_in_order_of_arrival(
    line: House,
) -> None:
    await line.pass_time(11 * 3600)  # 23:00, the old number's last evening
    orders = [
        await waiting(line, number, dialled)
        for number, dialled in (
            (CALLER, OLD_NUMBER),
            (SECOND_CALLER, SHORT_NUMBER),
            (THIRD_CALLER, OLD_NUMBER),
        )
    ]
    assert {(await line.see_call(order)).state for order in orders} == {State.QUEUED}
    assert line.world.handset(CALLER).heard[:2] == (NAMES_THE_LINE, "queued")

    for served in orders:
        counselor = await trained(line, f"+86139{orders.index(served):08}")
        await line.settle()
        assert (await line.see_call(served)).counselor == counselor

    await line.pass_time(3600)
    line.world.dial("+8613800000009", OLD_NUMBER, line.clock.now())
    await line.pass_time(20)
    assert line.world.handset("+8613800000009").heard == ("not_in_service",)


@pytest.mark.rule("D28", "X42")
async def test_nobody_takes_the_hotlines_calls_before_the_training_is_passed(line: House) -> None:
    newcomer = await line.counselor(program=HOTLINE)
    order = await waiting(line, CALLER, SHORT_NUMBER)
    await line.pass_time(60)
    assert (await line.see_call(order)).state is State.QUEUED

    await train(line, newcomer)
    await line.settle()
    assert (await line.see_call(order)).counselor == newcomer


@pytest.mark.rule("D24", "X06")
async def test_a_hotline_talk_is_neither_warned_nor_cut(line: House) -> None:
    await trained(line)
    order = await waiting(line, CALLER, SHORT_NUMBER)
    await line.pass_time(6000)

    assert (await line.see_call(order)).state is State.BRIDGED
    assert "warned" not in await line.timeline(order)
    line.world.put_down(CALLER, line.clock.now())
    await line.settle()
    after = await line.see_order(order)
    assert (after.state, after.remaining_seconds) == (OrderState.COMPLETED, None)
    assert after.talked_seconds > 5900


@pytest.mark.rule("D12", "A26")
async def test_one_press_takes_a_counselor_off_the_line_and_the_talk_goes_on(
    service: Service,
) -> None:
    counselor = await service.people.counselor()
    me = await service.sign_in("counselor", counselor=counselor)
    order = await service.people.order(await service.people.caller(), counselor)
    other = await service.people.order(await service.people.caller(SECOND_CALLER), counselor)
    await service.script(CALLER, answers="yes", talks_for_seconds=100)
    await service.script(COUNSELOR, answers="yes", presses="1")
    await service.place_call(order, CALLER)
    await service.let_pass(10)

    body = {"state": "offline"}
    async with service.client.put("/v1/me/presence", json=body, headers=me) as response:
        assert (await response.json())["presence"] == "offline"
    assert (await service.people.see_call(order)).state is State.BRIDGED
    await service.let_pass(300)
    assert (await service.people.see_order(order)).state is OrderState.COMPLETED
    status, answer = await service.place_call(other, SECOND_CALLER)
    assert (status, answer["code"]) == (409, "counselor_offline")


# -- danger ----------------------------------------------------------------------------------


async def in_danger(house: House) -> tuple[OrderId, CounselorId]:
    """A paid listening talk in which the counselor has marked a crisis after five minutes."""
    counselor = await house.counselor()
    order = await house.order(await house.caller(), counselor)
    await house.call(order)
    await house.pass_time(300)
    await house.command(order, CrisisRaised())
    return order, counselor


async def agency(house: House, id_: str, number: str, region: str | None, order: int = 0) -> None:
    """A police line that may be rung."""
    target = TransferTarget(
        id=TargetId(id_),
        name=id_,
        kind=AgencyKind.POLICE,
        region=None if region is None else Region(region),
        preference=order,
    )
    async with house.pool.acquire() as connection:
        await put_target(connection, house.seal, TENANT, target, PhoneNumber(number))


@pytest.mark.rule("X55", "X06", "A19")
async def test_danger_lifts_our_cap_and_the_carriers_and_nobody_speaks_of_time(
    house: House,
) -> None:
    order, _ = await in_danger(house)
    await house.pass_time(5000)

    assert (await house.see_call(order)).state is State.BRIDGED
    assert len(house.world.standing_legs()) == 2
    heard = (*house.world.handset(CALLER).heard, *house.world.handset(COUNSELOR).heard)
    assert not [prompt for prompt in heard if prompt.startswith(("left_", "time_"))]
    assert (await house.see_voucher(order)).state is VoucherState.CONSUMED
    assert await house.notices(order) == ["crisis.raised"]
    told = await house.pool.fetchrow("SELECT kind, data FROM notices")
    assert told is not None
    assert (told["kind"], json.loads(told["data"])["order"]) == ("status", order)


@pytest.mark.rule("X41")
async def test_a_counselor_cannot_leave_a_person_in_danger_alone(house: House) -> None:
    order, counselor = await in_danger(house)
    with pytest.raises(Refused) as refused:
        await house.command(order, CounselorHungUp())
    assert refused.value.code is RefusalCode.NOT_NOW

    house.world.put_down(COUNSELOR, house.clock.now())
    await house.settle()
    assert (await house.see_call(order)).state is State.PARTED
    await house.pass_time(20)

    assert (await house.see_call(order)).state is State.BRIDGED
    assert (await house.see_counselor(counselor))[1] is not None
    assert house.world.handset(COUNSELOR).hears == (CALLER,)


@pytest.mark.rule("X55")
async def test_a_person_in_danger_whose_counselor_is_gone_is_kept_and_looked_after(
    house: House,
) -> None:
    order, _ = await in_danger(house)
    house.world.plug_out(COUNSELOR, house.clock.now())
    await house.pass_time(1800)

    legs = [leg for leg in house.world.standing_legs() if "/caller/" in leg.leg]
    assert len(legs) == 1
    assert (await house.see_call(order)).state is State.PARTED
    house.world.script(COUNSELOR, ACCEPTS)
    await house.pass_time(60)
    assert (await house.see_call(order)).state is State.BRIDGED


@pytest.mark.rule("A29")
async def test_a_person_in_danger_may_hang_up_all_the_same(house: House) -> None:
    order, _ = await in_danger(house)
    await house.command(order, CallerHungUp())

    assert (await house.see_order(order)).state is OrderState.COMPLETED
    assert house.world.standing_legs() == ()


@pytest.mark.rule("X41", "D08", "D35")
async def test_the_agency_that_answers_second_takes_over_and_the_caller_never_leaves_the_line(
    house: House,
) -> None:
    order, counselor = await in_danger(house)
    await agency(house, "near", POLICE, None)
    await agency(house, "next", SECOND_POLICE, None)
    house.world.script(POLICE, NO_ANSWER)
    house.world.script(SECOND_POLICE, ANSWERS)

    await house.command(order, TransferRequested((TargetId("near"), TargetId("next"))))
    assert house.world.handset(POLICE).state == "ringing"
    assert house.world.handset(CALLER).hears == (COUNSELOR,)
    await house.pass_time(29)
    assert house.world.handset(SECOND_POLICE).state == "idle"
    await house.pass_time(1)
    assert house.world.handset(POLICE).state == "idle"
    assert house.world.handset(SECOND_POLICE).state == "ringing"
    await house.pass_time(5)
    assert house.world.handset(CALLER).hears == (COUNSELOR, SECOND_POLICE)
    assert (await house.see_call(order)).counselor == counselor

    await house.command(order, TransferConfirmed())
    assert house.world.handset(CALLER).hears == (SECOND_POLICE,)
    assert (await house.see_counselor(counselor))[1] is None
    await house.pass_time(60)
    assert (await house.see_call(order)).state is State.BRIDGED
    callers = [leg for leg in (await house.see_call(order)).legs if "/caller/" in leg.id]
    assert len(callers) == 1
    house.world.put_down(CALLER, house.clock.now())
    await house.settle()
    assert (await house.see_order(order)).state is OrderState.COMPLETED
    assert house.world.standing_legs() == ()


@pytest.mark.rule("X41")
async def test_when_no_agency_answers_the_counselor_stays_with_the_caller(house: House) -> None:
    order, counselor = await in_danger(house)
    await agency(house, "near", POLICE, None)
    house.world.script(POLICE, NO_ANSWER)
    await house.command(order, TransferRequested((TargetId("near"),)))
    with pytest.raises(Refused):
        await house.command(order, TransferConfirmed())
    await house.pass_time(60)

    assert "transfer_failed" in await house.timeline(order)
    assert (await house.see_call(order)).counselor == counselor
    assert house.world.handset(CALLER).hears == (COUNSELOR,)


@pytest.mark.rule("X41", "D08")
async def test_the_callers_number_goes_to_the_agency_and_to_nobody_else(house: House) -> None:
    order, _ = await in_danger(house)
    await agency(house, "near", POLICE, None)
    house.world.script(POLICE, ANSWERS)
    await house.command(order, TransferRequested((TargetId("near"),)))
    await house.pass_time(10)

    shows = house.programs[LISTENING].dialer.shows
    assert house.world.handset(POLICE).shows == CALLER
    assert house.world.handset(COUNSELOR).shows == shows
    assert house.world.handset(CALLER).shows == shows
    for table in ("calls", "carrier_orders", "timeline", "notices", "news", "transfer_targets"):
        text = await house.pool.fetchval(f"SELECT string_agg(t::text, '') FROM {table} t")
        for number in (CALLER, COUNSELOR, POLICE):
            assert number.removeprefix("+86") not in (text or ""), table


@pytest.mark.rule("D36", "X41", "D35")
async def test_the_agency_is_that_of_the_place_the_caller_names(service: Service) -> None:
    counselor = await service.people.counselor()
    me = await service.sign_in("counselor", counselor=counselor)
    for id_, number, region in (
        ("beijing", FAR_POLICE, "110000"),
        ("shanghai", POLICE, "310000"),
        ("pudong", SECOND_POLICE, "310115"),
    ):
        target = TransferTarget(
            id=TargetId(id_), name=id_, kind=AgencyKind.POLICE, region=Region(region)
        )
        async with service.house.pool.acquire() as connection:
            await put_target(connection, service.house.seal, TENANT, target, PhoneNumber(number))

    async def offered(region: str) -> list[str]:
        async with service.client.get(
            f"/v1/transfer-targets?region={region}", headers=me
        ) as response:
            return [one["id"] for one in (await response.json())["items"]]

    assert await offered("310115") == ["pudong", "shanghai"]
    assert await offered("110105") == ["beijing"]
    assert await offered("440100") == []
