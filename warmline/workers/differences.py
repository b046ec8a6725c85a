"""On what our calls and the carrier's legs do not agree. Pure: the simulation looks with it too."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from dialer.call import Call
from dialer.carriers import LegAnswered, LegBridged, LegEnded, LiveLeg, News, ReleaseSide
from terms.ids import LegId
from terms.values import quickly_made

LOOK_EVERY = timedelta(seconds=5)
UNANSWERED_FOR = timedelta(seconds=12)
"""A leg this young may still be on its way to the carrier."""

FAREWELL_FOR = timedelta(seconds=10)
"""A leg let go this lately may still be told why."""


@quickly_made
@dataclass(frozen=True, slots=True)
class Differences:
    """What does not agree. The ids make the same finding twice the same news."""

    news: tuple[tuple[str, News], ...] = ()
    strays: frozenset[LegId] = frozenset()
    """Legs at the carrier that nobody wants any more."""


def differences(
    calls: Iterable[Call], at_carrier: Mapping[LegId, LiveLeg], now: datetime
) -> Differences:
    """Everything on which our calls and the carrier's legs do not agree now. Pure."""
    news: list[tuple[str, News]] = []
    strays: set[LegId] = set()
    for call in calls:
        for leg in call.legs:
            there = at_carrier.get(leg.id)
            if leg.release is not None or leg.let_go_at is not None:  # it is over
                if there is not None:
                    strays.add(leg.id)
                continue
            if there is None:
                if leg.answered_at is not None or now - leg.rung_at >= UNANSWERED_FOR:
                    gone = LegEnded(leg=leg.id, at=now, by=ReleaseSide.UNKNOWN, code="gone")
                    news.append((f"{leg.id}/gone", gone))
                continue
            if there.answered and leg.answered_at is None:
                answered = LegAnswered(leg=leg.id, at=now)
                news.append((f"{leg.id}/found_answered", answered))
            if there.bridged and leg.bridged_at is None:
                news.append((f"{leg.id}/found_bridged", LegBridged(leg=leg.id, at=now)))
    return Differences(tuple(news), frozenset(strays)) if news or strays else _NONE


_NONE = Differences()


def let_go_lately(calls: Iterable[Call], now: datetime) -> frozenset[LegId]:
    """Legs that may still be told why they are let go. Pure."""
    return frozenset(
        leg.id
        for call in calls
        for leg in call.legs
        if leg.let_go_at is not None and now - leg.let_go_at < FAREWELL_FOR
    )


def confirmed(before: Differences, found: Differences) -> Differences:
    """What was found in this look and in the one before it, with the time it was first seen."""
    if not (before.news or before.strays):
        return before
    still = {id_ for id_, _ in found.news}
    return Differences(
        tuple(one for one in before.news if one[0] in still), found.strays & before.strays
    )
