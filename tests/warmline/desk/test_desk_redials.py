"""Dialling over and over is slowed down, whichever way one dials."""

import pytest

from billing.order import State as OrderState
from dialer.call import State
from dialer.events import CallerHungUp
from tests.house import House
from tests.people import CALLER, LISTENING


@pytest.mark.rule("A40")
async def test_who_dials_in_right_after_a_press_is_told_to_wait_and_loses_nothing(
    house: House,
) -> None:
    counselor = await house.counselor()
    order = await house.order(await house.caller(), counselor)
    service = house.programs[LISTENING].routing.service_numbers[0].number.digits
    first = await house.call(order)
    await house.command(order, CallerHungUp())

    house.world.dial(CALLER, service, house.clock.now())
    await house.settle()

    assert (await house.see_call(order)).id == first.id
    assert (await house.see_order(order)).state is OrderState.OPEN
    await house.pass_time(20)
    assert house.world.handset(CALLER).heard == ("rate_limited",)
    house.world.dial(CALLER, service, house.clock.now())
    await house.pass_time(10)
    assert (await house.see_call(order)).state is State.BRIDGED
