"""Calls that somebody must look at before their effect is final."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from billing.order import Review, ReviewReason
from billing.store.connection import carry_out
from terms.change import Change
from terms.ids import CallId, OrderId, TenantId

if TYPE_CHECKING:
    from billing.store.connection import Connection


@dataclass(frozen=True, slots=True)
class OpenReview:
    """A review and whether it still waits: `open`, `withdrawn` by a better verdict, `closed`."""

    review: Review
    state: str


async def open_review(connection: "Connection", tenant: TenantId, review: Review) -> None:
    """Put the call on the list. One that a person closed stays closed."""
    await carry_out(connection, opening_review(tenant, review))


async def withdraw_review(connection: "Connection", tenant: TenantId, call: CallId) -> None:
    """A better verdict left nothing to look at."""
    await carry_out(connection, withdrawing_review(tenant, call))


def opening_review(tenant: TenantId, review: Review) -> Change:
    """What `open_review` does, to be done with other changes."""
    opened = """
        review_opened AS (
            INSERT INTO reviews (tenant, call, order_id, reason, state, opened_at)
            VALUES ($1, $2, $3, $4, 'open', $5)
            ON CONFLICT (tenant, call) DO UPDATE SET reason = excluded.reason, state = 'open'
            WHERE reviews.state <> 'closed'
        )"""
    arguments = (tenant, review.call, review.order, review.reason, review.opened_at)
    return Change(opened, "true AS review_opened", arguments)


def withdrawing_review(tenant: TenantId, call: CallId) -> Change:
    """What `withdraw_review` does, to be done with other changes."""
    withdrawn = """
        review_withdrawn AS (
            UPDATE reviews SET state = 'withdrawn'
            WHERE tenant = $1 AND call = $2 AND state = 'open'
        )"""
    return Change(withdrawn, "true AS review_withdrawn", (tenant, call))


async def list_reviews(
    connection: "Connection",
    tenant: TenantId,
    *,
    state: str = "open",
    limit: int,
    cursor: str | None,
) -> tuple[list[OpenReview], str | None]:
    """Reviews in one state, oldest call first, and where the next page starts."""
    rows = await connection.fetch(
        """SELECT call, order_id, reason, state, opened_at FROM reviews
           WHERE tenant = $1 AND state = $2 AND ($3::text IS NULL OR call > $3)
           ORDER BY call LIMIT $4""",
        tenant,
        state,
        cursor,
        limit + 1,
    )
    reviews = [
        OpenReview(
            Review(
                order=OrderId(row["order_id"]),
                call=CallId(row["call"]),
                reason=ReviewReason(row["reason"]),
                opened_at=row["opened_at"],
            ),
            row["state"],
        )
        for row in rows[:limit]
    ]
    return reviews, reviews[-1].review.call if len(rows) > limit else None
