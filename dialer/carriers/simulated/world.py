"""A switch and its phones as a pure model: orders and hands go in, reports come out.

Time and randomness are passed in; equal seeds and equal inputs give equal worlds. How a line lives
between two inputs is told in `switch`.
"""

from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import NoReturn

from dialer.carriers import (
    CallIn,
    CarrierRefused,
    CarrierUnknown,
    KeyPressed,
    LiveLeg,
    ReleaseSide,
    Report,
)
from dialer.carriers.simulated import orders
from dialer.carriers.simulated.faults import NO_FAULTS, Faults, a_refusal
from dialer.carriers.simulated.handset import Handset, HandsetView, Leg, NotPossible, view
from dialer.carriers.simulated.orders import Order
from dialer.carriers.simulated.script import Script
from dialer.carriers.simulated.switch import MEDIA_GAP_SECONDS, Switch
from terms.ids import LegId
from terms.phone import PhoneNumber
from terms.spans import seconds

_MOST_HANDSETS = 100_000


class World:
    """Phones on a switch.

    `name` begins every report's id and every dial-in's leg name; it must differ from that of any
    world before it, or new news would pass for old. `media_gap_seconds` is how long a line must be
    silent before the switch tells.
    """

    def __init__(
        self, *, name: str, rng: Random, media_gap_seconds: float = MEDIA_GAP_SECONDS
    ) -> None:
        self._name = name
        self._rng, self._roll = rng, rng.random
        self._switch = Switch(name=name, rng=rng, media_gap_seconds=media_gap_seconds)
        self._handsets: dict[str, Handset] = {}
        self._dialled_in = 0
        self.next_due: Callable[[], datetime | None] = self._switch.next_due
        """When `advance` has something to do next; None if nothing will happen by itself."""

    # --- what the carrier's side may do -------------------------------------------------------

    def order(self, order: Order, now: datetime) -> list[Report]:
        """Obey, and give every report that has arrived by `now`.

        Raises CarrierRefused (nothing happened) or CarrierUnknown (perhaps it did); the reports are
        then kept for the next call. An order repeated is done and changes nothing.
        """
        switch = self._switch
        switch.run(now)
        faults = switch.faults
        if faults.refuse and self._roll() < faults.refuse:
            raise a_refusal(self._rng)
        if faults.unknown and self._roll() < faults.unknown:
            self._leave_unanswered(order, now)
        self._obey(order, now)
        switch.run(now)
        return switch.postbox.collect(now)

    def advance(self, now: datetime) -> list[Report]:
        """Let everything due by `now` happen, and give every report that has arrived."""
        self._switch.run(now)
        return self._switch.postbox.collect(now)

    def live_legs(self) -> tuple[LiveLeg, ...]:
        """Every leg that exists now, as the carrier tells it when asked.

        Raises CarrierUnknown as often as orders meet a fault.
        """
        rate = min(1.0, self._switch.faults.refuse + self._switch.faults.unknown)
        if rate and self._rng.random() < rate:
            raise CarrierUnknown("no answer")
        return self.standing_legs()

    def standing_legs(self) -> tuple[LiveLeg, ...]:
        """Every leg that exists now, ringing and half-open ones included: the plain truth."""
        return tuple(
            LiveLeg(leg=leg.id, answered=leg.answered, bridged=leg.bridge is not None)
            for leg in self._switch.legs.values()
        )

    @property
    def faults(self) -> Faults:
        """How bad the carrier is now."""
        return self._switch.faults

    def set_faults(self, faults: Faults) -> None:
        """Make the carrier as bad as `faults` says; news already under way is not touched."""
        self._switch.faults = NO_FAULTS if faults == NO_FAULTS else faults

    # --- what hands may do with a phone: each raises NotPossible when the phone cannot --------

    def script(self, number: str, script: Script) -> None:
        """Teach the phone a behaviour for its next calls, and plug it in."""
        handset = self._handset(number)
        handset.script = script
        handset.plugged_in = True

    def pick_up(self, number: str, now: datetime) -> None:
        """Take the ringing call."""
        leg = self._leg_on(number, now)
        if leg.answered or leg.dialled_in:
            raise NotPossible("not_ringing")
        self._switch.take(leg, now)

    def put_down(self, number: str, now: datetime) -> None:
        """Hang up; a ringing call is rejected by this."""
        leg = self._leg_on(number, now)
        if leg.answered or leg.dialled_in:
            self._switch.end(leg, now, ReleaseSide.PARTY, 16)
        else:
            self._switch.end(leg, now, ReleaseSide.PARTY, 21, 603)

    def drop(self, number: str, now: datetime, q850: int = 41) -> None:
        """The network loses the line: 41 is a temporary failure, 127 an unspecified one."""
        self._switch.end(self._leg_on(number, now), now, ReleaseSide.CARRIER, q850)

    def press(self, number: str, digits: str, now: datetime) -> None:
        """Press keys, one after the other at once."""
        leg = self._leg_on(number, now)
        if not leg.answered:
            raise NotPossible("not_in_call")
        for digit in digits:
            self._switch.tell(KeyPressed(leg=leg.id, at=now, digit=digit), now)

    def fall_silent(self, number: str, now: datetime) -> None:
        """The phone's line carries no audio until `speak`, as in a tunnel."""
        leg = self._leg_on(number, now)
        if not leg.answered:
            raise NotPossible("not_in_call")
        self._switch.fade(leg, now)

    def speak(self, number: str, now: datetime) -> None:
        """The line carries audio again."""
        self._switch.recover(self._leg_on(number, now), now)

    def plug_out(self, number: str, now: datetime) -> None:
        """The phone dies without a word: its leg stays half-open, and it is off for new calls."""
        self._switch.run(now)
        handset = self._handset(number)
        handset.plugged_in = False
        if handset.leg is not None:
            self._switch.fall_silent(handset.leg, now)

    def dial(
        self,
        number: str,
        to: str,
        now: datetime,
        *,
        withhold: bool = False,
        shows: str | None = None,
    ) -> LegId:
        """Dial the service number `to`; `shows` is another caller ID than the phone's own."""
        self._switch.run(now)
        handset = self._handset(number)
        if handset.leg is not None:
            raise NotPossible("phone_in_use")
        if not handset.plugged_in:
            raise NotPossible("phone_off")
        caller = None if withhold else PhoneNumber(shows or number)
        self._dialled_in += 1
        leg = Leg(LegId(f"in-{self._name}-{self._dialled_in}"), handset, dialled_in=True)
        self._switch.add(leg)
        handset.take(leg, to)
        self._switch.offer(leg, CallIn(leg=leg.id, at=now, caller=caller, dialled=to), now)
        return leg.id

    def handsets(self) -> list[HandsetView]:
        """Every phone the world has heard of, oldest first."""
        return [view(handset) for handset in self._handsets.values()]

    def handset(self, number: str) -> HandsetView:
        """One phone; a number never heard of is an idle phone."""
        return view(self._handsets.get(number) or Handset(number))

    # --- obeying ------------------------------------------------------------------------------

    def _leave_unanswered(self, order: Order, now: datetime) -> NoReturn:
        """Every second order without an answer took effect."""
        if self._roll() < 0.5:
            try:
                self._obey(order, now)
            except CarrierRefused as refusal:
                raise CarrierUnknown("no answer") from refusal
        raise CarrierUnknown("no answer")

    def _obey(self, order: Order, now: datetime) -> None:
        switch = self._switch
        match order:
            case orders.Say():
                self._say(self._talking(order.leg), order.prompt)
            case orders.Ring():
                self._ring(order, now)
            case orders.HangUp():
                if (leg := switch.legs.get(order.leg)) is not None:
                    sip = None if leg.answered else 487
                    switch.end(leg, now, ReleaseSide.PLATFORM, 16, sip)
            case orders.Bridge():
                legs = [self._talking(leg) for leg in order.legs]
                switch.join(order.call, legs, now + seconds(order.limit_seconds), now)
            case orders.Limit():
                until = now + seconds(order.limit_seconds)
                switch.limit(self._standing(order.leg), until)
            case orders.Answer():
                self._answer(self._standing(order.leg), now)
            case orders.Part():
                switch.part(self._standing(order.leg))

    def _ring(self, order: orders.Ring, now: datetime) -> None:
        if self._switch.has_known(order.leg):
            return
        handset = self._handset(order.to.digits)
        leg = Leg(order.leg, handset, dialled_in=False)
        self._switch.add(leg)
        if not handset.plugged_in:
            self._switch.end(leg, now, ReleaseSide.CARRIER, 20, 480)
        elif handset.leg is not None:
            self._switch.end(leg, now, ReleaseSide.PARTY, 17, 486)
        else:
            self._switch.set_up(leg, order.shows, order.ring_seconds, now)

    def _answer(self, leg: Leg, now: datetime) -> None:
        if leg.answered:
            return
        if not leg.dialled_in:
            raise CarrierRefused("not_a_dial_in")
        self._switch.take(leg, now)

    def _say(self, leg: Leg, prompt: str) -> None:
        if not leg.is_deaf:
            leg.handset.hear(prompt)

    def _standing(self, name: LegId) -> Leg:
        leg = self._switch.legs.get(name)
        if leg is None:
            raise CarrierRefused("leg_gone", sip=481)
        return leg

    def _talking(self, name: LegId) -> Leg:
        leg = self._standing(name)
        if not leg.answered:
            raise CarrierRefused("leg_not_answered")
        return leg

    def _leg_on(self, number: str, now: datetime) -> Leg:
        self._switch.run(now)
        leg = self._handset(number).leg
        if leg is None:
            raise NotPossible("not_in_call")
        return leg

    def _handset(self, number: str) -> Handset:
        handset = self._handsets.get(number)
        if handset is None:
            if len(self._handsets) >= _MOST_HANDSETS:
                self._forget_a_handset()
            handset = self._handsets[number] = Handset(number)
        return handset

    def _forget_a_handset(self) -> None:
        """Make room by the oldest phone on no call; one in use goes to the end of the row."""
        for _ in range(8):
            oldest = self._handsets.pop(next(iter(self._handsets)))
            if oldest.leg is None:
                return
            self._handsets[oldest.number] = oldest
