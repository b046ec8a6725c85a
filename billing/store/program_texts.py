"""The texts of programs as they were in force: an order keeps the one it was opened under."""

from datetime import datetime
from typing import TYPE_CHECKING

from terms.ids import ProgramId, TenantId

if TYPE_CHECKING:
    from billing.store.connection import Connection


async def keep_program_text(
    connection: "Connection",
    tenant: TenantId,
    *,
    program: ProgramId,
    version: str,
    digest: str,
    body: str,
    now: datetime,
) -> None:
    """Store the text once, when a program is loaded; the same text again changes nothing (X38)."""
    await connection.execute(
        """INSERT INTO program_versions (tenant, program, digest, version, body, stored_at)
           VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING""",
        tenant,
        program,
        digest,
        version,
        body,
        now,
    )


async def load_program_text(
    connection: "Connection", tenant: TenantId, program: ProgramId, digest: str
) -> str | None:
    """The text an order was opened under."""
    body: str | None = await connection.fetchval(
        "SELECT body FROM program_versions WHERE tenant = $1 AND program = $2 AND digest = $3",
        tenant,
        program,
        digest,
    )
    return body
