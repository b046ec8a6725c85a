"""What is on offer: programs, and who answers them. Open to anybody."""

from datetime import datetime
from typing import Annotated

from billing.policies.waiting import today_in_china
from routing.hours import is_open, next_opening
from routing.store.counselors import list_counselors
from terms.calendar import Workdays
from terms.ids import CounselorId, ProgramId
from warmline.api.parts import DESK, PROGRAMS, program_of
from warmline.api.views import CounselorView, ProgramView
from warmline.http.api import Operations
from warmline.http.asked import Asked
from warmline.http.model import ID
from warmline.http.paging import Page, PageOf, page_of, start_after
from warmline.programs import Program

catalogue = Operations("Catalogue")


@catalogue("GET", "/v1/programs", returns={200: PageOf[ProgramView]})
async def list_programs(asked: Asked, query: Page) -> PageOf[ProgramView]:
    """Services that can be called, and whether they are open now."""
    async with asked.borrow() as connection:
        workdays = await asked.part(DESK).calendar.workdays(connection, asked.tenant)
    after = start_after(asked, query)
    programs = sorted(asked.part(PROGRAMS).values(), key=lambda program: program.id)
    rows = [program for program in programs if after is None or program.id > str(after[0])]
    items, cursor = page_of(
        asked,
        query,
        rows[: query.fetch],
        show=lambda program: _shown(program, asked.now, workdays),
        key=lambda program: (program.id,),
    )
    return PageOf[ProgramView](items=items, next_cursor=cursor)


def _shown(program: Program, now: datetime, workdays: Workdays) -> ProgramView:
    hours = program.routing.hours
    open_now = is_open(hours, now, workdays)
    opens_at = None if open_now else next_opening(hours, now, workdays)
    return ProgramView.of(program, is_open=open_now, opens_at=opens_at, today=today_in_china(now))


@catalogue("GET", "/v1/programs/{program}/counselors", returns={200: PageOf[CounselorView]})
async def list_program_counselors(
    asked: Asked, program: Annotated[ProgramId, ID], query: Page
) -> PageOf[CounselorView]:
    """Those who may answer the program's calls, and who of them is free now (A09)."""
    sheet = program_of(asked, program)
    after = start_after(asked, query)
    async with asked.borrow() as connection:
        rows = await list_counselors(
            connection,
            asked.tenant,
            sheet.routing.requirement(sheet.id),
            asked.now,
            limit=query.fetch,
            after=None if after is None else CounselorId(str(after[0])),
        )
    items, cursor = page_of(
        asked, query, rows, show=CounselorView.of, key=lambda row: (row.counselor.id,)
    )
    return PageOf[CounselorView](items=items, next_cursor=cursor)
