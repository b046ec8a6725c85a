"""News is kept, and everything that it is about is locked and read: one statement.

It is the most frequent thing that happens here, and a round trip to the database costs more than
what the database does in it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from billing.store.orders import Locked, locking, read_locked
from dialer.carriers import News
from dialer.store.calls import Stored, read_call_row, reading
from dialer.store.news import KEEPING, keeping
from terms.ids import TenantId

if TYPE_CHECKING:
    from warmline.desk.store import Connection

# Each part waits for what the one before it gives: first the news, so that the same news told twice
# at once meets there, then the order, and only then the call.
_HEAR = f"""
    WITH {KEEPING},
    {locking("(SELECT tenant FROM kept)", "(SELECT order_id FROM whose)")},
    {
    reading(
        "(SELECT tenant FROM kept WHERE EXISTS (SELECT FROM wanted))", "(SELECT call FROM kept)"
    )
}
    SELECT (SELECT tenant FROM kept) AS tenant, wanted.*, held.*, counted.*, called.*
    FROM wanted LEFT JOIN held ON true LEFT JOIN counted ON true JOIN called ON true"""


@dataclass(frozen=True, slots=True)
class Heard:
    """What new news is about, locked in the order that everybody keeps to."""

    tenant: TenantId
    locked: Locked
    call: Stored


async def hear(
    connection: "Connection", id_: str, news: News, *, stray_tenant: TenantId, now: datetime
) -> Heard | None:
    """Keep the news as `keep_news` does; None when it is not new, or about no call of ours."""
    row = await connection.fetchrow(_HEAR, *keeping(id_, news, stray_tenant, now))
    if row is None:
        return None
    return Heard(TenantId(row["tenant"]), read_locked(row), read_call_row(row))
