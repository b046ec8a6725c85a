"""A code on its way to a policyholder: may it still be sent?"""

from datetime import datetime
from typing import TYPE_CHECKING

from billing.policies.waiting import today_in_china
from billing.store.policy_vouchers import policy_of_voucher
from billing.voucher import State
from terms.ids import VoucherId
from warmline.desk.store import WaitingNotice

if TYPE_CHECKING:
    from asyncpg import Connection, Record


async def why_withheld(
    connection: "Connection[Record]", waiting: WaitingNotice, now: datetime
) -> str | None:
    """Nothing is sent for a policy that was surrendered or ended meanwhile (A17, A21), nor for a
    voucher that fell otherwise."""
    voucher = VoucherId(str(waiting.notice.data.get("voucher")))
    found = await policy_of_voucher(connection, waiting.tenant, voucher)
    if found is None:
        return "there is no such voucher of a policy"
    _, terms, state = found
    if terms.has_ended(today_in_china(now)):
        return "the policy has ended"
    return None if state is State.ISSUED else f"the voucher is {state}"
