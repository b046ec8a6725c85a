"""Calls told step by step, with time in hand: what the tests of the machine speak in."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dialer.call import State
from dialer.carriers import (
    KeyPressed,
    LegAnswered,
    LegBridged,
    LegEnded,
    LegRinging,
    MediaHeard,
    MediaLost,
    ReleaseSide,
)
from dialer.events import CounselorClaimed, Event, Timer, TimerFired, TimerKind
from dialer.leg import Leg
from dialer.machine import start, start_dial_in, transition
from dialer.machine.starting import Begin
from dialer.orders import (
    CarrierOrder,
    Effect,
    Fact,
    FactKind,
)
from dialer.policy import CapKind, Policy
from terms.ids import CallId, CounselorId, LegId, OrderId, TargetId
from terms.verdict import Role

NOON = datetime(2030, 1, 1, 4, tzinfo=UTC)
CALL, ORDER, ANA = CallId("call"), OrderId("order"), CounselorId("ana")
POLICE, AMBULANCE = TargetId("police"), TargetId("ambulance")
DIALLED_IN = LegId("in-1")

CALLER_FIRST = Policy()
COUNSELOR_FIRST = replace(CALLER_FIRST, ring_first=Role.COUNSELOR)
SOFT = replace(CALLER_FIRST, cap_kind=CapKind.SOFT)
UNCAPPED = replace(CALLER_FIRST, cap_kind=CapKind.NONE, cap_seconds=0, warn_seconds=())

CALLER_LEG = LegId("call/caller/1")
COUNSELOR_LEG = LegId("call/counselor/1")


def begin(
    counselor: CounselorId | None = ANA,
    granted_seconds: int | None = 1500,
    *,
    pooled: bool = False,
    counted: int = 0,
    not_before: datetime | None = None,
) -> Begin:
    """What the desk decided."""
    return Begin(
        id=CALL,
        order=ORDER,
        counselor=counselor,
        granted_seconds=granted_seconds,
        pooled=pooled,
        counted=counted,
        not_before=not_before,
    )


class Story:
    """One call with its clock. `effects` is what the last step gave, `all_effects` all so far."""

    def __init__(
        self,
        policy: Policy = CALLER_FIRST,
        begins: Begin | None = None,
        *,
        dials_in: LegId | None = None,
    ) -> None:
        self.policy = policy
        self.now = NOON
        begins = begins or begin(granted_seconds=None if policy == UNCAPPED else 1500)
        if dials_in is None:
            self.call, self.effects = start(begins, policy, NOON)
        else:
            self.call, self.effects = start_dial_in(begins, dials_in, policy, NOON)
        self.all_effects = self.effects

    @property
    def state(self) -> State:
        return self.call.state

    @property
    def orders(self) -> tuple[CarrierOrder, ...]:
        """The orders of the last step."""
        return orders_in(self.effects)

    @property
    def facts(self) -> tuple[FactKind, ...]:
        """The facts of the last step."""
        return tuple(effect.kind for effect in self.effects if isinstance(effect, Fact))

    def tell(self, event: Event) -> "Story":
        """Something happens now."""
        self.call, self.effects = transition(self.call, event, self.policy, self.now)
        self.all_effects = (*self.all_effects, *self.effects)
        return self

    def pass_time(self, seconds: float) -> "Story":
        """Time passes and nothing fires."""
        self.now += timedelta(seconds=seconds)
        return self

    def wait(self, seconds: float) -> "Story":
        """Time passes and every timer fires when it is due; an attempt that is due gets Ana."""
        until = self.now + timedelta(seconds=seconds)
        told: tuple[Effect, ...] = ()
        fired = 0
        while (timer := self._next_timer()) is not None and timer.due_at <= until:
            fired += 1
            assert fired < 10_000, f"{timer} is due for ever"
            self.now = max(self.now, timer.due_at)
            due_attempt = timer.kind is TimerKind.ATTEMPT
            self.tell(CounselorClaimed(ANA) if due_attempt else TimerFired(timer))
            told = (*told, *self.effects)
        self.now = until
        self.effects = told
        return self

    def _next_timer(self) -> Timer | None:
        return min(self.call.timers, key=lambda timer: timer.due_at, default=None)

    def fire(self, kind: TimerKind) -> "Story":
        """That timer fires at the moment it is due."""
        due_at = self.due(kind)
        self.now = max(self.now, due_at)
        return self.tell(TimerFired(Timer(kind, due_at)))

    def due(self, kind: TimerKind) -> datetime:
        """When the timer falls; it has to be set."""
        due_at = self.call.due(kind)
        assert due_at is not None
        return due_at

    def seconds_to(self, kind: TimerKind) -> float:
        """How far away the timer is."""
        return (self.due(kind) - self.now).total_seconds()

    def leg(self, role: Role) -> Leg:
        """The newest leg of the role."""
        return next(leg for leg in reversed(self.call.legs) if leg.role is role)

    def rings(self, role: Role) -> "Story":
        return self.tell(LegRinging(leg=self.leg(role).id, at=self.now))

    def answers(self, role: Role) -> "Story":
        return self.tell(LegAnswered(leg=self.leg(role).id, at=self.now))

    def presses(self, digit: str, role: Role = Role.COUNSELOR) -> "Story":
        return self.tell(KeyPressed(leg=self.leg(role).id, at=self.now, digit=digit))

    def joins(self, role: Role) -> "Story":
        return self.tell(LegBridged(leg=self.leg(role).id, at=self.now))

    def falls_silent(self, role: Role) -> "Story":
        return self.tell(MediaLost(leg=self.leg(role).id, at=self.now, since=self.now))

    def speaks_again(self, role: Role) -> "Story":
        return self.tell(MediaHeard(leg=self.leg(role).id, at=self.now))

    def ends(
        self,
        role: Role,
        by: ReleaseSide = ReleaseSide.PARTY,
        q850: int | None = 16,
        code: str | None = None,
    ) -> "Story":
        leg = self.leg(role).id
        return self.tell(LegEnded(leg=leg, at=self.now, by=by, q850=q850, code=code))

    def hangs_up(self, role: Role) -> "Story":
        """The phone itself is put down."""
        return self.ends(role)

    def drops(self, role: Role) -> "Story":
        """The line fails."""
        return self.ends(role, ReleaseSide.CARRIER, 41)


def orders_in(effects: Iterable[Effect]) -> tuple[CarrierOrder, ...]:
    """The orders to the carrier among effects."""
    return tuple(effect for effect in effects if isinstance(effect, CarrierOrder))


def ringing_first(policy: Policy = CALLER_FIRST) -> Story:
    """The first phone is being rung."""
    return Story(policy)


def ringing_second(policy: Policy = CALLER_FIRST) -> Story:
    """The first is on the line, the second phone is being rung."""
    story = Story(policy).answers(policy.ring_first)
    return story.presses("1") if policy.ring_first is Role.COUNSELOR else story


def bridging(policy: Policy = CALLER_FIRST) -> Story:
    """Both are on the line, the bridge is ordered and nobody has told that it stands."""
    story = ringing_second(policy)
    if policy.ring_first is Role.CALLER:
        return story.answers(Role.COUNSELOR).presses("1")
    return story.answers(Role.CALLER).presses("1", Role.CALLER)


def talking(policy: Policy = CALLER_FIRST) -> Story:
    """The two hear each other, since now."""
    return bridging(policy).joins(Role.CALLER).joins(Role.COUNSELOR)


def parted(lost: Role = Role.CALLER, policy: Policy = CALLER_FIRST) -> Story:
    """After a minute of talk one line failed."""
    return talking(policy).pass_time(60).drops(lost)


def waiting(policy: Policy = CALLER_FIRST) -> Story:
    """The first attempt failed: the caller was busy."""
    return ringing_first(policy).ends(Role.CALLER, ReleaseSide.PARTY, 17)


def queued(policy: Policy = CALLER_FIRST, *, dials_in: LegId | None = None) -> Story:
    """Nobody of the pool is free."""
    return Story(policy, begin(None, pooled=True), dials_in=dials_in)


def ended(policy: Policy = CALLER_FIRST) -> Story:
    """After a minute of talk the caller hung up."""
    return talking(policy).pass_time(60).hangs_up(Role.CALLER)


EVERY_STATE: dict[str, Callable[[], Story]] = {
    "waiting": waiting,
    "queued": queued,
    "ringing_first": ringing_first,
    "ringing_second": ringing_second,
    "bridging": bridging,
    "bridged": talking,
    "parted": parted,
    "ended": ended,
}


def comes_back(story: Story, role: Role) -> Story:
    """The lost one answers the new ring and is joined again."""
    story.answers(role)
    if role is Role.COUNSELOR:
        story.presses("1")
    return story.joins(role)
