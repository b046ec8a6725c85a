"""Orders and their calls, as the caller's app drives them."""

from typing import Annotated

from pydantic import Field

from billing.order import ClosedBy
from billing.store.orders import list_orders
from dialer.events import CallerHungUp
from dialer.store.calls import live_call_of
from routing.store.callers import get_or_create_caller, load_caller
from terms.ids import CallerId, CounselorId, OrderId, PersonId, ProgramId
from terms.phone import PhoneNumber
from terms.refusals import RefusalCode, Refused
from warmline.api.parts import DESK, PROGRAMS, own_order
from warmline.api.showing import Showing, call_as_shown, order_as_shown, orders_as_shown
from warmline.api.timeline import TimelineEntry, lines_for
from warmline.api.views import CallView, OrderView
from warmline.api.vouchers import TypedCode, voucher_given
from warmline.desk.opening import COUNSELOR_ABSENT, NotQualified, Wish
from warmline.desk.timeline import caller_sees
from warmline.desk.wrap_ups import read_summary
from warmline.http.api import Operations
from warmline.http.asked import Acting, Asked
from warmline.http.mobile import Mobile
from warmline.http.model import ID, Instant, Model, Phone, Whole
from warmline.http.paging import Page, PageOf, page_of, start_after
from warmline.http.problems import BadInput, InputFault, NotFound
from warmline.http.who import APP, CALLER, AppKey, Caller
from warmline.programs import Program

orders = Operations("Orders")


class OpenOrder(Model):
    """What is wanted. A caller's own device leaves `phone` out; an app names its customer's."""

    program: Annotated[ProgramId, ID]
    counselor: Annotated[CounselorId, ID] | None = None
    """Whom to talk to, where the program lets one choose."""

    voucher: TypedCode | None = None
    """The code as it was received, or the id of a voucher in the account."""

    phone: Mobile | None = None

    starts_at: Instant | None = None
    """The appointed time, where the program takes appointments; absent: to be called at once."""

    insured: Annotated[PersonId, ID] | None = None
    """For whom, where the caller may act for several insured people: `insured` of an entitlement.
    """


class Chosen(Model):
    """Whom the caller wants to talk to."""

    counselor: Annotated[CounselorId, ID]


class PlaceCall(Model):
    """The number of the phone in the hand. A caller's own device may leave it to us to know."""

    phone: Phone | None = None


class SummaryView(Model):
    """A doctor's summary of the talk, for its caller alone."""

    text: str
    written_at: Instant


class After(Page):
    """Where to go on reading."""

    after: Annotated[Whole, Field(ge=0, le=2**63 - 1)] = 0
    """`seq` of the last entry that was read."""


@orders(
    "POST",
    "/v1/orders",
    who=(CALLER, APP),
    returns={201: OrderView},
    refuses=(
        RefusalCode.VOUCHER_INVALID,
        RefusalCode.VOUCHER_IN_USE,
        RefusalCode.CALL_IN_PROGRESS,
        RefusalCode.COUNSELOR_OFFLINE,
        RefusalCode.NOT_ENTITLED,
        RefusalCode.QUOTA_USED,
        RefusalCode.NOT_NOW,
        RefusalCode.OUTSIDE_HOURS,
        RefusalCode.RATE_LIMITED,
    ),
)
async def create_order(
    acting: Acting, who: Caller | AppKey, body: OpenOrder
) -> OrderView | Refused:
    """Redeem a voucher and open an order for it, or open one where none is needed (A14, A31).

    With `starts_at` it is an appointment: within the service's hours, and not too far ahead.
    """
    desk, program = acting.part(DESK), _program(acting, body.program)
    caller = await _caller(acting, who, body)
    voucher = None
    if body.voucher is not None:
        given = await voucher_given(acting, who, body.voucher, caller)
        if isinstance(given, Refused):
            return given
        voucher = given.id
    wish = Wish(
        program=program,
        caller=caller,
        counselor=body.counselor,
        voucher=voucher,
        insured=body.insured,
        starts_at=body.starts_at,
    )
    try:
        opened, committed = await desk.open_order(acting.connection, acting.tenant, wish)
    except NotQualified as unfit:
        detail = "nobody of that id answers this program"
        raise BadInput(InputFault(place="body", pointer="/counselor", detail=detail)) from unfit
    acting.after_commit(lambda: desk.tell(committed))
    return await order_as_shown(acting, acting.connection, opened)


def _program(acting: Acting, program: ProgramId) -> Program:
    found = acting.part(PROGRAMS).get(program)
    if found is None:
        detail = "there is no such program"
        raise BadInput(InputFault(place="body", pointer="/program", detail=detail))
    return found


async def _caller(acting: Acting, who: Caller | AppKey, body: OpenOrder) -> CallerId:
    if isinstance(who, Caller):
        if body.phone is not None:
            detail = "leave it out: your device has verified its number"
            raise BadInput(InputFault(place="body", pointer="/phone", detail=detail))
        return who.id
    if body.phone is None:
        detail = "name the customer's number"
        raise BadInput(InputFault(place="body", pointer="/phone", detail=detail))
    new_id = acting.part(DESK).new_id
    caller = await get_or_create_caller(
        acting.connection,
        acting.frame.seal,
        acting.tenant,
        body.phone,
        lambda: CallerId(new_id("caller")),
        acting.now,
    )
    return caller.id


@orders("GET", "/v1/orders", who=(CALLER, APP), returns={200: PageOf[OrderView]})
async def list_own_orders(asked: Asked, who: Caller | AppKey, query: Page) -> PageOf[OrderView]:
    """Orders, newest first: a caller's own, or all of the app's tenant."""
    after = start_after(asked, query)
    async with asked.borrow() as connection:
        rows, _ = await list_orders(
            connection,
            asked.tenant,
            who.id if isinstance(who, Caller) else None,
            limit=query.fetch,
            cursor=None if after is None else str(after[0]),
        )
        shown = await orders_as_shown(Showing.to(asked), connection, rows)
    by_id = {view.id: view for view in shown}
    items, cursor = page_of(
        asked, query, rows, show=lambda order: by_id[order.id], key=lambda order: (order.id,)
    )
    return PageOf[OrderView](items=items, next_cursor=cursor)


@orders("GET", "/v1/orders/{order}", who=(CALLER, APP), returns={200: OrderView})
async def get_order(asked: Asked, who: Caller | AppKey, order: Annotated[OrderId, ID]) -> OrderView:
    """One order with the call that works for it: a screen can be rebuilt from this alone."""
    async with asked.borrow() as connection:
        found = await own_order(asked, connection, order)
        desk = asked.part(DESK)
        shown = await order_as_shown(asked, connection, found)
        program = await desk.programs.of_order(connection, asked.tenant, found)
        offered = await desk.offers_release(connection, asked.tenant, found, program)
        return shown.model_copy(update={"release_offered": offered})


@orders(
    "PUT",
    "/v1/orders/{order}/counselor",
    who=(CALLER,),
    returns={200: OrderView},
    refuses=(RefusalCode.ORDER_NOT_OPEN,),
)
async def choose_counselor(
    acting: Acting, who: Caller, order: Annotated[OrderId, ID], body: Chosen
) -> OrderView:
    """Choose whom to talk to, for an order that has nobody: none was named, or it was released."""
    desk = acting.part(DESK)
    await own_order(acting, acting.connection, order)
    try:
        chosen, committed = await desk.choose(
            acting.connection, acting.tenant, order, body.counselor
        )
    except NotQualified as unfit:
        detail = "nobody of that id answers this order's program"
        raise BadInput(InputFault(place="body", pointer="/counselor", detail=detail)) from unfit
    acting.after_commit(lambda: desk.tell(committed))
    return await order_as_shown(acting, acting.connection, chosen)


@orders(
    "POST",
    "/v1/orders/{order}/calls",
    who=(CALLER, APP),
    returns={202: CallView},
    refuses=(
        RefusalCode.DEVICE_NOT_VERIFIED,
        RefusalCode.NUMBER_MISMATCH,
        RefusalCode.OUTSIDE_HOURS,
        RefusalCode.VOUCHER_IN_USE,
        RefusalCode.CALL_IN_PROGRESS,
        RefusalCode.COUNSELOR_BUSY,
        RefusalCode.COUNSELOR_OFFLINE,
        RefusalCode.ORDER_EXPIRED,
        RefusalCode.ORDER_NOT_OPEN,
        RefusalCode.NOT_NOW,
        RefusalCode.RATE_LIMITED,
    ),
    begins_call=True,
)
async def place_call(
    acting: Acting, who: Caller | AppKey, order: Annotated[OrderId, ID], body: PlaceCall
) -> CallView | Refused:
    """Call the two people of an order; a call that waits for its next attempt goes on at once.

    The first of several dials wins (A22); whatever refuses it leaves nothing behind, but a note for
    an appointment whose counselor is not there. Before the appointed time nobody is called. While
    the service is behind with calls under way the answer is 503 and nothing is begun.
    """
    desk = acting.part(DESK)
    owned = await own_order(acting, acting.connection, order)
    number = body.phone or await _verified_by(acting, who)
    try:
        call, committed = await desk.place_call(acting.connection, acting.tenant, order, number)
    except Refused as refusal:
        if refusal.code is RefusalCode.ORDER_NOT_OPEN:
            noted = await desk.note_called_back(acting.connection, acting.tenant, order)
        elif refusal.code in COUNSELOR_ABSENT:
            noted = await desk.note_let_down(acting.connection, acting.tenant, order)
        else:
            raise
        if noted is not None:
            acting.after_commit(lambda: desk.tell(noted))
        return refusal
    acting.after_commit(lambda: desk.tell(committed))
    program = acting.part(PROGRAMS).get(owned.program)
    return await call_as_shown(acting.connection, acting.tenant, call, program, acting.now)


async def _verified_by(acting: Acting, who: Caller | AppKey) -> PhoneNumber:
    """The number that the device which asks was verified for. Raises BadInput for an app."""
    if isinstance(who, AppKey):
        detail = "name the number of the phone in your customer's hand"
        raise BadInput(InputFault(place="body", pointer="/phone", detail=detail))
    seal = acting.frame.seal
    caller = await load_caller(acting.connection, seal, acting.tenant, who.id)
    assert caller is not None
    return caller.number


@orders(
    "DELETE",
    "/v1/orders/{order}/calls/current",
    who=(CALLER,),
    returns={202: CallView},
    refuses=(RefusalCode.NOT_NOW,),
)
async def hang_up_in_app(acting: Acting, who: Caller, order: Annotated[OrderId, ID]) -> CallView:
    """Hang up from the app. 404 when no call is on."""
    desk = acting.part(DESK)
    await own_order(acting, acting.connection, order)
    live = await live_call_of(acting.connection, acting.tenant, order)
    if live is None:
        raise NotFound
    call, committed = await desk.command(
        acting.connection, acting.tenant, live.call.id, order, CallerHungUp()
    )
    acting.after_commit(lambda: desk.tell(committed))
    return CallView.of(call, acting.now)


@orders(
    "GET",
    "/v1/orders/{order}/events",
    who=(CALLER, APP),
    returns={200: PageOf[TimelineEntry]},
)
async def list_events(
    asked: Asked, who: Caller | AppKey, order: Annotated[OrderId, ID], query: After
) -> PageOf[TimelineEntry]:
    """The order's timeline as the caller may see it, oldest first."""
    after = start_after(asked, query)
    async with asked.borrow() as connection:
        found = await own_order(asked, connection, order)
        rows = await lines_for(
            connection,
            asked.tenant,
            order,
            mark=caller_sees(found.caller),
            after=query.after if after is None else int(after[0]),
            limit=query.fetch,
        )
    items, cursor = page_of(asked, query, rows, show=lambda row: row, key=lambda row: (row.seq,))
    return PageOf[TimelineEntry](items=items, next_cursor=cursor)


@orders("GET", "/v1/orders/{order}/summary", who=(CALLER,), returns={200: SummaryView})
async def get_summary(asked: Asked, who: Caller, order: Annotated[OrderId, ID]) -> SummaryView:
    """What the doctor wrote for me after the call (C08). 404 until it is written."""
    async with asked.borrow() as connection:
        await own_order(asked, connection, order)
        found = await read_summary(connection, asked.frame.seal, asked.tenant, order)
    if found is None:
        raise NotFound
    return SummaryView(text=found[0], written_at=found[1])


@orders(
    "DELETE",
    "/v1/orders/{order}",
    who=(CALLER, APP),
    returns={200: OrderView},
    refuses=(RefusalCode.CALL_IN_PROGRESS, RefusalCode.ORDER_NOT_OPEN),
)
async def cancel_order(
    acting: Acting, who: Caller | AppKey, order: Annotated[OrderId, ID]
) -> OrderView:
    """Give the order up; an unused voucher comes back to the account.

    An appointment is given up for nothing until `cancel_free_until`. Later it counts as used, and
    the answer says so in `counted_as_used` (X23).

    A caller ends their call first. An app's cancel also ends a call that only tries to reach the
    two; once they talk it is refused.
    """
    desk = acting.part(DESK)
    await own_order(acting, acting.connection, order)
    give_up, by = (
        (desk.cancel_order, ClosedBy.CALLER)
        if isinstance(who, Caller)
        else (desk.withdraw_order, ClosedBy.APP)
    )
    cancelled, committed = await give_up(
        acting.connection, acting.tenant, order, by, f"cancelled_by_{by}"
    )
    acting.after_commit(lambda: desk.tell(committed))
    return await order_as_shown(acting, acting.connection, cancelled)
