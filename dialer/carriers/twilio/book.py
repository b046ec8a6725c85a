"""Where lines and events are kept. What a process of ours forgets, another one must find here."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from dialer.carriers.twilio.events import Event
from dialer.carriers.twilio.line import Line
from terms.ids import LegId


class Book(Protocol):
    """Lines by their leg, events by their key. Returning means that it is stored."""

    async def add(self, line: Line) -> bool:
        """Keep a new line; False if there is one of this leg."""
        ...

    async def load(self, leg: LegId) -> Line | None:
        """The line of a leg."""
        ...

    async def change(self, leg: LegId, change: Callable[[Line], Line]) -> Line | None:
        """Change a line while nobody else does; None if there is none."""
        ...

    async def forget(self, leg: LegId) -> None:
        """Drop a line that came to nothing at Twilio."""
        ...

    async def standing(self) -> tuple[Line, ...]:
        """Every line that has not ended."""
        ...

    async def known(self, sids: Collection[str]) -> frozenset[str]:
        """Which of these calls at Twilio are lines of ours."""
        ...

    async def add_event(self, event: Event) -> bool:
        """Keep an event; False if it was kept before."""
        ...

    async def untold(self, before: datetime) -> tuple[Event, ...]:
        """Events received before then that are not told yet, as they came."""
        ...

    async def told(self, event: Event, release: str | None) -> None:
        """An event is told, and with it this end of its leg."""
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

    async def change(self, leg: LegId, change: Callable[[Line], Line]) -> Line | None:
        """Change a line."""
        if (line := self.lines.get(leg)) is None:
            return None
        self.lines[leg] = change(line)
        return self.lines[leg]

    async def forget(self, leg: LegId) -> None:
        """Drop a line."""
        self.lines.pop(leg, None)

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
        return True

    async def untold(self, before: datetime) -> tuple[Event, ...]:
        """Events that are not told yet."""
        return tuple(
            event
            for key, event in self.events.items()
            if key not in self.told_keys and event.received_at < before
        )

    async def told(self, event: Event, release: str | None) -> None:
        """An event is told."""
        self.told_keys.add(event.key)
        if event.leg is not None and release is not None and event.leg in self.lines:
            self.lines[event.leg] = with_told(self.lines[event.leg], release)


def with_told(line: Line, release: str) -> Line:
    """The line, with the end that was told of it."""
    return replace(line, told_release=release)
