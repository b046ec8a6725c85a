"""Who dials a hotline is let in without an order, or, when it is closed, brought to another."""

import tomllib
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from billing.order import Order
from billing.order import State as OrderState
from dialer.call import Call, EndReason, State
from terms.ids import OrderId
from terms.section import ProgramInvalid
from tests.house import ANSWERS, NO_ANSWER, House, a_house
from tests.people import CALLER, COUNSELOR, LISTENING
from tests.scenarios.hotline import HOTLINE, SHORT_NUMBER, hotline, trained
from warmline.programs import load_programs, load_shipped, read_program
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record

PROVINCE = "+862112356000"
FOREIGN = "+14155550100"


def open_to_all() -> str:
    """A hotline by day that asks nobody for anything and forwards by night."""
    body = hotline()
    for old, new in (
        ('voucher = "none"', 'voucher = "none"\nopens_on_dial_in = true'),
        ('hours = "24h"', f'hours = "10:00-22:00"\nforward_when_closed = "{PROVINCE}"'),
        ('matching = "pool"', 'matching = "pool"\ncallers = "anyone"'),
    ):
        assert old in body, old
        body = body.replace(old, new)
    return body


@pytest.fixture
async def door(
    database: "Pool[Record]", seal: AesSeal, noon: datetime, tmp_path: Path
) -> AsyncIterator[House]:
    """A house at noon with such a hotline."""
    (tmp_path / "hotline.toml").write_text(open_to_all(), encoding="utf-8")
    async with a_house(database, seal, noon, programs=load_programs(tmp_path)) as one:
        one.world.script(PROVINCE, ANSWERS)
        yield one


async def dial(house: House, number: str = CALLER, *, withhold: bool = False) -> None:
    house.world.dial(number, SHORT_NUMBER, house.clock.now(), withhold=withhold)
    await house.pass_time(10)


async def the_call(house: House) -> tuple[Order, Call]:
    """The newest order, and its only call."""
    order = OrderId(await house.pool.fetchval("SELECT max(id) FROM orders"))
    return await house.see_order(order), await house.see_call(order)


@pytest.mark.rule("D02")
@pytest.mark.parametrize(
    ("number", "withhold"), [(CALLER, False), (CALLER, True), (FOREIGN, False)]
)
async def test_whoever_dials_talks_and_nobody_is_asked_for_an_entitlement(
    door: House, number: str, withhold: bool
) -> None:
    await trained(door)
    await dial(door, number, withhold=withhold)

    order, call = await the_call(door)
    assert call.state is State.BRIDGED
    assert door.world.handset(COUNSELOR).hears == (number,)
    assert (order.program, order.voucher, order.remaining_seconds) == (HOTLINE, None, None)
    known = await door.pool.fetchval(
        "SELECT phone_index IS NOT NULL FROM callers WHERE id = $1", order.caller
    )
    assert known is not withhold

    door.world.put_down(number, door.clock.now())
    await door.pass_time(7200)
    order, _ = await the_call(door)
    assert order.state is OrderState.COMPLETED
    assert await door.pool.fetchval("SELECT count(*) FROM notices WHERE kind = 'sms'") == 0
    assert await door.pool.fetchval("SELECT count(*) FROM reviews") == 0


@pytest.mark.rule("D02")
async def test_an_order_for_one_call_leaves_nothing_behind_when_nobody_was_reached(
    door: House,
) -> None:
    await dial(door)
    order, call = await the_call(door)
    assert call.state is State.QUEUED

    door.world.put_down(CALLER, door.clock.now())
    await door.pass_time(5)

    order, call = await the_call(door)
    assert (order.state, call.end_reason) == (OrderState.CANCELLED, EndReason.WITHDRAWN)
    assert await door.pool.fetchval("SELECT count(*) FROM notices") == 0
    await dial(door)
    assert (await the_call(door))[0].id != order.id


@pytest.mark.rule("D02")
async def test_a_caller_whose_line_fails_while_waiting_keeps_the_order_and_the_place(
    door: House,
) -> None:
    await dial(door)
    first, _ = await the_call(door)
    door.world.drop(CALLER, door.clock.now())
    await door.pass_time(5)

    await dial(door)

    again, call = await the_call(door)
    assert again.id == first.id
    assert call.state is State.QUEUED
    assert len(call.legs) == 2


async def test_whose_number_is_withheld_and_whose_line_fails_cannot_be_rung_and_holds_up_nobody(
    door: House,
) -> None:
    await trained(door)
    await dial(door, withhold=True)
    door.world.drop(CALLER, door.clock.now())

    await door.pass_time(300)

    order, call = await the_call(door)
    assert (order.state, call.state) == (OrderState.COMPLETED, State.ENDED)
    assert door.world.standing_legs() == ()


@pytest.mark.rule("X39", "X05")
@pytest.mark.parametrize("withhold", [False, True])
async def test_a_closed_line_says_so_and_brings_the_caller_to_the_province(
    door: House, withhold: bool
) -> None:
    counselor = await trained(door)
    await door.pass_time(11 * 3600)  # 23:00
    await dial(door, withhold=withhold)

    order, call = await the_call(door)
    assert call.state is State.BRIDGED
    assert door.world.handset(PROVINCE).hears == (CALLER,)
    assert door.world.handset(CALLER).heard[:2] == ("outside_hours", "forwarding")
    assert CALLER.removeprefix("+86") not in str(door.world.handset(PROVINCE).shows)
    assert (await door.see_counselor(counselor))[1] is None

    door.world.put_down(PROVINCE, door.clock.now())
    await door.pass_time(600)
    order, _ = await the_call(door)
    assert (order.state, order.counselor) == (OrderState.COMPLETED, None)
    assert await door.pool.fetchval("SELECT count(*) FROM call_grades") == 0
    assert door.world.standing_legs() == ()


@pytest.mark.rule("X39")
async def test_where_the_province_does_not_answer_either_the_caller_is_told(door: House) -> None:
    door.world.script(PROVINCE, NO_ANSWER)
    await door.pass_time(11 * 3600)
    await dial(door)
    await door.pass_time(60)

    order, call = await the_call(door)
    assert call.end_reason is EndReason.FORWARD_NOT_REACHED
    assert door.world.handset(CALLER).heard[-1] == "nobody_reached"
    assert order.state is OrderState.CANCELLED
    assert door.world.standing_legs() == ()


@pytest.mark.rule("X39")
async def test_a_paid_program_forwards_at_night_and_touches_no_voucher(
    database: "Pool[Record]", seal: AesSeal, noon: datetime, tmp_path: Path
) -> None:
    body = load_shipped()[LISTENING].body.replace(
        'hours = "10:00-22:00"', f'hours = "10:00-22:00"\nforward_when_closed = "{PROVINCE}"'
    )
    body = body.replace('id = "psych-listening"', 'id = "night"').replace("+862100000025", "95001")
    (tmp_path / "night.toml").write_text(body, encoding="utf-8")
    programs = load_programs(tmp_path)
    async with a_house(database, seal, noon, programs=programs) as house:
        night = programs[type(LISTENING)("night")]
        counselor = await house.counselor(program=night.id, available=False)
        own = await house.order(await house.caller(), counselor, program=night.id)
        house.world.script(PROVINCE, ANSWERS)
        await house.pass_time(11 * 3600)
        house.world.dial(CALLER, "95001", house.clock.now())
        await house.pass_time(20)
        assert house.world.handset(PROVINCE).hears == (CALLER,)
        house.world.put_down(CALLER, house.clock.now())
        await house.pass_time(60)

        assert (await house.see_order(own)).state is OrderState.OPEN
        assert (await house.see_voucher(own)).state == "held"
        states = await house.pool.fetch("SELECT state FROM orders ORDER BY id")
        assert sorted(row["state"] for row in states) == ["completed", "open"]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('matching = "pool"', 'matching = "named"', "opens_on_dial_in"),
        ('voucher = "none"', 'voucher = "required"', "opens_on_dial_in"),
    ],
)
def test_a_program_that_cannot_let_strangers_in_does_not_say_so(
    old: str, new: str, key: str
) -> None:
    body = open_to_all().replace(old, new)
    assert tomllib.loads(body)

    with pytest.raises(ProgramInvalid) as invalid:
        read_program(body)
    assert key in {fault.key for fault in invalid.value.faults}
