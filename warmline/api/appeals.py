"""Appeals over HTTP, for an insurer: the one place where that role sees anything of a claim."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from billing.claim import Claim
from billing.store.claims import list_appeals, words_of
from billing.store.orders import load_order
from dialer.store.calls import load_call
from terms.ids import ClaimId
from terms.refusals import RefusalCode
from warmline.api.claim_views import AppealView
from warmline.api.claims import Decide
from warmline.api.outcome_views import reasons_among
from warmline.api.parts import DESK
from warmline.desk.claims import ClaimDesk
from warmline.http.api import Operations
from warmline.http.asked import Acting, Asked
from warmline.http.model import ID
from warmline.http.paging import Page, PageOf, page_of, start_after
from warmline.http.who import Staff, staff
from warmline.people import StaffRole
from warmline.reports.exports import Audience, Export, permit

if TYPE_CHECKING:
    from warmline.desk.store import Connection

appeals = Operations("Appeals")

INSURER = staff(StaffRole.INSURER)


@appeals("GET", "/v1/appeals", who=(INSURER,), returns={200: PageOf[AppealView]})
async def list_appeals_to_decide(asked: Asked, who: Staff, query: Page) -> PageOf[AppealView]:
    """The appeals that wait for a decision of my insurer, by deadline."""
    after = start_after(asked, query)
    async with asked.borrow() as connection:
        rows = await list_appeals(
            connection,
            asked.tenant,
            who.answers_for,
            limit=query.fetch,
            after=None if after is None else _behind(*after),
        )
        views = {claim.id: await _view(asked, connection, claim) for claim in rows}
    items, cursor = page_of(
        asked,
        query,
        rows,
        show=lambda claim: views[claim.id],
        key=lambda claim: (claim.due_at.isoformat(), claim.id),
    )
    return PageOf[AppealView](items=items, next_cursor=cursor)


@appeals(
    "POST",
    "/v1/appeals/{appeal}/decision",
    who=(INSURER,),
    returns={200: AppealView},
    secret=True,  # the answer repeats the reason
    refuses=(
        RefusalCode.NOT_NOW,
        RefusalCode.CALL_IN_PROGRESS,
        RefusalCode.VOUCHER_INVALID,
        RefusalCode.VOUCHER_IN_USE,
    ),
)
async def decide_appeal(
    acting: Acting, who: Staff, appeal: Annotated[ClaimId, ID], body: Decide
) -> AppealView:
    """Decide an appeal: the last word (B65). The appeal's id is the claim's."""
    desk = acting.part(DESK)
    decided, committed = await ClaimDesk(desk, acting.frame.seal).decide_appeal(
        acting.connection,
        acting.tenant,
        appeal,
        body.decision,
        body.reason,
        who.id,
        who.answers_for,
    )
    acting.after_commit(lambda: desk.tell(committed))
    return await _view(acting, acting.connection, decided)


def _behind(due_at: str | int, claim: str | int) -> tuple[datetime, ClaimId]:
    return datetime.fromisoformat(str(due_at)), ClaimId(str(claim))


async def _view(asked: Asked, connection: "Connection", claim: Claim) -> AppealView:
    permit(Export.APPEAL, Audience.INSURER)
    order = await load_order(connection, asked.tenant, claim.order)
    assert order is not None
    stored = None
    if claim.call is not None:
        stored = await load_call(connection, asked.tenant, claim.call)
    words = (await words_of(connection, asked.tenant, [claim.id]))[claim.id]
    call = None if stored is None else stored.call
    return AppealView.of(claim, order, call, reasons_among(asked.frame.seal, words))
