"""Where lines and events are kept. What a process of ours forgets, another one must find here."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Protocol

from dialer.carriers.twilio.events import Event
from dialer.carriers.twilio.line import Line
from terms.ids import LegId

Change = Callable[[Line], Line]


class Book(Protocol):
    """Lines by their leg, events by their key. Returning means that it is stored.

    A change is given the line as it is now, and is made again when somebody else was faster: it
    must do nothing else.
    """

    async def add(self, line: Line) -> bool:
        """Keep a new line; False if there is one of this leg."""
        ...

    async def load(self, leg: LegId) -> Line | None:
        """The line of a leg."""
        ...

    async def change(
        self, leg: LegId, change: Change, event: Callable[[Line], Event | None] = lambda line: None
    ) -> tuple[Line | None, bool]:
        """Change a line and keep an event of it, both or neither; None if there is no such line.

        With it, whether the event is new.
        """
        ...

    async def forget(self, line: Line) -> None:
        """Drop a line that came to nothing at Twilio, unless somebody asked for it since."""
        ...

    async def standing(self) -> tuple[Line, ...]:
        """Every line that has not ended."""
        ...

    async def known(self, sids: Collection[str]) -> frozenset[str]:
        """Which of these calls at Twilio are lines of ours."""
        ...

    async def add_event(self, event: Event) -> bool:
        """Keep an event; False if it was kept before. One without a leg is told by that."""
        ...

    async def untold(self, before: datetime) -> tuple[Event, ...]:
        """Events received before then that are not told yet, as they came."""
        ...

    async def told(self, keys: Collection[str]) -> None:
        """Events are told. Should that be lost, they are told again."""
        ...


class MemoryBook:
    """A book that is lost with the process: for tests."""

    def __init__(self) -> None:
        self.lines: dict[LegId, Line] = {}
        self.events: dict[str, Event] = {}
        self.told_keys: set[str] = set()

    async def add(self, line: Line) -> bool:
        """Keep a new line."""
        if line.leg in self.lines:
            return False
        self.lines[line.leg] = line
        return True

    async def load(self, leg: LegId) -> Line | None:
        """The line of a leg."""
        return self.lines.get(leg)

    async def change(
        self, leg: LegId, change: Change, event: Callable[[Line], Event | None] = lambda line: None
    ) -> tuple[Line | None, bool]:
        """Change a line and keep an event of it."""
        if (line := self.lines.get(leg)) is None:
            return None, False
        self.lines[leg] = changed = change(line)
        kept = event(changed)
        return changed, kept is not None and await self.add_event(kept)

    async def forget(self, line: Line) -> None:
        """Drop a line."""
        known = self.lines.get(line.leg)
        if known is not None and known.asked_by == line.asked_by and known.sid is None:
            del self.lines[line.leg]

    async def standing(self) -> tuple[Line, ...]:
        """Every line that has not ended."""
        return tuple(line for line in self.lines.values() if line.ended is None)

    async def known(self, sids: Collection[str]) -> frozenset[str]:
        """Which of these calls are lines of ours."""
        return frozenset(sids) & {line.sid for line in self.lines.values() if line.sid}

    async def add_event(self, event: Event) -> bool:
        """Keep an event."""
        if event.key in self.events:
            return False
        self.events[event.key] = event
        if event.leg is None:
            self.told_keys.add(event.key)
        return True

    async def untold(self, before: datetime) -> tuple[Event, ...]:
        """Events that are not told yet."""
        return tuple(
            event
            for key, event in self.events.items()
            if key not in self.told_keys and event.received_at < before
        )

    async def told(self, keys: Collection[str]) -> None:
        """Events are told."""
        self.told_keys.update(keys)
