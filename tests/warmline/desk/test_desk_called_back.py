"""A caller who dials in right after the end tells something about how it ended."""

import pytest

from billing.order import State as OrderState
from terms.ids import OrderId
from tests.house import House, hangs_up
from tests.people import CALLER, LISTENING


@pytest.mark.rule("X07")
async def test_dialling_in_soon_after_the_end_is_evidence_and_much_later_is_not(
    house: House,
) -> None:
    counselor = await house.counselor()
    service = house.programs[LISTENING].routing.service_numbers[0].number.digits
    caller = await house.caller(script=hangs_up(400))
    soon: list[OrderId] = []
    late: list[OrderId] = []
    for orders, seconds in ((soon, 30), (late, 1200)):
        order = await house.order(caller, counselor)
        orders.append(order)
        await house.call(order)
        await house.pass_time(420)
        assert (await house.see_order(order)).state is OrderState.COMPLETED
        await house.pass_time(seconds)
        house.world.dial(CALLER, service, house.clock.now())
        await house.pass_time(20)

    assert (await house.see_call(soon[0])).called_back_at is not None
    assert "called_back" in await house.timeline(soon[0])
    assert (await house.see_call(late[0])).called_back_at is None
    assert house.world.handset(CALLER).heard[-1] == "no_open_order"
