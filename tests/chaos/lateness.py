"""How late timers fired, told by the database itself: a trigger notes when each one was due, and
when it went."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.chaos.world import World

_WATCH = """
    CREATE TABLE chaos_timers (
        call text, kind text, due_at timestamptz, gone_at timestamptz DEFAULT clock_timestamp()
    );
    CREATE FUNCTION chaos_note_timer() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' OR NEW.due_at <> OLD.due_at THEN
            INSERT INTO chaos_timers (call, kind, due_at) VALUES (OLD.call, OLD.kind, OLD.due_at);
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER chaos_watch AFTER UPDATE OR DELETE ON timers
        FOR EACH ROW EXECUTE FUNCTION chaos_note_timer();"""


def latest() -> timedelta:
    """A second, and on a machine with more to do than it can the same share of one."""
    return timedelta(seconds=max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)))


@dataclass(frozen=True, slots=True)
class Late:
    """One timer that went after it was due."""

    call: str
    kind: str
    by: timedelta


@dataclass(slots=True)
class Outages:
    """When there was nobody to fire a timer, by the machine's clock."""

    spans: list[tuple[datetime, datetime]] = field(default_factory=list)
    _since: datetime | None = None

    def began(self) -> None:
        """From now on nobody is there."""
        self._since = self._since or datetime.now(UTC)

    def ended(self) -> None:
        """Somebody is there again."""
        assert self._since is not None
        self.spans.append((self._since, datetime.now(UTC)))
        self._since = None

    def firable_since(self, due_at: datetime, gone_at: datetime) -> datetime:
        """The instant from which a timer could be fired that went at `gone_at`.

        A service fires before it answers us for the first time: then it was not late at all.
        """
        if any(start < gone_at < end for start, end in self.spans):
            return gone_at
        return max([due_at, *(end for _, end in self.spans if end <= gone_at)])


async def watch_timers(world: World) -> None:
    """Have the database note every timer that goes. Only while the clock is not moved."""
    await world.pool.execute(_WATCH)


async def lateness(world: World, outages: Outages) -> Sequence[Late]:
    """Every timer that went when it was due, the latest first."""
    rows = await world.pool.fetch("SELECT * FROM chaos_timers WHERE gone_at >= due_at")
    late = [
        Late(
            row["call"],
            row["kind"],
            row["gone_at"] - outages.firable_since(row["due_at"], row["gone_at"]),
        )
        for row in rows
    ]
    return sorted(late, key=lambda one: one.by, reverse=True)
