"""What stands at Asterisk now, read from its lists of channels and bridges. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from dialer.carriers import LegAnswered, LegBridged, LiveLeg, Report
from dialer.carriers.asterisk.events import JsonObject, read_time
from dialer.carriers.asterisk.names import dialled_in_leg, is_our_bridge, rung_leg
from dialer.carriers.asterisk.traces import Trace
from terms.ids import LegId


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A channel of ours. It `takes_orders` once it is in our application."""

    channel: str
    leg: LegId
    up: bool
    takes_orders: bool
    bridge: str = ""
    bridge_made_at: datetime | None = None

    @property
    def live(self) -> LiveLeg:
        """As reconciliation wants it."""
        return LiveLeg(leg=self.leg, answered=self.up, bridged=bool(self.bridge))


@dataclass(frozen=True, slots=True, kw_only=True)
class Believed:
    """A leg that our calls hold for standing, and what they know of it."""

    leg: LegId
    rang_at: datetime | None
    answered_at: datetime | None

    @property
    def trace(self) -> Trace:
        """As if we had followed it."""
        return Trace(
            leg=self.leg,
            seen_at=self.rang_at or self.answered_at,
            rang=self.rang_at is not None,
            answered_at=self.answered_at,
            began=self.answered_at is not None,
        )


def standing(channels: object, bridges: object, app: str) -> dict[str, Standing]:
    """Every channel of ours by its id."""
    found: dict[str, Standing] = {}
    for channel in _objects(channels):
        id_, dialplan = str(channel.get("id")), channel.get("dialplan")
        plan = dialplan if isinstance(dialplan, dict) else {}
        in_app = plan.get("app_name") == "Stasis" and f"{plan.get('app_data')},".startswith(
            f"{app},"
        )
        leg = rung_leg(id_) or (dialled_in_leg(id_) if in_app else None)
        if leg is not None:
            up = channel.get("state") == "Up"
            found[id_] = Standing(channel=id_, leg=leg, up=up, takes_orders=in_app)
    for bridge in _objects(bridges):
        name, inside = str(bridge.get("id")), bridge.get("channels")
        if is_our_bridge(name) and isinstance(inside, list):
            made_at = read_time(bridge.get("creationtime"))
            for id_ in found.keys() & set(inside):
                found[id_] = replace(found[id_], bridge=name, bridge_made_at=made_at)
    return found


def catch_up(trace: Trace | None, now_standing: Standing, now: datetime) -> tuple[
    Trace, tuple[Report, ...]
]:  # fmt: skip
    """What has become of a leg while nobody listened; `now` stands for moments nobody saw."""
    leg, reports = now_standing.leg, []
    trace = trace or Trace(leg=leg, seen_at=now)
    if now_standing.up and now_standing.takes_orders and not trace.talks:
        at = trace.answered_at or now_standing.bridge_made_at or now
        trace = replace(trace, rang=True, answered_at=at, began=True)
        reports.append(Report(id=f"{leg}:answered", news=LegAnswered(leg=leg, at=at)))
    began = trace.began or now_standing.takes_orders
    trace = replace(trace, began=began, was_unheard=True)
    if now_standing.bridge and not trace.bridge:
        at = now_standing.bridge_made_at or now
        joined = LegBridged(leg=leg, at=at)
        reports.append(Report(id=f"{leg}:bridged:{at.timestamp():.3f}", news=joined))
    return replace(trace, bridge=now_standing.bridge), tuple(reports)


def _objects(found: object) -> Iterable[JsonObject]:
    return (one for one in found if isinstance(one, dict)) if isinstance(found, list) else ()
