"""What talks came to lately."""

from typing import TYPE_CHECKING

from terms.ids import ProgramId, TenantId

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
                   SELECT program, from_grade, talked_seconds, seq FROM call_grades
                   WHERE tenant = $1 ORDER BY seq DESC LIMIT $3) AS recent
               WHERE program = $2 AND from_grade = 'none' ORDER BY seq DESC LIMIT $4) AS talks""",
        *(tenant, program, _LINES_LOOKED_AT, TALKS_LOOKED_AT),
    )
    return None if mean is None else float(mean)
