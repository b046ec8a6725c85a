"""What came in and is not dealt with yet, by the call it is about."""

from collections.abc import Callable, Hashable, Iterator
from datetime import datetime, timedelta
from itertools import islice

from terms.ids import CallId

_LATE = timedelta(seconds=1)
_HOPELESS = timedelta(seconds=15)
"""Twilio waits no longer for any answer; what is kept for longer has a fault of its own."""

_MANY = 10
"""So many things that are late are no accident: there is more to do than can be done."""


class Backlog:
    """Things in the order in which they came."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._since: dict[Hashable, datetime] = {}
        self._of_call: dict[CallId, set[Hashable]] = {}
        self._call_of: dict[Hashable, CallId] = {}

    def add(self, what: Hashable, call: CallId | None) -> None:
        """It came now, unless it was there before; None: whose it is, is not known."""
        if what in self._since:
            return
        self._since[what] = self._now()
        if call is not None:
            self._call_of[what] = call
            self._of_call.setdefault(call, set()).add(what)

    def drop(self, what: Hashable) -> None:
        """It is dealt with."""
        self._since.pop(what, None)
        call = self._call_of.pop(what, None)
        if call is not None:
            of_call = self._of_call[call]
            of_call.discard(what)
            if not of_call:
                del self._of_call[call]

    def has_of(self, call: CallId) -> bool:
        """Whether Twilio told something of this call, or of nobody knows whom, that waits."""
        now = self._now()
        if any(now - self._since[what] < _HOPELESS for what in self._of_call.get(call, ())):
            return True
        return any(what not in self._call_of for what in self._late())

    @property
    def is_long(self) -> bool:
        """Whether more came than can be dealt with in time."""
        return len(list(islice(self._late(), _MANY))) == _MANY

    def _late(self) -> Iterator[Hashable]:
        """What waits for a second, and is not hopeless."""
        now = self._now()
        for what, since in self._since.items():
            if now - since <= _LATE:
                return
            if now - since < _HOPELESS:
                yield what
