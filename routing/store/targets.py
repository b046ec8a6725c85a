"""Agencies that take over a person in danger."""

from typing import TYPE_CHECKING

from routing.transfer import AgencyKind, Region, TransferTarget
from terms.ids import TargetId, TenantId
from terms.phone import PhoneNumber, Seal

if TYPE_CHECKING:
    from routing.store.connection import Connection, Record


async def put_target(
    connection: "Connection",
    seal: Seal,
    tenant: TenantId,
    target: TransferTarget,
    number: PhoneNumber,
) -> None:
    """Store an agency's line, or replace what was known of it."""
    await connection.execute(
        """INSERT INTO transfer_targets (tenant, id, name, kind, region, phone_sealed, preference)
           VALUES ($1, $2, $3, $4, $5, $6, $7)
           ON CONFLICT (tenant, id) DO UPDATE
             SET name = excluded.name, kind = excluded.kind, region = excluded.region,
                 phone_sealed = excluded.phone_sealed, preference = excluded.preference""",
        *(tenant, target.id, target.name, target.kind, target.region, seal.seal(number)),
        target.preference,
    )


async def load_targets(connection: "Connection", tenant: TenantId) -> list[TransferTarget]:
    """Every agency; `routing.transfer.targets_for` picks and orders."""
    rows = await connection.fetch(
        "SELECT * FROM transfer_targets WHERE tenant = $1 ORDER BY id", tenant
    )
    return [_target(row) for row in rows]


async def load_target(
    connection: "Connection", tenant: TenantId, target: TargetId
) -> TransferTarget | None:
    """One agency."""
    row = await connection.fetchrow(
        "SELECT * FROM transfer_targets WHERE tenant = $1 AND id = $2", tenant, target
    )
    return _target(row) if row is not None else None


def _target(row: "Record") -> TransferTarget:
    return TransferTarget(
        id=TargetId(row["id"]),
        name=row["name"],
        kind=AgencyKind(row["kind"]),
        region=Region(row["region"]) if row["region"] is not None else None,
        number_sealed=row["phone_sealed"],
        preference=row["preference"],
    )
