"""Writing an outcome: each part into its own room's tables, all in the deciding transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import routing.counselor
from billing.order import Order, Settlement
from billing.store.orders import save_order, save_settlement
from billing.store.vouchers import save_voucher
from dialer.call import Call, State
from dialer.orders import CarrierOrder
from dialer.store.calls import Stored, carrier_orders, save_call
from routing.counselor import Counselor
from routing.queue import Place
from routing.store.counselors import lock_counselor, save_counselor
from routing.store.queue import join_queue, leave_queue
from terms.ids import CallId, CounselorId, OrderId, TenantId
from terms.verdict import VerdictKind
from warmline.desk.slice import CounselorMove, Notice, Outcome, Slice
from warmline.desk.store import add_lines, add_notices
from warmline.desk.timeline import lines_of
from warmline.desk.wrap_ups import open_wrap_up
from warmline.programs import Program

if TYPE_CHECKING:
    from warmline.desk.store import Connection

ORDER_LEASE = timedelta(seconds=3)
"""How long the deciding process has its orders to itself; then another may take them over."""


class Outbox(Protocol):
    """Sends notices some time after the commit."""

    async def enqueue(
        self, connection: "Connection", tenant: TenantId, notices: Sequence[str], now: datetime
    ) -> None:
        """Take charge of these notices, within the deciding transaction."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What one transaction left to be done, for the workers of this process and for others."""

    tenant: TenantId
    order: OrderId | None = None
    call: CallId | None = None
    orders: tuple[tuple[int, CarrierOrder], ...] = ()
    others_pending: bool = False
    unhanded: bool = False  # orders were written that are in nobody's hand yet
    next_timer_at: datetime | None = None
    seats: bool = False  # somebody joined a queue, or somebody who may answer came free
    said: bool = False  # the timeline grew
    verdict: VerdictKind | None = None  # a call ended, and this is how it looks so far
    notices: bool = False


@dataclass(frozen=True, slots=True)
class Writer:
    """Carries out what `fold` decided."""

    outbox: Outbox
    new_id: Callable[[str], str]

    async def write(
        self,
        connection: "Connection",
        tenant: TenantId,
        before: Slice,
        stored: Stored | None,
        outcome: Outcome,
        program: Program,
        now: datetime,
    ) -> Committed:
        """Write everything an outcome changes, each in its own room's tables."""
        after = outcome.slice
        order = after.order.id
        call = after.call
        orders, others_pending = await _write_call(connection, tenant, stored, outcome, now)
        await self._write_worth(connection, tenant, before, outcome)
        await _write_counselors(connection, tenant, outcome, program, now)
        queued = await _write_place(connection, tenant, stored, call, program, after.order, now)
        lines = lines_of(outcome, None if stored is None else stored.call)
        if lines:
            call_id = None if call is None else call.id
            await add_lines(connection, tenant, order, call_id, lines, now)
        if outcome.notices:
            await self._write_notices(connection, tenant, outcome.notices, after, now)
        freed = any(
            move in (CounselorMove.RELEASED, CounselorMove.MISSED) for _, move in outcome.counselors
        )
        return Committed(
            tenant=tenant,
            order=order,
            call=None if call is None else call.id,
            orders=orders,
            others_pending=others_pending,
            next_timer_at=min((one.due_at for one in call.timers), default=None) if call else None,
            seats=queued or freed,
            said=bool(lines),
            verdict=_first_verdict(stored, call),
            notices=bool(outcome.notices),
        )

    async def _write_worth(
        self, connection: "Connection", tenant: TenantId, before: Slice, outcome: Outcome
    ) -> None:
        if outcome.movement is not None:
            assert outcome.slice.voucher is not None
            await save_voucher(connection, tenant, outcome.slice.voucher, outcome.movement)
        if outcome.review is not None or outcome.review_withdrawn is not None:
            settlement = Settlement(
                order=outcome.slice.order,
                review=outcome.review,
                review_withdrawn=outcome.review_withdrawn,
            )
            await save_settlement(connection, tenant, settlement)
        elif outcome.slice.order is not before.order:
            await save_order(connection, tenant, outcome.slice.order)

    async def _write_notices(
        self,
        connection: "Connection",
        tenant: TenantId,
        notices: Sequence[Notice],
        after: Slice,
        now: datetime,
    ) -> None:
        named = [(self.new_id("notice"), notice) for notice in notices]
        await add_notices(
            connection,
            tenant,
            named,
            caller=after.order.caller,
            order=after.order.id,
            call=None if after.call is None else after.call.id,
            now=now,
        )
        await self.outbox.enqueue(connection, tenant, [id_ for id_, _ in named], now)


def _first_verdict(stored: Stored | None, call: Call | None) -> VerdictKind | None:
    if call is None or call.verdict is None or (stored and stored.call.verdict is not None):
        return None
    return call.verdict.kind


async def _write_call(
    connection: "Connection",
    tenant: TenantId,
    stored: Stored | None,
    outcome: Outcome,
    now: datetime,
) -> tuple[tuple[tuple[int, CarrierOrder], ...], bool]:
    """The call with its timers; its orders, each with its number, and whether older ones wait."""
    call = outcome.slice.call
    if call is None or stored is None or (call is stored.call and not outcome.effects):
        return (), False
    written = await save_call(
        connection, tenant, stored, call, outcome.effects, now, now + ORDER_LEASE
    )
    asked = carrier_orders(outcome.effects)
    return tuple(zip(written.order_seqs, asked, strict=True)), written.others_pending


async def _write_counselors(
    connection: "Connection", tenant: TenantId, outcome: Outcome, program: Program, now: datetime
) -> None:
    """What the call did to counselors; whoever talked owes notes from now on."""
    call = outcome.slice.call
    for counselor, move in outcome.counselors:
        await _move_counselor(connection, tenant, counselor, move, program, now)
        if move is CounselorMove.FREED and call is not None:
            await open_wrap_up(
                connection,
                tenant,
                call=call.id,
                order=call.order,
                counselor=counselor,
                required=program.billing.summary_required,
                now=now,
            )


async def _move_counselor(
    connection: "Connection",
    tenant: TenantId,
    counselor: CounselorId,
    move: CounselorMove,
    program: Program,
    now: datetime,
) -> None:
    found = await lock_counselor(connection, tenant, counselor)
    if found is not None:
        moved = moved_counselor(found[0], move, program, now)
        await save_counselor(connection, tenant, moved)


def moved_counselor(
    counselor: Counselor, move: CounselorMove, program: Program, now: datetime
) -> Counselor:
    """What a call's move does to a counselor's record. Pure; the simulation uses it too."""
    policy = program.routing
    match move:
        case CounselorMove.CLAIMED:
            return routing.counselor.claimed(counselor, now)
        case CounselorMove.ACCEPTED:
            return routing.counselor.accepted(counselor)
        case CounselorMove.MISSED:
            return routing.counselor.missed(counselor, now, policy.misses_before_away)
        case CounselorMove.DECLINED:
            return routing.counselor.declined(counselor, now, policy.decline_cooldown_seconds)
        case CounselorMove.FREED:
            return routing.counselor.freed(counselor, now, policy.wrap_up_seconds)
        case CounselorMove.RELEASED:
            return routing.counselor.freed(counselor, now, 0)


async def _write_place(
    connection: "Connection",
    tenant: TenantId,
    stored: Stored | None,
    call: Call | None,
    program: Program,
    order: Order,
    now: datetime,
) -> bool:
    """Keep the call's place in the queue in step with its state; True when it waits there."""
    was = stored is not None and stored.version > 0 and stored.call.state is State.QUEUED
    is_ = call is not None and call.state is State.QUEUED
    if call is None or (was and is_ and stored is not None and stored.call.crisis == call.crisis):
        return False
    if is_:
        place = Place(
            call=call.id,
            program=program.id,
            joined_at=now,
            crisis=call.crisis,
            prefers=order.counselor,
        )
        await join_queue(connection, tenant, place)
    elif was:
        await leave_queue(connection, tenant, call.id)
    return is_
