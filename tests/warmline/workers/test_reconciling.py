"""Two looks, and our legs and the carrier's agree again."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from billing.voucher import State as VoucherState
from dialer.call import State
from dialer.carriers import CarrierUnknown, LegBridged
from dialer.orders import CarrierOrder, HangUp
from dialer.store.due import insert_orders
from terms.ids import CallId
from terms.verdict import EndedBy, VerdictKind
from tests.house import House
from tests.people import CALLER, COUNSELOR, TENANT
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


@pytest.mark.parametrize(
    ("who_puts_down", "by"), [(CALLER, EndedBy.CALLER), (COUNSELOR, EndedBy.COUNSELOR)]
)
async def test_two_whom_the_carrier_joined_without_telling_are_found_to_talk(
    house: House, who_puts_down: str, by: EndedBy
) -> None:
    await deaf_to_bridged(house)
    order = await house.order(await house.caller(), await house.counselor())
    await house.call(order, CALLER)
    while not any(leg.bridged for leg in await house.carrier.live_legs()):
        await house.pass_time(1)
    assert (await house.see_call(order)).state is State.RINGING_SECOND
    assert (await house.see_voucher(order)).state is VoucherState.HELD

    await house.crew.reconciler.look()
    found_at = house.clock.now()
    await house.pass_time(5)
    await house.crew.reconciler.look()

    talk = await house.see_call(order)
    assert talk.state is State.BRIDGED
    assert {leg.bridged_at for leg in talk.legs} == {found_at}
    assert (await house.see_voucher(order)).state is VoucherState.CONSUMED

    await house.pass_time(60)
    house.world.put_down(who_puts_down, house.clock.now())
    await house.pass_time(10)

    ended = await house.see_call(order)
    assert ended.verdict is not None
    assert (ended.verdict.kind, ended.verdict.by) == (VerdictKind.PARTY_ENDED, by)
    assert (await house.see_order(order)).talked_seconds == 65
    assert house.world.standing_legs() == ()


async def test_two_whom_the_carrier_joined_without_telling_are_cut_at_their_cap(
    house: House,
) -> None:
    await deaf_to_bridged(house)
    order = await house.order(await house.caller(), await house.counselor())
    await house.call(order, CALLER)
    while not any(leg.bridged for leg in await house.carrier.live_legs()):
        await house.pass_time(1)
    await house.crew.reconciler.look()
    found_at = house.clock.now()
    await house.pass_time(5)
    await house.crew.reconciler.look()

    await house.pass_time(25 * 60 + 10)

    ended = await house.see_call(order)
    assert ended.verdict is not None
    assert ended.verdict.kind is VerdictKind.CAP_REACHED
    assert ended.ended_at is not None
    assert ended.ended_at - found_at < timedelta(minutes=25, seconds=10)


async def deaf_to_bridged(house: House) -> None:
    """That two legs were joined is told to nobody; everything else is."""

    async def receive(report: "Report") -> None:
        if not isinstance(report.news, LegBridged):
            await house.switchboard.receive(report)

    await house.carrier.open(receive)


async def test_who_takes_over_says_what_was_found_once_the_carrier_can_say(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await talking(house)

    async def connecting() -> None:
        raise CarrierUnknown

    with capture_logs() as said:
        with monkeypatch.context() as changed:
            changed.setattr(house.carrier, "live_legs", connecting)
            await house.crew.reconciler.look()
        house.clock.advance(1)
        await house.crew.reconciler.look()
        await look_twice(house)

    found = [one for one in said if one["event"] == "legs_compared"]
    assert [(one["live_calls"], one["legs_at_carrier"]) for one in found] == [(1, 2)]


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
