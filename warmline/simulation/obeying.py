"""Orders to the carrier, obeyed in each call's sequence, as `warmline.workers.obeying` does.

An order lives in the books until it is settled; what this process has in hand dies with it. After
a death, orders that may have been sent are taken over when their lease has lapsed, and a ring is
then asked after, never repeated blindly.
"""

import contextlib
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Protocol

from dialer.call import Call
from dialer.carriers import (
    CarrierRefused,
    CarrierUnknown,
    LegEnded,
    ReleaseSide,
    Report,
)
from dialer.carriers.simulated import orders as carrier
from dialer.orders import Answer, Bridge, CarrierOrder, HangUp, Limit, Part, Ring, Say
from terms.ids import CallId, LegId
from terms.phone import PhoneNumber
from terms.spans import seconds
from terms.values import maker, replace
from warmline.simulation.surroundings import Surroundings
from warmline.workers.asking_again import ASK_AGAIN_SECONDS, MOST_TRIES, is_asked_again

ORDER_LEASE = timedelta(seconds=3)
ASK_AGAIN = timedelta(seconds=ASK_AGAIN_SECONDS)
_LANGUAGE = "zh-CN"

_make_say, _make_ring = maker(carrier.Say), maker(carrier.Ring)


class Phones(Protocol):
    """Whose phone a leg rings, ready to behave as that person does now."""

    def ring(self, call: Call, order: Ring) -> PhoneNumber:
        """The number, looked up at the last moment."""
        ...


class Desk(Protocol):
    """Where what became of an order is told."""

    def ring_failed(self, ended: LegEnded, now: datetime) -> None:
        """The leg never was: the carrier refused, or nobody could be asked."""
        ...

    def bridge_failed(self, call: CallId, now: datetime) -> None:
        """The carrier would not join."""
        ...

    def arrived(self, reports: list[Report]) -> None:
        """The carrier told something meanwhile."""
        ...

    def dies(self, now: datetime) -> None:
        """Our process is killed over this order."""
        ...


_Written = tuple[CarrierOrder, datetime, int]
"""An order's row: the order, until when it is leased, and how often it was tried in vain."""


class Obeyer:
    """Sends orders. `restart` is how often the process dies over one.

    `awake` are calls whose orders may be obeyed now.
    """

    def __init__(
        self, around: Surroundings, *, phones: Phones, desk: Desk, rng: Random, restart: float
    ) -> None:
        self.restart = restart
        self.awake: deque[CallId] = deque()
        self._books, self._world, self._agenda = around.books, around.world, around.agenda
        self._touched, self._troubled = around.world.witness.touched, around.troubled
        self._phones = phones
        self._desk = desk
        self._roll = rng.random
        self._rows: dict[CallId, list[_Written]] = {}

    # --- being handed orders ------------------------------------------------------------------

    def take(self, call: CallId, orders: Sequence[CarrierOrder], now: datetime) -> None:
        """Orders were committed; they are obeyed when `work` is called next."""
        for order in orders:
            if type(order) is HangUp and order.after_seconds:
                due = now + seconds(order.after_seconds)
                self._agenda.at(due, self._falls_due, (call, order))
            elif call in self._rows:
                self._rows[call].append((order, now, 0))
            else:
                self._rows[call] = [(order, now, 0)]
                self.awake.append(call)

    def _falls_due(self, subject: tuple[CallId, HangUp], now: datetime) -> None:
        call, order = subject
        self.take(call, (replace(order, after_seconds=0),), now)

    def die(self, until: datetime) -> None:
        """What was in hand is found by the sweep after the restart."""
        for call in (*self.awake, *self._rows):
            if call in self._rows:
                self._agenda.at(until + ORDER_LEASE, self._sweep, call)
        self.awake.clear()

    def _sweep(self, call: CallId, now: datetime) -> None:
        if call in self._rows and call not in self.awake:
            self.awake.append(call)

    # --- obeying ------------------------------------------------------------------------------

    def work(self, now: datetime) -> None:
        """Obey whatever is due of one call."""
        call = self.awake.popleft()
        rows = self._rows.get(call)
        while rows:
            order, leased_until, tries = rows[0]
            if leased_until > now:
                self._agenda.at(leased_until, self._sweep, call)
                return
            if self.restart and (roll := self._roll()) < self.restart:
                rows[0] = order, leased_until, tries + 1
                self._die_over(order, tries, call, roll < self.restart / 2, now)
                return
            try:
                self._send(order, tries, call, now)
            except (CarrierRefused, CarrierUnknown) as fault:
                if not self._is_given_up(order, tries, call, fault, now):
                    rows[0] = order, now + ASK_AGAIN, tries + 1
                    continue
            del rows[0]
        self._rows.pop(call, None)

    def _is_given_up(
        self,
        order: CarrierOrder,
        tries: int,
        call: CallId,
        fault: CarrierRefused | CarrierUnknown,
        now: datetime,
    ) -> bool:
        """What follows from a no, or from no answer; False when it is tried again in a moment."""
        self._troubled.add(call)
        if isinstance(fault, CarrierRefused) and not is_asked_again(order, fault):
            self._refused(order, call, fault, now)
            return True
        if tries + 1 < MOST_TRIES and type(order) is not Say:
            return False
        self._gave_up(order, now)
        return True

    def _die_over(
        self, order: CarrierOrder, tries: int, call: CallId, is_sent: bool, now: datetime
    ) -> None:
        """Die before the order is sent, or after it was and before anybody could write so."""
        self._troubled.add(call)
        if is_sent:
            with contextlib.suppress(CarrierRefused, CarrierUnknown):
                self._send(order, tries, call, now)
        self._desk.dies(now)

    def _send(self, order: CarrierOrder, tries: int, call: CallId, now: datetime) -> None:
        """Raises CarrierRefused, CarrierUnknown."""
        asked: carrier.Order | None
        if type(order) is Say and not tries:
            asked = _make_say(leg=order.leg, prompt=order.prompt, language=_LANGUAGE)
        elif type(order) is Ring:
            asked = self._ring(order, self._books.calls.get(call), tries > 0)
        elif tries and not _still_stands(order, self._books.calls.get(call)):
            asked = None
        else:
            asked = _translated(order, call)
        if asked is not None:
            self._touched.add(call)
            if arrived := self._world.order(asked, now):
                self._desk.arrived(arrived)

    def _ring(
        self, order: Ring, call: Call | None, may_have_been_sent: bool
    ) -> carrier.Ring | None:
        leg = None if call is None else call.leg(order.leg)
        if call is None or leg is None or leg.is_over:
            return None
        if may_have_been_sent and self._world.asked(order.leg):
            return None
        number = self._phones.ring(call, order)
        return _make_ring(
            leg=order.leg, to=number, shows="warmline", ring_seconds=order.ring_seconds
        )

    def _refused(
        self, order: CarrierOrder, call: CallId, refusal: CarrierRefused, now: datetime
    ) -> None:
        match order:
            case Ring(leg):
                self._never_was(leg, refusal, now)
            case Bridge():
                self._desk.bridge_failed(call, now)
            case Answer() | Part() | Say() | Limit() | HangUp():
                pass

    def _gave_up(self, order: CarrierOrder, now: datetime) -> None:
        if isinstance(order, Ring):
            self._never_was(order.leg, CarrierRefused("unknown"), now)

    def _never_was(self, leg: LegId, refusal: CarrierRefused, now: datetime) -> None:
        ended = LegEnded(
            leg=leg,
            at=now,
            by=ReleaseSide.CARRIER,
            q850=refusal.q850,
            sip=refusal.sip,
            code=refusal.code,
        )
        self._desk.ring_failed(ended, now)


def _still_stands(order: CarrierOrder, call: Call | None) -> bool:
    """Whether an order that is tried again still has a leg to act on."""
    if call is None or isinstance(order, HangUp | Part):
        return True
    legs = order.legs if isinstance(order, Bridge) else (order.leg,)
    return {leg.id for leg in call.all_standing()}.issuperset(legs)


def _translated(order: CarrierOrder, call: CallId) -> carrier.Order:
    match order:
        case Say(leg, prompt):
            return _make_say(leg=leg, prompt=prompt, language=_LANGUAGE)
        case Part(leg):
            return carrier.Part(leg=leg)
        case HangUp(leg):
            return carrier.HangUp(leg=leg)
        case Bridge(legs, limit_seconds):
            return carrier.Bridge(call=call, legs=legs, limit_seconds=limit_seconds)
        case Limit(leg, limit_seconds):
            return carrier.Limit(leg=leg, limit_seconds=limit_seconds)
        case Answer(leg):
            return carrier.Answer(leg=leg)
        case Ring():
            raise AssertionError("a ring needs its number")
