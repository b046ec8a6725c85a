"""A carrier that fails as it is told to, and an obeyer that has no other."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from dialer.carriers import LiveLeg, Receive
from dialer.carriers.simulated.orders import Order
from dialer.carriers.simulated.verbs import Verbs
from dialer.orders import CarrierOrder
from dialer.store.due import insert_orders
from terms.ids import CallId
from tests.house import House
from tests.people import CALLER, TENANT
from warmline.desk.in_force import KeptPrograms
from warmline.metrics import Metrics
from warmline.workers.hold import SHARED, Hold
from warmline.workers.numbers import LegNumbers
from warmline.workers.obeying import Obeyer

if TYPE_CHECKING:
    from dialer.call import Call


@dataclass
class Choosy(Verbs):
    """`faults` are raised for orders of a kind, one each time; the last of them for ever."""

    house: House
    faults: dict[type[Order], list[Exception | None]] = field(default_factory=dict)
    obeyed: list[Order] = field(default_factory=list)
    asked_after: int = 0
    """How often it was asked what lives."""

    async def open(self, receive: Receive) -> None:
        """The house listens already."""

    async def close(self) -> None:
        """Nothing is open."""

    async def obey(self, order: Order) -> None:
        """Fail, or pass it on."""
        faults = self.faults.get(type(order), [])
        fault = None if not faults else faults.pop(0) if len(faults) > 1 else faults[0]
        if fault is not None:
            raise fault
        self.obeyed.append(order)
        await self.house.carrier.obey(order)

    async def live_legs(self) -> tuple[LiveLeg, ...]:
        """What the simulated carrier has."""
        self.asked_after += 1
        return await self.house.carrier.live_legs()


def an_obeyer(house: House, carrier: Choosy, hold: Hold = SHARED) -> Obeyer:
    """One of another process than the house's own."""
    numbers = LegNumbers(house.seal, KeptPrograms(house.programs))
    metrics = Metrics(CollectorRegistry())
    return Obeyer(house.pool, house.desk, carrier, numbers, house.clock, metrics, hold)


async def work(obeyer: Obeyer) -> None:
    """Everything that can be done at this instant."""
    for _ in range(4):
        await obeyer.look()
        await obeyer.idle()


async def talking(house: House) -> "Call":
    """A call whose two sides talk."""
    order = await house.order(await house.caller(), await house.counselor())
    await house.call(order, CALLER)
    await house.pass_time(20)
    return await house.see_call(order)


async def ask(house: House, call: CallId, *orders: CarrierOrder) -> list[int]:
    """Orders of the call in nobody's hand; their numbers."""
    now = house.clock.now()
    async with house.pool.acquire() as connection:
        await insert_orders(connection, TENANT, call, [(order, now) for order in orders], now)
    rows = await house.pool.fetch(
        "SELECT seq FROM carrier_orders WHERE call = $1 ORDER BY seq DESC LIMIT $2",
        *(call, len(orders)),
    )
    return sorted(row["seq"] for row in rows)


async def outcomes(house: House, seqs: list[int]) -> list[str | None]:
    """How these orders ended, as far as they did."""
    rows = await house.pool.fetch(
        "SELECT outcome FROM carrier_orders WHERE seq = ANY ($1) ORDER BY seq", seqs
    )
    return [row["outcome"] for row in rows]
