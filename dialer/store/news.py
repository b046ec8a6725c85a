"""News as it came in: kept under its unique key before anything is made of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from dialer.carriers import News
from dialer.store.codec import read_news, write_news
from terms.ids import CallId, LegId, OrderId, TenantId

if TYPE_CHECKING:
    from dialer.store.connection import Connection

KEEPING = """
    whose AS (
        SELECT tenant, id, order_id FROM calls WHERE id = $2
        UNION ALL
        SELECT calls.tenant, calls.id, order_id FROM dial_in_legs
        JOIN calls ON calls.tenant = dial_in_legs.tenant AND calls.id = dial_in_legs.call
        WHERE leg = $3
        LIMIT 1
    ), kept AS (
        INSERT INTO news (tenant, id, call, body, received_at, folded_at)
        SELECT coalesce((SELECT tenant FROM whose), $4), $1, (SELECT id FROM whose), $5,
            $6::timestamptz, $6::timestamptz
        ON CONFLICT (tenant, id) DO NOTHING
        RETURNING tenant, call
    )"""
"""The parts of a WITH that keep news, for the arguments of `keeping`: `whose` it is, and `kept`,
which has a row only when the news is new."""

TELLING = """
    told AS (
        SELECT new.* FROM unnest($1::text[], $2::text[], $3::jsonb[]) WITH ORDINALITY
            AS new (news, of_call, news_body, place)
    ), whose AS (
        SELECT DISTINCT ON (order_id) told.*, tenant AS of_tenant, order_id AS of_order
        FROM told JOIN calls ON calls.id = of_call
        ORDER BY order_id, place
    )"""
"""The parts of a WITH that tell `whose` several pieces of news are, for the arguments of `telling`:
those that are about a leg that is named after a call, and of each order the first."""

KEEPING_HEARD = """
    kept AS (
        INSERT INTO news (tenant, id, call, body, received_at, folded_at)
        SELECT of_tenant, news, of_call, news_body, $4, $4 FROM heard
        ON CONFLICT (tenant, id) DO NOTHING
        RETURNING id AS kept_id
    )"""
"""The part of a WITH that keeps the news that is `heard`, a part with the columns of `whose`: it
has a row for what is new."""

_KEEP = f"""
    WITH {KEEPING}
    SELECT (SELECT tenant FROM whose) AS tenant, (SELECT id FROM whose) AS call,
        (SELECT order_id FROM whose) AS order_id, EXISTS (SELECT FROM kept) AS is_new"""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of one report. `whose` is None for a leg of no call of ours."""

    is_new: bool
    whose: tuple[TenantId, OrderId, CallId] | None


@dataclass(frozen=True, slots=True)
class Unfolded:
    """News that is kept but could not be made anything of yet."""

    tenant: TenantId
    id: str
    call: CallId
    order: OrderId
    body: str
    tries: int

    @property
    def news(self) -> News:
        """What was told. Raises whatever `read_news` does for a body that it cannot read."""
        return read_news(self.body)


async def keep_news(
    connection: "Connection", id: str, news: News, *, stray_tenant: TenantId, now: datetime
) -> Kept:
    """Store the news and tell whose it is; the same id again is not new.

    It is stored as folded, to be folded in the same transaction; `mark_fault` takes that back.
    News about no call of ours is kept under `stray_tenant`, for whoever wonders later.
    """
    row = await connection.fetchrow(_KEEP, *keeping(id, news, stray_tenant, now))
    assert row is not None
    whose = None
    if row["call"] is not None:
        whose = TenantId(row["tenant"]), OrderId(row["order_id"]), CallId(row["call"])
    return Kept(row["is_new"], whose)


def keeping(
    id: str, news: News, stray_tenant: TenantId, now: datetime
) -> tuple[str | datetime, ...]:
    """The arguments of `KEEPING`."""
    return id, call_of(news.leg), news.leg, stray_tenant, write_news(news), now


def telling(
    told: Sequence[tuple[str, News]], now: datetime
) -> tuple[list[str], list[CallId], list[str], datetime]:
    """The arguments of `TELLING` and `KEEPING_HEARD`; each piece of news under its id."""
    return (
        [id_ for id_, _ in told],
        [call_of(news.leg) for _, news in told],
        [write_news(news) for _, news in told],
        now,
    )


async def keep_call_in(
    connection: "Connection", tenant: TenantId, id: str, leg: LegId, now: datetime
) -> bool:
    """Remember that a leg dialled in; False when that was told before."""
    is_new = await connection.fetchval(
        """INSERT INTO news (tenant, id, body, received_at, folded_at)
           VALUES ($1, $2, $3, $4, $4) ON CONFLICT (tenant, id) DO NOTHING RETURNING true""",
        *(tenant, id, json.dumps({"kind": "call_in", "leg": leg}), now),
    )
    return bool(is_new)


async def mark_folded(connection: "Connection", tenant: TenantId, id: str, now: datetime) -> None:
    """The news has become part of its call."""
    await connection.execute(
        "UPDATE news SET folded_at = $3, fault = NULL WHERE tenant = $1 AND id = $2",
        *(tenant, id, now),
    )


async def mark_fault(connection: "Connection", tenant: TenantId, id: str, fault: str) -> None:
    """Folding failed; the news stays, to be tried again."""
    await connection.execute(
        """UPDATE news SET folded_at = NULL, fault = $3, tries = tries + 1
           WHERE tenant = $1 AND id = $2""",
        *(tenant, id, fault),
    )


async def unfolded_news(
    connection: "Connection", *, received_before: datetime, limit: int = 100
) -> list[Unfolded]:
    """News that waits: what failed least often first, of that what came first."""
    rows = await connection.fetch(
        """SELECT news.tenant, news.id, news.call, calls.order_id, news.body, news.tries
           FROM news JOIN calls ON calls.tenant = news.tenant AND calls.id = news.call
           WHERE folded_at IS NULL AND received_at <= $1
           ORDER BY tries, received_at LIMIT $2""",
        *(received_before, limit),
    )
    return [
        Unfolded(
            TenantId(row["tenant"]),
            row["id"],
            CallId(row["call"]),
            OrderId(row["order_id"]),
            row["body"],
            row["tries"],
        )
        for row in rows
    ]


def call_of(leg: LegId) -> CallId:
    """The call a leg of ours is named after."""
    return CallId(leg.split("/", 1)[0])
