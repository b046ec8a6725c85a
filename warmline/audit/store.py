"""The SQL of what staff read and decided."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from terms.ids import StaffId, TenantId

if TYPE_CHECKING:
    from asyncpg import Record

    from warmline.database import Connection


async def add_audit_entry(
    connection: "Connection",
    tenant: TenantId,
    id_: str,
    *,
    at: datetime,
    staff: StaffId,
    action: str,
    subject: str,
    reason_sealed: bytes | None,
    before: Mapping[str, str | int | None] | None = None,
    after: Mapping[str, str | int | None] | None = None,
) -> None:
    """Append one; the table takes nothing back."""
    await connection.execute(
        """INSERT INTO staff_deeds (tenant, id, at, staff, action, subject, reason_sealed, before,
               after)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        *(tenant, id_, at, staff, action, subject, reason_sealed),
        *(None if facts is None else json.dumps(dict(facts)) for facts in (before, after)),
    )


async def read_audit_entries(
    connection: "Connection", tenant: TenantId, subject: str
) -> "list[Record]":
    """Entries about one thing, oldest first, with the name or e-mail of who it was."""
    return await connection.fetch(
        """SELECT deed.at, deed.staff, deed.action, deed.reason_sealed, deed.before, deed.after,
               coalesce(counselors.name, staff.email) AS name
           FROM staff_deeds AS deed
           LEFT JOIN staff ON staff.tenant = deed.tenant AND staff.id = deed.staff
           LEFT JOIN counselors
               ON counselors.tenant = staff.tenant AND counselors.id = staff.counselor
           WHERE deed.tenant = $1 AND deed.subject = $2 ORDER BY deed.id""",
        *(tenant, subject),
    )


async def has_audit_entry(
    connection: "Connection", tenant: TenantId, subject: str, action: str, at: datetime
) -> bool:
    """Whether somebody of the staff did just that, at that instant."""
    found: bool = await connection.fetchval(
        """SELECT EXISTS (SELECT FROM staff_deeds
                          WHERE tenant = $1 AND subject = $2 AND action = $3 AND at = $4)""",
        *(tenant, subject, action, at),
    )
    return found
