"""Who is served by this installation: every organisation that has ever let anybody in."""

from typing import TYPE_CHECKING

from terms.ids import TenantId

if TYPE_CHECKING:
    from warmline.database import Connection


async def known_tenants(connection: "Connection", own: TenantId) -> list[TenantId]:
    """`own`, the settings' tenant, first; then all that have a key, an account or a counselor.

    A caller comes in by one of these keys, or by the settings' tenant.
    """
    rows = await connection.fetch(
        """SELECT tenant FROM api_keys UNION SELECT tenant FROM staff
           UNION SELECT tenant FROM counselors ORDER BY tenant"""
    )
    others = [TenantId(row["tenant"]) for row in rows if row["tenant"] != own]
    return [own, *others]
