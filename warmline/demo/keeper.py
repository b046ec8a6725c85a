"""While the demo runs: nobody's shift ends, and there is always a voucher left to redeem."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import asyncpg
import structlog

from routing.counselor import Counselor, Presence, set_presence
from routing.store.counselors import lock_counselor, save_counselor
from terms.ids import CounselorId
from warmline.demo import cast
from warmline.demo.stage import Staged, lease_seconds, top_up

if TYPE_CHECKING:
    from warmline.serve import House

_LOOK_EVERY = timedelta(seconds=10)
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Keeper:
    """Looks every few seconds of the demo's own time, so also whenever its clock is moved."""

    house: "House"
    staged: Staged
    _meant: dict[CounselorId, tuple[Presence, datetime]] = field(default_factory=dict)

    def start(self) -> asyncio.Task[None]:
        """Keep until the house stops."""
        return asyncio.create_task(self._keep())

    async def _keep(self) -> None:
        stopping = self.house.stopping
        while not stopping.is_set():
            try:
                await self.look()
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as away:
                _log.warning("demo_not_kept", fault=type(away).__name__)
            await self.house.clock.wait_until(self.house.clock.now() + _LOOK_EVERY, stopping)

    async def look(self) -> None:
        """Renew what is running out."""
        for role in cast.COUNSELORS:
            await self._renew(role)
        self.staged.vouchers.update(await top_up(self.house))

    async def _renew(self, role: cast.Role) -> None:
        now, lease = self.house.clock.now(), lease_seconds(self.house, role.program)
        tenant = self.house.settings.tenant
        async with self.house.pool.acquire() as connection, connection.transaction():
            found = await lock_counselor(connection, tenant, role.id)
            if found is None:
                return
            presence = self._meant_by(found[0], now)
            known, until = self._meant.get(role.id, (None, now))
            if known is presence and until - now > timedelta(seconds=lease / 2):
                return
            renewed = set_presence(found[0], presence, now, lease)
            await save_counselor(connection, tenant, renewed)
            self._meant[role.id] = (presence, now + timedelta(seconds=lease))
        self.house.desk.counselor_came_free(tenant)

    def _meant_by(self, counselor: Counselor, now: datetime) -> Presence:
        """Who goes offline as their lease ends has not said so; who does so before, has."""
        known = self._meant.get(counselor.id)
        if counselor.presence is Presence.OFFLINE and known is not None and now >= known[1]:
            return known[0]
        return counselor.presence
