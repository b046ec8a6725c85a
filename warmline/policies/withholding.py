"""A voucher's code, or word of a change, on its way to somebody: may it still be sent?"""

from datetime import datetime
from typing import TYPE_CHECKING

from billing.policies.announcing import concerns, takes_effect_at
from billing.policies.cover import Cover
from billing.policies.issuing import Covers
from billing.policies.waiting import today_in_china
from billing.store.changes import (
    Told,
    holds_unused_voucher,
    load_told,
    note_withheld,
    terms_behind,
)
from billing.store.policy_vouchers import policy_behind
from billing.store.vouchers import load_voucher
from billing.voucher import State
from terms.ids import TenantId, VoucherId
from warmline.desk.store import WaitingNotice
from warmline.notices.delivery import Withholding
from warmline.notices.texts import (
    SERVICE_CHANGES,
    VOUCHER_CODE,
    VOUCHER_REISSUED,
    VOUCHER_REVIVED,
)
from warmline.policies.announcing import CHANGE_PUSHED, SMS_BESIDE

if TYPE_CHECKING:
    from asyncpg import Connection, Record

CODES = (VOUCHER_CODE, VOUCHER_REISSUED, VOUCHER_REVIVED)
"""The SMS that carry a voucher's code."""

CHANGES = (SERVICE_CHANGES, CHANGE_PUSHED)
"""What tells of a change ahead (B04)."""

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


def withholding_by_template(covers: Covers) -> dict[str, Withholding]:
    """Who looks once more before notices of these templates leave."""
    changes = _change_withheld(covers)
    return dict.fromkeys(CODES, why_withheld) | dict.fromkeys(CHANGES, changes)


def _change_withheld(covers: Covers) -> Withholding:
    """Nobody is told of a change who is no customer any more, nor of one that was taken back."""

    async def why(
        connection: "Connection[Record]", waiting: WaitingNotice, now: datetime
    ) -> str | None:
        sms = str(waiting.notice.data.get(SMS_BESIDE, waiting.id))
        told = await load_told(connection, waiting.tenant, sms)
        if told is None:
            return "they are told otherwise, or no customer any more"
        why_not = await _why_not_told(connection, waiting.tenant, told, covers, now)
        if why_not is not None:
            await note_withheld(connection, waiting.tenant, sms, now)
        return why_not

    return why


async def _why_not_told(
    connection: "Connection[Record]", tenant: TenantId, told: Told, covers: Covers, now: datetime
) -> str | None:
    sponsor, cover = covers.get(told.program, ("", Cover()))
    change = next((one for one in cover.changes if one.key == told.change), None)
    if change is None:
        return "the change was taken back"
    at, today = takes_effect_at(change), today_in_china(now)
    if told.caller is not None and await holds_unused_voucher(
        connection, tenant, told.program, told.caller, at
    ):
        return None
    terms = await terms_behind(connection, tenant, told, sponsor)
    if any(concerns(change, one, cover, today) for one in terms):
        return None
    return "they are no customer of the service any more"
