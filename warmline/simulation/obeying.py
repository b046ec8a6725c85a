"""Orders to the carrier, obeyed in each call's sequence, as `warmline.workers.obeying` does.

An order lives in the books until it is settled; what this process has in hand dies with it. After
a death, orders that may have been sent are taken over when their lease has lapsed, and a ring is
then asked after, never repeated blindly.
"""

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
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
from warmline.workers.asking_again import (
    ASK_AGAIN_SECONDS,
    Next,
    after_fault,
    aside_seconds,
    is_dropped,
    limits,
    still_stands,
)

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


_Written = tuple[CarrierOrder, datetime, int, bool]
"""An order's row: the order, until when it is leased, how often who has it tried in vain, and
whether somebody who is dead had it before."""


class _Aside:
    """A limit that others went past: how often, and which of them set the leg's limit anew."""

    __slots__ = ("anew", "order", "times")

    def __init__(self, order: Limit, behind: Iterable[CarrierOrder]) -> None:
        self.order = order
        self.times = 0
        self.anew = [one for one in behind if limits(one, order.leg)]


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
        self._aside: dict[CallId, list[_Aside]] = {}

    # --- being handed orders ------------------------------------------------------------------

    def take(self, call: CallId, orders: Sequence[CarrierOrder], now: datetime) -> None:
        """Orders were committed; they are obeyed when `work` is called next."""
        for order in orders:
            if type(order) is HangUp and order.after_seconds:
                due = now + seconds(order.after_seconds)
                self._agenda.at(due, self._falls_due, (call, order))
            elif call in self._rows:
                self._rows[call].append((order, now, 0, False))
            else:
                self._rows[call] = [(order, now, 0, False)]
                self.awake.append(call)
        for one in self._aside.get(call, ()):
            one.anew += [order for order in orders if limits(order, one.order.leg)]

    def _falls_due(self, subject: tuple[CallId, HangUp], now: datetime) -> None:
        call, order = subject
        self.take(call, (replace(order, after_seconds=0),), now)

    def die(self, until: datetime) -> None:
        """What was in hand is found by the sweep after the restart: it may have been sent."""
        for call, rows in self._rows.items():
            rows[:] = [(order, leased_until, 0, True) for order, leased_until, _, _ in rows]
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
            order, leased_until, tries, had_others = rows[0]
            if leased_until > now:
                self._agenda.at(leased_until, self._sweep, call)
                return
            if self.restart and (roll := self._roll()) < self.restart:
                sends = partial(self._send, rows[0], call, now)
                self._die_over(sends if roll < self.restart / 2 else None, call, now)
                return
            try:
                self._send(rows[0], call, now)
            except (CarrierRefused, CarrierUnknown) as why:
                self._troubled.add(call)
                then = after_fault(order, why, tries + 1, was_sent=had_others or tries > 0)
                if then is Next.AGAIN:
                    rows[0] = order, now + ASK_AGAIN, tries + 1, had_others
                    continue
                self._failed(order, call, why, then, now)
            del rows[0]
        self._rows.pop(call, None)

    def _failed(
        self,
        order: CarrierOrder,
        call: CallId,
        why: CarrierRefused | CarrierUnknown,
        then: Next,
        now: datetime,
    ) -> None:
        if then is Next.ASIDE:
            assert isinstance(order, Limit)
            behind = [one for one, *_ in self._rows[call][1:]]
            self._step_aside(_Aside(order, behind), call, now)
            return
        for one in self._aside.get(call, ()):
            one.anew = [other for other in one.anew if other is not order]
        if isinstance(why, CarrierRefused) and then is Next.REFUSED:
            self._refused(order, call, why, now)
        else:
            self._gave_up(order, call, now)

    def _step_aside(self, one: _Aside, call: CallId, now: datetime) -> None:
        self._aside.setdefault(call, []).append(one)
        again_at = now + timedelta(seconds=aside_seconds(one.times))
        self._agenda.at(again_at, self._tries_limit_again, (call, one))

    def _tries_limit_again(self, subject: tuple[CallId, _Aside], now: datetime) -> None:
        call, one = subject
        self._aside[call].remove(one)
        if one.anew or not still_stands(one.order, self._books.calls.get(call)):
            return
        asked = _translated(one.order, call)
        if self.restart and (roll := self._roll()) < self.restart:
            self._step_aside(one, call, now)
            sends = partial(self._ask, asked, call, now)
            self._die_over(sends if roll < self.restart / 2 else None, call, now)
            return
        try:
            self._ask(asked, call, now)
        except (CarrierRefused, CarrierUnknown) as why:
            if after_fault(one.order, why, 1, was_sent=True) is Next.ASIDE:
                one.times += 1
                self._step_aside(one, call, now)

    def _die_over(self, sends: Callable[[], None] | None, call: CallId, now: datetime) -> None:
        """Die before the order is sent, or after it was and before anybody could write so."""
        self._troubled.add(call)
        if sends is not None:
            with contextlib.suppress(CarrierRefused, CarrierUnknown):
                sends()
        self._desk.dies(now)

    def _send(self, row: _Written, call: CallId, now: datetime) -> None:
        """Raises CarrierRefused, CarrierUnknown."""
        order, _, tries, had_others = row
        was_sent = had_others or tries > 0
        asked: carrier.Order | None
        if type(order) is Ring:
            asked = self._ring(order, self._books.calls.get(call), was_sent)
        elif was_sent and not self._is_wanted_still(order, call):
            asked = None
        else:
            asked = _translated(order, call)
        if asked is not None:
            self._ask(asked, call, now)

    def _ask(self, asked: carrier.Order, call: CallId, now: datetime) -> None:
        self._touched.add(call)
        if arrived := self._world.order(asked, now):
            self._desk.arrived(arrived)

    def _is_wanted_still(self, order: CarrierOrder, call: CallId) -> bool:
        if is_dropped(order, was_sent=True):
            return False
        if isinstance(order, Limit):
            behind = [one for one, *_ in self._rows[call][1:]]
            if any(limits(one, order.leg) for one in behind):
                return False
        return still_stands(order, self._books.calls.get(call))

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

    def _gave_up(self, order: CarrierOrder, call: CallId, now: datetime) -> None:
        if isinstance(order, Ring):
            with contextlib.suppress(CarrierRefused, CarrierUnknown):
                self._ask(carrier.HangUp(leg=order.leg), call, now)  # it may ring yet
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
