"""One run: the world, our process and the people, moved by one virtual clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import heappop
from random import Random

from dialer.carriers.simulated.faults import NO_FAULTS
from terms.ids import CallId, ProgramId
from warmline.programs import Program
from warmline.simulation.agenda import NEVER, Agenda
from warmline.simulation.books import Books
from warmline.simulation.deciding import AS_SHIPPED, Deciding
from warmline.simulation.life import A_DAY, Life
from warmline.simulation.misfortune import Misfortune
from warmline.simulation.people import Town
from warmline.simulation.process import Process
from warmline.simulation.shell import Tape
from warmline.simulation.surroundings import Surroundings
from warmline.simulation.truth import Truth
from warmline.simulation.watch import Violation, Watch
from warmline.simulation.witness import WatchedWorld, Witness

FIRST_MIDNIGHT = datetime(2029, 12, 31, 16, 0, tzinfo=UTC)
"""The first of January 2030 begins in Shanghai."""

_DAYS_TO_REST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to. `calls` counts those that rang."""

    calls: int
    orders: int
    connected: int
    deaths: int
    violations: tuple[Violation, ...]
    violation_count: int


class Simulation:
    """Everything wired together, with the clock."""

    def __init__(
        self,
        programs: Mapping[ProgramId, Program],
        *,
        seed: int,
        calls_per_day: int,
        misfortune: Misfortune,
        deciding: Deciding = AS_SHIPPED,
        tape: Tape | None = None,
    ) -> None:
        self._calls_per_day = calls_per_day
        self._now = FIRST_MIDNIGHT
        around = _surroundings(programs, seed, misfortune)
        self.books, self.agenda, self.world = around.books, around.agenda, around.world
        self.watch = around.watch
        self.town = Town(Random(f"{seed}/town"), list(programs.values()), calls_per_day)
        for staff in self.town.staff.values():
            for counselor in staff:
                self.books.keep_counselor(counselor)
        self.process = Process(
            around,
            deciding,
            rng=Random(f"{seed}/process"),
            restart=misfortune.restart,
            tape=tape,
        )
        self.life = self.process.life = Life(
            rng=Random(f"{seed}/life"),
            town=self.town,
            around=around,
            shell=self.process.shell,
        )

    def run(self, days: int) -> Outcome:
        """Live through the days with every misfortune, then heal the world and wait for rest."""
        for day in range(days):
            self.plan_day(FIRST_MIDNIGHT + day * A_DAY)
            self.live_until(FIRST_MIDNIGHT + (day + 1) * A_DAY)
        self._heal()
        for day in range(days, days + _DAYS_TO_REST):
            self.life.plan_shifts(FIRST_MIDNIGHT + day * A_DAY)
            self.live_until(FIRST_MIDNIGHT + (day + 1) * A_DAY)
        self.live_until(self._now + A_DAY)
        self.watch.at_rest(self._now)
        return Outcome(
            calls=len(self.world.witness.rang),
            orders=len(self.books.orders),
            connected=sum(one.connected_at is not None for one in self.books.orders.values()),
            deaths=self.process.deaths,
            violations=tuple(self.watch.violations),
            violation_count=self.watch.violation_count,
        )

    def _heal(self) -> None:
        self.world.set_faults(NO_FAULTS)
        self.process.obeyer.restart = 0.0

    def plan_day(self, midnight: datetime) -> None:
        """Who works and who wants to talk on the day that begins at `midnight`."""
        self.life.plan_shifts(midnight)
        self.life.plan_wishes(midnight, self._calls_per_day)

    def live_until(self, end: datetime) -> None:
        """Let everything happen until `end`; at one instant, the world's part first."""
        world, process, entries = self.world, self.process, self.agenda.entries
        inbox, awake, reconciler = process.inbox, process.obeyer.awake, process.reconciler
        touched, next_due, now = world.witness.touched, world.next_due, self._now
        while True:
            news_at = next_due() or NEVER
            due = entries[0][0]
            is_ours = due < news_at
            if not is_ours:
                due = news_at
            if due > end:
                break
            if due > now:
                now = due
            if is_ours:
                self._do_next(now)
            else:
                inbox += world.advance(now)
            if inbox or awake:
                process.settle(now)
            if touched and reconciler.looks_at is None:
                reconciler.notice(now)
        self._now = end

    def _do_next(self, now: datetime) -> None:
        _, _, action, subject = heappop(self.agenda.entries)
        down_until = self.process.down_until
        if down_until is not None and self.process.is_down(now):
            self.agenda.at(down_until, action, subject)
            return
        try:
            action(subject, now)
        except Exception as fault:
            self.watch.decision_failed(f"{action.__name__} {subject}", fault, now)


def _surroundings(
    programs: Mapping[ProgramId, Program], seed: int, misfortune: Misfortune
) -> Surroundings:
    books, witness = Books(programs), Witness()
    world = WatchedWorld(rng=Random(f"{seed}/world"), witness=witness)
    world.set_faults(misfortune.carrier)
    troubled: set[CallId] = set()
    truth = Truth(witness, troubled)
    return Surroundings(
        books=books,
        world=world,
        agenda=Agenda(),
        truth=truth,
        watch=Watch(books, world, truth),
        troubled=troubled,
    )
