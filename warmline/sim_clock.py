"""How far the simulated world's clock has been moved: kept, so that every process agrees."""

from datetime import timedelta
from typing import TYPE_CHECKING

from terms.ids import TenantId

if TYPE_CHECKING:
    from warmline.database import Connection


async def move_ahead(connection: "Connection", tenant: TenantId, step: timedelta) -> timedelta:
    """Move the clock by `step`, from wherever any process has moved it; where it is then."""
    offset: timedelta = await connection.fetchval(
        """INSERT INTO sim_clock (tenant, ahead) VALUES ($1, $2)
           ON CONFLICT (tenant) DO UPDATE SET ahead = sim_clock.ahead + excluded.ahead
           RETURNING ahead""",
        *(tenant, step),
    )
    return offset


async def keep_offset(connection: "Connection", tenant: TenantId, offset: timedelta) -> None:
    """The clock only ever moves ahead."""
    await connection.execute(
        """INSERT INTO sim_clock (tenant, ahead) VALUES ($1, $2)
           ON CONFLICT (tenant) DO UPDATE SET ahead = greatest(sim_clock.ahead, excluded.ahead)""",
        *(tenant, offset),
    )


async def kept_offset(connection: "Connection", tenant: TenantId) -> timedelta:
    """Nothing, unless somebody has moved it."""
    offset: timedelta | None = await connection.fetchval(
        "SELECT ahead FROM sim_clock WHERE tenant = $1", tenant
    )
    return offset or timedelta()
