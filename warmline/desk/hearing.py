"""News is kept, and everything that it is about is locked and read: by one statement.

It is the most frequent thing that happens here, and a round trip to the database costs more than
what the database does in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from billing.store.orders import Locked, locking, locking_free, read_locked
from dialer.carriers import News
from dialer.store.calls import Stored, read_call_row, reading, reading_free
from dialer.store.news import KEEPING, KEEPING_HEARD, TELLING, keeping, telling
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


# What somebody else holds is passed over before anything of it is kept. A transaction spans one
# tenant: that of the first.
_TENANT = "(SELECT of_tenant FROM whose ORDER BY place LIMIT 1)"
_HEAR_TOGETHER = f"""
    WITH {TELLING},
    {locking_free(_TENANT, "ARRAY(SELECT of_order FROM whose)")},
    {
    reading_free(
        _TENANT, "ARRAY(SELECT of_call FROM whose WHERE of_order IN (SELECT id FROM locked))"
    )
},
    heard AS (SELECT * FROM whose JOIN locked ON id = of_order JOIN called ON c_id = of_call),
    {KEEPING_HEARD}
    SELECT heard.*, kept_id IS NOT NULL AS is_new FROM heard LEFT JOIN kept ON kept_id = news"""


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


async def hear_together(
    connection: "Connection", told: Sequence[tuple[str, News]], now: datetime
) -> dict[str, Heard | None]:
    """Keep, by its id, what can be dealt with at once: None when it is not new.

    What is missing is not kept and has to be heard alone: somebody else holds what it is about, or
    it is about no call of ours, or another tenant's, or about an order of which there is more here.
    """
    rows = await connection.fetch(_HEAR_TOGETHER, *telling(told, now))
    return {
        row["news"]: Heard(TenantId(row["of_tenant"]), read_locked(row), read_call_row(row))
        if row["is_new"]
        else None
        for row in rows
    }
