"""What is to be done, and when: the virtual clock's heap."""

import heapq
from collections.abc import Callable
from datetime import datetime
from typing import Any

Action = Callable[[Any, datetime], None]


class Agenda:
    """Things to do at their time, those of one instant in the order they were noted.

    Nothing is ever taken off: whatever is no longer wanted finds that out when its time comes.
    """

    __slots__ = ("_entries", "_sequence")

    def __init__(self) -> None:
        self._entries: list[tuple[datetime, int, Action, object]] = []
        self._sequence = 0

    def at(self, when: datetime, action: Action, subject: object) -> None:
        """Do `action(subject, when)` at `when`."""
        self._sequence += 1
        heapq.heappush(self._entries, (when, self._sequence, action, subject))

    def next_at(self) -> datetime | None:
        """When the next thing is due."""
        return self._entries[0][0] if self._entries else None

    def take(self) -> tuple[Action, object]:
        """The next thing to do."""
        _, _, action, subject = heapq.heappop(self._entries)
        return action, subject
