"""The real obeyer over a real database: what it does when orders cannot be obeyed."""

import asyncio

import pytest
from structlog.testing import capture_logs

from dialer.carriers import CarrierRefused, CarrierUnknown, CarrierUnreachable
from dialer.carriers.simulated import orders as wire
from dialer.orders import Answer, HangUp, Limit, Say
from dialer.store.due import lease_orders
from terms.ids import LegId
from terms.phone import PhoneNumber
from tests.house import House
from tests.people import CALLER, TENANT
from tests.warmline.workers.choosy import Choosy, an_obeyer, ask, outcomes, talking, work
from warmline.desk.writing import ORDER_LEASE, Committed

BUSY = CarrierRefused("429")


@pytest.mark.rule("X55")
async def test_a_limit_is_asked_for_until_the_carrier_lifts_it_and_holds_up_nothing_else(
    house: House,
) -> None:
    call = await talking(house)
    leg = call.legs[0].id
    carrier = Choosy(house, {wire.Limit: [BUSY]})
    obeyer = an_obeyer(house, carrier)
    asked = await ask(house, call.id, Limit(leg, 7200), Say(leg, "crisis"))

    await work(obeyer)
    assert await outcomes(house, asked) == [None, "done"]
    for _ in range(70):
        house.clock.advance(4)
        await obeyer.look()
        await obeyer.idle()
    assert await outcomes(house, asked) == [None, "done"]

    carrier.faults.clear()
    house.clock.advance(4)
    await work(obeyer)
    assert await outcomes(house, asked) == ["done", "done"]


async def test_a_limit_is_asked_for_no_longer_than_its_leg_stands(house: House) -> None:
    call = await talking(house)
    asked = await ask(house, call.id, Limit(call.legs[0].id, 7200))
    obeyer = an_obeyer(house, Choosy(house, {wire.Limit: [CarrierUnknown()]}))
    await work(obeyer)

    house.world.put_down(CALLER, house.clock.now())
    await house.carrier.tell_news()
    house.clock.advance(4)
    await work(obeyer)

    assert await outcomes(house, asked) == ["not_wanted"]


@pytest.mark.rule("X55")
async def test_a_limit_tried_again_does_not_take_back_a_later_one(house: House) -> None:
    call = await talking(house)
    leg = call.legs[0].id
    carrier = Choosy(house, {wire.Limit: [BUSY, None]})
    obeyer = an_obeyer(house, carrier)
    asked = await ask(house, call.id, Limit(leg, 900), Limit(leg, 7200))

    await work(obeyer)
    house.clock.advance(4)
    await work(obeyer)

    assert await outcomes(house, asked) == ["not_wanted", "done"]
    assert carrier.obeyed == [wire.Limit(leg=leg, limit_seconds=7200)]


async def test_what_is_done_is_written_while_a_later_order_must_be_tried_again(
    house: House,
) -> None:
    call = await talking(house)
    leg = call.legs[0].id
    carrier = Choosy(house, {wire.HangUp: [BUSY]})
    obeyer = an_obeyer(house, carrier)
    orders = (Say(leg, "warning"), HangUp(leg))
    asked = await ask(house, call.id, *orders)

    obeyer.hand(
        Committed(tenant=TENANT, call=call.id, orders=tuple(zip(asked, orders, strict=True)))
    )
    async with asyncio.timeout(10):
        while (now := await outcomes(house, asked))[0] is None:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.02)
    assert now == ["done", None]
    carrier.faults.clear()
    await obeyer.idle()

    assert await outcomes(house, asked) == ["done", "done"]


async def test_an_order_that_we_fail_to_obey_is_given_up_so_that_the_leg_can_be_let_go(
    house: House,
) -> None:
    call = await talking(house)
    leg = call.legs[0].id
    carrier = Choosy(house, {wire.Answer: [RuntimeError("a bug")]})
    obeyer = an_obeyer(house, carrier)
    orders = (Say(leg, "warning"), Answer(leg), HangUp(leg))
    asked = await ask(house, call.id, *orders)
    obeyer.hand(
        Committed(tenant=TENANT, call=call.id, orders=tuple(zip(asked, orders, strict=True)))
    )
    with capture_logs() as logged:
        await obeyer.idle()
        await work(obeyer)
        assert await outcomes(house, asked) == ["done", None, None]
        for _ in range(6):
            house.clock.advance(31)
            await work(obeyer)

    assert await outcomes(house, asked) == ["done", "gave_up", "done"]
    assert [type(order) for order in carrier.obeyed] == [wire.Say, wire.HangUp]
    assert {(line["event"], line["seq"]) for line in logged} == {("order_not_obeyed", asked[1])}


async def test_a_prompt_that_a_dead_process_may_have_spoken_is_not_spoken_again(
    house: House,
) -> None:
    call = await talking(house)
    asked = await ask(house, call.id, Say(call.legs[0].id, "warning"))
    await a_process_dies_with_its_orders(house)
    carrier = Choosy(house)
    await work(an_obeyer(house, carrier))

    assert await outcomes(house, asked) == ["not_wanted"]
    assert carrier.obeyed == []


async def test_a_prompt_that_was_never_sent_is_sent_again(house: House) -> None:
    call = await talking(house)
    asked = await ask(house, call.id, Say(call.legs[0].id, "warning"))
    carrier = Choosy(house, {wire.Say: [CarrierUnreachable(), None]})
    await work(an_obeyer(house, carrier))

    assert await outcomes(house, asked) == ["done"]
    assert len(carrier.obeyed) == 1


async def test_a_prompt_of_which_nobody_knows_is_spoken_once_too_few(house: House) -> None:
    call = await talking(house)
    asked = await ask(house, call.id, Say(call.legs[0].id, "warning"))
    carrier = Choosy(house, {wire.Say: [CarrierUnknown(), None]})
    await work(an_obeyer(house, carrier))

    assert await outcomes(house, asked) == ["gave_up"]
    assert carrier.obeyed == []


async def test_a_ring_of_a_dead_process_is_asked_after_and_not_rung_twice(house: House) -> None:
    leg = await rung_by_a_dead_process(house)
    await house.carrier.ring(leg, PhoneNumber(CALLER), shows="95000", ring_seconds=30)
    carrier = Choosy(house)
    await work(an_obeyer(house, carrier))

    assert wire.Ring not in [type(order) for order in carrier.obeyed if order_of(order) == leg]
    assert set(await all_outcomes(house)) == {"done"}


async def test_a_ring_that_a_dead_process_never_sent_is_rung(house: House) -> None:
    leg = await rung_by_a_dead_process(house)
    carrier = Choosy(house)
    await work(an_obeyer(house, carrier))

    assert [type(order) for order in carrier.obeyed if order_of(order) == leg] == [wire.Ring]
    assert set(await all_outcomes(house)) == {"done"}


async def test_a_ring_that_was_refused_is_news_about_the_call(house: House) -> None:
    leg = await rung_by_a_dead_process(house)
    carrier = Choosy(house, {wire.Ring: [CarrierRefused("404", q850=1)]})
    await work(an_obeyer(house, carrier))

    assert await house.pool.fetchval("SELECT count(*) FROM news WHERE id = $1", f"{leg}/404") == 1
    assert "refused" in await all_outcomes(house)


async def test_a_ring_of_which_nobody_ever_knows_is_let_go_for_the_phone_may_ring_yet(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warmline.workers.asking_again.MOST_TRIES", 1)
    leg = await rung_by_a_dead_process(house)
    carrier = Choosy(house, {wire.Ring: [CarrierUnknown()]})
    await work(an_obeyer(house, carrier))

    assert wire.HangUp(leg=leg) in carrier.obeyed
    unknown = f"{leg}/unknown"
    assert await house.pool.fetchval("SELECT count(*) FROM news WHERE id = $1", unknown) == 1


async def rung_by_a_dead_process(house: House) -> LegId:
    """A call was decided and committed, and whoever did that is gone; its first leg."""
    order = await house.order(await house.caller(), await house.counselor())
    async with house.pool.acquire() as connection, connection.transaction():
        call, _ = await house.desk.place_call(connection, TENANT, order, PhoneNumber(CALLER))
    house.clock.advance(ORDER_LEASE.total_seconds())
    return next(leg.id for leg in call.legs if "/caller/" in leg.id)


async def a_process_dies_with_its_orders(house: House) -> None:
    now = house.clock.now()
    async with house.pool.acquire() as connection:
        assert await lease_orders(connection, now, until=now + ORDER_LEASE)
    house.clock.advance(ORDER_LEASE.total_seconds())


async def all_outcomes(house: House) -> list[str | None]:
    rows = await house.pool.fetch("SELECT outcome FROM carrier_orders")
    return [row["outcome"] for row in rows]


def order_of(order: wire.Order) -> str | None:
    return None if isinstance(order, wire.Bridge) else order.leg
