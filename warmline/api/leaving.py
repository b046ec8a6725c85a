"""A counselor whose last sign-in is over takes no more calls."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from routing.counselor import Presence, set_presence
from routing.store.counselors import lock_counselor, save_counselor
from warmline.people.store import TokenEnd

if TYPE_CHECKING:
    from asyncpg import Connection, Record


class CounselorsLeave:
    """Signing out, or letting a sign-in run out, ends the presence; a call goes on."""

    async def __call__(
        self, connection: "Connection[Record]", ended: Sequence[TokenEnd], now: datetime
    ) -> None:
        """Set whoever left to offline."""
        for end in ended:
            if end.counselor is None or not end.last:
                continue
            found = await lock_counselor(connection, end.tenant, end.counselor)
            if found is not None:
                gone = set_presence(found[0], Presence.OFFLINE, now, 0)
                await save_counselor(connection, end.tenant, gone)
