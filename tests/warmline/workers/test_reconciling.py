"""Two looks, and our legs and the carrier's agree again."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dialer.orders import CarrierOrder, HangUp
from dialer.store.due import insert_orders
from terms.ids import CallId
from tests.house import House
from tests.people import CALLER, TENANT
from tests.warmline.workers.choosy import talking

if TYPE_CHECKING:
    from dialer.carriers import Report


async def look_twice(house: House) -> None:
    """At once, and five seconds later."""
    await house.crew.reconciler.look()
    house.clock.advance(5)
    await house.crew.reconciler.look()


async def lose_news(house: House) -> None:
    """What the carrier has to tell now is told to nobody."""

    async def deaf(report: "Report") -> None:
        """Takes it and does nothing."""

    await house.carrier.open(deaf)
    await house.carrier.tell_news()
    await house.carrier.open(house.switchboard.receive)


async def test_a_leg_whose_end_nobody_told_is_over_after_two_looks(house: House) -> None:
    call = await talking(house)
    house.world.put_down(CALLER, house.clock.now())
    await lose_news(house)
    caller = next(leg for leg in call.legs if "/caller/" in leg.id)

    await house.crew.reconciler.look()
    assert (await house.see_call(call.order)).leg(caller.id) == caller
    house.clock.advance(5)
    await house.crew.reconciler.look()

    gone = (await house.see_call(call.order)).leg(caller.id)
    assert gone is not None
    assert gone.release is not None
    assert gone.release.code == "gone"


async def test_a_leg_of_no_call_is_let_go_but_not_before_its_own_farewell(house: House) -> None:
    leg = house.world.dial(CALLER, "95000", house.clock.now())
    await lose_news(house)
    due = house.clock.now() + timedelta(seconds=8)
    async with house.pool.acquire() as connection:
        orders: list[tuple[CarrierOrder, datetime]] = [(HangUp(leg), due)]
        await insert_orders(connection, TENANT, CallId(leg), orders, due)

    await look_twice(house)
    assert [one.leg for one in house.world.standing_legs()] == [leg]

    await house.pool.execute(
        "UPDATE carrier_orders SET outcome = 'gave_up', settled_at = written_at"
    )
    for _ in range(2):
        house.clock.advance(5)
        await house.crew.reconciler.look()
    assert house.world.standing_legs() == ()


async def test_a_leg_that_was_let_go_and_stays_is_hung_up_but_may_hear_why(house: House) -> None:
    call = await talking(house)
    leg = call.legs[0].id
    at = house.clock.now()
    await house.pool.execute(
        """UPDATE calls SET record = jsonb_set(record, '{legs}', (
               SELECT jsonb_agg(one || jsonb_build_object(
                   'let_go_at', $2::text, 'let_go_why', 'cap'))
               FROM jsonb_array_elements(record->'legs') AS one))
           WHERE id = $1""",
        *(call.id, at.isoformat()),
    )

    await look_twice(house)
    assert leg in [one.leg for one in house.world.standing_legs()]
    for _ in range(2):
        house.clock.advance(5)
        await house.crew.reconciler.look()
    assert leg not in [one.leg for one in house.world.standing_legs()]
