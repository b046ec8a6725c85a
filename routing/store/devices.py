"""Devices that have proved their number. Only the SHA-256 of a device token is kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from routing.store.callers import Caller
from routing.verification import DEVICE_LIFE, Device
from terms.ids import CallerId, DeviceId, TenantId
from terms.phone import PhoneNumber, Seal

if TYPE_CHECKING:
    from routing.store.connection import Connection, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLogin:
    """Whom a device token speaks for."""

    tenant: TenantId
    device: Device
    caller: Caller


async def add_device(
    connection: "Connection", tenant: TenantId, device: Device, token_digest: bytes
) -> None:
    """Store a freshly verified device; any other device of the same number is superseded."""
    # The account's row makes two devices verified at once wait for each other.
    await connection.execute(
        "SELECT FROM callers WHERE tenant = $1 AND id = $2 FOR UPDATE", tenant, device.caller
    )
    await connection.execute(
        """UPDATE devices SET superseded_at = $3
           WHERE tenant = $1 AND caller = $2 AND superseded_at IS NULL""",
        *(tenant, device.caller, device.verified_at),
    )
    await connection.execute(
        """INSERT INTO devices (tenant, id, caller, token_digest, verified_at)
           VALUES ($1, $2, $3, $4, $5)""",
        *(tenant, device.id, device.caller, token_digest, device.verified_at),
    )


async def find_device_login(
    connection: "Connection", seal: Seal, token_digest: bytes, now: datetime
) -> DeviceLogin | None:
    """Who a token speaks for; None when unknown, superseded or no longer verified."""
    row = await connection.fetchrow(
        """SELECT d.tenant, d.id, d.caller, d.verified_at, d.superseded_at, c.phone_sealed
           FROM devices d JOIN callers c ON c.tenant = d.tenant AND c.id = d.caller
           WHERE d.token_digest = $1""",
        token_digest,
    )
    if row is None:
        return None
    device = _device(row)
    if not device.is_live(now):
        return None
    caller = Caller(device.caller, seal.open(row["phone_sealed"]))
    return DeviceLogin(tenant=TenantId(row["tenant"]), device=device, caller=caller)


async def load_device(
    connection: "Connection", seal: Seal, tenant: TenantId, device: DeviceId
) -> tuple[Device, PhoneNumber] | None:
    """One device and the number it was verified for, live or not."""
    row = await connection.fetchrow(
        """SELECT d.id, d.caller, d.verified_at, d.superseded_at, c.phone_sealed
           FROM devices d JOIN callers c ON c.tenant = d.tenant AND c.id = d.caller
           WHERE d.tenant = $1 AND d.id = $2""",
        *(tenant, device),
    )
    return None if row is None else (_device(row), seal.open(row["phone_sealed"]))


async def supersede_device(
    connection: "Connection", tenant: TenantId, device: DeviceId, now: datetime
) -> None:
    """The device speaks for nobody any more."""
    await connection.execute(
        """UPDATE devices SET superseded_at = $3
           WHERE tenant = $1 AND id = $2 AND superseded_at IS NULL""",
        *(tenant, device, now),
    )


async def verified_number(
    connection: "Connection", seal: Seal, tenant: TenantId, caller: CallerId, now: datetime
) -> PhoneNumber | None:
    """The number a live device of the caller holds: what `admission` compares with (A11)."""
    sealed = await connection.fetchval(
        """SELECT c.phone_sealed FROM devices d
           JOIN callers c ON c.tenant = d.tenant AND c.id = d.caller
           WHERE d.tenant = $1 AND d.caller = $2 AND d.superseded_at IS NULL
             AND d.verified_at > $3""",
        *(tenant, caller, now - DEVICE_LIFE),
    )
    return seal.open(sealed) if sealed is not None else None


def _device(row: "Record") -> Device:
    return Device(
        id=DeviceId(row["id"]),
        caller=CallerId(row["caller"]),
        verified_at=row["verified_at"],
        superseded_at=row["superseded_at"],
    )
