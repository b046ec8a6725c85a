"""A thousand calls at once: freed counselors, a kill, and the caps of all of them."""

import asyncio
import time
from asyncio.subprocess import Process
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from terms.ids import CallId
from warmline.bench.exchange import Phones
from warmline.bench.ground import kill, ready, start_service
from warmline.bench.people import DOCTOR, Customer
from warmline.bench.spread import Spread, milliseconds
from warmline.bench.stage import Stage
from warmline.bench.store import cap_dues, due_by
from warmline.bench.waiting import NotMeasured, until

_CAP = timedelta(minutes=15)
_FIRST_WARNING = timedelta(seconds=120)
_LAST_WARNING = timedelta(seconds=30)
_LOOK_SECONDS = 0.01
_MOMENT_SECONDS = 0.05
_OVERDUE = timedelta(seconds=0.5)
_AHEAD = timedelta(seconds=2)
"""The service looks once a second how far the clock was moved."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """The process that took over, how long that took, and what it holds then."""

    process: Process
    seconds: float
    megabytes: float


@dataclass(slots=True)
class Live:
    """The calls of a full house. `since` is when the first of them was bridged."""

    stage: Stage
    since: datetime
    _places: dict[CallId, int] = field(default_factory=dict)
    _ringing: deque[Customer] = field(default_factory=deque)  # then those who wait, in order

    def bridged_at(self, call: CallId) -> datetime:
        """The carrier's time of bridging, one after the other within the window."""
        scale = self.stage.scale
        place = self._places.setdefault(call, len(self._places))
        step = scale.cap_window_seconds / scale.at_work
        return self.since + timedelta(seconds=place % scale.at_work * step)

    async def fill(self) -> None:
        """Everybody at work is on a call, a few of these still ring, and callers wait."""
        stage, scale = self.stage, self.stage.scale
        exchange = stage.exchange
        exchange.talks, exchange.bridged_at = True, self.bridged_at
        await stage.people.counselors(scale.at_work, DOCTOR)
        await stage.people.counselors(scale.roster - scale.at_work, DOCTOR, available=False)
        customers = await stage.people.customers(scale.at_work + scale.freed, DOCTOR)
        talking = scale.at_work - scale.ringing
        exchange.phones = Phones.ANSWER
        await stage.place_all(customers[:talking])
        await until(
            lambda: len(exchange.bridged) == talking and exchange.is_quiet,
            scale.patience_seconds,
            "bringing the calls to life",
        )
        exchange.phones = Phones.RING
        for customer in customers[talking:]:
            await stage.place(customer)
            self._ringing.append(customer)
        await stage.quiet("filling the house")

    async def measure_offers(self) -> Spread:
        """From ending a call that rings, in the app, to the ring of the next in the queue.

        That is more than from the counselor's being free, by the whole command.
        """
        stage, scale = self.stage, self.stage.scale
        rung = len(stage.exchange.rung_at)
        loop = asyncio.get_running_loop()
        begins = loop.time()

        async def free(number: int) -> datetime:
            await asyncio.sleep(begins + number / scale.freed_per_second - loop.time())
            freed_at = stage.clock()
            await stage.withdraw(self._ringing.popleft())
            return freed_at

        freed_at = await asyncio.gather(*(free(number) for number in range(scale.freed)))
        await until(
            lambda: len(stage.exchange.rung_at) == rung + scale.freed,
            scale.patience_seconds,
            "offering",
        )
        offered_at = sorted(stage.exchange.rung_at.values())[rung:]
        return Spread.of(
            milliseconds(at - freed) for freed, at in zip(freed_at, offered_at, strict=True)
        )

    async def measure_recovery(self, running: Process) -> Recovery:
        """Killed with news on its way; warnings fall due while it is gone."""
        stage, exchange = self.stage, self.stage.exchange
        exchange.phones = Phones.WAIT
        exchange.pick_up()
        await asyncio.sleep(_MOMENT_SECONDS)
        await kill(running)
        await stage.move_clock_to(self._caps_from - _FIRST_WARNING + _OVERDUE)
        began, due = time.perf_counter(), stage.clock()
        again = await start_service(stage.settings)
        try:
            await ready(stage.settings.address)
            await self._handled(due)
            seconds = time.perf_counter() - began
        except BaseException:
            await kill(again)
            raise
        return Recovery(again, seconds, _peak_megabytes(again.pid))

    async def measure_caps(self) -> Spread:
        """From the instant a cap falls to the order to hang up, both warnings having been said."""
        stage, exchange = self.stage, self.stage.exchange
        exchange.phones = Phones.ANSWER
        exchange.pick_up()
        await until(
            lambda: exchange.standing == 2 * stage.scale.at_work and exchange.is_quiet,
            stage.scale.patience_seconds,
            "bringing every call to life",
        )
        await self._pass(self._caps_to - _FIRST_WARNING)
        await stage.move_clock_to(self._caps_from - _LAST_WARNING - _AHEAD)
        await self._pass(self._caps_to - _LAST_WARNING)
        dues = await cap_dues(stage.connection)
        await stage.move_clock_to(self._caps_from - _AHEAD)
        await until(
            lambda: dues.keys() <= exchange.hung_up_at.keys(),
            stage.scale.patience_seconds,
            "ending calls at their caps",
        )
        return Spread.of(
            milliseconds(exchange.hung_up_at[call] - due) for call, due in dues.items()
        )

    @property
    def _caps_from(self) -> datetime:
        return self.since + _CAP

    @property
    def _caps_to(self) -> datetime:
        return self._caps_from + timedelta(seconds=self.stage.scale.cap_window_seconds)

    async def _pass(self, instant: datetime) -> None:
        """Until the clock shows `instant` and all that was due by then is handled."""
        stage = self.stage
        await until(lambda: stage.clock() > instant, stage.scale.patience_seconds, "waiting")
        await self._handled(instant)

    async def _handled(self, due: datetime) -> None:
        """Until nothing that was due then, and no news, is left."""
        stage = self.stage
        deadline = time.perf_counter() + stage.scale.patience_seconds
        while not stage.exchange.is_quiet or await due_by(stage.connection, due):
            if time.perf_counter() > deadline:
                raise NotMeasured("what was due was not handled")
            await asyncio.sleep(_LOOK_SECONDS)


def _peak_megabytes(process: int) -> float:
    """The most memory the process ever had resident."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise NotMeasured("the process's memory cannot be read here")
