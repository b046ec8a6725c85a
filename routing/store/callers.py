"""Callers: accounts keyed by a phone number (A08)."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from terms.ids import CallerId, TenantId
from terms.phone import PhoneNumber, Seal

if TYPE_CHECKING:
    from routing.store.connection import Connection


@dataclass(frozen=True, slots=True)
class Caller:
    """An account and the one number it is keyed by."""

    id: CallerId
    number: PhoneNumber


async def get_or_create_caller(
    connection: "Connection",
    seal: Seal,
    tenant: TenantId,
    number: PhoneNumber,
    new_id: Callable[[], CallerId],
    now: datetime,
) -> Caller:
    """The account of `number`; two asking at once get the same one."""
    found = await find_caller(connection, seal, tenant, number)
    if found is not None:
        return found
    await connection.execute(
        """INSERT INTO callers (tenant, id, phone_index, phone_sealed, created_at)
           VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant, phone_index) DO NOTHING""",
        *(tenant, new_id(), seal.index(number), seal.seal(number), now),
    )
    created = await find_caller(connection, seal, tenant, number)
    assert created is not None
    return created


async def add_nameless_caller(
    connection: "Connection", tenant: TenantId, caller: CallerId, now: datetime
) -> None:
    """Somebody whose number was withheld: an account for one call, and nobody to ring back."""
    await connection.execute(
        "INSERT INTO callers (tenant, id, created_at) VALUES ($1, $2, $3)", tenant, caller, now
    )


async def find_caller(
    connection: "Connection", seal: Seal, tenant: TenantId, number: PhoneNumber
) -> Caller | None:
    """The account of `number`, if there is one."""
    found = await connection.fetchval(
        "SELECT id FROM callers WHERE tenant = $1 AND phone_index = $2",
        *(tenant, seal.index(number)),
    )
    return Caller(CallerId(found), number) if found is not None else None


async def accounts_of(
    connection: "Connection", tenant: TenantId, phone_indexes: Collection[bytes]
) -> dict[bytes, CallerId]:
    """The accounts of numbers, by their index; those without one are left out."""
    rows = await connection.fetch(
        """SELECT phone_index, id FROM callers
           WHERE tenant = $1 AND phone_index = ANY ($2::bytea[])""",
        *(tenant, list(phone_indexes)),
    )
    return {row["phone_index"]: CallerId(row["id"]) for row in rows}


async def phone_indexes(
    connection: "Connection", tenant: TenantId, callers: Collection[CallerId]
) -> dict[CallerId, bytes]:
    """What tells the number of each account from others; those without a number are left out."""
    rows = await connection.fetch(
        """SELECT id, phone_index FROM callers
           WHERE tenant = $1 AND id = ANY ($2::text[]) AND phone_index IS NOT NULL""",
        *(tenant, list(callers)),
    )
    return {CallerId(row["id"]): row["phone_index"] for row in rows}


async def load_caller(
    connection: "Connection", seal: Seal, tenant: TenantId, caller: CallerId
) -> Caller | None:
    """The account with its number in the clear: for dialling and comparing, never for showing."""
    sealed = await connection.fetchval(
        "SELECT phone_sealed FROM callers WHERE tenant = $1 AND id = $2", tenant, caller
    )
    return Caller(caller, seal.open(sealed)) if sealed is not None else None


async def masked_callers(
    connection: "Connection", seal: Seal, tenant: TenantId, masked: str, *, limit: int
) -> list[CallerId]:
    """Those of the newest `limit` accounts whose number looks like that; no index knows masks."""
    rows = await connection.fetch(
        """SELECT id, phone_sealed FROM callers
           WHERE tenant = $1 AND phone_sealed IS NOT NULL ORDER BY id DESC LIMIT $2""",
        *(tenant, limit),
    )
    return [CallerId(row["id"]) for row in rows if seal.open(row["phone_sealed"]).masked == masked]


async def any_sealed_number(connection: "Connection") -> bytes | None:
    """Any number that is stored, of any tenant: to see whether the secret at hand opens it."""
    sealed: bytes | None = await connection.fetchval(
        """SELECT phone_sealed FROM callers UNION ALL SELECT phone_sealed FROM counselors LIMIT 1"""
    )
    return sealed
