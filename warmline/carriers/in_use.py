"""What a process wants of the carrier it stands on, whichever kind that is."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from dialer.carriers import Carrier, Receive
from dialer.carriers.simulated.control import RemoteHands
from warmline.clock import Clock
from warmline.settings import Settings
from warmline.workers.hold import Hold

if TYPE_CHECKING:
    from asyncpg import Pool, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a carrier is put to use. `url` is where others reach this process."""

    settings: Settings
    pool: "Pool[Record]"
    clock: Clock
    url: str
    stack: AsyncExitStack
    """What is put here ends after the last request was answered."""


class CarrierInUse(Protocol):
    """A carrier together with all that belongs to its kind alone."""

    @property
    def carrier(self) -> Carrier:
        """What orders are given to."""
        ...

    @property
    def hold(self) -> Hold:
        """Whether this process may give it orders now, and hears all it tells."""
        ...

    @property
    def routes(self) -> Sequence[web.RouteDef]:
        """By which its news comes in, mounted at the service's root; each checks who calls."""
        ...

    @property
    def hands(self) -> RemoteHands | None:
        """What works its phones by hand; None where the phones are real."""
        ...

    async def check(self) -> str | None:
        """What keeps it from being ready, in words for the operator, or None."""
        ...

    async def open(self, receive: Receive) -> None:
        """Begin to hear it. It need not be there yet: it is tried again, and `check` tells."""
        ...

    async def close(self) -> None:
        """Hear it no more. Live calls stay up."""
        ...
