"""A caller who waits on the line hears where they stand, and for about how long (X43, D15)."""

import pytest

from dialer.call import State
from terms.ids import OrderId
from tests.house import House, hangs_up
from tests.people import CALLER
from tests.scenarios.hotline import (
    HOTLINE,
    NAMES_THE_LINE,
    SECOND_CALLER,
    SHORT_NUMBER,
    THIRD_CALLER,
    trained,
    waiting,
)
from warmline.desk.waits import waiting_of


def heard(house: House, number: str) -> list[str]:
    before = ("queued", NAMES_THE_LINE)
    return [one for one in house.world.handset(number).heard if one not in before]


async def expected(house: House, order: OrderId) -> tuple[int, int | None]:
    async with house.pool.acquire() as connection:
        call = (await house.see_call(order)).id
        program = house.programs[HOTLINE]
        found = await waiting_of(connection, house.desk.tenant, call, program, house.clock.now())
    assert found is not None
    return found.position, found.expected_seconds


@pytest.mark.rule("X43", "D15")
async def test_every_minute_a_waiting_caller_hears_their_place_and_how_long_it_may_take(
    line: House,
) -> None:
    await trained(line)
    served = await waiting(line, CALLER, SHORT_NUMBER)
    await line.pass_time(30)
    assert (await line.see_call(served)).state is State.BRIDGED
    second = await waiting(line, SECOND_CALLER, SHORT_NUMBER)
    third = await waiting(line, THIRD_CALLER, SHORT_NUMBER)

    # Nobody has talked before: a quarter of an hour and the notes after it are taken for the mean.
    assert [await expected(line, order) for order in (second, third)] == [(1, 960), (2, 1920)]
    assert heard(line, SECOND_CALLER) == ["position_1", "wait_20"]
    assert heard(line, THIRD_CALLER) == ["position_2", "wait_45"]

    await line.pass_time(100)
    assert heard(line, THIRD_CALLER) == ["position_2", "wait_45"] * 2
    line.world.put_down(SECOND_CALLER, line.clock.now())
    await line.pass_time(30)
    assert heard(line, THIRD_CALLER)[-2:] == ["position_1", "wait_20"]


@pytest.mark.rule("X43")
async def test_the_estimate_goes_by_what_talks_took_of_late_and_by_who_is_at_work(
    line: House,
) -> None:
    await trained(line)
    await waiting(line, CALLER, SHORT_NUMBER)
    line.world.script(CALLER, hangs_up(300))
    await line.pass_time(30)
    line.world.put_down(CALLER, line.clock.now())
    await line.pass_time(1)  # the counselor writes notes for a minute
    second = await waiting(line, SECOND_CALLER, SHORT_NUMBER)

    position, seconds = await expected(line, second)
    assert position == 1
    assert seconds is not None
    assert 60 < seconds < 60 + 30
    await line.pool.execute("UPDATE counselors SET presence = 'offline', lease_until = NULL")
    assert await expected(line, second) == (1, None)
