"""Who has to be told of a change ahead, and when (B04). Pure.

Looked at any number of times: who was told of a change is not told of it again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from billing.policies.changes import Change
from billing.policies.cover import Cover
from billing.policies.policy import PolicyTerms
from billing.policies.waiting import (
    CHINA,
    active_until,
    next_send_at,
    send_at,
    today_in_china,
)
from terms.calendar import start_of_day
from terms.ids import ProgramId


@dataclass(frozen=True, slots=True)
class Announced:
    """A change that customers of a program are being told of."""

    program: ProgramId
    change: Change


def takes_effect_at(change: Change) -> datetime:
    """The first instant at which it holds: whoever was not told by then was not told ahead."""
    return start_of_day(change.effective_on, CHINA)


def is_late(change: Change, known_at: datetime | None) -> bool:
    """Whether the day a program says it announces a change on was over when it was installed."""
    return known_at is not None and change.announced_on < today_in_china(known_at)


def to_tell(cover: Cover, now: datetime) -> tuple[Change, ...]:
    """What customers are being told: from the hour of sending on the day it is announced, for as
    long as a message written now still leaves before the change takes effect."""
    return tuple(
        change
        for change in cover.changes
        if send_at(change.announced_on, cover) <= now
        and next_send_at(now, cover) < takes_effect_at(change)
    )


def next_announcement_at(covers: Iterable[Cover], now: datetime) -> datetime | None:
    """When the next change begins to be told."""
    starts = (send_at(change.announced_on, cover) for cover in covers for change in cover.changes)
    return min((at for at in starts if at > now), default=None)


def concerns(change: Change, terms: PolicyTerms, cover: Cover, today: date) -> bool:
    """Whether the policy lives and still gives the service on the day the change takes effect."""
    if terms.product not in cover.products or terms.has_ended(today):
        return False
    until = active_until(terms, cover)
    return until is None or change.effective_on < until


def announced_to(
    sponsor: str,
    terms: PolicyTerms,
    covers: Mapping[ProgramId, tuple[str, Cover]],
    now: datetime,
) -> tuple[tuple[Announced, ...], datetime | None]:
    """What the holder of a policy is to be told now, and when there may be more."""
    today = today_in_china(now)
    mine = {
        program: cover
        for program, (whose, cover) in sorted(covers.items())
        if whose == sponsor and terms.product in cover.products
    }
    told = tuple(
        Announced(program, change)
        for program, cover in mine.items()
        for change in to_tell(cover, now)
        if concerns(change, terms, cover, today)
    )
    return told, next_announcement_at(mine.values(), now)
