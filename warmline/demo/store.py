"""The SQL that only the demo needs."""

from typing import TYPE_CHECKING

from terms.ids import StaffId, TenantId

if TYPE_CHECKING:
    from warmline.database import Connection


async def change_password(
    connection: "Connection", tenant: TenantId, staff: StaffId, password_hash: str
) -> None:
    """The installation's secret was changed, and with it the demo's passwords."""
    await connection.execute(
        "UPDATE staff SET password_hash = $3 WHERE tenant = $1 AND id = $2",
        *(tenant, staff, password_hash),
    )
