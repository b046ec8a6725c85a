"""Every counselor: what they do, what they talked today, and ending a wrap-up that does not end."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from billing.store.lately import Load, loads
from routing.counselor import Activity, Counselor, activity_of, wrapped_up
from routing.store.counselors import list_all, lock_counselor, save_counselor
from terms.ids import CallId, CounselorId
from warmline.api.interventions import Reason, note
from warmline.api.own_desk import WRAP_UP_ENDED
from warmline.api.parts import DESK
from warmline.api.views import NonNegative
from warmline.api.wallboard import SUPERVISOR, at_one_instant, midnight, unshown
from warmline.http.api import Operations
from warmline.http.asked import Acting, Asked
from warmline.http.model import ID, Instant, Model
from warmline.http.paging import Page, PageOf, page_of, start_after
from warmline.http.problems import NotFound
from warmline.http.who import Staff

if TYPE_CHECKING:
    from warmline.desk.store import Connection

roster = Operations("Wallboard")


class WhichPeople(Page):
    """Everybody, or those who do one thing now."""

    activity: Activity | None = None


class RosterView(Model):
    """A counselor with today's load."""

    id: CounselorId
    name: str
    programs: list[str]
    activity: Activity
    call: CallId | None
    lease_until: Instant | None
    wrap_up_until: Instant | None
    calls_today: NonNegative
    talked_seconds_today: NonNegative
    not_showing_since: Instant | None
    """Since when their phone rings while no console says that it shows the call."""

    @classmethod
    def of(
        cls,
        counselor: Counselor,
        engaged: CallId | None,
        load: Load,
        unshown: datetime | None,
        now: datetime,
    ) -> "RosterView":
        """What they do now and did today."""
        return cls(
            id=counselor.id,
            name=counselor.name,
            programs=sorted(counselor.programs),
            activity=activity_of(counselor, engaged, now),
            call=engaged,
            lease_until=counselor.lease_until,
            wrap_up_until=counselor.wrap_up_until,
            calls_today=load.calls,
            talked_seconds_today=load.talked_seconds,
            not_showing_since=unshown,
        )


@roster("GET", "/v1/staff/counselors", who=(SUPERVISOR,), returns={200: PageOf[RosterView]})
async def list_roster(asked: Asked, query: WhichPeople) -> PageOf[RosterView]:
    """Counselors, what they do now, and what they talked today."""
    after = start_after(asked, query)
    async with at_one_instant(asked) as connection:
        rows = await list_all(
            connection,
            asked.tenant,
            asked.now,
            limit=query.fetch,
            after=None if after is None else CounselorId(str(after[0])),
            activity=query.activity,
        )
        ids = [counselor.id for counselor, _ in rows]
        carried = await loads(connection, asked.tenant, ids, midnight(asked.now))
        rung = await unshown(connection, asked)
    items, cursor = page_of(
        asked,
        query,
        rows,
        show=lambda row: RosterView.of(
            *row, carried.get(row[0].id, Load(0, 0)), rung.get(row[0].id), asked.now
        ),
        key=lambda row: (row[0].id,),
    )
    return PageOf[RosterView](items=items, next_cursor=cursor)


@roster(
    "POST",
    "/v1/staff/counselors/{counselor}/end-wrap-up",
    who=(SUPERVISOR,),
    returns={200: RosterView},
)
async def end_wrap_up(
    acting: Acting, who: Staff, counselor: Annotated[CounselorId, ID], body: Reason
) -> RosterView:
    """Let a counselor's wrap-up be over: they are free again, or on the break they asked for.

    What they typed stays, and they still owe the notes. One that is over already stays so.
    """
    found = await lock_counselor(acting.connection, acting.tenant, counselor)
    if found is None:
        raise NotFound
    before, engaged = found
    after = wrapped_up(before, acting.now)
    if after is not before:
        await save_counselor(acting.connection, acting.tenant, after)
        await note(acting, who, WRAP_UP_ENDED, counselor, body.reason)
        desk = acting.part(DESK)
        acting.after_commit(lambda: desk.counselor_came_free(acting.tenant))
    return await _line(acting, acting.connection, after, engaged)


async def _line(
    asked: Asked, connection: "Connection", counselor: Counselor, engaged: CallId | None
) -> RosterView:
    since = midnight(asked.now)
    carried = await loads(connection, asked.tenant, [counselor.id], since)
    rung = await unshown(connection, asked)
    load = carried.get(counselor.id, Load(0, 0))
    return RosterView.of(counselor, engaged, load, rung.get(counselor.id), asked.now)
