"""Who holds a device token."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from routing.store.devices import find_device_login
from terms.phone import Seal
from warmline.http.asked import borrowed
from warmline.http.who import Caller
from warmline.people.tokens import token_hash

if TYPE_CHECKING:
    from asyncpg import Pool, Record


@dataclass(frozen=True, slots=True)
class DeviceTokens:
    """`wd_` tokens."""

    pool: "Pool[Record]"
    seal: Seal

    async def holder(self, token: str, now: datetime) -> Caller | None:
        """The caller whose verified device this is; None once another device took its place."""
        async with borrowed(self.pool) as connection:
            login = await find_device_login(connection, self.seal, token_hash(token), now)
        if login is None:
            return None
        return Caller(tenant=login.tenant, id=login.caller.id, device=login.device.id)
