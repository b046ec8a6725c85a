"""What people do all day: they call, wait, press again, hang up, come to work and go home."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from random import Random

from billing.order import LIVE, ClosedBy, Order
from billing.order import State as OrderState
from billing.voucher import USABLE
from dialer.call import Call
from dialer.carriers.simulated.handset import NotPossible
from dialer.events import (
    CallerHungUp,
    CounselorAccepted,
    CounselorDeclined,
    CounselorHungUp,
    CounselorMarkedCutOff,
    CrisisRaised,
    Event,
    StaffEnded,
    TransferCancelled,
    TransferConfirmed,
    TransferRequested,
)
from dialer.orders import Fact, FactKind, Ring
from routing.counselor import Presence
from routing.policy import Matching
from terms.ids import CallerId, CallId, CounselorId, OrderId, VoucherId
from terms.phone import PhoneNumber
from terms.refusals import RefusalCode, Refused
from terms.verdict import Role
from warmline.programs import Program
from warmline.simulation.people import AGENCIES, Caller, Table, Town
from warmline.simulation.shell import Shell
from warmline.simulation.surroundings import Surroundings
from warmline.simulation.writing import Step

A_DAY = timedelta(days=1)
_VOUCHER_LIVES = timedelta(days=20)
_MOST_PRESSES = 6
IN_DANGER = 0.03
"""The share of talks in which the counselor marks a crisis: more than life has, to test it."""

_SOMEBODY_ELSES = PhoneNumber("+8613900009999")


_CALLER = Role.CALLER

# What somebody may do at one moment or other of nearly every call.
_ACCEPTED, _DECLINED = CounselorAccepted(), CounselorDeclined()
_CALLER_HUNG_UP, _COUNSELOR_HUNG_UP, _STAFF_ENDED = CallerHungUp(), CounselorHungUp(), StaffEnded()
_CUT_OFF, _NOT_CUT_OFF = CounselorMarkedCutOff(True), CounselorMarkedCutOff(False)


class Life:
    """Draws what everybody does next, and reacts to what happens to them."""

    def __init__(
        self,
        *,
        rng: Random,
        town: Town,
        around: Surroundings,
        shell: Shell,
    ) -> None:
        self._rng = rng
        self._town = town
        self._books, self._world, self._agenda = around.books, around.world, around.agenda
        self._watch, self._truth = around.watch, around.truth
        self._shell = shell
        self._numbers = count(1)
        self._open_orders: dict[CallerId, OrderId] = {}
        self._presses: dict[OrderId, int] = {}
        self._purses: dict[CallerId, list[VoucherId]] = {}
        self._reactions: dict[FactKind, Callable[[Call, Fact, datetime], None]] = {
            FactKind.LEG_RINGING: self._when_ringing,
            FactKind.CONNECTED: self._when_connected,
            FactKind.WAITING: self._when_waiting,
            FactKind.QUEUED: self._when_queued,
            FactKind.PARTED: self._when_parted,
            FactKind.TRANSFER_JOINED: self._when_agency_joined,
            FactKind.ENDED: self._when_ended,
        }

    # --- a day --------------------------------------------------------------------------------

    def plan_shifts(self, midnight: datetime) -> None:
        """When everybody comes to work on the day that begins at `midnight`."""
        for program in self._books.programs.values():
            opens, hours = _working_hours(program)
            staff = self._town.staff[program.id]
            for number, counselor in enumerate(staff):
                begins = midnight + opens + hours * number / len(staff) * 0.6
                begins += self._town.waits(0, 1800)
                length = hours * 0.5
                self._plan_shift(counselor.id, begins, length)

    def _plan_shift(self, id_: CounselorId, begins: datetime, length: timedelta) -> None:
        town, agenda = self._town, self._agenda
        if town.does(0.05):
            return  # a day off
        rest = begins + length / 2 + town.waits(-1800, 1800)
        agenda.at(begins, self._arrives, id_)
        agenda.at(rest, self._rests, id_)
        agenda.at(rest + town.waits(300, 2400), self._arrives, id_)
        if not town.does(0.1):  # who forgets to sign off is gone when the lease runs out
            agenda.at(begins + length, self._leaves, id_)

    def _arrives(self, id_: CounselorId, now: datetime) -> None:
        self._shell.set_presence(id_, Presence.AVAILABLE, now)
        for program in self._books.counselors[id_].programs:
            self._shell.seat(program, now)

    def _rests(self, id_: CounselorId, now: datetime) -> None:
        self._shell.set_presence(id_, Presence.BREAK, now)

    def _leaves(self, id_: CounselorId, now: datetime) -> None:
        self._shell.set_presence(id_, Presence.OFFLINE, now)

    def plan_wishes(self, midnight: datetime, calls: int) -> None:
        """When on that day somebody first thinks of calling."""
        programs = Table(*((one, _share(one)) for one in self._books.programs.values()))
        for _ in range(calls):
            program = programs.at(self._rng.random())
            opens, hours = _working_hours(program)
            early = timedelta(minutes=10) if hours < A_DAY else timedelta()
            moment = midnight + opens - early + (hours + 2 * early) * self._rng.random()
            self._agenda.at(moment, self._wishes_to_talk, program)

    # --- an order -----------------------------------------------------------------------------

    def _wishes_to_talk(self, program: Program, now: datetime) -> None:
        caller = self._somebody()
        if caller is None:
            return
        counselor = None
        if program.routing.matching is Matching.NAMED:
            counselor = self._picks(program)
        voucher = None
        if program.billing.voucher == "required":
            voucher = self._voucher_of(caller, program, now)
        order = OrderId(f"order-{next(self._numbers):08}")
        self._books.verified.setdefault(caller.id, caller.number)
        self._shell.open_order(order, caller.id, program.id, counselor, voucher, now)
        self._open_orders[caller.id] = order
        if not self._town.does(0.03):  # else it is never called and lapses
            self._agenda.at(now + self._town.waits(1, 60), self._calls, order)

    def _somebody(self) -> Caller | None:
        for _ in range(10):
            caller = self._rng.choice(self._town.callers)
            known = self._open_orders.get(caller.id)
            if known is None or self._books.orders[known].state not in LIVE:
                return caller
        return None

    def _picks(self, program: Program) -> CounselorId:
        """Mostly somebody who is free now, as the list on the screen shows."""
        if not self._town.does(0.1):
            engaged = self._books.engaged
            free = [one for one in self._books.on_duty.get(program.id, ()) if one not in engaged]
            if free:
                return self._rng.choice(free)
        return self._rng.choice(self._town.staff[program.id]).id

    def _voucher_of(self, caller: Caller, program: Program, now: datetime) -> VoucherId:
        purse = self._purses.setdefault(caller.id, [])
        for id_ in purse:
            known = self._books.vouchers[id_]
            if known.program == program.id and known.state in USABLE and now < known.valid_until:
                return id_
        id_ = VoucherId(f"voucher-{next(self._numbers):08}")
        self._shell.give_voucher(id_, program.id, caller.id, now + _VOUCHER_LIVES, now)
        purse.append(id_)
        return id_

    # --- calling ------------------------------------------------------------------------------

    def _calls(self, order: OrderId, now: datetime) -> None:
        known = self._books.orders[order]
        if self._town.does(0.05) and known.state is not OrderState.IN_CALL:
            self._dials_in(known, now)
        else:
            self._presses_call(order, now)

    def _presses_call(self, order: OrderId, now: datetime) -> None:
        presses = self._presses[order] = self._presses.get(order, 0) + 1
        known = self._books.orders[order]
        program = self._books.programs[known.program]
        self._watch.pressed(order, program, now)
        given = self._town.numbers[known.caller]
        if self._town.does(0.01):
            given = _SOMEBODY_ELSES
        try:
            self._shell.place_call(order, CallId(f"call-{next(self._numbers):08}"), given, now)
        except Refused as refused:
            self._was_refused(refused.code, order, presses, now)

    def _was_refused(self, why: RefusalCode, order: OrderId, presses: int, now: datetime) -> None:
        town = self._town
        if why in (RefusalCode.ORDER_NOT_OPEN, RefusalCode.ORDER_EXPIRED):
            self._shell.note_called_back(order, now)
        elif presses < _MOST_PRESSES and town.does(0.9):
            self._agenda.at(now + town.waits(60, 900), self._presses_call, order)
        elif town.does(0.5):
            self._agenda.at(now + town.waits(1, 60), self._gives_up, order)

    def _dials_in(self, order: Order, now: datetime) -> None:
        program = self._books.programs[order.program]
        number = self._town.numbers[order.caller].digits
        service = program.routing.service_numbers[0].number.digits
        try:
            self._world.script(number, self._town.habit(Role.CALLER, asked_for_it=True))
            self._world.dial(number, service, now, withhold=self._town.does(0.02))
        except NotPossible:
            return

    def order_of_number(self, number: PhoneNumber | None) -> Order | None:
        """The one open order of whoever dialled in."""
        caller = None if number is None else self._town.by_number.get(number)
        order = None if caller is None else self._open_orders.get(caller.id)
        return None if order is None else self._books.orders[order]

    def new_call(self) -> CallId:
        """A name for a call that somebody dialled in for."""
        return CallId(f"call-{next(self._numbers):08}")

    def _gives_up(self, order: OrderId, now: datetime) -> None:
        try:
            self._shell.cancel_order(order, ClosedBy.CALLER, "changed_my_mind", now)
        except Refused:
            return

    def _is_given_up(self, order: OrderId, now: datetime) -> None:
        """Support cancels while the call tries, or just began to talk."""
        try:
            self._shell.withdraw_order(order, ClosedBy.SUPPORT, "asked_for", now)
        except Refused:
            return

    # --- phones -------------------------------------------------------------------------------

    def ring(self, call: Call, order: Ring) -> PhoneNumber:
        """The number of whoever is rung, who has made up their mind how to take it."""
        who = order.party or self._books.orders[call.order].caller
        number = self._town.numbers[who]
        asked_for_it = call.attempt == 1 and call.ring_first is Role.CALLER
        self._world.script(number.digits, self._town.habit(order.role, asked_for_it=asked_for_it))
        return number

    # --- reactions ----------------------------------------------------------------------------

    def stepped(self, step: Step) -> None:
        """Something happened; whoever it concerns may do something about it."""
        for fact in step.facts:
            reaction = self._reactions.get(fact.kind)
            if reaction is not None:
                reaction(step.after, fact, step.now)

    def _perhaps(
        self, share: float, call: Call, event: Event, now: datetime, least: float, most: float
    ) -> None:
        town = self._town
        if town.does(share):
            self._agenda.at(now + town.waits(least, most), self._commands, (call.id, event))

    def _commands(self, subject: tuple[CallId, Event], now: datetime) -> None:
        call, event = subject
        known = self._books.calls.get(call)
        if known is None:
            return
        try:
            self._shell.command(call, event, now)
        except Refused:
            return
        if type(event) in (CrisisRaised, TransferRequested):
            self._truth.raised_crisis(call, now)

    def _when_ringing(self, call: Call, fact: Fact, now: datetime) -> None:
        if fact.role is _CALLER:
            return
        self._perhaps(0.14, call, _ACCEPTED, now, 1, 12)
        self._perhaps(0.02, call, _DECLINED, now, 1, 12)

    def _when_connected(self, call: Call, _: Fact, now: datetime) -> None:
        self._perhaps(0.03, call, _CALLER_HUNG_UP, now, 5, 1200)
        self._perhaps(0.04, call, _COUNSELOR_HUNG_UP, now, 5, 1500)
        self._perhaps(0.003, call, _STAFF_ENDED, now, 5, 900)
        if self._town.does(IN_DANGER):
            self._perhaps(1, call, CrisisRaised(), now, 5, 900)
            targets = tuple(self._rng.sample(list(AGENCIES), self._rng.randint(1, 3)))
            self._perhaps(0.6, call, TransferRequested(targets), now, 60, 1400)
            self._perhaps(0.5, call, _COUNSELOR_HUNG_UP, now, 600, 2400)
            self._perhaps(1, call, StaffEnded(confirmed=True), now, 3600, 6000)

    def _when_waiting(self, call: Call, _: Fact, now: datetime) -> None:
        self._perhaps(0.04, call, _CALLER_HUNG_UP, now, 1, 100)
        if self._town.does(0.15):
            self._agenda.at(now + self._town.waits(1, 120), self._presses_call, call.order)
        elif self._town.does(0.08):
            self._agenda.at(now + self._town.waits(1, 120), self._dials_again, call.order)
        elif self._town.does(0.03):
            self._agenda.at(now + self._town.waits(1, 120), self._is_given_up, call.order)

    def _when_queued(self, call: Call, _: Fact, now: datetime) -> None:
        self._perhaps(0.15, call, CallerHungUp(), now, 20, 900)
        self._perhaps(1, call, CallerHungUp(), now, 2400, 7200)

    def _when_parted(self, call: Call, _: Fact, now: datetime) -> None:
        self._perhaps(0.05, call, CounselorAccepted(), now, 1, 20)
        self._perhaps(0.03, call, CallerHungUp(), now, 1, 60)
        if self._town.does(0.15):
            self._agenda.at(now + self._town.waits(1, 40), self._dials_again, call.order)

    def _when_agency_joined(self, call: Call, _: Fact, now: datetime) -> None:
        self._perhaps(0.8, call, TransferConfirmed(), now, 20, 120)
        self._perhaps(0.1, call, TransferCancelled(), now, 20, 120)

    def _dials_again(self, order: OrderId, now: datetime) -> None:
        self._dials_in(self._books.orders[order], now)

    def _when_ended(self, call: Call, _: Fact, now: datetime) -> None:
        order = self._books.orders[call.order]
        town, agenda = self._town, self._agenda
        if call.connected_at is not None:
            self._perhaps(0.05, call, _CUT_OFF, now, 5, 600)
            self._perhaps(0.03, call, _NOT_CUT_OFF, now, 5, 600)
        presses = self._presses.get(order.id, 0)
        match order.state:
            case OrderState.INTERRUPTED if town.does(0.85):
                agenda.at(now + town.waits(5, 1800), self._presses_call, order.id)
            case OrderState.OPEN if presses < _MOST_PRESSES and town.does(0.7):
                agenda.at(now + town.waits(5, 1200), self._calls, order.id)
            case OrderState.OPEN if town.does(0.6):
                agenda.at(now + town.waits(5, 1200), self._gives_up, order.id)
            case OrderState.COMPLETED if town.does(0.05):
                agenda.at(now + town.waits(5, 600), self._presses_call, order.id)
            case _:
                pass


def _working_hours(program: Program) -> tuple[timedelta, timedelta]:
    """When a day of the program opens after midnight in Shanghai, and for how long."""
    window = program.routing.hours.windows[0]
    length = timedelta(minutes=window.closes_minute - window.opens_minute)
    return timedelta(minutes=window.opens_minute), length


def _share(program: Program) -> float:
    return 0.6 if program.routing.matching is Matching.NAMED else 0.4
