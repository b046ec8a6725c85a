"""Taking a delivery receipt: kept once, and what it changes. For whoever's receipts are taken."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CollectorRegistry, Counter

from terms.ids import TenantId
from warmline.notices.receipts import DeliveryState, Receipt, is_news
from warmline.notices.store import add_receipt, lock_delivery, write_delivery

if TYPE_CHECKING:
    from warmline.database import Connection

_log = structlog.get_logger()


class ReceiptMetrics:
    """How SMS ended on their way to the phone."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.receipts = Counter(
            "warmline_sms_receipts",
            "Delivery receipts that told something new, by what they told",
            ("state",),
            registry=registry,
        )


class Taken(StrEnum):
    """What a receipt changed."""

    NEW = "new"
    REPEATED = "repeated"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a receipt, and what stands of its SMS now."""

    taken: Taken
    stands: DeliveryState | None


async def take_receipt(
    connection: "Connection", tenant: TenantId, receipt: Receipt, now: datetime
) -> Outcome | None:
    """Keep a receipt within the transaction at hand; None if its SMS was never sent from here."""
    known = await lock_delivery(connection, tenant, receipt.notice)
    if known is None:
        return None
    if not await add_receipt(connection, tenant, receipt, now):
        return Outcome(Taken.REPEATED, known.state)
    if not is_news(known, receipt):
        return Outcome(Taken.LATE, known.state)
    await write_delivery(connection, tenant, receipt)
    return Outcome(Taken.NEW, receipt.state)


def tell_receipt(metrics: ReceiptMetrics, tenant: TenantId, receipt: Receipt) -> None:
    """Count a new one, and call for somebody when an SMS did not arrive."""
    metrics.receipts.labels(receipt.state.value).inc()
    if receipt.state is DeliveryState.UNDELIVERED:
        _log.error("sms_undelivered", notice=receipt.notice, tenant=tenant, reason=receipt.reason)
