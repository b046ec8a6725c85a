"""Whose turn it is with the carrier: everybody's, or one process's at a time."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from terms.ids import CallId

if TYPE_CHECKING:
    from asyncpg import Connection, Record
    from asyncpg.pool import PoolConnectionProxy

    Line = Connection[Record] | PoolConnectionProxy[Record]


class Hold(Protocol):
    """Asked before anything is said to the carrier, or concluded from its silence."""

    @property
    def may_obey(self) -> bool:
        """Whether this process may give the carrier orders now."""
        ...

    @property
    def hears(self) -> bool:
        """Whether this process would have been told by now what the carrier has to tell."""
        ...

    def awaits(self, call: CallId) -> bool:
        """Whether something was told of this call that is not believed yet."""
        ...

    @property
    def is_behind(self) -> bool:
        """Whether more is told than this process can deal with: nothing new should begin."""
        ...

    def rings(self, wake: Callable[[], None]) -> None:
        """Have `wake` called when orders of others wait for us, and when our turn comes."""
        ...

    async def pass_on(self, connection: "Line") -> None:
        """Tell whoever may obey that orders wait for them."""
        ...


class SharedHold:
    """A carrier that takes orders from every process, and pushes its news to any of them."""

    may_obey = True
    hears = True

    @property
    def is_behind(self) -> bool:
        """News does not wait here."""
        return False

    def awaits(self, call: CallId) -> bool:
        """News is believed as it comes."""
        return False

    def rings(self, wake: Callable[[], None]) -> None:
        """Nobody's orders wait for us in particular."""

    async def pass_on(self, connection: "Line") -> None:
        """Nobody need be told: whoever wrote an order obeys it."""


SHARED = SharedHold()
