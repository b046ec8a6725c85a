"""Whose turn it is with a carrier that talks to one process at a time: over PostgreSQL, in virtual
time."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest

from dialer.carriers import CarrierUnreachable
from dialer.carriers.simulated.in_process import InProcessCarrier
from dialer.carriers.simulated.world import World
from terms.ids import CallId, LegId
from tests.people import TENANT
from warmline.carriers.fenced import FencedCarrier
from warmline.carriers.lease import LEASE_SECONDS, RENEW_EVERY, Lease
from warmline.carriers.store import ring_bell
from warmline.clock import VirtualClock

if TYPE_CHECKING:
    from asyncpg import Pool, Record


@dataclass
class Process:
    """One process, frozen or awake; `told` is what its lease told it."""

    lease: Lease = field(init=False)
    told: list[str] = field(default_factory=list)

    may_obey = property(lambda self: self.lease.is_held)
    hears = True
    is_behind = False

    def awaits(self, call: CallId) -> bool:
        return False

    def taken(self, fencing: int) -> None:
        self.told.append(f"taken {fencing}")

    def lost(self) -> None:
        self.told.append("lost")

    def kept(self) -> None:
        self.told.append("kept")

    def called(self) -> None:
        self.told.append("called")

    def rings(self, wake: Callable[[], None]) -> None: ...

    async def pass_on(self, connection: object) -> None: ...


@dataclass
class Deployment:
    """Several processes on one database, and the only clock there is."""

    pool: "Pool[Record]"
    clock: VirtualClock
    began: datetime
    processes: list[Process] = field(default_factory=list)

    def process(self, name: str) -> Process:
        process = Process()
        process.lease = Lease(
            self.pool,
            TENANT,
            self.clock,
            carrier="asterisk",
            holder=name,
            follows=process,
            seconds_now=lambda: (self.clock.now() - self.began).total_seconds(),
            database_now=self.clock.now,
        )
        self.processes.append(process)
        return process


@pytest.fixture
async def deployment(database: "Pool[Record]", noon: datetime) -> AsyncIterator[Deployment]:
    deployment = Deployment(database, VirtualClock(noon), noon)
    yield deployment
    for process in deployment.processes:
        await process.lease.stop()


async def test_the_first_takes_it_and_the_second_stands_by(deployment: Deployment) -> None:
    first, second = deployment.process("first"), deployment.process("second")

    await first.lease.look()
    await second.lease.look()

    assert (first.lease.is_held, second.lease.is_held) == (True, False)
    assert (first.told, second.told) == (["taken 1"], [])
    assert second.lease.is_others


async def test_who_renews_keeps_it_for_ever(deployment: Deployment) -> None:
    first, second = deployment.process("first"), deployment.process("second")
    for _ in range(20):
        await first.lease.look()
        await second.lease.look()
        deployment.clock.advance(RENEW_EVERY.total_seconds())

    assert first.lease.is_held
    assert first.told == ["taken 1", *["kept"] * 19]


async def test_a_dead_holder_is_followed_within_five_seconds(deployment: Deployment) -> None:
    dead, heir = deployment.process("dead"), deployment.process("heir")
    await dead.lease.look()
    died_at = deployment.clock.now()

    while not heir.lease.is_held:
        await heir.lease.look()
        deployment.clock.advance(RENEW_EVERY.total_seconds())

    assert deployment.clock.now() - died_at <= timedelta(seconds=4.5)
    assert heir.told == ["taken 2"]


async def test_a_frozen_holder_is_out_of_time_before_another_takes_over(
    deployment: Deployment,
) -> None:
    frozen, heir = deployment.process("frozen"), deployment.process("heir")
    await frozen.lease.look()

    deployment.clock.advance(LEASE_SECONDS - 0.4)
    await heir.lease.look()

    assert (frozen.lease.is_held, heir.lease.is_held) == (False, False)


async def test_who_wakes_up_late_gives_no_order_and_then_learns_that_it_lost(
    deployment: Deployment,
) -> None:
    frozen, heir = deployment.process("frozen"), deployment.process("heir")
    await frozen.lease.look()
    world = World(name="w", rng=Random(1))
    carrier = FencedCarrier(InProcessCarrier(world, deployment.clock.now), frozen)
    deployment.clock.advance(LEASE_SECONDS + 0.1)
    await heir.lease.look()

    with pytest.raises(CarrierUnreachable):
        await carrier.hang_up(LegId("c1/caller/1"))
    await frozen.lease.look()

    assert frozen.told == ["taken 1", "lost"]
    assert heir.lease.is_held


async def test_who_was_late_and_finds_it_still_theirs_goes_on(deployment: Deployment) -> None:
    late = deployment.process("late")
    await late.lease.look()
    deployment.clock.advance(60)
    assert not late.lease.is_held

    await late.lease.look()

    assert late.lease.is_held
    assert late.told == ["taken 1", "kept"]


async def test_who_stops_gives_it_up_at_once(deployment: Deployment) -> None:
    leaving, heir = deployment.process("leaving"), deployment.process("heir")
    await leaving.lease.look()
    await heir.lease.look()

    await leaving.lease.stop()
    await heir.lease.look()

    assert not leaving.lease.is_held
    assert heir.told == ["taken 2"]


async def test_a_holder_that_stops_late_takes_nothing_from_its_heir(
    deployment: Deployment,
) -> None:
    late, heir = deployment.process("late"), deployment.process("heir")
    await late.lease.look()
    deployment.clock.advance(LEASE_SECONDS)
    await heir.lease.look()

    await late.lease.stop()
    await heir.lease.look()

    assert heir.told == ["taken 2", "kept"]


async def test_the_bell_wakes_the_holder_to_others_orders(
    deployment: Deployment, database: "Pool[Record]"
) -> None:
    holder = deployment.process("holder")
    await holder.lease.look()

    async with database.acquire() as connection:
        await ring_bell(connection)
    while "called" not in holder.told:  # the bell rings on another connection
        async with database.acquire() as connection:
            await connection.execute("SELECT 1")
