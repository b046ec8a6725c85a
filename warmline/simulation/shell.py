"""The desk over dictionaries: what `warmline.desk.desk` does over PostgreSQL, step by step.

Each public method is one transaction there. It loads the slice, lets the fold decide, and has the
outcome written (`writing`).
"""

from datetime import datetime

import billing.opening
import billing.voucher
from billing.order import LIVE, ClosedBy, Order
from billing.voucher import Moved, issue, prepare
from dialer.call import Call, State
from dialer.carriers import CallIn, News
from dialer.events import (
    BridgeRefused,
    CalledBack,
    CallerDialledIn,
    CounselorClaimed,
    CounselorUnavailable,
    Event,
    PlaceCounted,
    Timer,
    TimerFired,
)
from dialer.verdict import CALLED_BACK_SOON
from routing.admission import dial_in_refusal, require_admission
from routing.counselor import Presence, set_presence
from routing.matching import choose
from routing.policy import Matching
from routing.queue import Waiting, rank
from terms.calendar import Workdays
from terms.ids import CallerId, CallId, CounselorId, LegId, OrderId, ProgramId, VoucherId
from terms.phone import PhoneNumber
from terms.refusals import RefusalCode, Refused
from terms.values import replace
from warmline.desk import fold
from warmline.desk.slice import Slice, make_slice
from warmline.programs import Program
from warmline.simulation.books import Books
from warmline.simulation.deciding import Deciding
from warmline.simulation.writing import Writer

_EVERY_DAY_ALIKE = Workdays()

Tape = list[tuple[datetime, str, tuple[object, ...]]]
"""Every transaction of a run, to be played again elsewhere."""


class Shell:
    """Everything that may happen to an order's call comes through here."""

    __slots__ = ("_books", "_deciding", "_tape", "_writer")

    def __init__(
        self, books: Books, deciding: Deciding, writer: Writer, tape: Tape | None = None
    ) -> None:
        self._books = books
        self._deciding = deciding
        self._writer = writer
        self._tape = tape

    # --- people -------------------------------------------------------------------------------

    def give_voucher(
        self,
        id_: VoucherId,
        program: ProgramId,
        holder: CallerId,
        valid_until: datetime,
        now: datetime,
    ) -> None:
        """A voucher made and given out at once."""
        self._record(now, "give_voucher", id_, program, holder, valid_until)
        for voucher, entry in new_voucher(id_, program, holder, valid_until, now):
            self._writer.keep_voucher(voucher, entry)

    def open_order(
        self,
        id_: OrderId,
        caller: CallerId,
        program: ProgramId,
        counselor: CounselorId | None,
        voucher: VoucherId | None,
        now: datetime,
    ) -> Order:
        """A person's right to a talk. Raises Refused."""
        self._record(now, "open_order", id_, caller, program, counselor, voucher)
        text = self._books.programs[program]
        opened = billing.opening.open_order(
            id=id_,
            caller=caller,
            program=program,
            program_version=text.version,
            program_digest=text.digest,
            counselor=counselor,
            voucher=voucher,
            granted_seconds=text.granted_seconds,
            policy=text.billing,
            now=now,
        )
        if voucher is not None:
            held, entry = billing.voucher.hold(
                self._books.vouchers[voucher], order=id_, caller=caller, program=program, now=now
            )
            self._writer.keep_voucher(held, entry)
        self._writer.keep_talk(opened.talk)
        self._writer.keep_order(opened.order, now)
        return opened.order

    def place_call(self, order: OrderId, call: CallId, given: PhoneNumber, now: datetime) -> Call:
        """Start a call for the order, or bring a waiting one forward. Raises Refused."""
        self._record(now, "place_call", order, call, given)
        slice_, program = self._load(order)
        require_admission(
            program.routing,
            given=given,
            verified=self._books.verified.get(slice_.order.caller),
            now=now,
            workdays=_EVERY_DAY_ALIKE,
        )
        live = self._live_call(order)
        if live is not None:
            return self._press_again(slice_, live, program, now)
        dial = self._dial(slice_.order, call, program, None, now)
        outcome = self._deciding.place(slice_, dial, program, now)
        return self._writer.write(slice_, None, outcome, program, now)

    def _dial(
        self, order: Order, call: CallId, program: Program, leg: LegId | None, now: datetime
    ) -> fold.Dial:
        fold.may_call(order, call, now)
        event = self._offer(order, program, now)
        pooled = program.routing.matching is Matching.POOL
        if isinstance(event, CounselorUnavailable) and not pooled:
            raise Refused(RefusalCode(event.why), "nobody is free for this call")
        last = self._books.last.get(order.id)
        last_call = None if last is None else self._books.calls.get(last)
        return fold.Dial(
            call=call,
            counselor=event.counselor if isinstance(event, CounselorClaimed) else None,
            dialled_in=leg,
            counted=0 if last_call is None else last_call.counted,
            attempt=0 if last_call is None else last_call.attempt,
        )

    def _press_again(self, slice_: Slice, live: Call, program: Program, now: datetime) -> Call:
        """A caller pressing while the call waits brings the attempt forward (A39)."""
        if live.state is not State.WAITING:
            fold.may_call(slice_.order, CallId(""), now)
        event = self._offer(slice_.order, program, now, call=live)
        if isinstance(event, CounselorUnavailable) and not live.pooled:
            raise Refused(RefusalCode(event.why), "nobody is free for this call")
        return self._carry(slice_, live, event, program, now)

    def command(self, call: CallId, event: Event, now: datetime) -> None:
        """A person's command on a call. Raises Refused."""
        self._record(now, "command", call, event)
        self._happen(self._books.calls[call], event, now)

    def cancel_order(self, order: OrderId, by: ClosedBy, why: str, now: datetime) -> None:
        """The order is given up. Raises Refused."""
        self._record(now, "cancel_order", order, by, why)
        slice_, _program = self._load(order)
        outcome = self._deciding.cancel(slice_, by, why, now)
        self._writer.write_order(slice_, outcome, now)

    def withdraw_order(self, order: OrderId, by: ClosedBy, why: str, now: datetime) -> None:
        """The order is given up for its caller, with the call that tries. Raises Refused."""
        self._record(now, "withdraw_order", order, by, why)
        slice_, program = self._load(order)
        live = self._live_call(order)
        with_call = slice_ if live is None else replace(slice_, call=live)
        outcome = self._deciding.withdraw(with_call, by, why, program, now)
        if live is None:
            self._writer.write_order(slice_, outcome, now)
        else:
            self._writer.write(slice_, live, outcome, program, now)

    def note_called_back(self, order: OrderId, now: datetime) -> None:
        """The caller tried an order that is over: evidence about how its last call ended."""
        last = self._books.calls.get(self._books.last.get(order, CallId("")))
        if last is None or last.ended_at is None or last.verdict_is_final:
            return
        if now - last.ended_at <= CALLED_BACK_SOON:
            self._record(now, "note_called_back", order)
            self._happen(last, CalledBack(now), now)

    def set_presence(self, counselor: CounselorId, presence: Presence, now: datetime) -> None:
        """The counselor's console says what the counselor means to do."""
        self._record(now, "set_presence", counselor, presence)
        known = self._books.counselors[counselor]
        program = self._books.programs[next(iter(known.programs))]
        lease = program.routing.presence_lease_seconds
        self._books.keep_counselor(set_presence(known, presence, now, lease))

    # --- the carrier tells --------------------------------------------------------------------

    def take_news(self, id_: str, news: News, now: datetime) -> None:
        """What the carrier told, once; news of a leg nobody knows is kept and means nothing."""
        told = self._books.told
        if id_ in told:
            return
        told.add(id_)
        if self._tape is not None:
            self._record(now, "take_news", id_, news)
        call = self._books.whose(news.leg)
        if call is not None:
            self._happen(call, news, now)

    def bridge_refused(self, call: CallId, now: datetime) -> None:
        """The carrier would not join the legs."""
        self._record(now, "bridge_refused", call)
        self._happen(self._books.calls[call], BridgeRefused(), now)

    def take_call_in(
        self, id_: str, call_in: CallIn, order: OrderId, call: CallId, now: datetime
    ) -> bool:
        """The caller of `order` dialled its service number; False when they are turned away."""
        if id_ in self._books.told:
            return True
        self._books.told.add(id_)
        self._record(now, "take_call_in", id_, call_in, order, call)
        slice_, program = self._load(order)
        refusal = dial_in_refusal(
            program.routing,
            shown=call_in.caller,
            is_verified=True,
            now=now,
            workdays=_EVERY_DAY_ALIKE,
        )
        if refusal is not None or slice_.order.state not in LIVE:
            return False
        live = self._live_call(order)
        if live is not None:
            return self._join(slice_, live, call_in, program, now)
        try:
            dial = self._dial(slice_.order, call, program, call_in.leg, now)
        except Refused:
            return False
        self._books.dialled_in[call_in.leg] = call
        outcome = self._deciding.place(slice_, dial, program, now)
        self._writer.write(slice_, None, outcome, program, now)
        return True

    def _join(
        self, slice_: Slice, live: Call, call_in: CallIn, program: Program, now: datetime
    ) -> bool:
        """A call is on already: it takes the leg, and a waiting one goes on at once."""
        offered = None
        if live.state is State.WAITING:
            offered = self._offer(slice_.order, program, now, call=live)
            if isinstance(offered, CounselorUnavailable) and not live.pooled:
                return False
        self._books.dialled_in[call_in.leg] = live.id
        live = self._carry(slice_, live, CallerDialledIn(call_in.leg, call_in.at), program, now)
        if offered is not None:
            self._carry(self._load(live.order)[0], live, offered, program, now)
        return True

    # --- time passes --------------------------------------------------------------------------

    def fire(self, call: CallId, timer: Timer, now: datetime) -> None:
        """A timer is due. One that its call no longer holds is forgotten."""
        known = self._books.calls.get(call)
        if known is None or not known.holds(timer):
            return
        if self._tape is not None:
            self._record(now, "fire", call, timer)
        self._happen(known, TimerFired(timer), now)

    def lapse(self, order: OrderId, now: datetime) -> None:
        """The order's time may be over."""
        known = self._books.orders[order]
        if known.due_at is None or known.due_at > now:
            return
        self._record(now, "lapse", order)
        slice_, program = self._load(order)
        self._writer.write_order(slice_, self._deciding.lapse(slice_, program, now), now)

    def seat(self, program: ProgramId, now: datetime) -> None:
        """Give the heads of a pool's queue whoever is free, until nobody waits or nobody is."""
        for head in sorted(self._books.places.get(program, {}).values(), key=rank):
            call = self._books.calls[head.call]
            slice_, text = self._load(call.order)
            event = self._offer(slice_.order, text, now, call=call, is_head=True)
            if isinstance(event, CounselorUnavailable):
                if call.turned_down_by():
                    continue
                return
            self._record(now, "seat", program, head)
            self._carry(slice_, call, event, text, now)

    # --- the one way in -----------------------------------------------------------------------

    def _happen(self, call: Call, event: Event, now: datetime) -> None:
        books = self._books
        order = books.orders[call.order]
        program = books.programs[order.program]
        if type(event) is TimerFired:
            if fold.needs_counselor(call, event):
                event = self._offer(order, program, now, call=call)
            elif fold.tells_place(call, event):
                event = self._place_counted(call, program)
        voucher = None if order.voucher is None else books.vouchers[order.voucher]
        before = make_slice(order=order, voucher=voucher, call=call)
        outcome = self._deciding.carry(before, event, program, now)
        self._writer.write(before, call, outcome, program, now)

    def _place_counted(self, call: Call, program: Program) -> PlaceCounted:
        """The estimate is drawn from talks that are settled; here it is not looked at."""
        places = self._books.places.get(program.id, {})
        position = sum(rank(one) <= rank(places[call.id]) for one in places.values())
        return fold.place_counted(Waiting(position=position, expected_seconds=None), program)

    def _carry(
        self, slice_: Slice, call: Call, event: Event, program: Program, now: datetime
    ) -> Call:
        before = make_slice(order=slice_.order, voucher=slice_.voucher, call=call)
        outcome = self._deciding.carry(before, event, program, now)
        return self._writer.write(before, call, outcome, program, now)

    def _offer(
        self,
        order: Order,
        program: Program,
        now: datetime,
        *,
        call: Call | None = None,
        is_head: bool = False,
    ) -> CounselorClaimed | CounselorUnavailable:
        """Whom this call would get, and whether it gets them; the head of a queue goes first."""
        books = self._books
        offer = self._deciding.offer
        if program.routing.matching is Matching.POOL:
            if not is_head and books.places.get(program.id):
                return CounselorUnavailable(RefusalCode.COUNSELOR_BUSY)
            requirement = program.routing.requirement(program.id)
            free = books.candidates(program.id)
            without = () if call is None else call.turned_down_by()
            chosen = choose(free, requirement, now, prefer=order.counselor, without=without)
            return offer(chosen, None, program, now)
        if order.counselor is None:
            return offer(None, None, program, now)
        engaged = books.engaged.get(order.counselor)
        return offer(books.counselors[order.counselor], engaged, program, now)

    def _load(self, order: OrderId) -> tuple[Slice, Program]:
        known = self._books.orders[order]
        voucher = None if known.voucher is None else self._books.vouchers[known.voucher]
        return make_slice(order=known, voucher=voucher), self._books.programs[known.program]

    def _live_call(self, order: OrderId) -> Call | None:
        live = self._books.live.get(order)
        return None if live is None else self._books.calls[live]

    def _record(self, now: datetime, name: str, *arguments: object) -> None:
        if self._tape is not None:
            self._tape.append((now, name, arguments))


def new_voucher(
    id_: VoucherId, program: ProgramId, holder: CallerId, valid_until: datetime, now: datetime
) -> tuple[Moved, Moved]:
    """A voucher's first two moves: made, and given out."""
    prepared = prepare(
        id=id_,
        program=program,
        code_hash=id_.encode(),
        code_ending="0000",
        valid_until=valid_until,
        now=now,
        holder=holder,
    )
    return prepared, issue(prepared[0], now)
