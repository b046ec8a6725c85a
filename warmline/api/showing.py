"""Orders as their callers see them, with what is kept apart and belongs on the same screen."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from billing.claim import Claim
from billing.order import Order
from billing.rating import Rating
from billing.store.claims import newest_claims, words_of
from billing.store.ratings import ratings_of
from dialer.call import Call, State
from dialer.store.calls import live_call_of
from routing.store.counselors import introductions
from terms.ids import ClaimId, CounselorId, OrderId, ProgramId, TenantId
from warmline.api.outcome_views import ClaimView, RatingView, reasons_among
from warmline.api.parts import PROGRAMS
from warmline.api.views import CallView, OrderView
from warmline.desk.waits import waiting_of
from warmline.desk.wrap_ups import with_summary
from warmline.http.asked import Asked
from warmline.programs import Program
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from warmline.desk.store import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """Whose orders are shown, at which moment, and what opens the words that were written."""

    tenant: TenantId
    programs: Mapping[ProgramId, Program]
    seal: AesSeal
    now: datetime

    @classmethod
    def to(cls, asked: Asked) -> "Showing":
        """To somebody who asks."""
        return cls(
            tenant=asked.tenant,
            programs=asked.part(PROGRAMS),
            seal=asked.frame.seal,
            now=asked.now,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beside:
    """What is kept apart from the orders and shown with them."""

    people: Mapping[CounselorId, tuple[str, str]]
    ratings: Mapping[OrderId, Rating]
    claims: Mapping[OrderId, ClaimView]
    summaries: Collection[OrderId]


async def order_as_shown(asked: Asked, connection: "Connection", order: Order) -> OrderView:
    """The order with everything that a screen of its caller is rebuilt from."""
    (shown,) = await orders_as_shown(Showing.to(asked), connection, [order])
    return shown


async def orders_as_shown(
    showing: Showing, connection: "Connection", orders: Sequence[Order]
) -> list[OrderView]:
    """The orders, each with its call and place in the queue, its rating and its newest claim."""
    beside = await _stands_beside(showing, connection, orders)
    calls = [await _live_call(showing, connection, order) for order in orders]
    return [
        _shown(order, call, beside, showing.programs.get(order.program))
        for order, call in zip(orders, calls, strict=True)
    ]


async def call_as_shown(
    connection: "Connection", tenant: TenantId, call: Call, program: Program | None, now: datetime
) -> CallView:
    """The call; where it waits, with its place and how long that may take."""
    waiting = None
    if call.state is State.QUEUED and program is not None:
        waiting = await waiting_of(connection, tenant, call.id, program, now)
    return CallView.of(call, now, waiting)


async def reasons_of(
    seal: AesSeal, connection: "Connection", tenant: TenantId, found: Sequence[Claim]
) -> dict[ClaimId, dict[str, str]]:
    """Why each was decided as it was, by the kind of the decision."""
    if not found:
        return {}
    written = await words_of(connection, tenant, [claim.id for claim in found])
    return {id_: reasons_among(seal, words) for id_, words in written.items()}


async def _stands_beside(
    showing: Showing, connection: "Connection", orders: Sequence[Order]
) -> _Beside:
    tenant = showing.tenant
    over = [order.id for order in orders if order.settled is not None]
    claims = await newest_claims(connection, tenant, [order.id for order in orders])
    reasons = await reasons_of(showing.seal, connection, tenant, list(claims.values()))
    chosen = {order.counselor for order in orders if order.counselor is not None}
    return _Beside(
        people=await introductions(connection, tenant, chosen),
        ratings=await ratings_of(connection, tenant, over) if over else {},
        claims={id_: ClaimView.of(claim, reasons[claim.id]) for id_, claim in claims.items()},
        summaries=await with_summary(connection, tenant, over) if over else (),
    )


async def _live_call(showing: Showing, connection: "Connection", order: Order) -> CallView | None:
    live = None if order.call is None else await live_call_of(connection, showing.tenant, order.id)
    if live is None:
        return None
    program = showing.programs.get(order.program)
    return await call_as_shown(connection, showing.tenant, live.call, program, showing.now)


def _shown(
    order: Order, call: CallView | None, beside: _Beside, program: Program | None
) -> OrderView:
    policy = None if program is None else program.billing
    introduced = None if order.counselor is None else beside.people.get(order.counselor)
    name, credential = introduced or (None, None)
    rating = beside.ratings.get(order.id)
    changing = None if policy is None else policy.rating_change_seconds
    return OrderView.of(
        order,
        call,
        counselor_name=name,
        counselor_credential=credential,
        has_summary=order.id in beside.summaries,
        claim_seconds=None if policy is None else policy.claim_seconds,
        rating=None if rating is None else RatingView.of(rating, changing),
        claim=beside.claims.get(order.id),
    )
