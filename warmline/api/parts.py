"""What the endpoints need of the process, and the look-ups they share."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from aiohttp import web

from billing.order import Order
from billing.store.orders import load_order
from dialer.call import Call, State
from dialer.store.calls import live_call_of
from routing.store.counselors import counselor_name
from terms.ids import OrderId, ProgramId, TenantId
from warmline.api.views import CallView, OrderView
from warmline.desk.desk import Desk
from warmline.desk.waits import waiting_of
from warmline.desk.wrap_ups import has_summary
from warmline.http.asked import Asked
from warmline.http.problems import NotFound
from warmline.http.who import Caller
from warmline.programs import Program
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from warmline.desk.store import Connection

DESK = web.AppKey("desk", Desk)
PROGRAMS: web.AppKey[Mapping[ProgramId, Program]] = web.AppKey("programs", Mapping)


def key_for(seal: AesSeal, purpose: str) -> bytes:
    """A key of this installation for one purpose alone."""
    return seal.sign(b"key", purpose)


def program_of(asked: Asked, program: ProgramId) -> Program:
    """The program as it is offered now. Raises NotFound."""
    found = asked.part(PROGRAMS).get(program)
    if found is None:
        raise NotFound
    return found


async def own_order(asked: Asked, connection: "Connection", order: OrderId) -> Order:
    """An order that whoever asks may see: a caller their own, an app any. Raises NotFound."""
    found = await load_order(connection, asked.tenant, order)
    if found is None or (isinstance(asked.who, Caller) and found.caller != asked.who.id):
        raise NotFound
    return found


async def order_as_shown(
    connection: "Connection",
    tenant: TenantId,
    order: Order,
    programs: Mapping[ProgramId, Program],
    now: datetime,
) -> OrderView:
    """The order with the call that works for it, and that call's place in the queue."""
    live = None if order.call is None else await live_call_of(connection, tenant, order.id)
    program = programs.get(order.program)
    call = None
    if live is not None:
        call = await call_as_shown(connection, tenant, live.call, program, now)
    name = None
    if order.counselor is not None:
        name = await counselor_name(connection, tenant, order.counselor)
    return OrderView.of(
        order,
        call,
        counselor_name=name,
        has_summary=order.settled is not None and await has_summary(connection, tenant, order.id),
        claim_seconds=None if program is None else program.billing.claim_seconds,
    )


async def call_as_shown(
    connection: "Connection", tenant: TenantId, call: Call, program: Program | None, now: datetime
) -> CallView:
    """The call; where it waits, with its place and how long that may take."""
    waiting = None
    if call.state is State.QUEUED and program is not None:
        waiting = await waiting_of(connection, tenant, call.id, program, now)
    return CallView.of(call, now, waiting)
