"""A new voucher in place of one that support has checked, and its code on the way to its holder."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from billing.code import spaced
from billing.store.vouchers import insert_vouchers, save_voucher
from billing.voucher import Moved, Voucher, issue, reissue
from routing.store.callers import load_caller
from terms.ids import TenantId, VoucherId
from terms.phone import PhoneNumber
from terms.refusals import RefusalCode, Refused
from warmline.notices.codes import send_code
from warmline.notices.texts import VOUCHER_REISSUED
from warmline.policies.behind import require_living_policy
from warmline.seal import AesSeal
from warmline.vouchers import code_digest, ending_of, new_codes

if TYPE_CHECKING:
    from warmline.database import Connection

REASON = "reissued"
"""The ledger's word; why in somebody's own words is written beside the decision, under seal."""


async def replace_voucher(
    connection: "Connection",
    seal: AesSeal,
    tenant: TenantId,
    voucher: Voucher,
    *,
    by_supervisor: bool,
    now: datetime,
    new_id: Callable[[str], str],
) -> Voucher:
    """The replacement, in the account of the old one's holder, with the ORIGINAL end date (X10).

    `voucher` is locked, and its order before it. The new code goes to the holder's number under
    seal; nobody here sees it. Wake the background jobs after the commit.

    Raises Refused: voucher_invalid when it cannot be replaced, its end date has passed, its policy
    has ended, or nobody holds it; voucher_in_use while an order does; quota_used without a
    supervisor for the second.
    """
    number = await _number_for_new_code(connection, seal, tenant, voucher, now)
    (code,) = new_codes(1)
    put_away, made = _replaced(
        seal, voucher, VoucherId(new_id("voucher")), code, by_supervisor=by_supervisor, now=now
    )
    await save_voucher(connection, tenant, *put_away)
    await insert_vouchers(connection, tenant, [made])
    new = made[-1][0]
    await send_code(
        connection,
        seal,
        tenant,
        number,
        spaced(code),
        expires_at=new.valid_until,
        now=now,
        new_id=new_id,
        template=VOUCHER_REISSUED,
        voucher=new.id,
    )
    return new


def _replaced(
    seal: AesSeal, voucher: Voucher, id: VoucherId, code: str, *, by_supervisor: bool, now: datetime
) -> tuple[Moved, list[Moved]]:
    """The old voucher put away, and the moves that give out the new one. Raises Refused."""
    put_away, prepared = reissue(
        voucher,
        id=id,
        code_hash=code_digest(seal, code),
        code_ending=ending_of(code),
        reason=REASON,
        by_supervisor=by_supervisor,
        now=now,
    )
    return put_away, [prepared, issue(prepared[0], now)]


async def _number_for_new_code(
    connection: "Connection", seal: AesSeal, tenant: TenantId, voucher: Voucher, now: datetime
) -> PhoneNumber:
    """The holder's number, where a new voucher would be of use to them. Raises Refused."""
    if now >= voucher.valid_until:
        raise _invalid("Its end date has passed, and a new one would bear the same.")
    if voucher.holder is None:
        raise _invalid("Nobody has redeemed it: its code still works, and there is no number.")
    holder = await load_caller(connection, seal, tenant, voucher.holder)
    if holder is None:
        raise _invalid("Its holder's account is gone.")
    await require_living_policy(connection, tenant, voucher.id, now)
    return holder.number


def _invalid(detail: str) -> Refused:
    return Refused(RefusalCode.VOUCHER_INVALID, detail)
