"""How many customers were told of each change: what was written, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from terms.ids import ProgramId, TenantId

if TYPE_CHECKING:
    from warmline.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """People told of one change, by what became of their SMS."""

    known_at: datetime | None  # since when this installation has the change in its program
    told: int = 0  # sent
    waiting: int = 0
    failed: int = 0  # given up: they were not told
    withheld: int = 0  # no customers any more when it would have been sent
    delivered: int = 0  # of those sent, as the gateway says
    undelivered: int = 0
    first_sent_at: datetime | None = None


async def reached_by_change(
    connection: "Connection", tenant: TenantId, program: ProgramId
) -> dict[str, Reached]:
    """What is known of each change of the program, by what names it."""
    rows = await connection.fetch(
        """SELECT change, min(known_at) AS known_at,
               count(*) FILTER (WHERE outcome = 'sent') AS told,
               count(*) FILTER (WHERE sms.id IS NOT NULL AND outcome IS NULL
                                AND withheld_at IS NULL) AS waiting,
               count(*) FILTER (WHERE outcome = 'gave_up' AND withheld_at IS NULL) AS failed,
               count(*) FILTER (WHERE withheld_at IS NOT NULL) AS withheld,
               count(*) FILTER (WHERE delivery = 'delivered') AS delivered,
               count(*) FILTER (WHERE delivery = 'undelivered') AS undelivered,
               min(sent_at) AS first_sent_at
           FROM (SELECT change, known_at, notice, withheld_at FROM program_changes
                 FULL JOIN change_tellings USING (tenant, program, change)
                 WHERE tenant = $1 AND program = $2) AS known
           LEFT JOIN notices AS sms ON sms.tenant = $1 AND sms.id = known.notice
           GROUP BY change""",
        *(tenant, program),
    )
    return {
        row["change"]: Reached(**{key: value for key, value in row.items() if key != "change"})
        for row in rows
    }
