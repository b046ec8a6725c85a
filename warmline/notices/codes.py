"""Codes by SMS, six digits or a voucher's: notices whose number and secret are under seal."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from billing.policies.waiting import SendHours
from terms.ids import TenantId, VoucherId
from terms.phone import PhoneNumber
from warmline.notices.outbox import QueuedOutbox
from warmline.notices.store import add_secret_notice
from warmline.notices.texts import VERIFICATION_CODE
from warmline.notices.windows import told_hours
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from warmline.database import Connection

_SECRET = "notice secret"


async def send_code(
    connection: "Connection",
    seal: AesSeal,
    tenant: TenantId,
    number: PhoneNumber,
    code: str,
    *,
    expires_at: datetime,
    now: datetime,
    new_id: Callable[[str], str],
    template: str = VERIFICATION_CODE,
    voucher: VoucherId | None = None,
) -> str:
    """Have `code` sent to `number` once the transaction at hand commits; the notice's id.

    Number and code are stored under seal until there is an outcome, then erased. A code that has
    run out is not sent, nor one of a `voucher` that fell meanwhile. Wake the background jobs after
    the commit.
    """
    id_ = new_id("notice")
    await add_secret_notice(
        connection,
        tenant,
        id_,
        template=template,
        address_sealed=seal.seal(number),
        secret_sealed=seal.seal_text(code, _SECRET),
        expires_at=expires_at,
        now=now,
        data=None if voucher is None else {"voucher": voucher},
    )
    await QueuedOutbox().enqueue(connection, tenant, [id_], now)
    return id_


async def send_voucher_code(
    connection: "Connection",
    seal: AesSeal,
    tenant: TenantId,
    voucher: VoucherId,
    code: str,
    *,
    template: str,
    hours: SendHours,
    address_sealed: bytes,
    valid_until: datetime,
    now: datetime,
    new_id: Callable[[str], str],
) -> str:
    """Have a voucher's code sent to a sealed number once the transaction at hand commits (A05).

    It leaves between these hours alone, however often it is tried (X12). Whether the voucher is
    still wanted is looked at again when it is sent (A17).
    """
    id_ = new_id("notice")
    await add_secret_notice(
        connection,
        tenant,
        id_,
        template=template,
        address_sealed=address_sealed,
        secret_sealed=seal.seal_text(code, _SECRET),
        expires_at=valid_until,
        now=now,
        data={"voucher": voucher} | told_hours(hours),
    )
    await QueuedOutbox().enqueue(connection, tenant, [id_], now, can_wait=True)
    return id_


def open_code(seal: AesSeal, sealed: bytes) -> str:
    """The code that `send_code` sealed. Raises SealBroken."""
    return seal.open_text(sealed, _SECRET)
