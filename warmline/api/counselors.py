"""The counselor's side: presence, the offer, the call, the hand-over and the notes after it."""

from typing import TYPE_CHECKING, Annotated

from billing.store.orders import load_order
from dialer.events import (
    CapExtended,
    Command,
    CounselorAccepted,
    CounselorDeclined,
    CounselorHungUp,
    CounselorMarkedCutOff,
    CrisisRaised,
    TransferCancelled,
    TransferConfirmed,
    TransferRequested,
)
from dialer.store.calls import load_call
from routing.counselor import (
    set_presence,
    wrapped_up,
)
from routing.store.counselors import lock_counselor, save_counselor
from routing.store.targets import load_targets
from routing.transfer import Region, targets_for
from terms.ids import CallId, CounselorId
from terms.refusals import RefusalCode
from warmline.api.counselor_views import (
    Me,
    MoreTime,
    Notes,
    OwnCallView,
    PresenceWanted,
    TargetView,
    Transfer,
    Where,
)
from warmline.api.own_desk import own_call, own_desk
from warmline.api.parts import DESK, PROGRAMS, program_of
from warmline.api.presence import keep_present, lease_seconds
from warmline.desk.drafts import drop_draft
from warmline.desk.wrap_ups import (
    WrapUp,
    load_wrap_up,
    write_wrap_up,
)
from warmline.http.api import Operations
from warmline.http.asked import Acting, Asked
from warmline.http.model import ID
from warmline.http.paging import PageOf, page_of, start_after
from warmline.http.problems import BadInput, Forbidden, InputFault, NotFound
from warmline.http.who import Staff, staff
from warmline.people import StaffRole

if TYPE_CHECKING:
    pass

counselors = Operations("Counselors")

COUNSELOR = staff(StaffRole.COUNSELOR)


@counselors("GET", "/v1/me", who=(COUNSELOR,), returns={200: Me})
async def get_me(asked: Asked, who: Staff) -> Me:
    """My state, the call that rings me, the call I am on, and the notes I owe."""
    counselor = counselor_of(who)
    async with asked.borrow() as connection:
        await keep_present(connection, asked.tenant, counselor, asked.part(PROGRAMS), asked.now)
        return await own_desk(asked, connection, counselor)


@counselors("PUT", "/v1/me/presence", who=(COUNSELOR,), returns={200: Me})
async def put_presence(acting: Acting, who: Staff, body: PresenceWanted) -> Me:
    """Say whether I take calls. That lasts while I am seen: `GET /v1/me`, or the live feed.

    After missed or declined calls in a row the service sends me on a break (`sent_away`); saying
    `available` again ends it.
    """
    counselor = counselor_of(who)
    found = await lock_counselor(acting.connection, acting.tenant, counselor)
    if found is None:
        raise NotFound
    lease = lease_seconds(found[0], acting.part(PROGRAMS))
    present = set_presence(found[0], body.state, acting.now, lease)
    await save_counselor(acting.connection, acting.tenant, present)
    desk = acting.part(DESK)
    acting.after_commit(lambda: desk.counselor_came_free(acting.tenant))
    return await own_desk(acting, acting.connection, counselor)


@counselors(
    "POST",
    "/v1/calls/{call}/accept",
    who=(COUNSELOR,),
    returns={200: OwnCallView},
    refuses=(RefusalCode.NOT_NOW,),
)
async def accept(acting: Acting, who: Staff, call: Annotated[CallId, ID]) -> OwnCallView:
    """Take the call that rings me; it stands for pressing 1 on the phone."""
    return await _command(acting, who, call, CounselorAccepted())


@counselors(
    "POST",
    "/v1/calls/{call}/decline",
    who=(COUNSELOR,),
    returns={200: OwnCallView},
    refuses=(RefusalCode.NOT_NOW,),
)
async def decline(acting: Acting, who: Staff, call: Annotated[CallId, ID]) -> OwnCallView:
    """Do not take it, nor be offered it again; for a while no other call is, either."""
    return await _command(acting, who, call, CounselorDeclined())


@counselors(
    "POST",
    "/v1/calls/{call}/hang-up",
    who=(COUNSELOR,),
    returns={200: OwnCallView},
    refuses=(RefusalCode.NOT_NOW,),
)
async def hang_up(acting: Acting, who: Staff, call: Annotated[CallId, ID]) -> OwnCallView:
    """End the call. Refused while a person in danger is on the line: hand over first."""
    return await _command(acting, who, call, CounselorHungUp())


@counselors("POST", "/v1/calls/{call}/crisis", who=(COUNSELOR,), returns={200: OwnCallView})
async def crisis(acting: Acting, who: Staff, call: Annotated[CallId, ID]) -> OwnCallView:
    """Somebody may be in danger: no cap and no cut from here on (X55)."""
    return await _command(acting, who, call, CrisisRaised())


@counselors(
    "POST",
    "/v1/calls/{call}/extend",
    who=(COUNSELOR,),
    returns={200: OwnCallView},
    refuses=(RefusalCode.NOT_NOW,),
)
async def extend(
    acting: Acting, who: Staff, call: Annotated[CallId, ID], body: MoreTime | None
) -> OwnCallView:
    """Give the talk more time, where the program leaves that to the counselor (X33).

    Without a body: five minutes.
    """
    return await _command(acting, who, call, CapExtended((body or MoreTime()).seconds))


@counselors("GET", "/v1/transfer-targets", who=(COUNSELOR,), returns={200: PageOf[TargetView]})
async def list_targets(asked: Asked, who: Staff, query: Where) -> PageOf[TargetView]:
    """Agencies for a person in danger, the best one first, by where they say they are (X41)."""
    after = start_after(asked, query)
    async with asked.borrow() as connection:
        known = await load_targets(connection, asked.tenant)
    choices = targets_for(
        known,
        stated=None if query.region is None else Region(query.region),
        home=None,
        kinds=() if query.kind is None else (query.kind,),
    )
    start = 0 if after is None else int(after[0])
    rows = list(enumerate(choices, 1))[start : start + query.fetch]
    items, cursor = page_of(
        asked, query, rows, show=lambda row: TargetView.of(row[1]), key=lambda row: (row[0],)
    )
    return PageOf[TargetView](items=items, next_cursor=cursor)


@counselors(
    "POST",
    "/v1/calls/{call}/transfer",
    who=(COUNSELOR,),
    returns={200: OwnCallView},
    refuses=(RefusalCode.NOT_NOW,),
)
async def transfer(
    acting: Acting, who: Staff, call: Annotated[CallId, ID], body: Transfer
) -> OwnCallView:
    """Ring an agency while both stay on the line; after 30 s without an answer, the next."""
    known = await load_targets(acting.connection, acting.tenant)
    chosen = next((target for target in known if target.id == body.target), None)
    if chosen is None:
        detail = "there is no such agency"
        raise BadInput(InputFault(place="body", pointer="/target", detail=detail))
    others = targets_for(
        [target for target in known if target.id != chosen.id],
        stated=None if body.region is None else Region(body.region),
        home=None,
        kinds={chosen.kind},
    )
    targets = (chosen.id, *(choice.target.id for choice in others))
    return await _command(acting, who, call, TransferRequested(targets))


@counselors(
    "POST",
    "/v1/calls/{call}/transfer/confirm",
    who=(COUNSELOR,),
    returns={200: OwnCallView},
    refuses=(RefusalCode.NOT_NOW,),
)
async def confirm_transfer(acting: Acting, who: Staff, call: Annotated[CallId, ID]) -> OwnCallView:
    """The agency has the caller: leave the two alone."""
    return await _command(acting, who, call, TransferConfirmed())


@counselors(
    "POST",
    "/v1/calls/{call}/transfer/cancel",
    who=(COUNSELOR,),
    returns={200: OwnCallView},
    refuses=(RefusalCode.NOT_NOW,),
)
async def cancel_transfer(acting: Acting, who: Staff, call: Annotated[CallId, ID]) -> OwnCallView:
    """Go on without the agency."""
    return await _command(acting, who, call, TransferCancelled())


@counselors("POST", "/v1/calls/{call}/wrap-up", who=(COUNSELOR,), returns={200: Me})
async def wrap_up(acting: Acting, who: Staff, call: Annotated[CallId, ID], body: Notes) -> Me:
    """Write the notes of a call of mine; that ends the wrap-up."""
    counselor = counselor_of(who)
    desk = acting.part(DESK)
    kept = await load_wrap_up(acting.connection, acting.tenant, call)
    if kept is None or kept.counselor != counselor:
        raise NotFound
    await _check_notes(acting, kept, body)
    if body.cut_off is not None:
        _, committed = await desk.command(
            acting.connection,
            acting.tenant,
            call,
            kept.order,
            CounselorMarkedCutOff(body.cut_off),
            by=counselor,
        )
        acting.after_commit(lambda: desk.tell(committed))
    await drop_draft(acting.connection, acting.tenant, call)
    await write_wrap_up(
        acting.connection,
        acting.frame.seal,
        acting.tenant,
        kept,
        summary=body.summary,
        topics=body.topics,
        disposition=body.disposition,
        now=acting.now,
    )
    if kept.required and kept.written_at is None:
        told = await desk.tell_summary(acting.connection, acting.tenant, kept.order)
        acting.after_commit(lambda: desk.tell(told))
    found = await lock_counselor(acting.connection, acting.tenant, counselor)
    if found is not None:
        done = wrapped_up(found[0], acting.now)
        await save_counselor(acting.connection, acting.tenant, done)
        acting.after_commit(lambda: desk.counselor_came_free(acting.tenant))
    return await own_desk(acting, acting.connection, counselor)


async def _check_notes(acting: Acting, kept: WrapUp, body: Notes) -> None:
    """Raises BadInput for a topic or disposition that the program does not know (A04, A43)."""
    order = await load_order(acting.connection, acting.tenant, kept.order)
    assert order is not None
    program = program_of(acting, order.program)
    faults = [
        InputFault(
            place="body",
            pointer=f"/topics/{place}",
            detail=f"must be one of {', '.join(program.topics)}",
        )
        for place, topic in enumerate(body.topics)
        if topic not in program.topics
    ]
    if body.disposition not in program.dispositions:
        detail = f"must be one of {', '.join(program.dispositions)}"
        faults.append(InputFault(place="body", pointer="/disposition", detail=detail))
    if faults:
        raise BadInput(*faults)


async def _command(acting: Acting, who: Staff, call: CallId, command: Command) -> OwnCallView:
    """A command on the call that this counselor is on; any other call is not there for them."""
    counselor = counselor_of(who)
    stored = await load_call(acting.connection, acting.tenant, call)
    if stored is None:
        raise NotFound
    desk = acting.part(DESK)
    after, committed = await desk.command(
        acting.connection, acting.tenant, call, stored.call.order, command, by=counselor
    )
    acting.after_commit(lambda: desk.tell(committed))
    return await own_call(acting, acting.connection, after)


def counselor_of(who: Staff) -> CounselorId:
    """The counselor this member of staff is. Raises Forbidden."""
    if who.counselor is None:
        raise Forbidden
    return who.counselor
