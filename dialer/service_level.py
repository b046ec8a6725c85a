"""How soon a call should be answered, and how long somebody must wait before giving up counts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLevel:
    """Answered in time, out of those that are decided, less those who gave up at once.

    A call is decided once it is connected or over; a blocked one never counts.
    """

    within_seconds: int
    short_abandon_seconds: int
    """Who gave up sooner than this pressed by mistake: nobody could have answered."""
