"""Support's way to a case: find the order, see all about it, and, with a reason, the number."""

from typing import TYPE_CHECKING, Annotated

from pydantic import StringConstraints

from billing.order import Order
from billing.order import State as OrderState
from billing.store.claims import claims_of_order, load_claim
from billing.store.orders import list_orders, load_order, orders_of_voucher
from dialer.call import Call
from dialer.store.calls import calls_of, load_call
from routing.store.callers import find_caller, load_caller, masked_callers
from terms.ids import CallerId, CallId, ClaimId, OrderId, ProgramId, VoucherId
from terms.phone import PhoneNumber
from terms.refusals import RefusalCode, Refused
from warmline.api.claim_views import StaffClaimView
from warmline.api.deed_views import DeedView
from warmline.api.parts import DESK
from warmline.api.showing import order_as_shown, reasons_of
from warmline.api.views import NonNegative, OrderView, VerdictView
from warmline.audit import Deed, deeds_about, note_deed
from warmline.http.api import Operations
from warmline.http.asked import Acting, Asked
from warmline.http.model import ID, Instant, Line, Model
from warmline.http.paging import Page, PageOf, page_of, start_after
from warmline.http.problems import NotFound
from warmline.http.who import Staff, staff
from warmline.people import StaffRole

if TYPE_CHECKING:
    from warmline.desk.store import Connection

case_office = Operations("Cases")

LOOKS = staff(StaffRole.SUPPORT, StaffRole.SUPERVISOR)
SUPERVISOR = staff(StaffRole.SUPERVISOR)

_HOME = "+86"
_MOBILE_DIGITS = 11
_MASKED_LOOKED_AT = 5_000
_REVEALED_MOST = 20
_REVEALED_WINDOW_SECONDS = 3600
_CLAIMS_SHOWN = 20


class Sought(Model):
    """What is known: an id, a number, or a masked number as it stands on a screen."""

    text: Annotated[
        str,
        StringConstraints(
            min_length=3, max_length=80, strip_whitespace=True, pattern=r"^[^\x00]*$"
        ),
    ]


class FoundView(Model):
    """An order that fits."""

    id: OrderId
    program: ProgramId
    state: OrderState
    opened_at: Instant
    caller: CallerId
    phone: str
    """Masked."""


class CaseCallView(Model):
    """A call of the order."""

    id: CallId
    started_at: Instant
    connected_at: Instant | None
    ended_at: Instant | None
    talked_seconds: NonNegative
    verdict: VerdictView | None


class CaseView(Model):
    """Everything about one order."""

    order: OrderView
    caller: CallerId
    phone: str
    """Masked."""

    calls: list[CaseCallView]
    """Oldest first."""

    claims: list[StaffClaimView]
    """The newest, newest first."""

    deeds: list[DeedView]
    """Who looked and who decided, oldest first."""


class WhyReveal(Model):
    """Why the number has to be seen. Kept for good."""

    reason: Line


class RevealedView(Model):
    """A number in the clear."""

    phone: str


@case_office(
    "POST", "/v1/staff/orders/search", who=(LOOKS,), returns={200: PageOf[FoundView]}, secret=True
)
async def search_orders(acting: Acting, who: Staff, query: Page, body: Sought) -> PageOf[FoundView]:
    """Find orders by an id (order, call, claim, voucher, caller), or by a number, masked or whole.

    A POST, for a number never stands in an address. A masked number is looked for among the 5,000
    newest accounts. Newest orders first.
    """
    after = start_after(acting, query)
    found = await _sought(acting, body.text, query, None if after is None else str(after[0]))
    numbers = {order.caller: await _masked(acting, order.caller) for order in found}
    items, cursor = page_of(
        acting,
        query,
        found,
        show=lambda order: FoundView(
            id=order.id,
            program=order.program,
            state=order.state,
            opened_at=order.opened_at,
            caller=order.caller,
            phone=numbers[order.caller],
        ),
        key=lambda order: (order.id,),
    )
    return PageOf[FoundView](items=items, next_cursor=cursor)


@case_office("GET", "/v1/staff/orders/{order}", who=(LOOKS,), returns={200: CaseView})
async def get_case(asked: Asked, who: Staff, order: Annotated[OrderId, ID]) -> CaseView:
    """One order with its calls, claims and what staff did about it. Reading it is on record."""
    async with asked.borrow() as connection:
        found = await load_order(connection, asked.tenant, order)
        if found is None:
            raise NotFound
        await _note(asked, connection, Deed(staff=who.id, action="order.read", subject=order))
        claims = await claims_of_order(connection, asked.tenant, order, limit=_CLAIMS_SHOWN)
        reasons = await reasons_of(asked.frame.seal, connection, asked.tenant, claims)
        shown = await order_as_shown(asked, connection, found)
        return CaseView(
            order=shown,
            caller=found.caller,
            phone=await _masked(asked, found.caller, connection),
            calls=[_call(call, asked) for call in await calls_of(connection, asked.tenant, order)],
            claims=[StaffClaimView.told(claim, reasons[claim.id]) for claim in claims],
            deeds=[
                DeedView.of(one)
                for one in await deeds_about(connection, asked.frame.seal, asked.tenant, order)
            ],
        )


@case_office(
    "POST",
    "/v1/staff/callers/{caller}/reveal",
    who=(LOOKS,),
    returns={200: RevealedView},
    refuses=(RefusalCode.RATE_LIMITED,),
    secret=True,
)
async def reveal_number(
    acting: Acting, who: Staff, caller: Annotated[CallerId, ID], body: WhyReveal
) -> RevealedView:
    """See a caller's number in the clear. Who did and why is on record; 20 an hour at most."""
    rate = await acting.frame.limits.hit(
        f"reveal:{who.tenant}:{who.id}",
        limit=_REVEALED_MOST,
        window_seconds=_REVEALED_WINDOW_SECONDS,
        now=acting.now,
    )
    if not rate.allowed:
        raise Refused(
            RefusalCode.RATE_LIMITED,
            "That many numbers in an hour are too many; a supervisor can tell you why.",
            retry_after_seconds=rate.retry_after_seconds,
        )
    found = await load_caller(acting.connection, acting.frame.seal, acting.tenant, caller)
    if found is None:
        raise NotFound
    deed = Deed(staff=who.id, action="number.revealed", subject=caller, reason=body.reason)
    await _note(acting, acting.connection, deed)
    return RevealedView(phone=found.number.digits)


async def _sought(acting: Acting, text: str, query: Page, after: str | None) -> list[Order]:
    kind = text.partition("_")[0]
    connection, tenant = acting.connection, acting.tenant
    match kind:
        case "order":
            return await _orders(acting, OrderId(text))
        case "call":
            stored = await load_call(connection, tenant, CallId(text))
            return [] if stored is None else await _orders(acting, stored.call.order)
        case "claim":
            claim = await load_claim(connection, tenant, ClaimId(text))
            return [] if claim is None else await _orders(acting, claim.order)
        case "voucher":
            return await orders_of_voucher(connection, tenant, VoucherId(text))
        case "caller":
            callers = [CallerId(text)]
        case _:
            callers = await _callers(acting, text)
    orders = [
        order
        for caller in callers
        for order in (
            await list_orders(connection, tenant, caller, limit=query.fetch, cursor=after)
        )[0]
    ]
    return sorted(orders, key=lambda order: order.id, reverse=True)[: query.fetch]


async def _orders(acting: Acting, order: OrderId) -> list[Order]:
    found = await load_order(acting.connection, acting.tenant, order)
    return [] if found is None else [found]


async def _callers(acting: Acting, text: str) -> list[CallerId]:
    connection, seal, tenant = acting.connection, acting.frame.seal, acting.tenant
    if "*" in text:
        return await masked_callers(connection, seal, tenant, text, limit=_MASKED_LOOKED_AT)
    digits = text.replace(" ", "").replace("-", "")
    if len(digits) == _MOBILE_DIGITS and digits.isdigit():
        digits = _HOME + digits
    try:
        number = PhoneNumber(digits)
    except ValueError:
        return []
    found = await find_caller(connection, seal, tenant, number)
    return [] if found is None else [found.id]


async def _masked(asked: Asked, caller: CallerId, connection: "Connection | None" = None) -> str:
    seal = asked.frame.seal
    if connection is None:
        assert isinstance(asked, Acting)
        connection = asked.connection
    found = await load_caller(connection, seal, asked.tenant, caller)
    return "" if found is None else str(found.number)


def _call(call: Call, asked: Asked) -> CaseCallView:
    talked = call.talked(call.ended_at or asked.now)
    verdict = call.verdict
    return CaseCallView(
        id=call.id,
        started_at=call.started_at,
        connected_at=call.connected_at,
        ended_at=call.ended_at,
        talked_seconds=int(talked.total_seconds()),
        verdict=None if verdict is None else VerdictView.of(verdict, final=call.verdict_is_final),
    )


async def _note(asked: Asked, connection: "Connection", deed: Deed) -> None:
    await note_deed(
        connection,
        asked.frame.seal,
        asked.tenant,
        deed,
        now=asked.now,
        new_id=asked.part(DESK).new_id,
    )
