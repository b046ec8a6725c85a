"""A small model of a carrier and of people, to hold the pure machine in: a seed, a virtual clock.

Phones ring, answer, press, fall silent and drop by chance; news is lost, late, doubled and so out
of order; orders are refused. Timers fire when they are due. After every step the promises are
checked.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random

from dialer.call import ENGAGED, Call, State
from dialer.carriers import (
    KeyPressed,
    LegAnswered,
    LegBridged,
    LegEnded,
    LegRinging,
    MediaHeard,
    MediaLost,
    News,
    ReleaseSide,
)
from dialer.events import (
    BridgeRefused,
    CallerDialledIn,
    CallerHungUp,
    CapExtended,
    Command,
    CounselorAccepted,
    CounselorClaimed,
    CounselorDeclined,
    CounselorHungUp,
    CounselorUnavailable,
    CrisisRaised,
    Event,
    OrderWithdrawn,
    PlaceCounted,
    StaffEnded,
    TimerFired,
    TimerKind,
    TransferCancelled,
    TransferConfirmed,
    TransferRequested,
)
from dialer.leg import LIMIT_CODE, LetGoReason
from dialer.machine import start, transition
from dialer.orders import (
    Answer,
    Bridge,
    CarrierOrder,
    Fact,
    HangUp,
    Limit,
    Part,
    Ring,
    Say,
)
from dialer.policy import LIMIT_MARGIN_SECONDS, CapKind, Policy
from terms.ids import LegId
from terms.refusals import Refused
from terms.verdict import Role
from tests.dialer.stories import AMBULANCE, ANA, NOON, POLICE, begin

CHAOS_SECONDS = 900
LONGEST_REST = timedelta(hours=12)
MOST_STEPS = 6000
GRANTED_SECONDS = 120
CAPPED = Policy(
    cap_seconds=GRANTED_SECONDS, warn_seconds=(60, 10), attempt_spacing_seconds=(20, 40)
)
POLICIES = (
    CAPPED,
    replace(CAPPED, ring_first=Role.COUNSELOR),
    replace(CAPPED, cap_grace_seconds=30, press_to_accept=False),
    replace(CAPPED, cap_kind=CapKind.SOFT),
    replace(CAPPED, cap_kind=CapKind.NONE, cap_seconds=0, warn_seconds=()),
)


@dataclass(slots=True)
class Line:
    """A leg as it really is at the carrier."""

    leg: LegId
    role: Role
    answered: bool = False
    joined_at: datetime | None = None
    silent_at: datetime | None = None
    gone: bool = False
    said_yes: bool = False
    limit_at: datetime | None = None


class World:
    """One call in a world without mercy, that heals after `CHAOS_SECONDS`."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.policy = self.rng.choice(POLICIES)
        self.now = NOON
        self.healed = False
        self.lossy = self.rng.random() < 0.5
        self.lines: dict[LegId, Line] = {}
        self.told: list[News] = []
        self.hung_up: set[str] = set()
        self.steps = 0
        self.talked = timedelta()
        self._talked_until = NOON
        self._moments: list[tuple[datetime, int, Callable[[], None]]] = []
        self._sequence = 0
        pooled = self.rng.random() < 0.4
        granted = None if self.policy.cap_kind is CapKind.NONE else GRANTED_SECONDS
        begins = begin(None if pooled else ANA, granted, pooled=pooled)
        self.call, effects = start(begins, self.policy, NOON)
        self._obey(effects)
        for _ in range(self.rng.randrange(12)):
            self._at(self.rng.uniform(0, CHAOS_SECONDS), self._meddle)

    def run(self) -> None:
        """Chaos, then healing, until the call is over; AssertionError when a promise is broken."""
        self._run_until(NOON + timedelta(seconds=CHAOS_SECONDS))
        self._heal()
        self._run_until(self.now + LONGEST_REST)
        assert self.call.state is State.ENDED, "it never came to rest"

    def _run_until(self, until: datetime) -> None:
        while self.call.state is not State.ENDED:
            timer = min(self.call.timers, key=lambda timer: timer.due_at, default=None)
            moment = self._moments[0][0] if self._moments else None
            due = [at for at in (timer.due_at if timer else None, moment) if at is not None]
            if self.call.state is State.QUEUED and not due:
                due = [self.now + timedelta(seconds=5)]
            if not due or min(due) > until:
                self._pass_to(until)
                return
            self._pass_to(max(self.now, min(due)))
            self.steps += 1
            assert self.steps < MOST_STEPS, "it runs in a circle"
            if moment is not None and moment <= self.now:
                heapq.heappop(self._moments)[2]()
            elif timer is not None and timer.due_at <= self.now:
                wanted = timer.kind is TimerKind.ATTEMPT
                told = timer.kind is TimerKind.ANNOUNCE
                answer = PlaceCounted(2, 600, 60) if told else TimerFired(timer)
                self.happen(self._offer() if wanted else answer)
            if self.call.state is State.QUEUED and self.rng.random() < 0.3:
                self.happen(self._offer())

    def _offer(self) -> CounselorClaimed | CounselorUnavailable:
        if not self.healed and self.rng.random() < 0.3:
            return CounselorUnavailable("counselor_busy")
        return CounselorClaimed(ANA)

    def _pass_to(self, now: datetime) -> None:
        """Count what is really talked."""
        joined = [line for line in self.lines.values() if line.joined_at and not line.gone]
        heard = [line for line in joined if line.silent_at is None]
        if {Role.CALLER} < {line.role for line in heard}:
            self.talked += now - self._talked_until
        self._talked_until = self.now = now

    def _at(self, seconds: float, do: Callable[[], None]) -> None:
        self._sequence += 1
        moment = self.now + timedelta(seconds=seconds)
        heapq.heappush(self._moments, (moment, self._sequence, do))

    # --- what happens -------------------------------------------------------------------------

    def happen(self, event: Event) -> None:
        before = self.call
        if isinstance(event, CallerHungUp | CounselorHungUp | CounselorDeclined):
            self.hung_up.add(Role.CALLER if isinstance(event, CallerHungUp) else Role.COUNSELOR)
        try:
            self.call, effects = transition(before, event, self.policy, self.now)
        except Refused:
            assert isinstance(event, Command), f"{event} was refused"
            return
        self._check(before, event, effects)
        self._obey(effects)

    def _check(self, before: Call, event: Event, effects: tuple[object, ...]) -> None:
        call = self.call
        assert call.counted <= self.policy.attempts
        assert (call.counselor is not None) == (call.state in ENGAGED and not call.handed_over)
        assert call.state is not State.ENDED or not list(call.all_standing())
        for effect in effects:
            match effect:
                case Bridge(legs):
                    for leg in legs:
                        line = self.lines[leg]
                        assert line.role is not Role.COUNSELOR or self._said_yes(leg)
                        assert not self._is_unasked(leg) or line.said_yes
                case HangUp(leg):
                    self._check_let_go(before, event, leg)
                case Ring(leg) | Answer(leg) | Part(leg) | Say(leg) | Limit(leg):
                    assert call.leg(leg) is not None
                case _:
                    pass
        capped = self.policy.cap_kind is CapKind.HARD and not call.crisis
        if capped and not self.lossy:
            most = GRANTED_SECONDS + self.policy.cap_grace_seconds + LIMIT_MARGIN_SECONDS
            assert self.talked <= timedelta(seconds=most), "they talked over the cap"

    def _said_yes(self, leg: LegId) -> bool:
        return not self.policy.press_to_accept or self.lines[leg].said_yes

    def _is_unasked(self, leg: LegId) -> bool:
        """A caller whom we ring while the counselor is there: perhaps it is their voicemail."""
        call, line = self.call, self.lines[leg]
        asked = call.ring_first is Role.CALLER or call.crisis or call.connected_at is not None
        return line.role is Role.CALLER and leg.startswith(call.id) and not asked

    def _check_let_go(self, before: Call, event: Event, leg: LegId) -> None:
        caller = before.standing(Role.CALLER)
        if not before.keeps_caller or caller is None or caller.id != leg:
            return
        theirs = isinstance(event, CallerHungUp | CallerDialledIn) or (
            isinstance(event, StaffEnded) and event.confirmed
        )
        now = self.call.leg(leg)
        dead = now is not None and now.let_go_why is LetGoReason.SILENT
        assert theirs or dead, f"a person in danger was let go by {event}"

    # --- the carrier --------------------------------------------------------------------------

    def _obey(self, effects: tuple[object, ...]) -> None:
        for order in effects:
            if isinstance(order, Fact):
                continue
            assert isinstance(order, CarrierOrder)
            self._obey_order(order)

    def _obey_order(self, order: CarrierOrder) -> None:
        match order:
            case Ring(leg, role):
                self.lines[leg] = Line(leg, role)
                if self._by_chance(0.05):
                    self._end(leg, ReleaseSide.CARRIER, 41)
                else:
                    self._at(
                        0.2, lambda: self._tell_if_there(leg, LegRinging(leg=leg, at=self.now))
                    )
                    self._at(self.rng.uniform(1, 20), lambda: self._is_rung(leg))
            case Answer(leg):
                if not self.lines[leg].gone:
                    self.lines[leg].answered = True
                    self._tell(LegAnswered(leg=leg, at=self.now))
            case Bridge(legs, limit_seconds):
                if self._by_chance(0.05):
                    self._at(0.1, lambda: self.happen(BridgeRefused()))
                else:
                    self._join(legs, limit_seconds)
            case Limit(leg, limit_seconds):
                self._set_limit(leg, limit_seconds)
            case HangUp(leg, after_seconds):
                self._at(after_seconds + 0.05, lambda: self._end(leg, ReleaseSide.PLATFORM, 16))
            case Part(leg):
                self.lines[leg].joined_at = None
            case Say():
                pass

    def _join(self, legs: tuple[LegId, ...], limit_seconds: int) -> None:
        for leg in legs:
            line = self.lines[leg]
            if line.answered and not line.gone and line.joined_at is None:
                line.joined_at = self.now
                self._set_limit(leg, limit_seconds)
                self._tell(LegBridged(leg=leg, at=self.now))
                self._at(self.rng.expovariate(1 / 60), partial(self._strikes, leg))
                if self._by_chance(0.5):
                    self._at(self.rng.uniform(0.1, 40), self._is_in_danger)

    def _set_limit(self, leg: LegId, seconds: int) -> None:
        line = self.lines.get(leg)
        if line is None:
            return
        at = line.limit_at = self.now + timedelta(seconds=seconds)
        self._at(seconds, lambda: self._limit(line, at))

    def _limit(self, line: Line, at: datetime) -> None:
        if line.limit_at == at:
            self._end(line.leg, ReleaseSide.CARRIER, 31, LIMIT_CODE)

    def _end(self, leg: LegId, by: ReleaseSide, q850: int | None, code: str | None = None) -> None:
        line = self.lines.get(leg)
        if line is not None and not line.gone:
            line.gone = True
            if by is ReleaseSide.PARTY:
                self.hung_up.add(line.role)
            self._tell(LegEnded(leg=leg, at=self.now, by=by, q850=q850, code=code))

    def _tell_if_there(self, leg: LegId, news: News) -> None:
        if not self.lines[leg].gone:
            self._tell(news)

    def _tell(self, news: News) -> None:
        self.told.append(news)
        if self.lossy and self._by_chance(0.05):
            return
        copies = 2 if self._by_chance(0.15) else 1
        for _ in range(copies):
            late = self.rng.uniform(0, 4) if self._by_chance(0.3) else 0.05
            self._at(late, lambda: self.happen(news))

    def _by_chance(self, rate: float) -> bool:
        return not self.healed and self.rng.random() < rate

    # --- the phones and the people --------------------------------------------------------------

    def _is_rung(self, leg: LegId) -> None:
        line = self.lines[leg]
        if line.gone:
            return
        if self._by_chance(0.35):
            failure = self.rng.choice(((ReleaseSide.PARTY, 17), (ReleaseSide.PARTY, 21), None))
            if failure is not None:
                self._end(leg, *failure)
            return
        line.answered = True
        self._tell(LegAnswered(leg=leg, at=self.now))
        if line.role is not Role.AGENCY and not self._by_chance(0.2):
            self._at(self.rng.uniform(0.5, 4), lambda: self._presses(leg))

    def _presses(self, leg: LegId) -> None:
        line = self.lines[leg]
        if not line.gone:
            line.said_yes = True
            self._tell(KeyPressed(leg=leg, at=self.now, digit="1"))

    def _strikes(self, leg: LegId) -> None:
        """Something happens to a leg in a talk."""
        line = self.lines[leg]
        if line.gone:
            return
        if self.healed:
            if line.role is Role.CALLER:
                self._end(leg, ReleaseSide.PARTY, 16)
            return
        match self.rng.randrange(6):
            case 0:
                self._end(leg, ReleaseSide.PARTY, 16)
            case 1:
                self._end(leg, ReleaseSide.CARRIER, 41)
            case 2:
                self._end(leg, ReleaseSide.UNKNOWN, self.rng.choice((None, 16, 31)))
            case 3 if line.silent_at is None:
                line.silent_at = self.now
                self._tell(MediaLost(leg=leg, at=self.now, since=self.now))
                if self.rng.random() < 0.5:
                    self._at(self.rng.uniform(1, 40), lambda: self._speaks_again(line))
            case _:
                self._at(self.rng.expovariate(1 / 120), lambda: self._strikes(leg))

    def _speaks_again(self, line: Line) -> None:
        line.silent_at = None
        if not line.gone:
            self._tell(MediaHeard(leg=line.leg, at=self.now))
            self._at(self.rng.expovariate(1 / 60), partial(self._strikes, line.leg))

    def _meddle(self) -> None:
        """A person presses something, whether it makes sense or not."""
        steps: tuple[Command | CallerDialledIn, ...] = (
            CounselorAccepted(),
            CounselorDeclined(),
            CounselorHungUp(),
            CrisisRaised(),
            CrisisRaised(),
            CapExtended(60),
            TransferRequested((POLICE, AMBULANCE)),
            TransferRequested((POLICE,)),
            TransferConfirmed(),
            TransferConfirmed(),
            TransferCancelled(),
            OrderWithdrawn(),
            CallerHungUp(),
            StaffEnded(),
            StaffEnded(confirmed=True),
            *(CallerDialledIn(LegId(f"in-{n}"), self.now) for n in range(3)),
        )
        chosen = self.rng.choice(steps)
        if isinstance(chosen, CounselorAccepted):
            leg = self.call.standing(Role.COUNSELOR)
            if leg is not None and leg.answered_at is not None:
                self.lines[leg.id].said_yes = True
        if isinstance(chosen, CallerDialledIn) and chosen.leg not in self.lines:
            self.lines[chosen.leg] = Line(chosen.leg, Role.CALLER)
        self.happen(chosen)

    def _is_in_danger(self) -> None:
        """The counselor sees to a person in danger, step by step."""
        steps: tuple[Command, ...] = (
            CrisisRaised(),
            TransferRequested((POLICE, AMBULANCE)),
            TransferConfirmed(),
            TransferConfirmed(),
            CounselorHungUp(),
            TransferCancelled(),
        )
        self.happen(self.rng.choice(steps))
        if self._by_chance(0.8):
            self._at(self.rng.uniform(1, 30), self._is_in_danger)

    # --- healing --------------------------------------------------------------------------------

    def _heal(self) -> None:
        """No more faults; what was lost is found by asking the carrier, and people are sensible."""
        self.healed = True
        for leg in self.call.legs:
            line = self.lines[leg.id]
            if line.answered:
                self.happen(LegAnswered(leg=leg.id, at=self.now))
            if line.joined_at is not None:
                self.happen(LegBridged(leg=leg.id, at=line.joined_at))
            if line.gone:
                self.happen(LegEnded(leg=leg.id, at=self.now, by=ReleaseSide.UNKNOWN))
            elif line.role is Role.CALLER and line.joined_at is not None:
                self._at(60, partial(self._end, leg.id, ReleaseSide.PARTY, 16))
