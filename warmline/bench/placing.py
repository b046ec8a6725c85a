"""From the pressed button to the carrier's order to ring, at a steady pace."""

import asyncio
from datetime import datetime

from terms.ids import LegId
from warmline.bench.exchange import Phones
from warmline.bench.people import LISTENING, Customer
from warmline.bench.spread import Spread, milliseconds
from warmline.bench.stage import Stage
from warmline.bench.waiting import until


async def measure_placing(stage: Stage) -> Spread:
    """Every button at its own time, whether the ones before it were answered or not."""
    scale, exchange = stage.scale, stage.exchange
    exchange.phones = Phones.RING  # the phones ring; nobody takes the call meanwhile
    counselors = await stage.people.counselors(scale.placed, LISTENING)
    customers = await stage.people.customers(scale.placed, LISTENING, counselors)
    loop = asyncio.get_running_loop()
    begins = loop.time()

    async def press(number: int, customer: Customer) -> tuple[datetime, LegId]:
        await asyncio.sleep(begins + number / scale.placed_per_second - loop.time())
        pressed_at = stage.clock()
        return pressed_at, LegId(f"{await stage.place(customer)}/caller/1")

    pressed = await asyncio.gather(*(press(*one) for one in enumerate(customers)))
    await until(
        lambda: all(leg in exchange.rung_at for _, leg in pressed),
        scale.patience_seconds,
        "ringing what was placed",
    )
    return Spread.of(milliseconds(exchange.rung_at[leg] - at) for at, leg in pressed)
