"""Telling of timers that came too late for their call, or twice: they change nothing."""

from datetime import datetime

import structlog

from dialer.store.calls import Stored
from dialer.store.due import DueTimer

_log = structlog.get_logger()


def tell_stale(due: DueTimer, stored: Stored | None, now: datetime) -> None:
    """One line of the log, with the version that set the timer and the one the call is at now."""
    _log.info(
        "stale_timer",
        call=due.call,
        kind=due.timer.kind,
        late_seconds=round((now - due.timer.due_at).total_seconds(), 3),
        set_by_version=due.set_by,
        call_version=None if stored is None else stored.version,
        call_state=None if stored is None else stored.call.state,
    )
