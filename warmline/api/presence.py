"""A counselor's presence: what they mean to do, and signs of life that keep it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from routing.counselor import Counselor, renewed
from routing.policy import SHIFT_SECONDS
from routing.store.counselors import load_counselor, lock_counselor, save_counselor
from terms.ids import CounselorId, ProgramId, TenantId
from warmline.programs import Program

if TYPE_CHECKING:
    from asyncpg import Connection, Record

_RENEW_EVERY_SECONDS = 60


def lease_seconds(counselor: Counselor, programs: Mapping[ProgramId, Program]) -> int:
    """How long the counselor counts as present without a sign of life: their shortest program's."""
    return min(
        (
            program.routing.presence_lease_seconds
            for id_, program in programs.items()
            if id_ in counselor.programs
        ),
        default=SHIFT_SECONDS,
    )


async def keep_present(
    connection: "Connection[Record]",
    tenant: TenantId,
    counselor: CounselorId,
    programs: Mapping[ProgramId, Program],
    now: datetime,
) -> None:
    """Take a request, or an open WebSocket, as a sign of life. The intention stays as it is.

    Writes at most once a minute, or three times per lease where that is shorter.
    """
    found = await load_counselor(connection, tenant, counselor)
    if found is None or not _is_due(found[0], lease_seconds(found[0], programs), now):
        return
    async with connection.transaction():
        locked = await lock_counselor(connection, tenant, counselor)
        if locked is None:
            return
        kept = renewed(locked[0], now, lease_seconds(locked[0], programs))
        await save_counselor(connection, tenant, kept)


def _is_due(counselor: Counselor, lease: int, now: datetime) -> bool:
    if counselor.lease_until is None or now >= counselor.lease_until:
        return False
    gained = now + timedelta(seconds=lease) - counselor.lease_until
    return gained >= timedelta(seconds=min(_RENEW_EVERY_SECONDS, lease / 3))
