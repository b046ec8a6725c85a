"""How long to wait for what is under way: as long as it goes on, and not for what stands still."""

from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(slots=True)
class Patience:
    """Seconds without any change after which, and seconds altogether after which, it is over.

    Time is that of a clock which nobody sets; the first look at it is the beginning.
    """

    standstill_seconds: float
    most_seconds: float
    _began_at: float | None = None
    _changed_at: float = 0.0
    _state: Hashable = None

    def is_over(self, state: Hashable, now: float) -> bool:
        """Whether it is of no use to wait any longer; `state` is how things are now."""
        if self._began_at is None:
            self._began_at = self._changed_at = now
        elif state != self._state:
            self._changed_at = now
        self._state = state
        stands_still = now - self._changed_at >= self.standstill_seconds
        return stands_still or now - self._began_at >= self.most_seconds
