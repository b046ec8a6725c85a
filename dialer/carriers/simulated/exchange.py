"""A world in real time: its clock, its alarm, its news on the way out, and a log for tests."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from dialer.carriers import CarrierRefused, CarrierUnknown, LiveLeg, Report
from dialer.carriers.simulated.delivery import Delivery, Receivers
from dialer.carriers.simulated.orders import Order
from dialer.carriers.simulated.wire import JsonObject, write_order, write_report
from dialer.carriers.simulated.world import World

_MOST_EVENTS = 20_000
_LONGEST_SLEEP_SECONDS = 60.0

Hand = Callable[[World, datetime], object]


class Exchange:
    """Keeps `world` abreast of the clock and hands its reports to `delivery`."""

    def __init__(self, world: World, receivers: Receivers, delivery: Delivery) -> None:
        self.world = world
        self.receivers = receivers
        self.delivery = delivery
        self._offset = timedelta()
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at: datetime | None = None
        self._events: deque[JsonObject] = deque(maxlen=_MOST_EVENTS)
        self._events_written = 0

    def now(self) -> datetime:
        """The world's present: the machine's clock, moved by the offset."""
        return datetime.now(UTC) + self._offset

    @property
    def offset_seconds(self) -> float:
        """How far the world's clock is ahead of the machine's."""
        return self._offset.total_seconds()

    def move_clock(self, offset_seconds: float) -> None:
        """Set the offset; everything that is due by then has happened when this returns."""
        self._offset = timedelta(seconds=offset_seconds)
        self.stop()  # the alarm was set by the old clock
        self.catch_up()

    def order(self, order: Order, by: str | None = None) -> JsonObject:
        """Obey one order and give its outcome as it goes over the wire."""
        try:
            self._tell(self.world.order(order, self.now()))
            outcome: JsonObject = {"done": True}
        except CarrierRefused as refusal:
            outcome = {"refused": refusal.code, "q850": refusal.q850, "sip": refusal.sip}
            self.catch_up()
        except CarrierUnknown:
            outcome = {"unknown": True}
            self.catch_up()
        asked = {"event": "order", **_without_number(write_order(order)), "by": by}
        self._write({**asked, "outcome": outcome})
        return outcome

    def live_legs(self) -> tuple[LiveLeg, ...]:
        """Every leg that exists now; raises CarrierUnknown under faults."""
        self.catch_up()
        return self.world.live_legs()

    def hand(self, what: str, hand: Hand) -> None:
        """Let a hand do something with a phone; raises what the world raises."""
        try:
            hand(self.world, self.now())
            self._write({"event": "hand", "hand": what})
        finally:
            self.catch_up()

    def catch_up(self) -> None:
        """Let everything due happen, send the news, and set the alarm for what comes next."""
        self._tell(self.world.advance(self.now()))

    def events_after(self, number: int) -> list[JsonObject]:
        """What was written to the log after event `number`, oldest first."""
        missed = self._events_written - number
        return list(self._events)[-missed:] if missed > 0 else []

    def stop(self) -> None:
        """Take back the alarm; `catch_up` sets it again."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = self._alarm_at = None

    def _tell(self, reports: Iterable[Report]) -> None:
        for report in reports:
            self._write({"event": "report", **_without_number(write_report(report))})
            self.delivery.put((report,))
        self._set_alarm()

    def _set_alarm(self) -> None:
        due = self.world.next_due()
        if due is None or (self._alarm_at is not None and self._alarm_at <= due):
            return
        self.stop()
        seconds = (due - self.now()).total_seconds()
        pause = min(max(seconds, 0.0), _LONGEST_SLEEP_SECONDS)
        self._alarm_at = due
        self._alarm = asyncio.get_running_loop().call_later(pause, self._wake)

    def _wake(self) -> None:
        self._alarm = self._alarm_at = None
        self.catch_up()

    def _write(self, event: JsonObject) -> None:
        self._events_written += 1
        self._events.append({"n": self._events_written, "at": self.now().isoformat(), **event})


def _without_number(found: JsonObject) -> JsonObject:
    """A log holds no phone numbers, not even those of phones that do not exist."""
    kept = {name: value for name, value in found.items() if name not in ("to", "caller")}
    news = kept.get("news")
    if isinstance(news, dict):
        kept["news"] = _without_number(news)
    return kept
