"""What it costs to give an appointment up, or not to keep it (B07, B08, X23). Pure.

Until a while before the appointed time an order is given up free of charge: what pays for it comes
back. Later, and when its caller does not keep it, it counts as used. Where the counselor or the
house let the caller down it never does.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from terms.section import Section
from terms.values import replace

if TYPE_CHECKING:
    from billing.order import Order


class Counted(StrEnum):
    """Why an order was closed that counts as used without a talk; the ledger's reasons, too."""

    LATE_CANCEL = "late_cancel"
    NO_SHOW = "no_show"


LONGEST_SECONDS = 366 * 86_400
_SHORTEST = timedelta(microseconds=1)  # what our clock can tell apart


class Boundary(StrEnum):
    """Whether cancelling at the very limit is still free (X23)."""

    INCLUSIVE = "inclusive"
    EXCLUSIVE = "exclusive"  # "more than 24 hours before": the limit itself is too late


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPolicy:
    """When giving an appointment up is free, and whether missing it is not."""

    free_seconds: int = 86_400  # so long before the appointed time
    boundary: Boundary = Boundary.INCLUSIVE
    no_show_consumes: bool = True  # an appointment that is not kept counts as used

    def free_until(self, starts_at: datetime) -> datetime:
        """The last instant at which cancelling is free."""
        limit = starts_at - timedelta(seconds=self.free_seconds)
        return limit if self.boundary is Boundary.INCLUSIVE else limit - _SHORTEST


GENERAL = CancelPolicy()
"""What holds for every service that does not say otherwise: 24 hours, and exactly 24 is free."""


def parse_cancelling(section: Section, general: CancelPolicy = GENERAL) -> CancelPolicy:
    """The keys of a service's own policy; each stands in place of the `general` one (X23)."""
    boundary = section.word(
        "cancel_free_until", among=[one.value for one in Boundary], default=general.boundary.value
    )
    return CancelPolicy(
        free_seconds=section.whole(
            "cancel_free_seconds", most=LONGEST_SECONDS, default=general.free_seconds
        ),
        boundary=Boundary(boundary) if boundary else general.boundary,
        no_show_consumes=section.flag("no_show_consumes", default=general.no_show_consumes),
    )


def counted(order: "Order") -> Counted | None:
    """Why the order counts as used although nobody talked; None where it does not."""
    return next((why for why in Counted if why == order.closed_reason), None)


def counts_after(order: "Order") -> datetime | None:
    """After which instant giving the order up uses what pays for it; None where it never does."""
    return order.cancel_free_until if _can_count(order) else None


def counts_if_cancelled(order: "Order", now: datetime) -> bool:
    """Whether giving the order up at `now` uses what pays for it: it is too late for free."""
    limit = counts_after(order)
    return limit is not None and now > limit


def counts_as_no_show(order: "Order", *, no_show_consumes: bool) -> bool:
    """Whether the order, which ends without a talk, is an appointment its caller did not keep."""
    return no_show_consumes and order.starts_at is not None and _can_count(order)


def let_down(order: "Order", at: datetime) -> "Order":
    """The order whose caller the counselor or the house failed at `at`: it counts no more unless
    the two talk. Only what has an appointed time and is not over changes.
    """
    if order.starts_at is None or order.let_down_at is not None or order.closed_at is not None:
        return order
    return replace(order, let_down_at=at)


def _can_count(order: "Order") -> bool:
    """Something pays for it, and neither the counselor nor the house was the cause."""
    return order.let_down_at is None and not (order.voucher is None and order.quota is None)
