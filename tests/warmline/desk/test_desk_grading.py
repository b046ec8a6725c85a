"""What the desk writes into the settlement when a call ends, and when it learns better."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING

import asyncpg
import pytest

from billing.settlement import Grade, GradeLine
from billing.store.settlement import grade_lines_of
from terms.ids import OrderId
from tests.house import NO_ANSWER, House, a_house, drops, hangs_up
from tests.people import CALLER, DOCTOR, TENANT
from warmline.ledger.verifying import verify
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record


@pytest.fixture
async def house(database: "Pool[Record]", seal: AesSeal, noon: datetime) -> AsyncIterator[House]:
    """At noon, with the shipped programs."""
    async with a_house(database, seal, noon) as one:
        yield one


async def written(house: House, order: OrderId) -> list[GradeLine]:
    """The order's lines in the settlement."""
    async with house.pool.acquire() as connection:
        return await grade_lines_of(connection, TENANT, order)


@pytest.mark.rule("A27", "X56")
async def test_a_drop_and_the_call_that_goes_on_with_it_are_one_line_each(house: House) -> None:
    counselor = await house.counselor()
    order = await house.order(await house.caller(script=drops(400)), counselor)
    await house.call(order)
    await house.pass_time(400)
    house.world.script(CALLER, NO_ANSWER)
    await house.pass_time(600)
    house.world.script(CALLER, hangs_up(200))
    await house.call(order)
    await house.pass_time(300)

    lost, resumed = await written(house, order)
    assert (lost.to_grade, lost.counselor) == (Grade.RESUMED, counselor)
    assert (resumed.to_grade, resumed.counselor) == (Grade.EFFECTIVE, counselor)
    assert lost.call != resumed.call
    talked = (await house.see_order(order)).talked_seconds
    assert lost.talked_seconds + resumed.talked_seconds == talked > 0


@pytest.mark.rule("X56")
async def test_each_line_is_vouched_for_by_the_entry_of_the_orders_book_that_it_names(
    house: House, seal: AesSeal
) -> None:
    counselor, other = await house.counselor(), await house.counselor()
    order = await house.order(await house.caller(script=drops(400)), counselor)
    await house.call(order)
    await house.pass_time(400)
    house.world.script(CALLER, NO_ANSWER)
    await house.pass_time(600)
    house.world.script(CALLER, hangs_up(200))
    await house.call(order)
    await house.pass_time(300)

    async with house.pool.acquire() as connection:
        (kept,) = await verify(connection, seal)
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(
            "UPDATE call_grades SET counselor = $1 WHERE to_grade = 'effective'", other
        )
        await connection.execute("RESET session_replication_role")
        (forged,) = await verify(connection, seal)

    assert kept.faults == []
    assert [(one.book, one.what) for one in forged.faults] == [
        (f"talk/{order}", "its line of call_grades is not what it was")
    ]


async def test_a_call_that_never_connects_writes_no_line(house: House) -> None:
    order = await house.order(await house.caller(script=NO_ANSWER), await house.counselor())
    await house.call(order)
    await house.pass_time(600)
    assert await written(house, order) == []


async def test_a_call_of_the_pool_counts_for_who_took_it(house: House) -> None:
    counselor = await house.counselor(program=DOCTOR)
    order = await house.order(await house.caller(script=hangs_up(120)), program=DOCTOR)
    await house.call(order)
    await house.pass_time(200)
    (line,) = await written(house, order)
    assert (line.counselor, line.to_grade, line.program) == (counselor, Grade.EFFECTIVE, DOCTOR)


@pytest.mark.rule("X56")
async def test_a_line_once_written_is_never_changed(house: House) -> None:
    order = await house.order(await house.caller(script=hangs_up(120)), await house.counselor())
    await house.call(order)
    await house.pass_time(200)
    assert len(await written(house, order)) == 1
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        await house.pool.execute("UPDATE call_grades SET to_grade = 'short'")
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        await house.pool.execute("DELETE FROM call_grades")
