"""What was told outside: every notice with its tries, its outcome and its delivery."""

from enum import StrEnum
from typing import Annotated

from terms.ids import OrderId
from warmline.http.api import Operations
from warmline.http.asked import Asked
from warmline.http.model import ID, Instant, Model
from warmline.http.paging import Page, PageOf, page_of, start_after
from warmline.http.who import Staff, staff
from warmline.notices.receipts import DeliveryState
from warmline.notices.store import NoticeLine, list_notices
from warmline.people import StaffRole

notices = Operations("Notices")


class NoticeOutcome(StrEnum):
    """How the sending of a notice ended, or that it has not."""

    WAITING = "waiting"
    SENT = "sent"
    GAVE_UP = "gave_up"


class WhichNotices(Page):
    """Those of one outcome, of one delivery, or of one order alone."""

    outcome: NoticeOutcome | None = None
    delivery: DeliveryState | None = None
    order: Annotated[OrderId, ID] | None = None


class NoticeView(Model):
    """One SMS or status push: no number, no text, no code."""

    id: str
    kind: str
    template: str
    order: str | None
    written_at: Instant
    tries: int
    next_try_at: Instant | None
    sent_at: Instant | None
    outcome: NoticeOutcome
    fault: str | None
    """Of the last try that failed."""

    delivery: DeliveryState | None
    """Of an SMS, once the gateway told what became of it."""

    delivery_at: Instant | None
    delivery_reason: str | None

    @classmethod
    def of(cls, line: NoticeLine) -> "NoticeView":
        """As it stands."""
        return cls(
            id=line.id,
            kind=line.kind,
            template=line.template,
            order=line.order,
            written_at=line.written_at,
            tries=line.tries,
            next_try_at=line.next_try_at,
            sent_at=line.sent_at,
            outcome=NoticeOutcome(line.outcome or NoticeOutcome.WAITING),
            fault=line.fault,
            delivery=None if line.delivery is None else DeliveryState(line.delivery),
            delivery_at=line.delivery_at,
            delivery_reason=line.delivery_reason,
        )


@notices(
    "GET",
    "/v1/notices",
    who=(staff(StaffRole.OPERATOR, StaffRole.SUPPORT),),
    returns={200: PageOf[NoticeView]},
)
async def list_notices_sent(asked: Asked, who: Staff, query: WhichNotices) -> PageOf[NoticeView]:
    """SMS and status pushes with their outcome, newest first."""
    after = start_after(asked, query)
    wanted = tuple(NoticeOutcome) if query.outcome is None else (query.outcome,)
    async with asked.borrow() as connection:
        rows = await list_notices(
            connection,
            asked.tenant,
            limit=query.fetch,
            before=None if after is None else str(after[0]),
            outcomes=[None if one is NoticeOutcome.WAITING else one.value for one in wanted],
            delivery=query.delivery,
            order=query.order,
        )
    items, cursor = page_of(asked, query, rows, show=NoticeView.of, key=lambda row: (row.id,))
    return PageOf[NoticeView](items=items, next_cursor=cursor)
