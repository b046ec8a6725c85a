"""What two rooms know of the same calls, asked in one statement. Each names its own part of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from billing.store.settlement_sums import PATIENCE_SECONDS, Span, naming_programs
from dialer.store.figures import counting, reading_calls
from terms.ids import TenantId

if TYPE_CHECKING:
    from asyncpg import Record

    from warmline.database import Connection


async def calls_per_day(
    connection: "Connection", tenant: TenantId, spans: Sequence[Span]
) -> "list[Record]":
    """A row per day (in the program's zone), sponsor and program, with CALL_FIGURES."""
    return await connection.fetch(
        _PER_DAY,
        tenant,
        [span.program for span in spans],
        [span.sponsor for span in spans],
        [span.zone for span in spans],
        [span.since for span in spans],
        [span.until for span in spans],
        min(span.since for span in spans),
        max(span.until for span in spans),
        timeout=PATIENCE_SECONDS,
    )


_PER_DAY = f"""
    WITH {reading_calls("$1", "$7", "$8")}, {naming_programs("$1")}, spans AS (
        SELECT * FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[],
            $6::timestamptz[]) AS span (program, sponsor, zone, since, until)
    )
    SELECT to_char(started_at AT TIME ZONE zone, 'YYYY-MM-DD') AS day, sponsor, program,
        {counting()}
    FROM told JOIN named USING (order_id) JOIN spans USING (program)
    WHERE started_at >= since AND started_at < until
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
