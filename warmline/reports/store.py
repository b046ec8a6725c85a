"""What two rooms know of the same calls, asked in one statement. Each names its own part of it."""

from typing import TYPE_CHECKING

from billing.store.settlement_sums import PATIENCE_SECONDS, Span, naming_programs
from dialer.store.figures import counting, reading_calls
from terms.ids import TenantId

if TYPE_CHECKING:
    from asyncpg import Record

    from warmline.database import Connection


async def calls_per_day(connection: "Connection", tenant: TenantId, span: Span) -> "list[Record]":
    """A row per day (in the span's zone) and program, with CALL_FIGURES."""
    return await connection.fetch(
        _PER_DAY,
        *(tenant, span.since, span.until, list(span.programs), span.zone),
        timeout=PATIENCE_SECONDS,
    )


_PER_DAY = f"""
    WITH {reading_calls("$1", "$2", "$3")}, {naming_programs("$1")}
    SELECT to_char(started_at AT TIME ZONE $5, 'YYYY-MM-DD') AS day, program, {counting()}
    FROM told JOIN named USING (order_id) WHERE program = ANY($4)
    GROUP BY 1, 2 ORDER BY 1, 2"""
