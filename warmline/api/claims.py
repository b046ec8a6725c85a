"""Claims over HTTP: filed and appealed by callers, decided by support, and ratings."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from billing.claim import Remedy, State
from billing.policy import HIGHEST_SCORE
from billing.rating import Scores
from billing.store.claims import Place, claims_of_order, list_claims
from terms.ids import ClaimId, OrderId
from terms.refusals import RefusalCode
from warmline.api.claim_case import case_of
from warmline.api.claim_views import ClaimCaseView, StaffClaimView
from warmline.api.outcome_views import ClaimView, RatingView
from warmline.api.parts import DESK, PROGRAMS, own_order
from warmline.api.showing import reasons_of
from warmline.audit import Deed, note_deed
from warmline.desk.claims import ClaimDesk, Decider
from warmline.http.api import Operations
from warmline.http.asked import Acting, Asked
from warmline.http.model import ID, Line, Model, Text
from warmline.http.paging import Page, PageOf, page_of, start_after
from warmline.http.who import APP, CALLER, AppKey, Caller, Staff, staff
from warmline.people import StaffRole

if TYPE_CHECKING:
    pass

claims = Operations("Claims")

DECIDES = staff(StaffRole.SUPPORT, StaffRole.SUPERVISOR)

Score = Annotated[int, Field(ge=1, le=HIGHEST_SCORE)]


class FileClaim(Model):
    """What went wrong. Only those see it who decide."""

    reason: Line
    text: Text | None = None


class Decide(Model):
    """A decision, and why: the caller reads the reason, and on appeal the insurer does."""

    decision: Remedy
    reason: Line


class Rate(Model):
    """How it was, from 1 (bad) to 5 (good)."""

    timeliness: Score
    quality: Score
    attitude: Score
    text: Text | None = None
    """In the caller's words. Left out of a change, it leaves those of before as they are."""


class Queue(Page):
    """Which claims."""

    state: State = State.OPEN


# -- the caller --------------------------------------------------------------------------------


@claims(
    "POST",
    "/v1/orders/{order}/claims",
    who=(CALLER,),
    returns={201: ClaimView},
    refuses=(RefusalCode.CLAIM_TOO_LATE, RefusalCode.NOT_NOW, RefusalCode.RATE_LIMITED),
)
async def file_claim(
    acting: Acting, who: Caller, order: Annotated[OrderId, ID], body: FileClaim
) -> ClaimView:
    """Say that something went wrong with the order's last call (A28, A36, A41).

    At any hour, within the program's time after the call's end. A second claim about the same call
    adds to the first.
    """
    await own_order(acting, acting.connection, order)
    desk = acting.part(DESK)
    claim, committed = await _claim_desk(acting).file(
        acting.connection, acting.tenant, order, {"reason": body.reason, "text": body.text}
    )
    acting.after_commit(lambda: desk.tell(committed))
    return ClaimView.of(claim, {})


@claims(
    "GET",
    "/v1/orders/{order}/claims",
    who=(CALLER, APP),
    returns={200: PageOf[ClaimView]},
)
async def list_claims_of_order(
    asked: Asked, who: Caller | AppKey, order: Annotated[OrderId, ID], query: Page
) -> PageOf[ClaimView]:
    """How far the order's claims have come, newest first."""
    after = start_after(asked, query)
    async with asked.borrow() as connection:
        await own_order(asked, connection, order)
        rows = await claims_of_order(
            connection,
            asked.tenant,
            order,
            limit=query.fetch,
            after=None if after is None else ClaimId(str(after[0])),
        )
        reasons = await reasons_of(asked.frame.seal, connection, asked.tenant, rows)
    items, cursor = page_of(
        asked,
        query,
        rows,
        show=lambda claim: ClaimView.of(claim, reasons[claim.id]),
        key=lambda claim: (claim.id,),
    )
    return PageOf[ClaimView](items=items, next_cursor=cursor)


@claims(
    "POST",
    "/v1/claims/{claim}/appeal",
    who=(CALLER,),
    returns={201: ClaimView},
    secret=True,  # the answer repeats the reason
    refuses=(RefusalCode.NOT_NOW, RefusalCode.CLAIM_TOO_LATE),
)
async def appeal_claim(acting: Acting, who: Caller, claim: Annotated[ClaimId, ID]) -> ClaimView:
    """Take a rejection to the insurer, once (B65).

    The insurer learns how the talk ended, for how long it lasted and why support rejected the
    claim: neither who called nor what was said.
    """
    desk = acting.part(DESK)
    appealed, committed = await _claim_desk(acting).appeal(
        acting.connection, acting.tenant, claim, who.id
    )
    acting.after_commit(lambda: desk.tell(committed))
    reasons = await reasons_of(acting.frame.seal, acting.connection, acting.tenant, [appealed])
    return ClaimView.of(appealed, reasons[appealed.id])


@claims(
    "POST",
    "/v1/orders/{order}/rating",
    who=(CALLER,),
    returns={201: RatingView},
    refuses=(RefusalCode.NOT_COMPLETED, RefusalCode.NOT_NOW),
)
async def rate_order(
    acting: Acting, who: Caller, order: Annotated[OrderId, ID], body: Rate
) -> RatingView:
    """Rate a talk that is over (B14, B15, C09, C32).

    For a day it may be rated anew, and the newer rating stands. A bad rating is looked into.
    """
    rated = await own_order(acting, acting.connection, order)
    desk = acting.part(DESK)
    scores = Scores(timeliness=body.timeliness, quality=body.quality, attitude=body.attitude)
    rating, committed = await _claim_desk(acting).rate(
        acting.connection, acting.tenant, order, scores, body.text
    )
    acting.after_commit(lambda: desk.tell(committed))
    program = acting.part(PROGRAMS).get(rated.program)
    changing = None if program is None else program.billing.rating_change_seconds
    return RatingView.of(rating, changing)


# -- those who decide --------------------------------------------------------------------------


@claims("GET", "/v1/claims", who=(DECIDES,), returns={200: PageOf[StaffClaimView]})
async def list_claim_queue(asked: Asked, who: Staff, query: Queue) -> PageOf[StaffClaimView]:
    """Claims by deadline, reviews and bad ratings among them.

    A supervisor sees those first that are escalated.
    """
    after = start_after(asked, query)
    escalated_first = StaffRole.SUPERVISOR in who.roles
    async with asked.borrow() as connection:
        rows = await list_claims(
            connection,
            asked.tenant,
            state=query.state,
            escalated_first=escalated_first,
            limit=query.fetch,
            after=None if after is None else _place(*after),
        )
        reasons = await reasons_of(asked.frame.seal, connection, asked.tenant, rows)
    items, cursor = page_of(
        asked,
        query,
        rows,
        show=lambda claim: StaffClaimView.told(claim, reasons[claim.id]),
        key=lambda claim: (
            int(claim.escalated_at is not None),
            claim.due_at.isoformat(),
            claim.id,
        ),
    )
    return PageOf[StaffClaimView](items=items, next_cursor=cursor)


@claims("GET", "/v1/claims/{claim}", who=(DECIDES,), returns={200: ClaimCaseView})
async def get_claim(asked: Asked, who: Staff, claim: Annotated[ClaimId, ID]) -> ClaimCaseView:
    """One claim with its evidence, its books, and the decision the evidence speaks for.

    That it was read is kept (B22).
    """
    async with asked.borrow() as connection:
        case = await case_of(asked, connection, claim)
        await note_deed(
            connection,
            asked.frame.seal,
            asked.tenant,
            Deed(staff=who.id, action="claim.read", subject=claim),
            now=asked.now,
            new_id=asked.part(DESK).new_id,
        )
        return case


@claims(
    "POST",
    "/v1/claims/{claim}/decision",
    who=(DECIDES,),
    returns={200: StaffClaimView},
    secret=True,  # the answer repeats the reason
    refuses=(
        RefusalCode.NOT_NOW,
        RefusalCode.CALL_IN_PROGRESS,
        RefusalCode.VOUCHER_INVALID,
        RefusalCode.VOUCHER_IN_USE,
        RefusalCode.QUOTA_USED,
    ),
)
async def decide_claim(
    acting: Acting, who: Staff, claim: Annotated[ClaimId, ID], body: Decide
) -> StaffClaimView:
    """Decide, once: the rest of the talk, a new voucher, or neither (A36, X07, X10).

    A voucher that was replaced before is replaced again by a supervisor alone. No later verdict
    takes back what was decided.
    """
    desk = acting.part(DESK)
    by = Decider(staff=who.id, is_supervisor=StaffRole.SUPERVISOR in who.roles)
    decided, committed = await _claim_desk(acting).decide(
        acting.connection, acting.tenant, claim, body.decision, body.reason, by
    )
    acting.after_commit(lambda: desk.tell(committed))
    return StaffClaimView.told(decided, {"decided": body.reason})


def _claim_desk(acting: Acting) -> ClaimDesk:
    return ClaimDesk(acting.part(DESK), acting.frame.seal)


def _place(escalated: str | int, due_at: str | int, claim: str | int) -> Place:
    return Place(
        escalated=bool(escalated),
        due_at=datetime.fromisoformat(str(due_at)),
        claim=ClaimId(str(claim)),
    )
