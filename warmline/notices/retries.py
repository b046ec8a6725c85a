"""When a notice that could not be sent is tried again. Pure."""

from datetime import datetime, timedelta

MOST_TRIES = 8

_FIRST = timedelta(seconds=5)
_GROWS_BY = 4
_LONGEST = timedelta(hours=3)


def next_try_at(
    tries: int, now: datetime, expires_at: datetime | None, wait_seconds: int = 0
) -> datetime | None:
    """The instant of the next try after `tries` failed ones; None gives up.

    5 s, 20 s, 80 s, 5 min, 21 min, 85 min, 3 h: eight tries within five hours. Who asks for a
    longer wait is given it, up to three hours. What expires is not tried from that instant on.
    """
    if tries >= MOST_TRIES:
        return None
    wait = max(_FIRST * _GROWS_BY ** (tries - 1), timedelta(seconds=wait_seconds))
    at = now + min(wait, _LONGEST)
    return None if expires_at is not None and at >= expires_at else at
