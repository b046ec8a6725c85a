"""What two rooms know of the same calls, asked in one statement. Each names its own part of it."""

from datetime import datetime
from typing import TYPE_CHECKING

from billing.store.settlement_sums import PATIENCE_SECONDS, Span, naming_programs
from dialer.service_level import ServiceLevel
from dialer.store.board import board_figures, reading_rings
from dialer.store.figures import counting, reading_calls
from terms.ids import CounselorId, ProgramId, TenantId

if TYPE_CHECKING:
    from asyncpg import Record

    from warmline.database import Connection


async def calls_per_day(
    connection: "Connection", tenant: TenantId, span: Span, level: ServiceLevel
) -> "list[Record]":
    """A row per day (in the span's zone) and program, with CALL_FIGURES."""
    return await connection.fetch(
        _PER_DAY,
        *(tenant, span.since, span.until, list(span.programs), span.zone),
        *(level.within_seconds, level.short_abandon_seconds),
        timeout=PATIENCE_SECONDS,
    )


async def board_by_program(
    connection: "Connection",
    tenant: TenantId,
    since: datetime,
    until: datetime,
    level: ServiceLevel,
) -> "list[Record]":
    """BOARD_FIGURES of the calls begun in that time: a row per program, and one of all (None)."""
    return await connection.fetch(
        _BOARD, *(tenant, since, until, level.within_seconds, level.short_abandon_seconds)
    )


async def board_by_half_hour(
    connection: "Connection",
    tenant: TenantId,
    since: datetime,
    until: datetime,
    level: ServiceLevel,
    *,
    zone: str,
    program: ProgramId | None,
) -> "list[Record]":
    """BOARD_FIGURES by `weekday` (1 is Monday) and `half_hour` (0 is from 00:00) in `zone`."""
    return await connection.fetch(
        _HEAT,
        *(tenant, since, until, level.within_seconds, level.short_abandon_seconds, zone, program),
        timeout=PATIENCE_SECONDS,
    )


async def rings_untold(
    connection: "Connection", tenant: TenantId, kind: str, until: datetime
) -> dict[CounselorId, datetime]:
    """Whose phone rings since before then, and since when, with no line of that kind about it."""
    rows = await connection.fetch(_RINGS_UNTOLD, *(tenant, until, kind))
    return {CounselorId(row["counselor"]): row["rung_at"] for row in rows}


_RINGS_UNTOLD = f"""
    WITH {reading_rings("$1", "$2")}
    SELECT counselor, rung_at FROM rung WHERE NOT EXISTS (
        SELECT FROM timeline
        WHERE timeline.tenant = $1 AND timeline.order_id = rung.order_id
          AND timeline.kind = $3 AND timeline.data->>'leg' = rung.leg)"""
_BOARD = f"""
    WITH {reading_calls("$1", "$2", "$3")}, {naming_programs("$1")}
    SELECT program, {board_figures("$4", "$5")}
    FROM told JOIN named USING (order_id)
    GROUP BY GROUPING SETS ((program), ()) ORDER BY program NULLS FIRST"""
_HEAT = f"""
    WITH {reading_calls("$1", "$2", "$3")}, {naming_programs("$1")}, placed AS (
        SELECT *, started_at AT TIME ZONE $6 AS here FROM told JOIN named USING (order_id)
        WHERE $7::text IS NULL OR program = $7
    )
    SELECT extract(isodow FROM here)::integer AS weekday,
        (extract(hour FROM here) * 2 + floor(extract(minute FROM here) / 30))::integer
            AS half_hour,
        {board_figures("$4", "$5")}
    FROM placed GROUP BY 1, 2 ORDER BY 1, 2"""
_PER_DAY = f"""
    WITH {reading_calls("$1", "$2", "$3")}, {naming_programs("$1")}
    SELECT to_char(started_at AT TIME ZONE $5, 'YYYY-MM-DD') AS day, program,
        {counting("$6", "$7")}
    FROM told JOIN named USING (order_id) WHERE program = ANY($4)
    GROUP BY 1, 2 ORDER BY 1, 2"""
