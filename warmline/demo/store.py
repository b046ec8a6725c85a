"""The SQL that only the demo needs."""

from typing import TYPE_CHECKING

from terms.ids import StaffId, TenantId
from warmline.people.passwords import Passwords

if TYPE_CHECKING:
    from warmline.database import Connection


async def change_password(
    connection: "Connection", tenant: TenantId, staff: StaffId, password: str
) -> None:
    """The installation's secret was changed, and with it the demo's passwords."""
    passwords = Passwords()
    try:
        password_hash = await passwords.hash(password)
    finally:
        passwords.close()
    await connection.execute(
        "UPDATE staff SET password_hash = $3 WHERE tenant = $1 AND id = $2",
        *(tenant, staff, password_hash),
    )
