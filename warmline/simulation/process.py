"""Our process in the simulated world: what it is told, what it decides, and that it is killed.

It hears the carrier's news, obeys what was ordered, is woken by its timers, and tells the watch
and the people of all that it does. While it is down news waits and nothing fires.
"""

from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
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
from dialer.events import Timer
from dialer.orders import Answer, CarrierOrder, HangUp, Ring, Say
from routing.counselor import Counselor
from routing.policy import Matching
from terms.ids import CallId, LegId, OrderId, ProgramId
from terms.phone import PhoneNumber
from terms.refusals import RefusalCode, Refused
from warmline.desk.fold import FAREWELL
from warmline.simulation.deciding import Deciding
from warmline.simulation.life import Life
from warmline.simulation.looking import Reconciler
from warmline.simulation.obeying import Obeyer
from warmline.simulation.shell import Shell, Tape
from warmline.simulation.surroundings import Surroundings
from warmline.simulation.writing import Step, Writer

_LATE = timedelta(seconds=5)
_FAREWELL_SECONDS = int(FAREWELL.total_seconds())


class Process:
    """One process of ours. `restart`: how often it dies over an order to the carrier."""

    life: Life

    def __init__(
        self,
        around: Surroundings,
        deciding: Deciding,
        *,
        rng: Random,
        restart: float,
        tape: Tape | None,
    ) -> None:
        self._books, self._world, self._agenda = around.books, around.world, around.agenda
        self._truth, self._watch = around.truth, around.watch
        self._touched, self._troubled = around.world.witness.touched, around.troubled
        self._rng = rng
        self.shell = Shell(self._books, deciding, Writer(self._books, deciding, self, self), tape)
        self.obeyer = Obeyer(around, phones=self, desk=self, rng=rng, restart=restart)
        self.reconciler = Reconciler(around, tell=self._tell, let_go=self._let_go)
        self.inbox: deque[Report] = deque()
        self.deaths = 0
        self.down_until: datetime | None = None

    def settle(self, now: datetime) -> None:
        """Do all that is to be done at this instant."""
        if self.down_until is not None and self.is_down(now):
            return
        inbox, awake = self.inbox, self.obeyer.awake
        while inbox or awake:
            if inbox:
                self._take(inbox.popleft(), now)
            else:
                self.obeyer.work(now)
            if self.down_until is not None:
                return

    # --- the carrier's news -------------------------------------------------------------------

    def _take(self, report: Report, now: datetime) -> None:
        news = report.news
        if type(news) is CallIn:
            self._take_call_in(report.id, news, now)
            return
        if now - news.at > _LATE:
            self._was_told_late(news, now)
        if type(news) is LegBridged:
            self._truth.told_joined(CallId(news.leg.partition("/")[0]), news, now)
        try:
            self.shell.take_news(report.id, news, now)
        except Exception as fault:
            self._watch.decision_failed(f"{type(news).__name__} {news.leg}", fault, now)

    def _was_told_late(self, news: News, now: datetime) -> None:
        known = self._books.whose(news.leg)
        if known is not None:
            self._troubled.add(known.id)
            if isinstance(news, LegBridged):
                self._truth.told_late(known.id, news, now)

    def _tell(self, id_: str, news: News, now: datetime) -> None:
        try:
            self.shell.take_news(id_, news, now)
        except Exception as fault:
            self._watch.decision_failed(f"{type(news).__name__} {news.leg}", fault, now)

    def _take_call_in(self, id_: str, call_in: CallIn, now: datetime) -> None:
        order = self.life.order_of_number(call_in.caller)
        is_taken = False
        if order is not None:
            self._watch.pressed(order.id, self._books.programs[order.program], now)
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
            self.inbox.extend(self._world.order(carrier.HangUp(leg=leg), now))
        except (CarrierRefused, CarrierUnknown):
            return  # the next look finds it again

    # --- who is told of what ------------------------------------------------------------------

    def stepped(self, step: Step) -> None:
        """A call's transaction was committed."""
        if step.before is None or step.before.ended_at is None:
            self._touched.add(step.after.id)  # an ended call wants no leg more or less
        self._watch.stepped(step)
        self.life.stepped(step)

    def claimed(self, counselor: Counselor, call: CallId, now: datetime) -> None:
        """A call claims this counselor."""
        self._watch.claimed(counselor, call, now)

    def moved(self, before: Voucher | None, voucher: Voucher, entry: Entry) -> None:
        """A voucher moved."""
        self._watch.moved(before, voucher, entry)

    def obey(self, call: CallId, orders: Sequence[CarrierOrder], now: datetime) -> None:
        """Orders to the carrier were written."""
        self.obeyer.take(call, orders, now)

    def wake(self, call: CallId, timer: Timer) -> None:
        """A timer was set."""
        self._agenda.at(timer.due_at, self._fire, (call, timer))

    def _fire(self, subject: tuple[CallId, Timer], now: datetime) -> None:
        self.shell.fire(subject[0], subject[1], now)

    def lapse_at(self, when: datetime, order: OrderId) -> None:
        """The order moves by itself then."""
        self._agenda.at(when, self.shell.lapse, order)

    def seat_at(self, when: datetime, program: ProgramId) -> None:
        """Somebody waits, or somebody is free then."""
        if self._books.programs[program].routing.matching is Matching.POOL:
            self._agenda.at(when, self._seat, program)

    def _seat(self, program: ProgramId, now: datetime) -> None:
        self.shell.seat(program, now)

    def ring(self, call: Call, order: Ring) -> PhoneNumber:
        """A phone is to be rung: whoever it belongs to decides how to take it."""
        return self.life.ring(call, order)

    def ring_failed(self, ended: LegEnded, now: datetime) -> None:
        """A leg never was: that is the truth about it too."""
        self._world.witness.note(ended)
        self._tell(f"{ended.leg}/{ended.code}", ended, now)

    def bridge_failed(self, call: CallId, now: datetime) -> None:
        """The carrier would not join."""
        try:
            self.shell.bridge_refused(call, now)
        except Refused as fault:
            self._watch.decision_failed(call, fault, now)

    def arrived(self, reports: list[Report]) -> None:
        """The carrier told something meanwhile."""
        self.inbox.extend(reports)

    # --- deaths -------------------------------------------------------------------------------

    def dies(self, now: datetime) -> None:
        """The process is killed; it is back in a few seconds."""
        self.deaths += 1
        self.down_until = now + timedelta(seconds=1 + 9 * self._rng.random())
        self.obeyer.die(self.down_until)
        self._agenda.at(self.down_until, _starts_again, None)
        self.reconciler.die()
        self._troubled.update(self._books.live.values())

    def is_down(self, now: datetime) -> bool:
        """Whether nothing can be done at `now`; if not, it is up again from now on."""
        if self.down_until is None:
            return False
        if now < self.down_until:
            return True
        self.down_until = None
        return False


def _starts_again(_: None, now: datetime) -> None:
    """Our process is back, and looks at what came meanwhile."""
