"""Which prompts are being played to which leg. Pure.

Asterisk does one thing at a time with a channel: a leg that hears a prompt joins its bridge only
when the prompt is over. So it is stopped first.
"""

from collections import OrderedDict
from itertools import count

from dialer.carriers.asterisk.names import channel_of
from terms.ids import LegId

_MOST_REMEMBERED = 10_000


class Prompts:
    """What was begun and not yet told to be over. `name` tells this process's from others'."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._numbers = count(1)
        self._leg_of: OrderedDict[str, LegId] = OrderedDict()

    def begin(self, leg: LegId) -> str:
        """The id of a new playback to the leg."""
        id_ = f"{channel_of(leg)}~{self._name}~{next(self._numbers)}"
        self._leg_of[id_] = leg
        if len(self._leg_of) > _MOST_REMEMBERED:
            self._leg_of.popitem(last=False)
        return id_

    def finished(self, id_: str) -> None:
        """It is over, or never was."""
        self._leg_of.pop(id_, None)

    def of(self, leg: LegId) -> tuple[str, ...]:
        """What the leg still has to hear, the last first: what waits is not begun for a moment."""
        return tuple(id_ for id_, heard_by in reversed(self._leg_of.items()) if heard_by == leg)
