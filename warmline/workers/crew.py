"""All workers of one process together: who is woken by what was just decided."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dialer.carriers import Carrier
from warmline.clock import Clock
from warmline.desk.desk import Desk
from warmline.desk.writing import Committed
from warmline.metrics import Metrics
from warmline.workers.escalating import Escalator
from warmline.workers.hold import SHARED, Hold
from warmline.workers.looking import Looker
from warmline.workers.obeying import Obeyer
from warmline.workers.reconciling import Reconciler
from warmline.workers.seating import Seater
from warmline.workers.sending import Numbers
from warmline.workers.sweeping import Lapser, Refolder
from warmline.workers.timers import TimerWorker

if TYPE_CHECKING:
    from asyncpg import Pool

    from warmline.desk.store import Record


@dataclass(slots=True)
class Crew:
    """The workers, and the one place that knows whom a decision concerns."""

    obeyer: Obeyer
    timers: TimerWorker
    seater: Seater
    lapser: Lapser
    refolder: Refolder
    reconciler: Reconciler
    escalator: Escalator
    joined: list[Looker] = field(default_factory=list)

    def join(self, worker: Looker) -> None:
        """One more, who is started, woken and waited for like the others."""
        self.joined.append(worker)

    @property
    def _all(self) -> tuple[Looker, ...]:
        return (
            self.obeyer,
            self.timers,
            self.seater,
            self.lapser,
            self.refolder,
            self.reconciler,
            self.escalator,
            *self.joined,
        )

    @property
    def at_work(self) -> tuple[str, ...]:
        """The names of those who have something in hand."""
        return tuple(worker.name for worker in self._all if not worker.is_resting)

    def start(self) -> None:
        """Everybody begins."""
        for worker in self._all:
            worker.start()

    async def stop(self) -> None:
        """Everybody finishes what is in hand; timers and orders left are for others."""
        for worker in self._all:
            await worker.stop()

    def wake_all(self) -> None:
        """The clock was moved, or another process says that something changed."""
        for worker in self._all:
            worker.wake()

    def committed(self, committed: Committed) -> None:
        """A transaction of this process is durable: whoever has to act is told."""
        self.obeyer.hand(committed)
        if committed.unhanded:
            self.obeyer.unhanded()
        if committed.next_timer_at is not None:
            self.timers.wake(committed.next_timer_at)
        if committed.seats:
            self.seater.wake()


def make_crew(
    *,
    pool: "Pool[Record]",
    desk: Desk,
    carrier: Carrier,
    numbers: Numbers,
    clock: Clock,
    metrics: Metrics,
    hold: Hold = SHARED,
) -> Crew:
    """One process's workers. `hold` tells whether it may speak to the carrier."""
    return Crew(
        obeyer=Obeyer(pool, desk, carrier, numbers, clock, metrics, hold),
        timers=TimerWorker(pool, desk, clock, metrics, hold),
        seater=Seater(pool, desk, clock, metrics),
        lapser=Lapser(pool, desk, clock, metrics),
        refolder=Refolder(pool, desk, clock, metrics),
        reconciler=Reconciler(pool, desk, carrier, clock, metrics, hold),
        escalator=Escalator(pool, desk, clock),
    )
