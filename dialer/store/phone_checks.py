"""Checks of phones: of everybody the newest."""

import json
from datetime import datetime
from typing import TYPE_CHECKING

from dialer.phone_check import PhoneCheck
from dialer.store.codec import read_leg, write_leg
from terms.ids import CallId, TenantId

if TYPE_CHECKING:
    from dialer.store.connection import Connection, Record


async def keep_check(connection: "Connection", tenant: TenantId, check: PhoneCheck) -> None:
    """Write it in place of an earlier one of the same phone."""
    await connection.execute(
        """INSERT INTO phone_checks (tenant, party, id, asked_at, leg)
           VALUES ($1, $2, $3, $4, $5::text::jsonb)
           ON CONFLICT (tenant, party) DO UPDATE
           SET id = excluded.id, asked_at = excluded.asked_at, leg = excluded.leg""",
        *(tenant, check.party, check.id, check.asked_at, json.dumps(write_leg(check.leg))),
    )


async def newest_check(
    connection: "Connection", tenant: TenantId, party: str, *, since: datetime
) -> PhoneCheck | None:
    """The last one of somebody's phone, unless it was asked for earlier than `since`."""
    row = await connection.fetchrow(
        """SELECT *, leg::text AS facts FROM phone_checks
           WHERE tenant = $1 AND party = $2 AND asked_at >= $3""",
        *(tenant, party, since),
    )
    return None if row is None else _check(row)


async def lock_check(connection: "Connection", id: CallId) -> tuple[TenantId, PhoneCheck] | None:
    """The check of that name, held until the transaction ends; None once there is a newer one."""
    row = await connection.fetchrow(
        "SELECT *, leg::text AS facts FROM phone_checks WHERE id = $1 FOR UPDATE", id
    )
    return None if row is None else (TenantId(row["tenant"]), _check(row))


def _check(row: "Record") -> PhoneCheck:
    return PhoneCheck(
        id=CallId(row["id"]),
        party=row["party"],
        asked_at=row["asked_at"],
        leg=read_leg(json.loads(row["facts"])),
    )
