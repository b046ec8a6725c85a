"""What a gateway tells of an SMS it took: delivered or not. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DeliveryState(StrEnum):
    """Whether an SMS reached the phone. Only ends are told, no steps on the way."""

    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What is known of an SMS by now; both None before the first receipt."""

    state: DeliveryState | None
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One delivery receipt. Its id stays the same over the gateway's retries."""

    id: str
    notice: str
    state: DeliveryState
    reason: str | None
    happened_at: datetime


def is_news(known: Delivered, receipt: Receipt) -> bool:
    """Whether the receipt tells something later than what is known.

    Receipts may come in any order: what happened last stands. Of two at one instant the phone's
    own word, that it was delivered, stands.
    """
    if known.at is None or receipt.happened_at > known.at:
        return True
    return receipt.happened_at == known.at and (
        (receipt.state, known.state) == (DeliveryState.DELIVERED, DeliveryState.UNDELIVERED)
    )
