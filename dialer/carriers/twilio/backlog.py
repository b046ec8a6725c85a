"""What came in and is not dealt with yet. While that is old, silence means nothing."""

from collections.abc import Callable, Hashable
from datetime import datetime, timedelta

_LATE = timedelta(seconds=0.5)
_HOPELESS = timedelta(seconds=15)
"""Twilio waits no longer for any answer; what is kept for longer has a fault of its own."""


class Backlog:
    """Things in the order in which they came."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._since: dict[Hashable, datetime] = {}

    def add(self, what: Hashable) -> None:
        """It came now, unless it was there before."""
        self._since.setdefault(what, self._now())

    def drop(self, what: Hashable) -> None:
        """It is dealt with."""
        self._since.pop(what, None)

    @property
    def is_late(self) -> bool:
        """Whether Twilio has told us something of which nobody knows yet, for half a second."""
        now = self._now()
        for since in self._since.values():
            if now - since < _HOPELESS:
                return now - since > _LATE
        return False
