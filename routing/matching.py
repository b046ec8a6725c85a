"""Which counselor a call gets."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from routing.counselor import Counselor, CounselorState, Requirement, claimable
from routing.hours import closed_for_today
from routing.policy import Policy
from terms.calendar import Workdays
from terms.ids import CallId, CounselorId, OrderId, StaffId


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A steward chose the best counselor for an order from need and condition (C06)."""

    order: OrderId
    counselor: CounselorId
    steward: StaffId
    matched_at: datetime
    reason: str = ""


def choose(
    counselors: Iterable[tuple[Counselor, CallId | None]],
    requirement: Requirement,
    now: datetime,
    *,
    prefer: CounselorId | None = None,
    without: Collection[CounselorId] = (),
) -> Counselor | None:
    """The preferred counselor if free, else the qualified one who has been idle longest.

    Those in `without` turned the call down before: it is not offered to them again. Each counselor
    comes with the call that holds them. `choose_idle` of the store is the same rule in SQL; a test
    compares the two.
    """
    free = [
        counselor
        for counselor, engaged in counselors
        if counselor.id not in without and claimable(counselor, requirement, engaged, now) is None
    ]
    return min(free, key=lambda one: (one.id != prefer, one.idle_since, one.id), default=None)


def release_offered(
    policy: Policy, state: CounselorState, now: datetime, workdays: Workdays
) -> bool:
    """Whether a caller bound to one counselor is offered to choose another (X04).

    Off unless the program allows it; then when the counselor is offline and today's hours are over.
    """
    return (
        policy.release_when_offline
        and state is CounselorState.OFFLINE
        and closed_for_today(policy.hours, now, workdays)
    )
