"""What callers thought of their talks: one rating per order."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from billing.rating import Rating, Scores
from terms.ids import CounselorId, OrderId, TenantId

if TYPE_CHECKING:
    from billing.store.connection import Connection, Record


async def load_rating(
    connection: "Connection", tenant: TenantId, order: OrderId
) -> tuple[Rating, bytes | None] | None:
    """The order's rating and, under seal, what was written beside it."""
    row = await connection.fetchrow(
        "SELECT * FROM ratings WHERE tenant = $1 AND order_id = $2", tenant, order
    )
    if row is None:
        return None
    return _rating(row), row["words_sealed"]


async def ratings_of(
    connection: "Connection", tenant: TenantId, orders: Collection[OrderId]
) -> dict[OrderId, Rating]:
    """The ratings of those of the orders that have one."""
    rows = await connection.fetch(
        "SELECT * FROM ratings WHERE tenant = $1 AND order_id = ANY ($2)", tenant, list(orders)
    )
    return {rating.order: rating for rating in map(_rating, rows)}


async def save_rating(
    connection: "Connection", tenant: TenantId, rating: Rating, words_sealed: bytes | None
) -> None:
    """The rating, in the place of an earlier one; its words stay where none are written now."""
    scores = rating.scores
    await connection.execute(
        """INSERT INTO ratings (tenant, order_id, counselor, timeliness, quality, attitude,
               words_sealed, first_rated_at, rated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
           ON CONFLICT (tenant, order_id) DO UPDATE SET timeliness = excluded.timeliness,
               quality = excluded.quality, attitude = excluded.attitude,
               words_sealed = coalesce(excluded.words_sealed, ratings.words_sealed),
               rated_at = excluded.rated_at""",
        *(tenant, rating.order, rating.counselor, scores.timeliness, scores.quality),
        *(scores.attitude, words_sealed, rating.first_rated_at, rating.rated_at),
    )


def _rating(row: "Record") -> Rating:
    return Rating(
        order=OrderId(row["order_id"]),
        counselor=None if row["counselor"] is None else CounselorId(row["counselor"]),
        scores=Scores(
            timeliness=row["timeliness"], quality=row["quality"], attitude=row["attitude"]
        ),
        first_rated_at=row["first_rated_at"],
        rated_at=row["rated_at"],
    )
