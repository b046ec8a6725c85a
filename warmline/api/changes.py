"""What is announced to customers, and how many of them were told: for those who run the house."""

from datetime import date
from typing import Annotated

from pydantic import Field

from billing.policies.announcing import is_late, takes_effect_at
from billing.policies.changes import Change, ChangeKind
from terms.ids import ProgramId
from warmline.api.parts import program_of
from warmline.api.views import TextView
from warmline.http.api import Operations
from warmline.http.asked import Asked
from warmline.http.model import ID, Instant, Model
from warmline.http.paging import Page, PageOf, page_of, start_after
from warmline.http.who import Staff, staff
from warmline.people import StaffRole
from warmline.policies.store import Reached, reached_by_change

changes = Operations("Catalogue")

People = Annotated[int, Field(ge=0)]


class ChangeReachView(Model):
    """A change that a program announces, and whom word of it reached."""

    kind: ChangeKind
    effective_on: date
    announced_on: date
    text: TextView
    takes_effect_at: Instant
    known_at: Instant | None
    """Since when this installation has it in its program: nobody was told before."""

    is_late: bool
    """Whether it was put into the program after the day on which it says it is announced."""

    told: People
    """To whom an SMS was sent."""

    waiting: People
    """Whose SMS is on its way, or waits for its hour."""

    failed: People
    """Whose SMS was given up: they were not told. `GET /v1/notices?outcome=gave_up` says why."""

    withheld: People
    """Who was no customer any more when it would have been sent."""

    delivered: People
    """Of those told: whose phone had it, as far as the gateway says."""

    undelivered: People
    first_sent_at: Instant | None

    @classmethod
    def of(cls, change: Change, reached: Reached) -> "ChangeReachView":
        """As it stands."""
        return cls(
            kind=change.kind,
            effective_on=change.effective_on,
            announced_on=change.announced_on,
            text=TextView(zh=change.zh, en=change.en),
            takes_effect_at=takes_effect_at(change),
            known_at=reached.known_at,
            is_late=is_late(change, reached.known_at),
            told=reached.told,
            waiting=reached.waiting,
            failed=reached.failed,
            withheld=reached.withheld,
            delivered=reached.delivered,
            undelivered=reached.undelivered,
            first_sent_at=reached.first_sent_at,
        )


@changes(
    "GET",
    "/v1/programs/{program}/changes",
    who=(staff(StaffRole.OPERATOR, StaffRole.SUPERVISOR, StaffRole.SUPPORT),),
    returns={200: PageOf[ChangeReachView]},
)
async def list_changes(
    asked: Asked, who: Staff, program: Annotated[ProgramId, ID], query: Page
) -> PageOf[ChangeReachView]:
    """Changes that a program announces, past ones too, and how many people were told (B04)."""
    sheet = program_of(asked, program)
    after = start_after(asked, query)
    async with asked.borrow() as connection:
        reached = await reached_by_change(connection, asked.tenant, program)
    rows = [
        change
        for change in sorted(sheet.billing.cover.changes, key=lambda one: one.key)
        if after is None or change.key > str(after[0])
    ]
    items, cursor = page_of(
        asked,
        query,
        rows[: query.fetch],
        show=lambda change: ChangeReachView.of(
            change, reached.get(change.key, Reached(known_at=None))
        ),
        key=lambda change: (change.key,),
    )
    return PageOf[ChangeReachView](items=items, next_cursor=cursor)
