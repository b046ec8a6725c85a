"""The ground truth: a world whose every event is noted before a fault can touch its news."""

from collections.abc import Iterable
from datetime import datetime
from random import Random

from dialer.carriers import CallIn, CarrierUnknown, LegRinging, LiveLeg, News, Report
from dialer.carriers.simulated.faults import Faults, Postbox
from dialer.carriers.simulated.orders import Order, Part
from dialer.carriers.simulated.world import World
from terms.ids import CallId, LegId
from terms.values import maker

_make_live = maker(LiveLeg)


class Witness:
    """What truly happened to each leg, in order, and which calls met with misfortune.

    `lost` are legs of which some news never reached us; `rang` are calls of which a phone rang.
    `touched` are the calls at which something happened since they were last compared. `parted` is
    when a leg was taken out of its bridge, which the carrier tells nobody.
    """

    __slots__ = ("lost", "parted", "rang", "touched", "truth")

    def __init__(self) -> None:
        self.truth: dict[LegId, list[News]] = {}
        self.lost: set[LegId] = set()
        self.parted: dict[LegId, datetime] = {}
        self.rang: set[CallId] = set()
        self.touched: set[CallId] = set()

    def note(self, news: News) -> None:
        """It truly happened."""
        leg = news.leg
        if leg in self.truth:
            self.truth[leg].append(news)
        else:
            self.truth[leg] = [news]
        call = CallId(leg.partition("/")[0])
        self.touched.add(call)
        if type(news) is LegRinging:
            self.rang.add(call)

    def forget(self, leg: LegId) -> None:
        """Nobody will ask about the leg any more."""
        self.truth.pop(leg, None)
        self.lost.discard(leg)
        self.parted.pop(leg, None)


class _WatchedPostbox(Postbox):
    """A postbox that tells the witness what is posted, and what never arrives."""

    __slots__ = ("_witness",)

    def __init__(self, rng: Random, witness: Witness) -> None:
        super().__init__(rng)
        self._witness = witness

    def post(self, report: Report, at: datetime, faults: Faults) -> bool:
        """Note the truth, then let the faults at it."""
        news = report.news
        if type(news) is not CallIn:
            self._witness.note(news)
        arrives = Postbox.post(self, report, at, faults)
        if not arrives:
            self._witness.lost.add(news.leg)
        return arrives


class WatchedWorld(World):
    """The simulated carrier's world with a witness in it."""

    def __init__(self, *, rng: Random, witness: Witness) -> None:
        super().__init__(name="sim", rng=rng)
        self.witness = witness
        self._switch.postbox = _WatchedPostbox(rng, witness)

    def order(self, order: Order, now: datetime) -> list[Report]:
        """Obey; of a parting it is seen whether it was done, whatever is answered."""
        if type(order) is not Part:
            return World.order(self, order, now)
        try:
            return World.order(self, order, now)
        finally:
            stands = self._switch.legs.get(order.leg)
            if stands is not None and stands.bridge is None:
                self.witness.parted.setdefault(order.leg, now)

    def asked(self, leg: LegId) -> bool:
        """Whether the carrier, asked, says that the leg exists. Raises CarrierUnknown."""
        return bool(self.look((leg,)))

    def look(self, legs: Iterable[LegId]) -> dict[LegId, LiveLeg]:
        """Those of `legs` that exist now, as `live_legs` would tell. Raises CarrierUnknown."""
        faults = self._switch.faults
        rate = min(1.0, faults.refuse + faults.unknown)
        if rate and self._rng.random() < rate:
            raise CarrierUnknown("no answer")
        stand = self._switch.legs
        return {
            name: _make_live(leg=name, answered=leg.answered, bridged=leg.bridge is not None)
            for name in legs
            if (leg := stand.get(name)) is not None
        }
