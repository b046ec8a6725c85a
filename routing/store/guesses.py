"""Points lost by voucher codes that were none: marks in rows, so a restart forgives nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from routing.guessing import POINTS, Miss, TriedBy, locked_until
from routing.store.rates import add_marks, hold_subject, marked_times
from terms.ids import TenantId

if TYPE_CHECKING:
    from routing.store.connection import Connection

Tries = Mapping[TriedBy, bytes]
"""Who tries, in every way that counts. An address is given as a keyed hash."""


async def code_locked_until(
    connection: "Connection", tenant: TenantId, tried_by: Tries, now: datetime
) -> datetime | None:
    """When these may try another code; None means now.

    Holds whoever tries until the transaction ends, so that two tries at once cannot both be the
    last one. An address is not held: strangers behind it would wait for each other.
    """
    for by in TriedBy:
        if by in tried_by and by is not TriedBy.ADDRESS:
            await hold_subject(connection, tenant, by, tried_by[by])
    lost = {
        by: await marked_times(connection, tenant, by, subject, now)
        for by, subject in tried_by.items()
    }
    return locked_until(lost, now)


async def count_miss(
    connection: "Connection", tenant: TenantId, tried_by: Tries, miss: Miss, now: datetime
) -> None:
    """Take the points. Commit before telling the person: what is rolled back is a free guess."""
    for by, subject in tried_by.items():
        await add_marks(connection, tenant, by, subject, now, POINTS[miss])
