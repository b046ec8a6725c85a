"""A call: the effort to connect one order's two people, as one plain value."""

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter

from dialer.events import Timer, TimerKind, make_timer
from dialer.leg import Leg, turned_down
from dialer.talk import talked
from terms.ids import CallId, CounselorId, LegId, OrderId, TargetId
from terms.values import changer, quickly_made
from terms.verdict import Role, Verdict


class State(StrEnum):
    """What is true now."""

    WAITING = "waiting"  # between attempts
    QUEUED = "queued"  # for a counselor of the pool
    RINGING_FIRST = "ringing_first"
    RINGING_SECOND = "ringing_second"
    BRIDGED = "bridged"  # the two hear each other
    PARTED = "parted"  # a line failed: one is kept while the other is rung again
    ENDED = "ended"


class Purpose(StrEnum):
    """Why the order's person is called; attempts are counted per order and purpose."""

    CONSULT = "consult"
    STEWARD_REMINDER = "steward_reminder"
    CONFIRMATION = "confirmation"
    SATISFACTION = "satisfaction"
    REMINDER = "reminder"


class EndReason(StrEnum):
    """What the machine was doing when it ended the call. How it *ended* is the verdict's word."""

    HUNG_UP = "hung_up"
    LOST = "lost"
    CAP = "cap"
    WITHDRAWN = "withdrawn"  # the caller gave up before being connected
    NOT_REACHED = "not_reached"  # the caller, after the last counted attempt
    COUNSELOR_NOT_REACHED = "counselor_not_reached"
    FORWARD_NOT_REACHED = "forward_not_reached"  # the line a closed program forwards to
    INVALID_NUMBER = "invalid_number"
    FAULT = "fault"
    STAFF = "staff"
    ORDER_OVER = "order_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """A crisis transfer under way: agencies still to try, the one in hand first."""

    targets: tuple[TargetId, ...]
    joined: bool = False


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`counselor` is set exactly while this call claims one: that is what makes them busy.

    `handed_over`: an agency has the caller, or is to have them from the beginning (X39).

    `attempt` counts every start of ringing, `counted` those that the caller's side caused to fail,
    both over all calls of the order with this purpose. `granted_seconds` is the talk the order had
    left when the call began (None: no cap).
    """

    id: CallId
    order: OrderId
    purpose: Purpose
    ring_first: Role
    pooled: bool
    granted_seconds: int | None
    state: State
    started_at: datetime
    not_before: datetime | None = None
    counselor: CounselorId | None = None
    legs: tuple[Leg, ...] = ()
    timers: tuple[Timer, ...] = ()
    attempt: int = 0
    counted: int = 0
    counted_before: int = 0
    faults: int = 0
    counselor_misses: int = 0
    counselor_waits: int = 0
    connected_at: datetime | None = None
    lost: Role | None = None
    crisis: bool = False
    extended_seconds: int = 0
    transfer: Transfer | None = None
    handed_over: bool = False
    ended_at: datetime | None = None
    end_reason: EndReason | None = None
    counselor_mark: bool | None = None
    called_back_at: datetime | None = None
    verdict: Verdict | None = None
    verdict_is_final: bool = False

    def __post_init__(self) -> None:
        state, ended = self.state, self.state is _ENDED
        assert (self.counselor is None) != (state in ENGAGED and not self.handed_over)
        assert (self.lost is None) != (state is _PARTED)
        assert (self.end_reason is None) != ended
        assert (self.verdict is None) != ended
        assert self.transfer is None or state in TALKING

    @property
    def cap_seconds_left(self) -> int | None:
        """Granted talk and what the counselor added to it; None where nobody counts."""
        if self.granted_seconds is None or self.crisis:
            return None
        return self.granted_seconds + self.extended_seconds

    def unused_seconds(self, now: datetime) -> int | None:
        """Whole seconds of talk that are left, a begun one counted; None where nobody counts."""
        left = self.cap_seconds_left
        return None if left is None else max(left - int(self.talked(now).total_seconds()), 0)

    def leg(self, leg: LegId) -> Leg | None:
        """The leg of that name, over or not."""
        for one in self.legs:
            if one.id == leg:
                return one
        return None

    def standing(self, role: Role) -> Leg | None:
        """The leg of `role` that is not over, if there is one."""
        for leg in reversed(self.legs):
            if leg.role is role and leg.release is None and leg.let_go_at is None:
                return leg
        return None

    def all_standing(self) -> list[Leg]:
        """Every leg that is not over."""
        standing: list[Leg] = []
        for leg in self.legs:
            if leg.release is None and leg.let_go_at is None:
                standing.append(leg)
        return standing

    def next_leg(self, role: Role) -> LegId:
        """The next leg's name: ours, so that it can be matched with what the carrier has."""
        number = 1 + [leg.role for leg in self.legs].count(role)
        return LegId(f"{self.id}/{role}/{number}")

    def due(self, kind: TimerKind) -> datetime | None:
        """When the timer of that kind falls, if it is set."""
        for timer in self.timers:
            if timer.kind is kind:
                return timer.due_at
        return None

    def holds(self, timer: Timer) -> bool:
        """Whether that timer is set: one that fires but is not is stale."""
        kind = timer.kind
        for one in self.timers:
            if one.kind is kind:
                return one.due_at == timer.due_at
        return False

    @property
    def keeps_caller(self) -> bool:
        """A person in danger is on the line: no step of ours may let them go (X55)."""
        caller = self.standing(Role.CALLER)
        return self.crisis and caller is not None and caller.answered_at is not None

    def turned_down_by(self) -> frozenset[CounselorId]:
        """Counselors to whom this call is not offered again; in danger it is offered to anybody."""
        if self.crisis or not self.counselor_misses:
            return frozenset()
        return frozenset(
            CounselorId(leg.party)
            for leg in self.legs
            if leg.role is Role.COUNSELOR and leg.party is not None and turned_down(leg)
        )

    def dialled_in(self, leg: Leg) -> bool:
        """Whether that phone called us: the carrier named such a leg, not we."""
        return not leg.id.startswith(f"{self.id}/")

    def talked(self, now: datetime) -> timedelta:
        """Talk so far."""
        return talked(self.legs, now)

    def with_leg(self, leg: Leg) -> "Call":
        """The call with that leg's newest facts, or with one leg more."""
        legs = list(self.legs)
        for place, one in enumerate(legs):
            if one.id == leg.id:
                legs[place] = leg
                break
        else:
            legs.append(leg)
        return _with_legs(self, tuple(legs))

    def with_timer(self, kind: TimerKind, due_at: datetime) -> "Call":
        """The call with that timer set anew."""
        return with_timers(self, self.timers_with(kind, due_at))

    def timers_with(
        self, kind: TimerKind, due_at: datetime, *, without: Container[TimerKind] = ()
    ) -> tuple[Timer, ...]:
        """The call's timers with that one set anew, and without those of some kinds."""
        timers = [one for one in self.timers if one.kind is not kind and one.kind not in without]
        timers.append(make_timer(kind, due_at))
        if len(timers) > 1:
            timers.sort(key=_BY_KIND)
        return tuple(timers)

    def without_timers(self, *kinds: TimerKind) -> "Call":
        """The call without timers of those kinds."""
        kept = self.timers_without(kinds)
        return self if kept is self.timers else with_timers(self, kept)

    def timers_without(self, kinds: Container[TimerKind]) -> tuple[Timer, ...]:
        """The call's timers but those of some kinds."""
        for timer in self.timers:
            if timer.kind in kinds:
                return tuple([one for one in self.timers if one.kind not in kinds])
        return self.timers


_BY_KIND = attrgetter("kind")
_with_legs, with_timers = changer(Call, "legs"), changer(Call, "timers")
with_legs_and_timers = changer(Call, "legs", "timers")

# Every copy is checked, and a member asked of its enumeration costs more than the check.
_PARTED, _ENDED = State.PARTED, State.ENDED

ENGAGED = frozenset({State.RINGING_FIRST, State.RINGING_SECOND, State.BRIDGED, State.PARTED})
"""States in which a counselor is claimed."""

TALKING = frozenset({State.BRIDGED, State.PARTED})
