"""Whose call it is, is decided under its order's lock."""

import pytest

from dialer.events import CallerHungUp, CounselorDeclined
from terms.ids import CallId, CounselorId, OrderId
from terms.refusals import NotThere
from tests.house import House
from tests.people import TENANT


async def decline(house: House, order: OrderId, call: CallId, by: CounselorId) -> None:
    async with house.pool.acquire() as connection, connection.transaction():
        await house.desk.command(
            connection,
            TENANT,
            call,
            order,
            CounselorDeclined(),
            by=by,
        )


async def test_a_counselor_commands_only_the_call_that_claims_them_when_it_is_locked(
    house: House,
) -> None:
    counselor = await house.counselor()
    other = await house.counselor("+8613900000002")
    order = await house.order(await house.caller(), counselor)
    call = await house.call(order)
    before = await house.see_call(order)

    with pytest.raises(NotThere):
        await decline(house, order, call.id, other)
    assert await house.see_call(order) == before

    await house.command(order, CallerHungUp())
    with pytest.raises(NotThere):
        await decline(house, order, call.id, counselor)
