"""Telling a counselor's open consoles that the counselor's own state has changed.

Presence, wrap-up and lease change without a line of the timeline: in another window, by signing
out, by missed calls, by the clock alone. Decision: whoever has a console open at this process is
looked at twice a second, all in one query, and told when they look different. The bus only hastens
the next look, so that a lost message costs half a second and never the news itself.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Hashable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import asyncpg
import structlog

from terms.ids import CounselorId, TenantId
from warmline.bus import Bus, News
from warmline.clock import Clock
from warmline.http.asked import borrowed
from warmline.http.problems import Unavailable
from warmline.live import OWN_STATE, Audience

if TYPE_CHECKING:
    from asyncpg import Pool, Record

SWEEP_SECONDS = 0.5
_REST_SECONDS = 0.05
"""Between two looks, however many messages come."""

_AWAY = (Unavailable, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)

_log = structlog.get_logger(__name__)

Whose = tuple[TenantId, CounselorId]


@dataclass(slots=True)
class _Watched:
    """How a counselor looked last, and who wants to hear of it."""

    state: Hashable
    consoles: set[asyncio.Event] = field(default_factory=set)


class OwnStates:
    """The one who looks at the counselors of this process's consoles. `run` it as a task."""

    def __init__(
        self,
        pool: "Pool[Record]",
        bus: Bus,
        clock: Clock,
        audience: Audience,
    ) -> None:
        self._pool = pool
        self._bus = bus
        self._clock = clock
        self._audience = audience
        self._watched: dict[Whose, _Watched] = {}
        self._wanted = asyncio.Event()
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Look whenever a console is open, for ever; an absent database only makes it late."""
        async with self._bus.subscribe(OWN_STATE) as news:
            waker = asyncio.create_task(self._be_woken(news))
            try:
                while True:
                    await self._wanted.wait()
                    await self._look_unless_away()
                    await self._nap()
            finally:
                waker.cancel()

    @asynccontextmanager
    async def watch(self, whose: Whose) -> AsyncIterator[asyncio.Event]:
        """An event that is set whenever that counselor's state is another one than before.

        What changes after this has begun is told. Raises Unavailable.
        """
        seen = await self._states([whose])
        watched = self._watched.setdefault(whose, _Watched(seen.get(whose)))
        changed = asyncio.Event()
        watched.consoles.add(changed)
        self._wanted.set()
        try:
            yield changed
        finally:
            watched.consoles.discard(changed)
            if not watched.consoles:
                self._watched.pop(whose, None)
            if not self._watched:
                self._wanted.clear()

    async def _be_woken(self, news: AsyncIterator[News]) -> None:
        async for _ in news:
            self._wake.set()

    async def _nap(self) -> None:
        await asyncio.sleep(_REST_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(SWEEP_SECONDS):
                await self._wake.wait()

    async def _look_unless_away(self) -> None:
        self._wake.clear()
        try:
            seen = await self._states(tuple(self._watched))
        except _AWAY as away:
            _log.warning("own_states_away", error=type(away).__name__)
            return
        for whose, state in seen.items():
            watched = self._watched.get(whose)
            if watched is not None and watched.state != state:
                watched.state = state
                for changed in watched.consoles:
                    changed.set()

    async def _states(self, whose: Collection[Whose]) -> Mapping[Whose, Hashable]:
        async with borrowed(self._pool) as connection:
            return await self._audience.own_states(connection, whose, self._clock.now())
