"""Carrier news per second, held against the floor measured in turn with it."""

import asyncio
import json
import statistics
import time
from dataclasses import dataclass

from warmline.bench.driver import Post
from warmline.bench.exchange import Phones
from warmline.bench.floor import SUBJECTS
from warmline.bench.people import LISTENING
from warmline.bench.stage import Stage
from warmline.bench.waiting import NotMeasured, until
from warmline.ids import new_id

_TAKEN = 200


@dataclass(frozen=True, slots=True)
class Rates:
    """Events per second of both; the ratio is the median of the rounds' own."""

    floor: float
    service: float
    ratio: float


async def measure_events(stage: Stage, floor: str) -> Rates:
    """In turns, so that what slows the machine slows both."""
    for _ in range(stage.scale.rounds_before):
        await floor_round(stage, floor)
        await service_round(stage)
    # What a running server does by itself within a minute: look how its tables have grown.
    await stage.connection.execute("ANALYZE")
    rounds = [
        (await floor_round(stage, floor), await service_round(stage))
        for _ in range(stage.scale.rounds)
    ]
    return Rates(
        floor=statistics.median(least for least, _ in rounds),
        service=statistics.median(ours for _, ours in rounds),
        ratio=statistics.median(ours / least for least, ours in rounds),
    )


async def floor_round(stage: Stage, floor: str) -> float:
    """Events per second of the floor."""
    left = wanted = stage.scale.floor_per_round
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def answered(status: int, _: bytes) -> None:
        nonlocal left
        left -= 1
        if status != _TAKEN and not done.done():
            done.set_exception(NotMeasured(f"the floor answered {status}"))
        elif left == 0:
            done.set_result(None)

    began = time.perf_counter()
    for number in range(wanted):
        stage.driver.put(Post(f"{floor}/events", _event(number), answered))
    await asyncio.wait_for(done, stage.scale.patience_seconds)
    return wanted / (time.perf_counter() - began)


async def service_round(stage: Stage) -> float:
    """News per second over whole lives of calls, from both phones' ringing to both legs' end."""
    exchange = stage.exchange
    exchange.phones, exchange.talks = Phones.WAIT, False
    how_many = stage.scale.calls_per_round
    counselors = await stage.people.counselors(how_many, LISTENING)
    customers = await stage.people.customers(how_many, LISTENING, counselors)
    await stage.place_all(customers)
    await until(lambda: exchange.held == how_many, stage.scale.patience_seconds, "placing calls")
    told, began = exchange.told, stage.clock()
    exchange.phones = Phones.ANSWER
    exchange.pick_up()
    await until(
        lambda: exchange.standing == 0 and exchange.is_quiet,
        stage.scale.patience_seconds,
        "the calls' lives",
    )
    return (exchange.told - told) / (exchange.told_at - began).total_seconds()


def _event(number: int) -> bytes:
    """As long as a report of the carrier's is."""
    leg = f"{new_id('call')}/caller/1"
    news = {"kind": "answered", "leg": leg, "at": "2030-01-01T12:00:00.000000+00:00"}
    return json.dumps(
        {"id": f"{leg}/{number}", "subject": number % SUBJECTS, "body": news}
    ).encode()
