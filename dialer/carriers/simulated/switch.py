"""The switch: lines, bridges and what happens to them by itself as time passes.

Theory of operation. Everything that will happen by itself (a phone picks up, a ring times out, a
limit strikes) is a *step* in one heap, ordered by its moment. `run` takes all steps up to `now`,
each at its own moment, so that a switch run once an hour tells the same times as one run every
second. A step never needs cancelling: it looks at its leg when its moment comes and does nothing
if that leg has moved on. News leaves through the postbox, where the faults live.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from random import Random

from dialer.carriers import (
    CallIn,
    KeyPressed,
    LegAnswered,
    LegBridged,
    LegEnded,
    LegRinging,
    MediaHeard,
    MediaLost,
    News,
    ReleaseSide,
    Report,
)
from dialer.carriers.simulated.faults import NO_FAULTS, Faults, Postbox
from dialer.carriers.simulated.handset import Bridge, Leg
from dialer.carriers.simulated.script import Answers, EndsBy
from terms.ids import CallId, LegId
from terms.spans import seconds
from terms.values import maker

RING_GRACE_SECONDS = 5
DIAL_IN_SECONDS = 60
PRESS_SECONDS = 0.5
MEDIA_GAP_SECONDS = 5.0
_MOST_NAMES_REMEMBERED = 50_000
_SMALLEST_SWEEP = 4_096

Step = Callable[["Switch", Leg, datetime], None]

_make_report = maker(Report)
_make_ringing, _make_answered, _make_pressed = (
    maker(LegRinging),
    maker(LegAnswered),
    maker(KeyPressed),
)
_make_bridged, _make_ended = maker(LegBridged), maker(LegEnded)


class Switch:
    """Lines and their clockwork; time comes in with every call. It knows no orders and no hands."""

    def __init__(self, *, name: str, rng: Random, media_gap_seconds: float) -> None:
        self.faults: Faults = NO_FAULTS
        self.legs: dict[LegId, Leg] = {}
        self.postbox = Postbox(rng)
        self._name = name
        self._rng = rng
        self._media_gap = timedelta(seconds=media_gap_seconds)
        self._bridges: dict[CallId, Bridge] = {}
        self._names_used: dict[LegId, None] = {}
        self._steps: list[tuple[datetime, int, Step, Leg]] = []
        self._sweep_above = _SMALLEST_SWEEP
        self._sequence = 0
        self._reports_told = 0

    def run(self, now: datetime) -> None:
        """Take every step due by `now`."""
        while self._steps and self._steps[0][0] <= now:  # a step may sweep: a new list
            at, _, step, leg = heappop(self._steps)
            if not leg.gone:
                step(self, leg, at)

    def next_due(self) -> datetime | None:
        """When a step or a report is due next; None if nothing will happen by itself."""
        steps, post = self._steps, self.postbox
        while steps and steps[0][3].gone:
            heappop(steps)
        report = post.late[0][0] if post.ready_since is None and post.late else post.ready_since
        if not steps:
            return report
        due = steps[0][0]
        return due if report is None or due < report else report

    def has_known(self, leg: LegId) -> bool:
        """Whether a leg of this name stands or stood (of the last 50,000)."""
        return leg in self._names_used

    def tell(self, news: News | CallIn, at: datetime) -> None:
        """Send a report of what came to be at `at`."""
        self._reports_told += 1
        report = _make_report(id=f"{self._name}-{self._reports_told}", news=news)
        self.postbox.post(report, at, self.faults)

    # --- a leg's life -------------------------------------------------------------------------

    def add(self, leg: Leg) -> None:
        """A leg begins to stand; its name is used up by that."""
        self.legs[leg.id] = leg
        self._names_used[leg.id] = None
        if len(self._names_used) > _MOST_NAMES_REMEMBERED:
            del self._names_used[next(iter(self._names_used))]

    def set_up(self, leg: Leg, shows: str, ring_seconds: int, now: datetime) -> None:
        """Reach for the leg's phone, which does as its script says."""
        answers = leg.script.answers
        does_it_at = now + timedelta(seconds=leg.script.after_seconds)
        if answers in _WITHOUT_RINGING:
            self._at(does_it_at, Switch._fails, leg)
            return
        leg.handset.take(leg, shows)
        self.tell(_make_ringing(leg=leg.id, at=now), now)
        self._at(now + seconds(ring_seconds + RING_GRACE_SECONDS), Switch._times_out, leg)
        if answers is Answers.YES:
            self._at(does_it_at, Switch._answers, leg)
        elif answers is Answers.REJECTS:
            self._at(does_it_at, Switch._fails, leg)

    def offer(self, leg: Leg, call_in: CallIn, now: datetime) -> None:
        """Tell of a phone that dialled in; nobody taking it, it is let go after a minute."""
        self.tell(call_in, now)
        self._at(now + seconds(DIAL_IN_SECONDS), Switch._times_out, leg)

    def take(self, leg: Leg, at: datetime) -> None:
        """The leg is answered; the phone begins to do what it does once connected."""
        leg.answered = True
        self.tell(_make_answered(leg=leg.id, at=at), at)
        script = leg.script
        if script.presses:
            leg.to_press = script.presses
            self._at(at + seconds(PRESS_SECONDS), Switch._presses_next, leg)
        if script.waits_for_seconds is not None:
            tired = at + timedelta(seconds=script.waits_for_seconds)
            self._at(tired, Switch._tires_of_waiting, leg)

    def join(self, call: CallId, legs: list[Leg], until: datetime, now: datetime) -> None:
        """Put answered legs into the call's bridge, each with its limit.

        A leg that is in it already keeps its limit: an order repeated must not prolong a talk.
        """
        bridge = self._bridges.get(call)
        if bridge is None:
            bridge = self._bridges[call] = Bridge(call)
        for leg in legs:
            if leg.bridge is not bridge:
                self.part(leg)
                leg.bridge = bridge
                bridge.legs.append(leg)
                self.limit(leg, until)
                self.tell(_make_bridged(leg=leg.id, at=now), now)
        if len(bridge.legs) > 1:
            for leg in bridge.legs:
                self._hears_somebody(leg, now)

    def part(self, leg: Leg) -> None:
        """Take the leg out of its bridge, if it is in one."""
        bridge = leg.bridge
        if bridge is not None:
            leg.bridge = None
            bridge.legs.remove(leg)
            if not bridge.legs:
                self._bridges.pop(bridge.call, None)

    def limit(self, leg: Leg, until: datetime) -> None:
        """Replace the leg's absolute limit."""
        leg.limit_at = until
        self._at(until, Switch._reaches_limit, leg)

    def fall_silent(self, leg: Leg, at: datetime) -> None:
        """The phone is gone from a leg that still stands; the phone itself is free again."""
        leg.silent_since = at
        leg.quiet_since = None
        leg.handset.leg = None
        self._at(at + self._media_gap, Switch._notices_silence, leg)

    def fade(self, leg: Leg, at: datetime) -> None:
        """The line carries no audio for a while, as in a tunnel; whoever holds the phone stays."""
        if leg.quiet_since is None and not leg.silent:
            leg.quiet_since = at
            leg.quiet_told = False
            self._at(at + self._media_gap, Switch._notices_gap, leg)

    def recover(self, leg: Leg, at: datetime) -> None:
        """The line carries audio again."""
        if leg.quiet_since is not None and leg.quiet_told:
            self.tell(MediaHeard(leg=leg.id, at=at), at)
        leg.quiet_since = None

    def end(
        self,
        leg: Leg,
        at: datetime,
        by: ReleaseSide,
        q850: int | None,
        sip: int | None = None,
        code: str | None = None,
    ) -> None:
        """The leg is gone, whatever state it was in."""
        self.part(leg)
        leg.gone = True
        del self.legs[leg.id]
        if leg.handset.leg is leg:
            leg.handset.leg = None
        self.tell(_make_ended(leg=leg.id, at=at, by=by, q850=q850, sip=sip, code=code), at)

    # --- steps: what happens by itself --------------------------------------------------------

    def _answers(self, leg: Leg, at: datetime) -> None:
        if not leg.answered and not leg.silent:
            self.take(leg, at)

    def _times_out(self, leg: Leg, at: datetime) -> None:
        if not leg.answered:
            self.end(leg, at, ReleaseSide.CARRIER, 19, 480)

    def _fails(self, leg: Leg, at: datetime) -> None:
        if not leg.answered and not leg.silent:
            by, q850, sip = _FAILURES[leg.script.answers]
            self.end(leg, at, by, q850, sip)

    def _presses_next(self, leg: Leg, at: datetime) -> None:
        if leg.silent:
            return
        self.tell(_make_pressed(leg=leg.id, at=at, digit=leg.to_press[0]), at)
        leg.to_press = leg.to_press[1:]
        if leg.to_press:
            self._at(at + seconds(PRESS_SECONDS), Switch._presses_next, leg)

    def _tires_of_waiting(self, leg: Leg, at: datetime) -> None:
        if not leg.heard_somebody and not leg.silent:
            self.end(leg, at, ReleaseSide.PARTY, 16)

    def _finishes_talking(self, leg: Leg, at: datetime) -> None:
        if leg.silent:
            return
        match leg.script.ends_by:
            case EndsBy.HANGUP:
                self.end(leg, at, ReleaseSide.PARTY, 16)
            case EndsBy.DROP:
                self.end(leg, at, ReleaseSide.CARRIER, 41)
            case EndsBy.SILENCE:
                self.fall_silent(leg, at)
            case EndsBy.STAYS:
                pass

    def _reaches_limit(self, leg: Leg, at: datetime) -> None:
        if leg.limit_at == at:
            self.end(leg, at, ReleaseSide.CARRIER, None, code="limit")

    def _notices_silence(self, leg: Leg, at: datetime) -> None:
        if leg.answered and leg.silent_since is not None:
            self.tell(MediaLost(leg=leg.id, at=at, since=leg.silent_since), at)

    def _notices_gap(self, leg: Leg, at: datetime) -> None:
        since = leg.quiet_since
        if since is not None and since + self._media_gap == at:
            leg.quiet_told = True
            self.tell(MediaLost(leg=leg.id, at=at, since=since), at)

    def _fades(self, leg: Leg, at: datetime) -> None:
        self.fade(leg, at)
        self._at(at + timedelta(seconds=leg.script.silent_for_seconds), Switch._recovers, leg)

    def _recovers(self, leg: Leg, at: datetime) -> None:
        self.recover(leg, at)

    def _hears_somebody(self, leg: Leg, now: datetime) -> None:
        if leg.heard_somebody:
            return
        leg.heard_somebody = True
        if leg.script.talks_for_seconds is not None:
            end = now + timedelta(seconds=leg.script.talks_for_seconds)
            self._at(end, Switch._finishes_talking, leg)
        if leg.script.silent_after_seconds is not None:
            fades = now + timedelta(seconds=leg.script.silent_after_seconds)
            self._at(fades, Switch._fades, leg)
        if self.faults.half_open and self._rng.random() < self.faults.half_open:
            self.fall_silent(leg, now)

    def _at(self, due: datetime, step: Step, leg: Leg) -> None:
        self._sequence += 1
        heappush(self._steps, (due, self._sequence, step, leg))
        if len(self._steps) > self._sweep_above:
            self._steps = [entry for entry in self._steps if not entry[3].gone]
            heapify(self._steps)
            self._sweep_above = max(_SMALLEST_SWEEP, 2 * len(self._steps))


_WITHOUT_RINGING = frozenset((Answers.BUSY, Answers.OFF, Answers.UNKNOWN, Answers.FAULT))

# YES, NO_ANSWER and BY_HAND never fail by themselves, and are not here.
_FAILURES: dict[Answers, tuple[ReleaseSide, int, int]] = {
    Answers.BUSY: (ReleaseSide.PARTY, 17, 486),
    Answers.REJECTS: (ReleaseSide.PARTY, 21, 603),
    Answers.OFF: (ReleaseSide.CARRIER, 20, 480),
    Answers.UNKNOWN: (ReleaseSide.CARRIER, 1, 404),
    Answers.FAULT: (ReleaseSide.CARRIER, 38, 503),
}
