"""A voucher's code on its way to somebody: may it still be sent?"""

from datetime import datetime
from typing import TYPE_CHECKING

from billing.policies.waiting import today_in_china
from billing.store.policy_vouchers import policy_behind
from billing.store.vouchers import load_voucher
from billing.voucher import State
from terms.ids import VoucherId
from warmline.desk.store import WaitingNotice
from warmline.notices.texts import VOUCHER_CODE, VOUCHER_REISSUED, VOUCHER_REVIVED

if TYPE_CHECKING:
    from asyncpg import Connection, Record

CODES = (VOUCHER_CODE, VOUCHER_REISSUED, VOUCHER_REVIVED)
"""The SMS that carry a voucher's code."""

_FELL = frozenset({State.EXPIRED, State.VOIDED, State.REISSUED})


async def why_withheld(
    connection: "Connection[Record]", waiting: WaitingNotice, now: datetime
) -> str | None:
    """Nothing is sent for a policy that was surrendered or ended meanwhile (A17, A21), nor for a
    voucher that fell otherwise."""
    named = waiting.notice.data.get("voucher")
    if named is None:
        return None  # written before such notices named theirs
    voucher = await load_voucher(connection, waiting.tenant, VoucherId(str(named)))
    if voucher is None:
        return "there is no such voucher"
    terms = await policy_behind(connection, waiting.tenant, voucher.id, hold=True)
    if terms is not None and terms.has_ended(today_in_china(now)):
        return "the policy has ended"
    return f"the voucher is {voucher.state}" if voucher.state in _FELL else None
