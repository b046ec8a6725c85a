"""Calling back after a crisis: who is due, and how they were found to be (X55)."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from terms.ids import FollowUpId
from terms.refusals import RefusalCode, Refused
from terms.values import replace
from warmline.api.interventions import SUPERVISOR_OR_SUPPORT
from warmline.api.parts import DESK
from warmline.desk.follow_ups import (
    FollowUp,
    FollowUpOutcome,
    closed_line,
    list_follow_ups,
    lock_follow_up,
    save_closed,
)
from warmline.desk.store import adding_lines, carry_out
from warmline.desk.writing import Committed
from warmline.http.api import Operations
from warmline.http.asked import Acting, Asked
from warmline.http.model import ID, Instant, Model, Text
from warmline.http.paging import Page, PageOf, page_of, start_after
from warmline.http.problems import NotFound
from warmline.http.who import Staff

follow_ups = Operations("Follow-ups")


class FollowUpState(StrEnum):
    """Whether somebody still has to call back."""

    OPEN = "open"
    CLOSED = "closed"


class Which(Page):
    """Open or closed ones alone."""

    state: FollowUpState | None = None


class FollowUpView(Model):
    """Somebody who may have been in danger, to be called back."""

    id: str
    call: str
    order: str
    state: FollowUpState
    handed_over: bool
    """Whether an agency had the caller when the call ended."""

    opened_at: Instant
    due_at: Instant
    outcome: FollowUpOutcome | None
    note: str | None
    closed_by: str | None
    closed_at: Instant | None

    @classmethod
    def of(cls, follow_up: FollowUp) -> "FollowUpView":
        """As it stands."""
        closed = follow_up.outcome is not None
        return cls(
            id=follow_up.id,
            call=follow_up.call,
            order=follow_up.order,
            state=FollowUpState.CLOSED if closed else FollowUpState.OPEN,
            handed_over=follow_up.handed_over,
            opened_at=follow_up.opened_at,
            due_at=follow_up.due_at,
            outcome=follow_up.outcome,
            note=follow_up.note,
            closed_by=follow_up.closed_by,
            closed_at=follow_up.closed_at,
        )


class Found(Model):
    """How the person was found to be."""

    outcome: FollowUpOutcome
    note: Text | None = None


@follow_ups(
    "GET", "/v1/follow-ups", who=(SUPERVISOR_OR_SUPPORT,), returns={200: PageOf[FollowUpView]}
)
async def list_owed_follow_ups(asked: Asked, who: Staff, query: Which) -> PageOf[FollowUpView]:
    """Whom to call back after a crisis, the most pressing first."""
    key = start_after(asked, query)
    async with asked.borrow() as connection:
        rows = await list_follow_ups(
            connection,
            asked.frame.seal,
            asked.tenant,
            open_=None if query.state is None else query.state is FollowUpState.OPEN,
            after=None if key is None else (datetime.fromisoformat(str(key[0])), str(key[1])),
            limit=query.fetch,
        )
    items, cursor = page_of(
        asked,
        query,
        rows,
        show=FollowUpView.of,
        key=lambda row: (row.due_at.isoformat(), row.id),
    )
    return PageOf[FollowUpView](items=items, next_cursor=cursor)


@follow_ups(
    "POST",
    "/v1/follow-ups/{follow_up}/close",
    who=(SUPERVISOR_OR_SUPPORT,),
    returns={200: FollowUpView},
    refuses=(RefusalCode.NOT_NOW,),
)
async def close_follow_up(
    acting: Acting, who: Staff, follow_up: Annotated[FollowUpId, ID], body: Found
) -> FollowUpView:
    """Say how the person was found to be. Once: what was found is not written over."""
    desk, seal = acting.part(DESK), acting.frame.seal
    found = await lock_follow_up(acting.connection, seal, acting.tenant, follow_up)
    if found is None:
        raise NotFound
    if found.outcome is not None:
        raise Refused(RefusalCode.NOT_NOW, "Somebody has seen to this already.")
    closed = replace(
        found, outcome=body.outcome, note=body.note, closed_by=who.id, closed_at=acting.now
    )
    await save_closed(acting.connection, seal, acting.tenant, closed)
    line = adding_lines(acting.tenant, closed.order, closed.call, [closed_line(closed)], acting.now)
    await carry_out(acting.connection, [line])
    said = Committed(tenant=acting.tenant, order=closed.order, said=True)
    acting.after_commit(lambda: desk.tell(said))
    return FollowUpView.of(closed)
