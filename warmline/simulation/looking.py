"""Comparing our legs with the carrier's every five seconds, as `workers.reconciling` does.

A look at calls to which nothing has happened since they last agreed would find that they agree. So
only calls that were touched are looked at, and no look is taken while there are none. What is found
is what a look at everything would find; a test compares the two.
"""

from collections.abc import Callable, Container
from datetime import datetime

from dialer.call import Call
from dialer.carriers import CarrierUnknown, News
from terms.ids import LegId
from warmline.simulation.surroundings import Surroundings
from warmline.workers.differences import LOOK_EVERY, Differences, confirmed, differences

_NOTHING = Differences()


class Reconciler:
    """Looks, and tells what it found twice running."""

    def __init__(
        self,
        around: Surroundings,
        *,
        tell: Callable[[str, News, datetime], None],
        let_go: Callable[[LegId, datetime], None],
    ) -> None:
        self._books, self._world, self._agenda = around.books, around.world, around.agenda
        self._tell = tell
        self._let_go = let_go
        self._last = _NOTHING
        self.looks_at: datetime | None = None
        self.turned_away: set[LegId] = set()

    def notice(self, now: datetime) -> None:
        """Something was touched: have a look within the next five seconds."""
        if self.looks_at is None:
            self.looks_at = now + LOOK_EVERY
            self._agenda.at(self.looks_at, self._look, None)

    def die(self) -> None:
        """What was seen once is forgotten with the process."""
        self._last = _NOTHING

    def _look(self, _: None, now: datetime) -> None:
        self.looks_at = None
        touched, known = self._world.witness.touched, self._books.calls
        calls: list[Call] = []
        asked: list[LegId] = [*self.turned_away]
        for one in sorted(touched):
            if one in known:
                call = known[one]
                calls.append(call)
                for leg in call.legs:
                    asked.append(leg.id)
        try:
            at_carrier = self._world.look(asked)
        except CarrierUnknown:
            return
        found = differences(calls, at_carrier, now)
        if self.turned_away:
            self.turned_away &= at_carrier.keys()
            found = Differences(found.news, found.strays | self.turned_away)
        before, self._last = self._last, found
        disagreed = found.strays
        if found.news:
            disagreed = disagreed.union([news.leg for _, news in found.news])
        touched.clear()
        for call in calls:
            if not _agrees(call, disagreed, at_carrier):
                touched.add(call.id)
        if disagreed:
            self._set_right(confirmed(before, found), now)

    def _set_right(self, sure: Differences, now: datetime) -> None:
        for id_, news in sure.news:
            self._tell(id_, news, now)
        for leg in sorted(sure.strays):
            self._let_go(leg, now)


def _agrees(call: Call, disagreed: Container[LegId], at_carrier: Container[LegId]) -> bool:
    """Whether nothing will be found about the call until something happens to it again."""
    for leg in call.legs:
        is_there = leg.id in at_carrier
        if leg.id in disagreed or not (is_there or leg.is_over):
            return False
    return True
