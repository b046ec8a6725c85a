"""Writing an outcome into the books, as `warmline.desk.writing` does into tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from billing.ledger import Entry
from billing.order import Order
from billing.voucher import Voucher
from dialer.call import Call, State
from dialer.events import Timer
from dialer.orders import CarrierOrder, Fact
from routing.counselor import Counselor
from routing.queue import Place
from terms.ids import CallId, CounselorId, OrderId, ProgramId
from terms.values import maker, quickly_made
from warmline.desk.slice import CounselorMove, Outcome, Slice
from warmline.programs import Program
from warmline.simulation.books import Books
from warmline.simulation.deciding import Deciding


@quickly_made
@dataclass(frozen=True, slots=True)
class Step:
    """One transaction that changed something: what was, what is, and what was said about it."""

    before: Call | None
    after: Call
    facts: Sequence[Fact]
    orders: Sequence[CarrierOrder]
    order: Order
    program: Program
    now: datetime


_make_step = maker(Step)


class Audience(Protocol):
    """Who learns of every move."""

    def stepped(self, step: Step) -> None:
        """A call's transaction was committed."""
        ...

    def claimed(self, counselor: Counselor, call: CallId, now: datetime) -> None:
        """A call claims this counselor, who is still as they were."""
        ...

    def moved(self, before: Voucher | None, voucher: Voucher, entry: Entry) -> None:
        """A voucher moved."""
        ...


class Committed(Protocol):
    """Who is woken after a commit."""

    def obey(self, call: CallId, orders: Sequence[CarrierOrder], now: datetime) -> None:
        """Orders to the carrier were written."""
        ...

    def wake(self, call: CallId, timer: Timer) -> None:
        """A timer was set."""
        ...

    def lapse_at(self, when: datetime, order: OrderId) -> None:
        """The order moves by itself then."""
        ...

    def seat_at(self, when: datetime, program: ProgramId) -> None:
        """Somebody waits, or somebody is free then."""
        ...


_QUEUED, _ENDED = State.QUEUED, State.ENDED
_CLAIMED, _ACCEPTED = CounselorMove.CLAIMED, CounselorMove.ACCEPTED


class Writer:
    """Carries out what the fold decided."""

    __slots__ = ("_audience", "_books", "_committed", "_deciding")

    def __init__(
        self, books: Books, deciding: Deciding, audience: Audience, committed: Committed
    ) -> None:
        self._books = books
        self._deciding = deciding
        self._audience = audience
        self._committed = committed

    def write(
        self, before: Slice, old: Call | None, outcome: Outcome, program: Program, now: datetime
    ) -> Call:
        """Write everything an outcome changes, and hand on what is to be done."""
        after = outcome.slice
        call = after.call
        assert call is not None
        if after.order is not before.order or outcome.payment is not None or outcome.talk:
            self.write_order(before, outcome, now)
        if call is old and not outcome.effects:
            return call
        if outcome.counselors or old is None or old.counselor != call.counselor:
            self._claim(old, call, outcome, program, now)
        self._books.calls[call.id] = call
        if old is None or old.state is not call.state or old.crisis is not call.crisis:
            self._keep_state(old, call)
            if call.state is _QUEUED or (old is not None and old.state is _QUEUED):
                self._keep_place(old, call, program, after.order, now)
        facts: list[Fact] = []
        orders: list[CarrierOrder] = []
        for one in outcome.effects:
            if type(one) is Fact:
                facts.append(one)
            else:
                orders.append(one)
        if old is None or old.timers is not call.timers:
            self._set_timers(old, call)
        step = _make_step(old, call, facts, orders, after.order, program, now)
        self._audience.stepped(step)
        if orders:
            self._committed.obey(call.id, orders, now)
        return call

    def write_order(self, before: Slice, outcome: Outcome, now: datetime) -> None:
        """Write what became of the order and its voucher."""
        after = outcome.slice
        if outcome.payment is not None and after.voucher is not None:
            self.keep_voucher(after.voucher, outcome.payment)
        if outcome.talk:
            self.keep_talk(outcome.talk)
        if after.order is not before.order:
            self.keep_order(after.order, now)

    def keep_order(self, order: Order, now: datetime) -> None:
        """Write the order, and be woken when its time is over."""
        self._books.orders[order.id] = order
        if order.due_at is not None:
            self._committed.lapse_at(order.due_at, order.id)

    def keep_voucher(self, voucher: Voucher, entry: Entry) -> None:
        """Write the voucher and its double entry."""
        books = self._books
        self._audience.moved(books.vouchers.get(voucher.id), voucher, entry)
        books.vouchers[voucher.id] = voucher
        books.ledger.setdefault(entry.book, []).append(entry)

    def keep_talk(self, talk: Sequence[Entry]) -> None:
        """Write entries of an order's own book."""
        self._books.ledger.setdefault(talk[0].book, []).extend(talk)

    def _claim(
        self, old: Call | None, call: Call, outcome: Outcome, program: Program, now: datetime
    ) -> None:
        books = self._books
        held = None if old is None else old.counselor
        if held is not None and held != call.counselor and books.engaged.get(held) == call.id:
            del books.engaged[held]
        for counselor, move in outcome.counselors:
            known = books.counselors[counselor]
            if move is _CLAIMED:
                self._audience.claimed(known, call.id, now)
            moved = self._deciding.moved_counselor(known, move, call.id, program, now)
            books.keep_counselor(moved)
            self._free_again(counselor, move, moved, program, now)
        if call.counselor is not None:
            books.engaged[call.counselor] = call.id

    def _free_again(
        self,
        counselor: CounselorId,
        move: CounselorMove,
        moved: Counselor,
        program: Program,
        now: datetime,
    ) -> None:
        """Seat whoever waits, as soon as this counselor may be had."""
        if move is _CLAIMED or move is _ACCEPTED:
            return
        free_at = now
        if move is CounselorMove.FREED:
            free_at = moved.wrap_up_until or now
        elif move is CounselorMove.DECLINED:
            free_at = moved.cooldown_until or now
        self._committed.seat_at(free_at, program.id)

    def _keep_state(self, old: Call | None, call: Call) -> None:
        books = self._books
        if old is None:
            books.live[call.order] = books.last[call.order] = call.id
        if call.state is _ENDED and (old is None or old.state is not _ENDED):
            books.live.pop(call.order, None)

    def _keep_place(
        self, old: Call | None, call: Call, program: Program, order: Order, now: datetime
    ) -> None:
        """Keep the call's place in the queue in step with its state."""
        was = old is not None and old.state is _QUEUED
        waits = call.state is _QUEUED
        if waits and not (was and old is not None and old.crisis == call.crisis):
            places = self._books.places.setdefault(program.id, {})
            places[call.id] = Place(
                call=call.id,
                program=program.id,
                joined_at=call.started_at,
                crisis=call.crisis,
                prefers=order.counselor,
            )
            self._committed.seat_at(now, program.id)
        elif was and not waits:
            self._books.places[program.id].pop(call.id, None)

    def _set_timers(self, old: Call | None, call: Call) -> None:
        for timer in call.timers:
            if old is None or not old.holds(timer):
                self._committed.wake(call.id, timer)
