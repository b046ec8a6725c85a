"""What talks came to lately."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from terms.ids import CounselorId, ProgramId, TenantId

if TYPE_CHECKING:
    from billing.store.connection import Connection

TALKS_LOOKED_AT = 50
_LINES_LOOKED_AT = 2_000


async def mean_talk_seconds(
    connection: "Connection", tenant: TenantId, program: ProgramId
) -> float | None:
    """The mean of the program's last 50 talks, if there was any of late."""
    mean = await connection.fetchval(
        """SELECT avg(talked_seconds) FROM (
               SELECT talked_seconds FROM (
                   SELECT program, from_grade, talked_seconds, at FROM call_grades
                   WHERE tenant = $1 ORDER BY at DESC LIMIT $3) AS recent
               WHERE program = $2 AND from_grade = 'none' ORDER BY at DESC LIMIT $4) AS talks""",
        *(tenant, program, _LINES_LOOKED_AT, TALKS_LOOKED_AT),
    )
    return None if mean is None else float(mean)


@dataclass(frozen=True, slots=True)
class Load:
    """What a counselor has talked in a stretch of time."""

    calls: int
    talked_seconds: int


async def loads(
    connection: "Connection",
    tenant: TenantId,
    counselors: Collection[CounselorId],
    since: datetime,
) -> dict[CounselorId, Load]:
    """The load since then of each of them who talked at all."""
    rows = await connection.fetch(
        """SELECT counselor, count(*) FILTER (WHERE from_grade = 'none') AS calls,
               coalesce(sum(talked_seconds), 0) AS talked_seconds
           FROM call_grades
           WHERE tenant = $1 AND at >= $3 AND counselor = ANY ($2::text[])
           GROUP BY counselor""",
        *(tenant, list(counselors), since),
    )
    return {
        CounselorId(row["counselor"]): Load(int(row["calls"]), int(row["talked_seconds"]))
        for row in rows
    }
