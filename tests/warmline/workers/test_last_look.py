"""Who lost an order while it was on its way gives it to nobody, and says nothing of its end."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from dialer.carriers import CarrierRefused
from dialer.carriers.last_look import NotOurs, last_look
from dialer.carriers.simulated import orders as wire
from dialer.orders import HangUp, Say
from dialer.store.due import lease_orders
from terms.ids import CallId, LegId
from terms.phone import PhoneNumber
from tests.house import House
from tests.people import CALLER, TENANT
from tests.warmline.workers.choosy import Choosy, an_obeyer, ask, outcomes, talking, work
from warmline.desk.in_force import KeptPrograms
from warmline.desk.writing import ORDER_LEASE, Committed
from warmline.workers.leases import MARGIN, Leases, TakenOver
from warmline.workers.numbers import LegNumbers
from warmline.workers.sending import Sender


@dataclass
class Held(Choosy):
    """Gives each order only when it may, having looked once more, as every real carrier does."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    refusal: CarrierRefused | None = None
    looks: list[Callable[[], bool]] = field(default_factory=list)
    refused: int = 0
    """How often the last look kept an order back."""

    async def obey(self, order: wire.Order) -> None:
        """Wait for the gate, look, and give it."""
        holds = last_look()
        self.looks.append(holds)
        self.reached.set()
        await self.gate.wait()
        if self.refusal is not None:  # given before, and answered now
            raise self.refusal
        if not holds():
            self.refused += 1
            raise NotOurs
        await super().obey(order)


async def decided(house: House) -> tuple[LegId, Committed]:
    """A call was decided and nobody has begun with its orders; its first leg."""
    order = await house.order(await house.caller(), await house.counselor())
    async with house.pool.acquire() as connection, connection.transaction():
        call, left = await house.desk.place_call(connection, TENANT, order, PhoneNumber(CALLER))
    return next(leg.id for leg in call.legs if "/caller/" in leg.id), left


async def to_be_rung(house: House) -> LegId:
    """The first leg of a call whose orders whoever decided it never obeyed."""
    leg, _ = await decided(house)
    house.clock.advance(ORDER_LEASE.total_seconds())
    return leg


async def test_a_ring_held_up_on_its_way_is_left_to_whoever_took_it_over(house: House) -> None:
    leg = await to_be_rung(house)
    frozen, heir = Held(house), Choosy(house)
    one, other = an_obeyer(house, frozen), an_obeyer(house, heir)
    await one.look()
    await asyncio.wait_for(frozen.reached.wait(), 10)

    house.clock.advance(ORDER_LEASE.total_seconds())
    await work(other)
    assert rings(heir, leg) == 1
    frozen.gate.set()
    await one.idle()

    assert rings(frozen, leg) == 0


async def test_a_ring_held_up_that_nobody_took_over_is_given_after_all(house: House) -> None:
    leg = await to_be_rung(house)
    carrier = Held(house)
    obeyer = an_obeyer(house, carrier)
    await obeyer.look()
    await asyncio.wait_for(carrier.reached.wait(), 10)

    house.clock.advance(ORDER_LEASE.total_seconds())
    carrier.gate.set()
    await obeyer.idle()

    assert rings(carrier, leg) == 1
    assert await house.pool.fetchval("SELECT bool_and(outcome = 'done') FROM carrier_orders")


async def test_a_refusal_heard_after_another_took_the_ring_over_ends_no_leg(house: House) -> None:
    leg = await to_be_rung(house)
    frozen, heir = Held(house, refusal=CarrierRefused("404", q850=1)), Choosy(house)
    one, other = an_obeyer(house, frozen), an_obeyer(house, heir)
    await one.look()
    await asyncio.wait_for(frozen.reached.wait(), 10)
    house.clock.advance(ORDER_LEASE.total_seconds())
    async with house.pool.acquire() as connection:
        now = house.clock.now()
        (taken,) = await lease_orders(connection, now, until=now + ORDER_LEASE)

    frozen.gate.set()
    await one.idle()
    assert await outcomes(house, [taken.seq]) == [None]
    assert await house.pool.fetchval("SELECT count(*) FROM news WHERE id = $1", f"{leg}/404") == 0
    house.clock.advance(ORDER_LEASE.total_seconds())
    await work(other)

    assert rings(heir, leg) == 1


async def test_who_lost_an_order_does_not_move_the_lease_of_who_has_it(house: House) -> None:
    call = await talking(house)
    (seq,) = await ask(house, call.id, HangUp(call.legs[0].id))
    busy = Held(house, refusal=CarrierRefused("429"))
    obeyer = an_obeyer(house, busy)
    await obeyer.look()
    await asyncio.wait_for(busy.reached.wait(), 10)
    house.clock.advance(ORDER_LEASE.total_seconds())
    until = house.clock.now() + timedelta(hours=1)
    async with house.pool.acquire() as connection:
        assert await lease_orders(connection, house.clock.now(), until=until)

    busy.gate.set()
    await obeyer.idle()

    row = await house.pool.fetchrow("SELECT * FROM carrier_orders WHERE seq = $1", seq)
    assert row is not None
    assert (row["leased_until"], row["fault"], row["outcome"]) == (until, None, None)


async def test_an_order_that_waits_for_its_turn_stays_with_the_process_that_lives(
    house: House,
) -> None:
    leg, left = await decided(house)
    carrier, idle = Held(house), Choosy(house)
    obeyer, other = an_obeyer(house, carrier), an_obeyer(house, idle)
    obeyer.hand(left)
    await asyncio.wait_for(carrier.reached.wait(), 10)

    for _ in range(10):  # a lease is three seconds
        house.clock.advance(1)
        await obeyer.look()
        await other.look()
    assert last_looks(carrier) == [True]
    carrier.gate.set()
    await obeyer.idle()
    await other.idle()

    assert (rings(carrier, leg), rings(idle, leg)) == (1, 0)
    assert (carrier.asked_after, idle.asked_after) == (0, 0)
    rows = await house.pool.fetch("SELECT tries, outcome FROM carrier_orders")
    assert [tuple(row) for row in rows] == [(1, "done")]


@dataclass
class Consequent(Held):
    """Obeying brings news, and news orders, which are handed on at once."""

    then: Callable[[], None] = lambda: None

    async def obey(self, order: wire.Order) -> None:
        """Hand the next on before the first is over; that one waits."""
        if isinstance(order, wire.HangUp):
            self.then()
            await Choosy.obey(self, order)
        else:
            await super().obey(order)


async def test_an_order_that_follows_from_another_is_looked_at_for_itself(house: House) -> None:
    call, other = await talking(house), CallId("call_of_another")
    gone, said = HangUp(call.legs[0].id), Say(call.legs[1].id, "warning")
    seqs = [*await ask(house, call.id, gone), *await ask(house, other, said)]
    carrier = Consequent(house)
    obeyer = an_obeyer(house, carrier)
    async with house.pool.acquire() as connection:
        now = house.clock.now()
        assert len(await lease_orders(connection, now, until=now + ORDER_LEASE)) == 2
    follows = Committed(tenant=TENANT, call=other, orders=((seqs[1], said),))
    carrier.then = lambda: obeyer.hand(follows)

    obeyer.hand(Committed(tenant=TENANT, call=call.id, orders=((seqs[0], gone),)))
    await asyncio.wait_for(carrier.reached.wait(), 10)
    for _ in range(4):  # the first one is over by now, and nobody keeps its lease
        house.clock.advance(1)
        await obeyer.look()
    assert last_looks(carrier) == [True]
    carrier.gate.set()
    await obeyer.idle()

    assert await outcomes(house, seqs) == ["done", "done"]
    assert carrier.refused == 0


def last_looks(carrier: Held) -> list[bool]:
    """What whoever waits at the gate would find."""
    return [holds() for holds in carrier.looks]


def rings(carrier: Choosy, leg: LegId) -> int:
    """How often the carrier was given that ring."""
    return sum(isinstance(one, wire.Ring) and one.leg == leg for one in carrier.obeyed)


# -- what the look asks ---------------------------------------------------------------------


@dataclass
class Looking(Choosy):
    """Keeps what is to be looked at."""

    holds: list[Callable[[], bool]] = field(default_factory=list)

    async def obey(self, order: wire.Order) -> None:
        """Give nothing."""
        self.holds.append(last_look())


@dataclass
class Seconds:
    """A clock that nobody sets."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


async def look_of(house: House, seconds: Seconds) -> Callable[[], bool]:
    """What is to be looked at before an order leaves that was leased just now."""
    call = await talking(house)
    await ask(house, call.id, HangUp(call.legs[0].id))
    now = house.clock.now()
    async with house.pool.acquire() as connection:
        (due,) = await lease_orders(connection, now, until=now + ORDER_LEASE)
    carrier = Looking(house)
    numbers = LegNumbers(house.seal, KeptPrograms(house.programs))
    leases = Leases(house.pool, house.clock, seconds)
    leases.take(due)
    sender = Sender(house.pool, carrier, numbers, leases)
    await sender.send(due, False, is_repeated=False)
    (holds,) = carrier.holds
    assert holds()
    return holds


async def test_a_lease_ends_for_its_holder_before_it_ends_for_others(house: House) -> None:
    holds = await look_of(house, Seconds())

    house.clock.advance((ORDER_LEASE - MARGIN).total_seconds() - 0.01)
    assert holds()
    house.clock.advance(0.01)
    assert not holds()


async def test_a_clock_that_was_set_back_prolongs_no_lease(house: House) -> None:
    seconds = Seconds()
    holds = await look_of(house, seconds)

    seconds.now += (ORDER_LEASE - MARGIN).total_seconds()

    assert not holds()


async def test_a_lease_that_ends_soon_is_prolonged_before_an_order_leaves(house: House) -> None:
    call = await talking(house)
    (seq,) = await ask(house, call.id, HangUp(call.legs[0].id))
    now = house.clock.now()
    async with house.pool.acquire() as connection:
        (due,) = await lease_orders(connection, now, until=now + ORDER_LEASE)
    house.clock.advance(2.5)
    carrier = Looking(house)
    numbers = LegNumbers(house.seal, KeptPrograms(house.programs))
    leases = Leases(house.pool, house.clock)
    leases.take(due)
    await Sender(house.pool, carrier, numbers, leases).send(due, False, is_repeated=False)

    assert carrier.holds[0]()
    until = await house.pool.fetchval("SELECT leased_until FROM carrier_orders WHERE seq=$1", seq)
    assert until == house.clock.now() + ORDER_LEASE


async def test_an_order_known_to_be_lost_is_not_sent_while_its_old_lease_would_last(
    house: House,
) -> None:
    """As when the database came back, and others found our connections gone."""
    call = await talking(house)
    await ask(house, call.id, HangUp(call.legs[0].id))
    now = house.clock.now()
    async with house.pool.acquire() as connection:
        (due,) = await lease_orders(connection, now, until=now + ORDER_LEASE)
    leases = Leases(house.pool, house.clock)
    leases.take(due)
    await house.pool.execute("UPDATE carrier_orders SET tries = tries + 1 WHERE seq = $1", due.seq)
    house.clock.advance(1.5)

    await leases.keep_all()

    assert house.clock.now() < due.leased_until - MARGIN
    with pytest.raises(TakenOver):
        await leases.keep(due)
    assert leases.in_hand == []
