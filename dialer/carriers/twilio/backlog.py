"""What came in and is not dealt with yet. While that is old, silence means nothing."""

from collections.abc import Callable, Hashable
from datetime import datetime, timedelta

_LATE = timedelta(seconds=0.5)
_HOPELESS = timedelta(seconds=15)
"""Twilio waits no longer for any answer; what is kept for longer has a fault of its own. Nor does
anybody whose phone rings wait for a process that is late all the time.
"""


class Backlog:
    """Things in the order in which they came."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._since: dict[Hashable, datetime] = {}
        self._late_since: datetime | None = None

    def add(self, what: Hashable) -> None:
        """It came now, unless it was there before."""
        self._since.setdefault(what, self._now())

    def drop(self, what: Hashable) -> None:
        """It is dealt with."""
        self._since.pop(what, None)

    @property
    def is_late(self) -> bool:
        """Whether Twilio has told us something of which nobody knows yet, for half a second.

        Not any more once that was so for 15 s on end, whenever it was asked.
        """
        now = self._now()
        ages = (now - since for since in self._since.values())
        if next((age for age in ages if age < _HOPELESS), timedelta()) <= _LATE:
            self._late_since = None
            return False
        self._late_since = self._late_since or now
        return now - self._late_since < _HOPELESS
