"""What can happen to a call, in the past tense; the carrier's news is in `dialer.carriers`."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dialer.carriers import News
from terms.ids import CounselorId, LegId, TargetId
from terms.values import maker, quickly_made


class TimerKind(StrEnum):
    """A call holds at most one timer of each kind."""

    RING = "ring"  # a phone has rung long enough
    ACCEPT = "accept"  # the counselor answered and has not pressed 1
    BRIDGE = "bridge"  # the carrier has not said that the bridge stands
    WARN = "warn"  # the next spoken warning before the cap
    CAP = "cap"
    SILENCE = "silence"  # a leg gave no audio for too long
    RERING = "rering"  # ring the lost one again
    PARTED = "parted"  # the grace for finding the lost one is over
    TRANSFER = "transfer"  # an agency has rung long enough
    ATTEMPT = "attempt"  # the next attempt is due
    ANNOUNCE = "announce"  # tell a waiting caller where they stand
    QUEUE = "queue"  # nobody of the pool came free in time
    FINAL = "final"  # the verdict stands from now on


@quickly_made
@dataclass(frozen=True, slots=True, order=True)
class Timer:
    """Part of a call's state: a timer that fires but is no longer there changes nothing."""

    kind: TimerKind
    due_at: datetime


make_timer = maker(Timer)


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The clock reached a timer's time."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class BridgeRefused:
    """The carrier would not join the legs."""


@dataclass(frozen=True, slots=True)
class CallerDialledIn:
    """The caller's own phone dialled the service number while this call was on."""

    leg: LegId
    at: datetime


@dataclass(frozen=True, slots=True)
class CounselorClaimed:
    """Routing gave this call a counselor; the next attempt starts now."""

    counselor: CounselorId


@dataclass(frozen=True, slots=True)
class CounselorUnavailable:
    """Routing has nobody for this call now. `why` is a refusal code."""

    why: str


@dataclass(frozen=True, slots=True)
class PlaceCounted:
    """Routing's answer for a caller who waits on the line: their place, to be told (X43).

    `wait_seconds` is a rough estimate, None where nobody is at work; `again_seconds` is when to
    tell them anew.
    """

    position: int
    wait_seconds: int | None
    again_seconds: int


@dataclass(frozen=True, slots=True)
class CallerHungUp:
    """The caller pressed hang-up in the app."""


@dataclass(frozen=True, slots=True)
class CounselorAccepted:
    """The counselor pressed accept in the console."""


@dataclass(frozen=True, slots=True)
class CounselorDeclined:
    """The counselor pressed decline in the console."""


@dataclass(frozen=True, slots=True)
class CounselorHungUp:
    """The counselor pressed hang-up in the console."""


@dataclass(frozen=True, slots=True)
class CounselorMarkedCutOff:
    """The counselor says whether the call was cut off."""

    cut_off: bool


@dataclass(frozen=True, slots=True)
class CrisisRaised:
    """Somebody may be in danger: no cap, no cut, from now on (X55)."""


@dataclass(frozen=True, slots=True)
class CapExtended:
    """The counselor gives a soft-capped talk more time (X33)."""

    seconds: int


@dataclass(frozen=True, slots=True)
class TransferRequested:
    """Ring these agencies, one after the other, until one answers (X41)."""

    targets: tuple[TargetId, ...]


@dataclass(frozen=True, slots=True)
class TransferConfirmed:
    """The agency has taken the caller over; the counselor may leave."""


@dataclass(frozen=True, slots=True)
class TransferCancelled:
    """The counselor goes on without the agency."""


@dataclass(frozen=True, slots=True)
class StaffEnded:
    """A supervisor or support ended the call; who and why is for the desk to keep.

    `confirmed`: a supervisor's explicit word that a call in crisis may be ended.
    """

    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class OrderWithdrawn:
    """The order behind the call was given up; a talk, or one just being joined, is not touched."""


@dataclass(frozen=True, slots=True)
class CalledBack:
    """The caller tried again after this call had ended."""

    at: datetime


Command = (
    CallerHungUp
    | CounselorAccepted
    | CounselorDeclined
    | CounselorHungUp
    | CounselorMarkedCutOff
    | CrisisRaised
    | CapExtended
    | TransferRequested
    | TransferConfirmed
    | TransferCancelled
    | StaffEnded
    | OrderWithdrawn
    | CalledBack
)
Happening = (
    TimerFired
    | BridgeRefused
    | CallerDialledIn
    | CounselorClaimed
    | CounselorUnavailable
    | PlaceCounted
    | Command
)
Event = News | Happening
