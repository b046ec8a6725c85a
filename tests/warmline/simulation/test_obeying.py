"""What the simulated process does with orders that fail: what the real one does with them."""

from collections import deque
from datetime import datetime, timedelta
from heapq import heappop
from random import Random

import pytest

from dialer.carriers import CarrierRefused, CarrierUnknown, Report
from dialer.carriers.simulated import orders as wire
from dialer.orders import HangUp, Limit, Say
from terms.ids import CallId, LegId
from warmline.programs import load_shipped
from warmline.simulation.misfortune import NONE
from warmline.simulation.obeying import ORDER_LEASE, Obeyer
from warmline.simulation.simulation import FIRST_MIDNIGHT, Simulation
from warmline.simulation.witness import WatchedWorld

BUSY = CarrierRefused("429")
CALL, LEG = CallId("call-of-nobody"), LegId("call-of-nobody/caller/1")


class Choosy(WatchedWorld):
    """A world that says no, or nothing, to some orders, and remembers those it obeyed."""

    def __init__(self, world: WatchedWorld) -> None:
        super().__init__(rng=Random(1), witness=world.witness)
        self.faults_of: dict[type, list[Exception | None]] = {}
        self.obeyed: list[wire.Order] = []

    def order(self, order: wire.Order, now: datetime) -> list[Report]:
        waiting = self.faults_of.get(type(order))
        fault = waiting.pop(0) if waiting else None
        if fault is not None:
            raise fault
        self.obeyed.append(order)
        return []


class Scene:
    """An obeyer in a choosy world, and the clock."""

    def __init__(self, **faults: list[Exception | None]) -> None:
        simulation = Simulation(load_shipped(), seed=1, calls_per_day=0, misfortune=NONE)
        self.process, self.agenda = simulation.process, simulation.agenda
        self.obeyer: Obeyer = self.process.obeyer
        self.world = Choosy(simulation.world)
        self.world.faults_of = {getattr(wire, kind): each for kind, each in faults.items()}
        self.obeyer._world = self.world
        self.now = FIRST_MIDNIGHT

    def live(self, seconds: float) -> None:
        """Until everything due within so many seconds has been done."""
        end = self.now + timedelta(seconds=seconds)
        self._work()
        while self.agenda.entries and self.agenda.entries[0][0] <= end:
            at, _, action, subject = heappop(self.agenda.entries)
            self.now = max(self.now, at)
            action(subject, self.now)
            self._work()
        self.now = end

    def _work(self) -> None:
        while self.obeyer.awake:
            self.obeyer.work(self.now)


@pytest.mark.rule("X55")
def test_a_limit_that_fails_lets_what_follows_go_past_and_is_tried_until_it_is_moved() -> None:
    scene = Scene(Limit=[BUSY, CarrierUnknown("no answer"), BUSY])
    scene.obeyer.take(CALL, (Limit(LEG, 7200), Say(LEG, "crisis")), scene.now)

    scene.live(0.1)
    assert [type(one) for one in scene.world.obeyed] == [wire.Say]
    scene.live(3.3)
    assert [type(one) for one in scene.world.obeyed] == [wire.Say]
    scene.live(0.2)
    assert scene.world.obeyed[1:] == [wire.Limit(leg=LEG, limit_seconds=7200)]


@pytest.mark.rule("X55")
@pytest.mark.parametrize("together", [True, False])
def test_a_limit_tried_again_takes_back_no_later_one(together: bool) -> None:
    scene = Scene(Limit=[BUSY])
    first, second = Limit(LEG, 900), Limit(LEG, 7200)
    if together:
        scene.obeyer.take(CALL, (first, second), scene.now)
    else:
        scene.obeyer.take(CALL, (first,), scene.now)
        scene.live(0.1)
        scene.obeyer.take(CALL, (second,), scene.now)

    scene.live(10)

    assert scene.world.obeyed == [wire.Limit(leg=LEG, limit_seconds=7200)]


def test_a_limit_is_tried_again_where_the_later_one_was_refused() -> None:
    gone = CarrierRefused("leg_gone", sip=481)
    scene = Scene(Limit=[BUSY, gone])
    scene.obeyer.take(CALL, (Limit(LEG, 900), Limit(LEG, 7200)), scene.now)

    scene.live(10)

    assert scene.world.obeyed == [wire.Limit(leg=LEG, limit_seconds=900)]


def test_after_a_death_nothing_is_spoken_that_may_have_been_and_all_else_is_done() -> None:
    scene = Scene()
    scene.obeyer.take(CALL, (Say(LEG, "queued"), HangUp(LEG)), scene.now)

    scene.obeyer.die(scene.now + timedelta(seconds=2))
    scene.obeyer.take(CALL, (Say(LEG, "crisis"),), scene.now)
    scene.live(2 + ORDER_LEASE.total_seconds())

    told = deque(scene.world.obeyed)
    assert isinstance(told.popleft(), wire.HangUp)
    assert [one.prompt for one in told if isinstance(one, wire.Say)] == ["crisis"]


def test_what_may_have_been_spoken_is_not_spoken_again() -> None:
    scene = Scene(Say=[CarrierUnknown("no answer")])
    scene.obeyer.take(CALL, (Say(LEG, "queued"), HangUp(LEG)), scene.now)

    scene.live(60)

    assert [type(one) for one in scene.world.obeyed] == [wire.HangUp]
