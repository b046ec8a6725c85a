"""Counted packets into news of silence. Pure: how many came, and when we looked, are arguments."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dialer.carriers import MediaHeard, MediaLost, Report
from terms.ids import LegId

GAP = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ear:
    """How many packets had come from a leg, when that number last grew, and whether silence was
    told."""

    packets: int
    grew_at: datetime
    told: bool = False


def listen(
    leg: LegId, ear: Ear | None, packets: int, now: datetime
) -> tuple[Ear, tuple[Report, ...]]:
    """What this look at the counter makes of the ear."""
    if ear is None or packets < ear.packets:
        return Ear(packets=packets, grew_at=now), ()
    if packets > ear.packets:
        heard = MediaHeard(leg=leg, at=now)
        report = Report(id=f"{leg}:heard:{now.timestamp():.3f}", news=heard)
        return Ear(packets=packets, grew_at=now), (report,) if ear.told else ()
    if ear.told or now - ear.grew_at < GAP:
        return ear, ()
    lost = MediaLost(leg=leg, at=now, since=ear.grew_at)
    report = Report(id=f"{leg}:lost:{ear.grew_at.timestamp():.3f}", news=lost)
    return replace(ear, told=True), (report,)
