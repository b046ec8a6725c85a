"""Whoever may not speak to the carrier obeys nothing, and concludes nothing from its silence."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from dialer.call import State
from dialer.carriers.simulated import orders as wire
from dialer.orders import HangUp, Say
from terms.ids import CallId
from tests.house import House
from tests.people import CALLER, TENANT
from tests.warmline.workers.choosy import Choosy, an_obeyer, ask, outcomes, talking, work
from warmline.desk.writing import Committed
from warmline.metrics import Metrics
from warmline.workers.timers import TimerWorker

if TYPE_CHECKING:
    from warmline.workers.hold import Line


@dataclass
class Turn:
    """A turn that comes and goes as the test wants."""

    may_obey: bool = False
    hears: bool = False
    is_behind: bool = False
    awaited: set[CallId] = field(default_factory=set)
    passed_on: int = 0
    wakes: list[Callable[[], None]] = field(default_factory=list)

    def awaits(self, call: CallId) -> bool:
        return call in self.awaited

    def rings(self, wake: Callable[[], None]) -> None:
        self.wakes.append(wake)

    async def pass_on(self, connection: "Line") -> None:
        self.passed_on += 1


async def test_what_was_decided_here_is_passed_on_and_obeyed_once_our_turn_comes(
    house: House,
) -> None:
    call = await talking(house)
    leg = call.legs[0].id
    carrier, turn = Choosy(house), Turn()
    obeyer = an_obeyer(house, carrier, turn)
    orders = (Say(leg, "warning"), HangUp(leg))
    asked = await ask(house, call.id, *orders)

    obeyer.hand(
        Committed(tenant=TENANT, call=call.id, orders=tuple(zip(asked, orders, strict=True)))
    )
    await work(obeyer)
    assert (carrier.obeyed, turn.passed_on) == ([], 1)
    turn.may_obey = True
    await work(obeyer)

    assert [type(order) for order in carrier.obeyed] == [wire.Say, wire.HangUp]
    assert await outcomes(house, asked) == ["done", "done"]


async def test_who_loses_the_turn_between_two_orders_leaves_the_second_to_others(
    house: House,
) -> None:
    call = await talking(house)
    leg = call.legs[0].id
    turn = Turn(may_obey=True)

    class LosesIt(Choosy):
        async def obey(self, order: wire.Order) -> None:
            await super().obey(order)
            turn.may_obey = False

    carrier = LosesIt(house)
    obeyer = an_obeyer(house, carrier, turn)
    asked = await ask(house, call.id, Say(leg, "warning"), HangUp(leg))

    await work(obeyer)

    assert [type(order) for order in carrier.obeyed] == [wire.Say]
    heir = Choosy(house)
    await work(an_obeyer(house, heir, Turn(may_obey=True)))
    assert [type(order) for order in heir.obeyed] == [wire.HangUp]
    assert await outcomes(house, asked) == ["done", "done"]


async def test_a_ring_is_not_given_up_by_whoever_cannot_have_heard_that_it_was_answered(
    house: House,
) -> None:
    order = await house.order(await house.caller(), await house.counselor())
    await house.call(order, CALLER)
    turn = Turn()
    timers = TimerWorker(house.pool, house.desk, house.clock, Metrics(CollectorRegistry()), turn)
    house.clock.advance(60)

    await timers.look()
    assert (await house.see_call(order)).state is State.RINGING_FIRST
    turn.hears = True
    await timers.look()

    assert (await house.see_call(order)).state is not State.RINGING_FIRST


async def test_a_ring_is_not_given_up_while_what_was_told_of_its_call_is_not_believed_yet(
    house: House,
) -> None:
    order = await house.order(await house.caller(), await house.counselor())
    call = await house.call(order, CALLER)
    turn = Turn(hears=True, awaited={call.id})
    timers = TimerWorker(house.pool, house.desk, house.clock, Metrics(CollectorRegistry()), turn)
    house.clock.advance(60)

    await timers.look()
    assert (await house.see_call(order)).state is State.RINGING_FIRST
    turn.awaited.clear()
    house.clock.advance(1)
    await timers.look()

    assert (await house.see_call(order)).state is not State.RINGING_FIRST
