"""Telling open consoles to look again who it is that they belong to.

Every console does so by the clock; somebody who is let in no longer, or for less than before,
should not listen on until then. As everywhere the bus only hastens it.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from terms.ids import StaffId
from warmline.bus import Bus, Gap, Message

SIGN_INS = "sign_ins"
"""The bus topic that says: somebody's sign-ins ended, or they are here for something else."""


class OpenConsoles:
    """Who of this process's consoles are to look again. `run` it as a task."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._open: dict[StaffId, set[asyncio.Event]] = {}

    def changed(self, staff: StaffId) -> None:
        """Have every console of theirs look again, wherever it is open."""
        self._bus.publish(Message(topic=SIGN_INS, ids={"staff": staff}))

    async def run(self) -> None:
        """Pass on what is told, for ever."""
        async with self._bus.subscribe(SIGN_INS) as news:
            async for one in news:
                whose = tuple(self._open) if isinstance(one, Gap) else (StaffId(one.ids["staff"]),)
                for staff in whose:
                    for look_again in self._open.get(staff, ()):
                        look_again.set()

    @contextmanager
    def watch(self, staff: StaffId | None) -> Iterator[asyncio.Event]:
        """An event that is set when a console of theirs is to look again; never, for nobody."""
        look_again = asyncio.Event()
        if staff is None:
            yield look_again
            return
        self._open.setdefault(staff, set()).add(look_again)
        try:
            yield look_again
        finally:
            self._open[staff].discard(look_again)
            if not self._open[staff]:
                del self._open[staff]


OPEN_CONSOLES = web.AppKey("open_consoles", OpenConsoles)
