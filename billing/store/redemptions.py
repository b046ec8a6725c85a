"""Whose account a voucher came into, and when: the first redeemer owns it from then on (X14)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from billing.voucher import Voucher
from terms.ids import CallerId, DeviceId, TenantId, VoucherId

if TYPE_CHECKING:
    from billing.store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """A voucher came into an account; by a device, or by an app for its customer."""

    voucher: VoucherId
    caller: CallerId
    device: DeviceId | None
    at: datetime


async def keep_redeemed(
    connection: "Connection",
    tenant: TenantId,
    redeemed: Voucher,
    device: DeviceId | None,
    now: datetime,
) -> None:
    """Write the holder that `voucher.redeem` gave it. The voucher is locked by the caller.

    Redeemed again by its holder, it stays as it was.
    """
    await connection.execute(
        """WITH taken AS (
               UPDATE vouchers SET holder = $3
               WHERE tenant = $1 AND id = $2 AND holder IS NULL RETURNING 1
           )
           INSERT INTO voucher_redemptions (tenant, voucher, caller, device, at)
           SELECT $1, $2, $3, $4, $5 FROM taken""",
        *(tenant, redeemed.id, redeemed.holder, device, now),
    )


async def redemptions_of(
    connection: "Connection", tenant: TenantId, vouchers: Sequence[VoucherId]
) -> dict[VoucherId, Redemption]:
    """When and by whom each was redeemed; those that nobody redeemed are left out."""
    rows = await connection.fetch(
        """SELECT voucher, caller, device, at FROM voucher_redemptions
           WHERE tenant = $1 AND voucher = ANY ($2::text[])""",
        *(tenant, list(vouchers)),
    )
    return {
        VoucherId(row["voucher"]): Redemption(
            voucher=VoucherId(row["voucher"]),
            caller=CallerId(row["caller"]),
            device=None if row["device"] is None else DeviceId(row["device"]),
            at=row["at"],
        )
        for row in rows
    }
