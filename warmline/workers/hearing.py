"""Hearing before believing: how long news takes to arrive that waited while we were away.

Nobody tells us anything while our process is dead or its database is down; the carrier keeps its
news and tells it when we are back. Until then silence means nothing: a phone that seems never to
have answered may have been answered long ago.
"""

from dialer.events import TimerKind

HEARING_SECONDS = 0.5
"""The simulated carrier tells again after 0.4 s at most."""

SILENCES = frozenset(
    {
        TimerKind.RING,
        TimerKind.ACCEPT,
        TimerKind.BRIDGE,
        TimerKind.PARTED,
        TimerKind.TRANSFER,
    }
)
"""Timers that say: we were not told in time. All others know by the clock alone."""
