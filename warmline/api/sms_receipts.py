"""Delivery receipts: what became of an SMS after the operator's gateway took it."""

import re
from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints

from terms.ids import TenantId
from warmline.http.api import Operations
from warmline.http.asked import Asked
from warmline.http.model import ID, Instant, Model
from warmline.http.problems import BadInput, InputFault, NotFound, ProblemCode
from warmline.http.signed import Signatures
from warmline.notices.posting import REASON_PATTERN, masked_reason
from warmline.notices.receipts import DeliveryState, Receipt
from warmline.notices.signing import ID_HEADER
from warmline.notices.taking import ReceiptMetrics, Taken, take_receipt, tell_receipt

_RECEIPT_ID = re.compile(r"[\x21-\x7e]{1,255}")

sms_receipts = Operations("SMS receipts")


GATEWAY_SIGNATURES: web.AppKey[Signatures] = web.AppKey("gateway_signatures")
RECEIPT_METRICS = web.AppKey("receipt_metrics", ReceiptMetrics)


class SmsReceipt(Model):
    """What became of one SMS. Tell ends alone: no steps on the way."""

    id: Annotated[str, ID]
    """The `id` of the SMS, as it was posted to the gateway."""

    state: DeliveryState
    at: Instant
    """When that happened."""

    tenant: Annotated[TenantId, ID] | None = None
    """The `tenant` of the SMS; unset: the installation's own."""

    reason: Annotated[str, StringConstraints(pattern=REASON_PATTERN)] | None = None
    """Why it was not delivered, as the carrier calls it: one word, no text of the message."""


class ReceiptTaken(Model):
    """The receipt is stored. `delivery` is what stands now."""

    id: str
    delivery: DeliveryState
    taken: Taken
    """`repeated`: this `webhook-id` came before, nothing was done. `late`: it is kept, but
    something later is known."""


@sms_receipts(
    "POST",
    "/v1/sms-receipts",
    signed=GATEWAY_SIGNATURES,
    returns={200: ReceiptTaken},
    problems=(ProblemCode.NOT_FOUND,),
)
async def take_sms_receipt(asked: Asked, body: SmsReceipt) -> ReceiptTaken:
    """Tell whether an SMS was delivered.

    For the operator's SMS gateway. `webhook-id` names the receipt: sent again under the same one,
    it changes nothing. An SMS that was never sent from here is 404; do not tell it again.
    """
    tenant = asked.tenant if body.tenant is None else body.tenant
    receipt = _receipt(asked, body)
    async with asked.borrow() as connection, connection.transaction():
        outcome = await take_receipt(connection, tenant, receipt, asked.now)
    if outcome is None:
        raise NotFound("No SMS of this id was sent from here: do not tell it again.")
    if outcome.taken is Taken.NEW:
        tell_receipt(asked.part(RECEIPT_METRICS), tenant, receipt)
    # A receipt of the same name for another SMS may leave this one without any state of its own.
    stands = outcome.stands or receipt.state
    return ReceiptTaken(id=receipt.notice, delivery=stands, taken=outcome.taken)


def _receipt(asked: Asked, body: SmsReceipt) -> Receipt:
    id_ = asked.request.headers.get(ID_HEADER, "")
    if not _RECEIPT_ID.fullmatch(id_):
        detail = "must be 1 to 255 printable ASCII characters"
        raise BadInput(InputFault(place="header", pointer=f"/{ID_HEADER}", detail=detail))
    return Receipt(
        id=id_,
        notice=body.id,
        state=body.state,
        reason=None if body.reason is None else masked_reason(body.reason),
        happened_at=body.at,
    )
