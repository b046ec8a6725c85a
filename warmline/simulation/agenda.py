"""What is to be done, and when: the virtual clock's heap."""

from collections.abc import Callable
from datetime import UTC, datetime
from heapq import heappush
from typing import Any

Action = Callable[[Any, datetime], None]


NEVER = datetime.max.replace(tzinfo=UTC)
"""Later than whatever happens."""


def _nothing(_: object, now: datetime) -> None:
    raise AssertionError(f"{now} has come")


class Agenda:
    """Things to do at their time, those of one instant in the order they were noted.

    Nothing is ever taken off: whatever is no longer wanted finds that out when its time comes. The
    entries are a heap: the first of them is due next, and the last one never.
    """

    __slots__ = ("_noted", "entries")

    def __init__(self) -> None:
        self.entries: list[tuple[datetime, int, Action, object]] = [(NEVER, 0, _nothing, None)]
        self._noted = 0

    def at(self, when: datetime, action: Action, subject: object) -> None:
        """Do `action(subject, when)` at `when`."""
        self._noted = noted = self._noted + 1
        heappush(self.entries, (when, noted, action, subject))
