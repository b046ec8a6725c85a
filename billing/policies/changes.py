"""A service that will change, or end: what its program announces ahead (B04, B05). Pure.

Days are days in China. A change is named by its kind and the day it takes effect: words that are
mended are not told again, another day is another change.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from terms.section import Section

NOTICE_DAYS = 30
"""How long before it takes effect a change is announced, at the latest, where a program does not
say. No source names a number: it is what China's E-Commerce Law asks of whoever ends an online
business, and as long as the longest waiting period, so that every unused voucher can still be used
as it was sold."""

MOST_ZH = 30
MOST_EN = 80
"""Letters of a change's words: so that its SMS stays one SMS."""

END_ZH = "不再提供，已有的预约不受影响"
END_EN = "it is no longer offered; what is booked goes on"

_A_DAY = timedelta(days=1)


class ChangeKind(StrEnum):
    """What will be."""

    CHANGE = "change"  # of content or term
    END = "end"  # offered no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that is announced, in the words that customers read."""

    kind: ChangeKind
    effective_on: date  # the first day on which it holds
    announced_on: date  # from this day on customers are told
    zh: str
    en: str

    @property
    def key(self) -> str:
        """What names it within its program."""
        return f"{self.kind}-{self.effective_on}"

    def is_upcoming(self, today: date) -> bool:
        """Whether it is announced and has not taken effect."""
        return self.announced_on <= today < self.effective_on


def parse_changes(section: Section, offered_until: date | None) -> tuple[Change, ...]:
    """`[[billing.changes]]` and the end of the service, earliest first; faults are noted.

    Refuses what is announced later than `change_notice_days` before it takes effect.
    """
    notice_days = section.whole("change_notice_days", least=1, most=366, default=NOTICE_DAYS)
    found = [_change(table, notice_days) for table in section.tables("changes")]
    changes = [one for one in found if one is not None]
    counted = Counter(one.effective_on for one in changes)
    for day, count in counted.items():
        if count > 1:
            section.fault("changes", f"{day} stands twice: tell what changes that day in one")
    end = _end(section, offered_until, notice_days)
    ends = [] if end is None else [end]
    return tuple(sorted([*changes, *ends], key=lambda one: (one.effective_on, one.kind)))


def _change(table: Section, notice_days: int) -> Change | None:
    effective_on = table.day("effective_on", required=True)
    announced_on = table.day("announced_on", required=True)
    zh, en = _words(table, "text_zh", MOST_ZH), _words(table, "text_en", MOST_EN)
    if effective_on is None or announced_on is None:
        return None
    _check_lead(table, "announced_on", announced_on, effective_on, notice_days)
    return Change(
        kind=ChangeKind.CHANGE,
        effective_on=effective_on,
        announced_on=announced_on,
        zh=zh,
        en=en,
    )


def _end(section: Section, offered_until: date | None, notice_days: int) -> Change | None:
    announced_on = section.day("end_announced_on")
    if offered_until is None:
        if announced_on is not None:
            section.fault("end_announced_on", "has no effect without offered_until")
        return None
    if announced_on is None:
        section.fault("end_announced_on", "must say from which day on customers are told the end")
        return None
    effective_on = offered_until + _A_DAY
    _check_lead(section, "end_announced_on", announced_on, effective_on, notice_days)
    return Change(
        kind=ChangeKind.END,
        effective_on=effective_on,
        announced_on=announced_on,
        zh=END_ZH,
        en=END_EN,
    )


def _check_lead(
    section: Section, key: str, announced_on: date, effective_on: date, notice_days: int
) -> None:
    latest = effective_on - timedelta(days=notice_days)
    if announced_on > latest:
        section.fault(
            key,
            f"must be {latest} or earlier: customers are told {notice_days} days ahead "
            f"(change_notice_days) of what holds from {effective_on} on",
        )


def _words(table: Section, key: str, most: int) -> str:
    words = table.word(key)
    if len(words) > most or not words.isprintable():
        table.fault(key, f"must be one line of at most {most} letters, to fit into one SMS")
    return words
