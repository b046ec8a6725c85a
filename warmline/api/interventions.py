"""Where supervisors and support step in: a call ended, an order given up. Each with its reason."""

from typing import Annotated

from billing.order import ClosedBy
from dialer.call import State as CallState
from dialer.events import StaffEnded
from dialer.store.calls import load_call
from terms.ids import CallId, OrderId
from terms.refusals import RefusalCode
from warmline.api.parts import DESK, own_order
from warmline.api.showing import order_as_shown
from warmline.api.views import CallView, OrderView
from warmline.audit import Deed, note_deed
from warmline.http.api import Operations
from warmline.http.asked import Acting
from warmline.http.model import ID, Line, Model
from warmline.http.problems import NotFound
from warmline.http.who import CALLER, Caller, Staff, staff
from warmline.people import StaffRole

interventions = Operations("Interventions")

SUPERVISOR_OR_SUPPORT = staff(StaffRole.SUPERVISOR, StaffRole.SUPPORT)
SUPPORT = staff(StaffRole.SUPPORT)


class Ending(Model):
    """Why a call is ended."""

    reason: Line
    confirm: bool = False
    """A supervisor's explicit word that a call in crisis may be ended; of no use to others."""


class Reason(Model):
    """Why something is decided; kept sealed."""

    reason: Line


class GivingUp(Reason):
    """Why an order is given up, and whose fault it is."""

    house_fault: bool = False
    """The counselor or the house cannot keep the appointment: it never counts as used."""


@interventions(
    "POST",
    "/v1/calls/{call}/end",
    who=(SUPERVISOR_OR_SUPPORT,),
    returns={200: CallView},
    refuses=(RefusalCode.NOT_NOW,),
)
async def end_call(
    acting: Acting, who: Staff, call: Annotated[CallId, ID], body: Ending
) -> CallView:
    """End a call. In a crisis a supervisor alone may, and says so with `confirm`."""
    desk = acting.part(DESK)
    stored = await load_call(acting.connection, acting.tenant, call)
    if stored is None:
        raise NotFound
    confirmed = body.confirm and StaffRole.SUPERVISOR in who.roles
    ended, committed = await desk.command(
        acting.connection, acting.tenant, call, stored.call.order, StaffEnded(confirmed=confirmed)
    )
    if stored.call.state is not CallState.ENDED:
        await note(acting, who, "call.ended", call, body.reason)
    acting.after_commit(lambda: desk.tell(committed))
    return CallView.of(ended, acting.now)


@interventions(
    "POST",
    "/v1/orders/{order}/cancel",
    who=(SUPPORT,),
    returns={200: OrderView},
    secret=True,  # the answer repeats why a claim was decided
    refuses=(RefusalCode.CALL_IN_PROGRESS, RefusalCode.ORDER_NOT_OPEN),
)
async def cancel_for_caller(
    acting: Acting, who: Staff, order: Annotated[OrderId, ID], body: GivingUp
) -> OrderView:
    """Give an order up for its caller; a call that only tries to reach the two is ended.

    A voucher that was never used comes back to them, unless it is too late for the appointed time
    and not the house's fault (X23); the answer says so in `counted_as_used`.
    """
    desk = acting.part(DESK)
    cancelled, committed = await desk.withdraw_order(
        acting.connection,
        acting.tenant,
        order,
        ClosedBy.SUPPORT,
        "house_fault" if body.house_fault else "cancelled_by_support",
        house_fault=body.house_fault,
    )
    deed = "order.cancelled_for_house_fault" if body.house_fault else "order.cancelled"
    await note(acting, who, deed, order, body.reason)
    acting.after_commit(lambda: desk.tell(committed))
    return await order_as_shown(acting, acting.connection, cancelled)


@interventions(
    "POST",
    "/v1/orders/{order}/release",
    who=(SUPPORT, CALLER),
    returns={200: OrderView},
    secret=True,  # the answer repeats why a claim was decided
    refuses=(RefusalCode.CALL_IN_PROGRESS, RefusalCode.ORDER_NOT_OPEN),
)
async def release_order(
    acting: Acting, who: Staff | Caller, order: Annotated[OrderId, ID], body: Reason
) -> OrderView:
    """Let an order go from a counselor who cannot be reached, so that another may be chosen (X04).

    A caller may do so by themselves where the order says `release_offered`.
    """
    desk = acting.part(DESK)
    held = (await own_order(acting, acting.connection, order)).counselor
    released, committed = await desk.release(
        acting.connection, acting.tenant, order, asked_for=isinstance(who, Staff)
    )
    if isinstance(who, Staff) and held is not None:
        await note(acting, who, "order.released", order, body.reason)
    acting.after_commit(lambda: desk.tell(committed))
    return await order_as_shown(acting, acting.connection, released)


async def note(acting: Acting, who: Staff, action: str, subject: str, reason: str) -> None:
    """Keep who did what, and why, in the transaction of the deed."""
    await note_deed(
        acting.connection,
        acting.frame.seal,
        acting.tenant,
        Deed(staff=who.id, action=action, subject=subject, reason=reason),
        now=acting.now,
        new_id=acting.part(DESK).new_id,
    )
