"""The policy behind a voucher: where it has ended, the voucher is good for nothing more."""

from datetime import datetime
from typing import TYPE_CHECKING

from billing.policies.waiting import today_in_china
from billing.store.policy_vouchers import policy_behind
from terms.ids import TenantId, VoucherId
from terms.refusals import RefusalCode, Refused

if TYPE_CHECKING:
    from warmline.database import Connection


async def require_living_policy(
    connection: "Connection", tenant: TenantId, voucher: VoucherId, now: datetime
) -> None:
    """Raises Refused(voucher_invalid) where the policy behind the voucher has ended (X15).

    An unused voucher is voided soon after its policy; one that was held then comes back first, and
    must not be held again before somebody has looked.
    """
    terms = await policy_behind(connection, tenant, voucher)
    if terms is not None and terms.has_ended(today_in_china(now)):
        raise Refused(
            RefusalCode.VOUCHER_INVALID, "The policy behind this voucher has ended, and it with it."
        )
