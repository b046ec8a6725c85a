"""One run: the world, our process and the people, moved by one virtual clock."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from billing.ledger import Entry
from billing.voucher import Voucher
from dialer.call import Call
from dialer.carriers import (
    CallIn,
    CarrierRefused,
    CarrierUnknown,
    LegBridged,
    LegEnded,
    News,
    Report,
)
from dialer.carriers.simulated import orders as carrier
from dialer.carriers.simulated.faults import NO_FAULTS
from dialer.events import Timer
from dialer.orders import Answer, CarrierOrder, HangUp, Ring, Say
from routing.counselor import Counselor
from routing.policy import Matching
from terms.ids import CallId, LegId, OrderId, ProgramId
from terms.phone import PhoneNumber
from terms.refusals import RefusalCode, Refused
from warmline.desk.fold import FAREWELL
from warmline.programs import Program
from warmline.simulation.agenda import Agenda
from warmline.simulation.books import Books
from warmline.simulation.deciding import AS_SHIPPED, Deciding
from warmline.simulation.life import A_DAY, Life
from warmline.simulation.looking import Reconciler
from warmline.simulation.misfortune import Misfortune
from warmline.simulation.obeying import Obeyer
from warmline.simulation.people import Town
from warmline.simulation.shell import Shell, Tape
from warmline.simulation.truth import Truth
from warmline.simulation.watch import Violation, Watch
from warmline.simulation.witness import WatchedWorld, Witness
from warmline.simulation.writing import Step, Writer

FIRST_MIDNIGHT = datetime(2029, 12, 31, 16, 0, tzinfo=UTC)
"""The first of January 2030 begins in Shanghai."""

_DAYS_TO_REST = 4
_LATE = timedelta(seconds=5)
_FAREWELL_SECONDS = int(FAREWELL.total_seconds())


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
        self._misfortune = misfortune
        self._rng = Random(f"{seed}/process")
        self.agenda = Agenda()
        self.books = Books(programs)
        self.witness = Witness()
        self.world = WatchedWorld(rng=Random(f"{seed}/world"), witness=self.witness)
        self.obeyer = Obeyer(
            books=self.books,
            world=self.world,
            agenda=self.agenda,
            phones=self,
            desk=self,
            rng=self._rng,
            restart=misfortune.restart,
        )
        self.truth = truth = Truth(self.witness, self.obeyer.troubled)
        self.watch = Watch(self.books, self.world, truth)
        writer = Writer(self.books, deciding, self, self)
        self.shell = Shell(self.books, deciding, writer, tape)
        self.town = town = Town(Random(f"{seed}/town"), list(programs.values()), calls_per_day)
        for staff in town.staff.values():
            for counselor in staff:
                self.books.keep_counselor(counselor)
        self.life = Life(
            rng=Random(f"{seed}/life"),
            town=town,
            books=self.books,
            world=self.world,
            agenda=self.agenda,
            shell=self.shell,
            watch=self.watch,
            truth=truth,
        )
        self.reconciler = Reconciler(
            books=self.books,
            world=self.world,
            agenda=self.agenda,
            tell=self._tell,
            let_go=self._let_go,
        )
        self.deaths = 0
        self._inbox: deque[Report] = deque()
        self._down_until: datetime | None = None
        self._now = FIRST_MIDNIGHT
        self.world.set_faults(misfortune.carrier)

    # --- the run ------------------------------------------------------------------------------

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
            calls=len(self.witness.rang),
            orders=len(self.books.orders),
            connected=sum(one.connected_at is not None for one in self.books.orders.values()),
            deaths=self.deaths,
            violations=tuple(self.watch.violations),
            violation_count=self.watch.violation_count,
        )

    def _heal(self) -> None:
        self.world.set_faults(NO_FAULTS)
        self.obeyer.restart = 0.0

    def plan_day(self, midnight: datetime) -> None:
        """Who works and who wants to talk on the day that begins at `midnight`."""
        self.life.plan_shifts(midnight)
        self.life.plan_wishes(midnight, self._calls_per_day)

    def live_until(self, end: datetime) -> None:
        """Let everything happen that happens until `end`."""
        agenda, world, inbox, awake = self.agenda, self.world, self._inbox, self.obeyer.awake
        while True:
            at = agenda.next_at()
            news_at = world.next_due()
            if news_at is not None and (at is None or news_at <= at):
                if news_at > end:
                    break
                now = self._now = max(self._now, news_at)
                inbox += world.advance(now)
            else:
                if at is None or at > end:
                    break
                now = self._now = max(self._now, at)
                self._do_next(now)
            if inbox or awake:
                self._settle(now)
            if self.witness.touched:
                self.reconciler.notice(now)
        self._now = end

    def _do_next(self, now: datetime) -> None:
        action, subject = self.agenda.take()
        if self._down_until is not None and self._is_down(now):
            self.agenda.at(self._down_until, action, subject)
            return
        try:
            action(subject, now)
        except Exception as fault:
            self.watch.decision_failed(f"{action.__name__} {subject}", fault, now)

    def _settle(self, now: datetime) -> None:
        """Let our process do all that is to be done at this instant."""
        if self._is_down(now):
            return
        while self._inbox or self.obeyer.awake:
            if self._inbox:
                self._take(self._inbox.popleft(), now)
            else:
                self.obeyer.work(now)
            if self._down_until is not None:
                return

    # --- the carrier's news -------------------------------------------------------------------

    def _take(self, report: Report, now: datetime) -> None:
        news = report.news
        if isinstance(news, CallIn):
            self._take_call_in(report.id, news, now)
        else:
            if now - news.at > _LATE:
                self._was_told_late(news, now)
            if isinstance(news, LegBridged):
                self.truth.told_joined(CallId(news.leg.partition("/")[0]), news, now)
            self._tell(report.id, news, now)

    def _was_told_late(self, news: News, now: datetime) -> None:
        known = self.books.whose(news.leg)
        if known is not None:
            self.obeyer.troubled.add(known.id)
            if isinstance(news, LegBridged):
                self.truth.told_late(known.id, now - news.at)

    def _tell(self, id_: str, news: News, now: datetime) -> None:
        try:
            self.shell.take_news(id_, news, now)
        except Exception as fault:
            self.watch.decision_failed(f"{type(news).__name__} {news.leg}", fault, now)

    def _take_call_in(self, id_: str, call_in: CallIn, now: datetime) -> None:
        order = self.life.order_of_number(call_in.caller)
        is_taken = False
        if order is not None:
            self.watch.pressed(order.id, self.books.programs[order.program], now)
            call = self.life.new_call()
            is_taken = self.shell.take_call_in(id_, call_in, order.id, call, now)
        if not is_taken:
            self._turn_away(call_in.leg, now)

    def _turn_away(self, leg: LegId, now: datetime) -> None:
        """Answer, say why, and close the line."""
        farewell = Answer(leg), Say(leg, RefusalCode.NOT_NOW), HangUp(leg, _FAREWELL_SECONDS)
        self.obeyer.take(CallId(leg), farewell, now)
        self.reconciler.turned_away.add(leg)

    def _let_go(self, leg: LegId, now: datetime) -> None:
        try:
            self._inbox.extend(self.world.order(carrier.HangUp(leg=leg), now))
        except (CarrierRefused, CarrierUnknown):
            return  # the next look finds it again

    # --- who is told of what ------------------------------------------------------------------

    def stepped(self, step: Step) -> None:
        """A call's transaction was committed."""
        if step.before is None or step.before.ended_at is None:
            self.witness.touched.add(step.after.id)  # an ended call wants no leg more or less
        self.watch.stepped(step)
        self.life.stepped(step)

    def claimed(self, counselor: Counselor, call: CallId, now: datetime) -> None:
        """A call claims this counselor."""
        self.watch.claimed(counselor, call, now)

    def moved(self, before: Voucher | None, voucher: Voucher, entry: Entry) -> None:
        """A voucher moved."""
        self.watch.moved(before, voucher, entry)

    def obey(self, call: CallId, orders: Sequence[CarrierOrder], now: datetime) -> None:
        """Orders to the carrier were written."""
        self.obeyer.take(call, orders, now)

    def wake(self, call: CallId, timer: Timer) -> None:
        """A timer was set."""
        self.agenda.at(timer.due_at, self._fire, (call, timer))

    def _fire(self, subject: tuple[CallId, Timer], now: datetime) -> None:
        self.shell.fire(*subject, now)

    def lapse_at(self, when: datetime, order: OrderId) -> None:
        """The order moves by itself then."""
        self.agenda.at(when, self.shell.lapse, order)

    def seat_at(self, when: datetime, program: ProgramId) -> None:
        """Somebody waits, or somebody is free then."""
        if self.books.programs[program].routing.matching is Matching.POOL:
            self.agenda.at(when, self._seat, program)

    def _seat(self, program: ProgramId, now: datetime) -> None:
        self.shell.seat(program, now)

    def ring(self, call: Call, order: Ring) -> PhoneNumber:
        """A phone is to be rung: whoever it belongs to decides how to take it."""
        return self.life.ring(call, order)

    def ring_failed(self, ended: LegEnded, now: datetime) -> None:
        """A leg never was: that is the truth about it too."""
        self.witness.note(ended)
        self._tell(f"{ended.leg}/{ended.code}", ended, now)

    def bridge_failed(self, call: CallId, now: datetime) -> None:
        """The carrier would not join."""
        try:
            self.shell.bridge_refused(call, now)
        except Refused as fault:
            self.watch.decision_failed(call, fault, now)

    def arrived(self, reports: list[Report]) -> None:
        """The carrier told something meanwhile."""
        self._inbox.extend(reports)

    # --- deaths of our process ----------------------------------------------------------------

    def dies(self, now: datetime) -> None:
        """Our process is killed; it is back in a few seconds."""
        self.deaths += 1
        self._down_until = now + timedelta(seconds=1 + 9 * self._rng.random())
        self.obeyer.die(self._down_until)
        self.agenda.at(self._down_until, _starts_again, None)
        self.reconciler.die()
        self.obeyer.troubled.update(self.books.live.values())

    def _is_down(self, now: datetime) -> bool:
        if self._down_until is None:
            return False
        if now < self._down_until:
            return True
        self._down_until = None
        return False


def _starts_again(_: None, now: datetime) -> None:
    """Our process is back, and looks at what came meanwhile."""
