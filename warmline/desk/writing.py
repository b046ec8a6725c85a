"""Writing an outcome: each part into its own room's tables, all in the deciding transaction."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from billing.order import Order, Settlement
from billing.store.orders import read_saved, saving_settlement
from billing.store.quotas import check_quota_moved, saving_quota
from billing.store.settlement import adding_grade
from billing.store.vouchers import check_moved, saving_voucher
from dialer.call import Call, State
from dialer.orders import CarrierOrder
from dialer.store.calls import Stored, carrier_orders, read_written, saving_call
from routing.queue import Place
from routing.store.counselors import lock_counselor_alone, save_counselor
from routing.store.queue import join_queue, leave_queue
from terms.change import Change
from terms.ids import CallId, CounselorId, FollowUpId, OrderId, TenantId
from terms.verdict import VerdictKind
from warmline.desk.follow_ups import needs_follow_up, opened_line, opening_follow_up
from warmline.desk.grading import grades
from warmline.desk.moves import moved_counselor
from warmline.desk.slice import CounselorMove, Notice, Outcome, Slice
from warmline.desk.store import Line, adding_lines, adding_notices, carry_out
from warmline.desk.timeline import lines_of
from warmline.desk.wrap_ups import opening_wrap_up
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
    leased_until: datetime | None = None  # for so long nobody else takes them
    others_pending: bool = False
    unhanded: bool = False  # orders were written that are in nobody's hand yet
    next_timer_at: datetime | None = None
    seats: bool = False  # somebody joined a queue, or somebody who may answer came free
    said: bool = False  # the timeline grew
    verdict: VerdictKind | None = None  # a call ended, and this is how it looks so far
    claim_opened: bool = False
    claim_decided: tuple[str, str] | None = None  # at which stage, and what
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
        """Write everything an outcome changes, each in its own room's tables.

        All but counselors and the queue, which are locked and read first, is one statement.
        """
        after, call = outcome.slice, outcome.slice.call
        await _move_counselors(connection, tenant, outcome, program, now)
        queued = await _write_place(connection, tenant, stored, call, program, after.order, now)
        earlier = None if stored is None else stored.call
        lines = lines_of(outcome, earlier)
        called_back = call is not None and needs_follow_up(earlier, call)
        if called_back:
            lines = (*lines, opened_line(now))
        notices = [(self.new_id("notice"), notice) for notice in outcome.notices]
        changes = [
            *_call_changes(tenant, stored, outcome, now),
            *_worth_changes(tenant, before, outcome),
            *(adding_grade(tenant, line) for line in grades(before, outcome, program, now)),
            *_wrap_up_changes(tenant, outcome, program, now),
            *([self._follow_up(tenant, call, now)] if call is not None and called_back else []),
            *_told_changes(tenant, after, lines, notices, now),
        ]
        orders, others_pending = await _carry_out(connection, changes, before, stored, outcome)
        if notices:
            await self.outbox.enqueue(connection, tenant, [id_ for id_, _ in notices], now)
        freed = any(
            move in (CounselorMove.RELEASED, CounselorMove.MISSED) for _, move in outcome.counselors
        )
        return Committed(
            tenant=tenant,
            order=after.order.id,
            call=None if call is None else call.id,
            orders=orders,
            leased_until=now + ORDER_LEASE,
            others_pending=others_pending,
            next_timer_at=min((one.due_at for one in call.timers), default=None) if call else None,
            seats=queued or freed,
            said=bool(lines),
            verdict=_first_verdict(stored, call),
            notices=bool(notices),
        )

    def _follow_up(self, tenant: TenantId, call: Call, now: datetime) -> Change:
        """Whoever may have been in danger is called back (X55)."""
        return opening_follow_up(tenant, FollowUpId(self.new_id("follow_up")), call, now)


def _call_changes(
    tenant: TenantId, stored: Stored | None, outcome: Outcome, now: datetime
) -> Iterable[Change]:
    """The call with its timers and its orders to the carrier."""
    if _moves_call(stored, outcome):
        assert stored is not None
        assert outcome.slice.call is not None
        yield saving_call(
            tenant, stored, outcome.slice.call, outcome.effects, now, now + ORDER_LEASE
        )


def _moves_call(stored: Stored | None, outcome: Outcome) -> bool:
    call = outcome.slice.call
    if call is None or stored is None:
        return False
    return call is not stored.call or bool(outcome.effects)


def _worth_changes(tenant: TenantId, before: Slice, outcome: Outcome) -> Iterable[Change]:
    """The order, what pays for it, and whether somebody has to look at the call."""
    voucher, quota, entry = outcome.slice.voucher, outcome.slice.quota, outcome.payment
    if entry is not None and voucher is not None:
        yield saving_voucher(tenant, voucher, entry)
    elif entry is not None and quota is not None:
        yield saving_quota(tenant, quota, entry)
    if _moves_order(before, outcome):
        settlement = Settlement(
            order=outcome.slice.order,
            talk=outcome.talk,
            review=outcome.review,
            review_withdrawn=outcome.review_withdrawn,
        )
        yield from saving_settlement(tenant, settlement)


def _moves_order(before: Slice, outcome: Outcome) -> bool:
    reviewed = outcome.review is not None or outcome.review_withdrawn is not None
    return reviewed or outcome.slice.order is not before.order


def _wrap_up_changes(
    tenant: TenantId, outcome: Outcome, program: Program, now: datetime
) -> Iterable[Change]:
    """Whoever talked owes notes from now on."""
    call = outcome.slice.call
    for counselor, move in outcome.counselors:
        if move is CounselorMove.FREED and call is not None:
            yield opening_wrap_up(
                tenant,
                call=call.id,
                order=call.order,
                counselor=counselor,
                required=program.billing.summary_required,
                now=now,
            )


def _told_changes(
    tenant: TenantId,
    after: Slice,
    lines: Sequence[Line],
    notices: Sequence[tuple[str, Notice]],
    now: datetime,
) -> Iterable[Change]:
    """The timeline's new lines, and who is told outside."""
    order, call = after.order, None if after.call is None else after.call.id
    if lines:
        yield adding_lines(tenant, order.id, call, lines, now)
    if notices:
        yield adding_notices(
            tenant, notices, caller=order.caller, order=order.id, call=call, now=now
        )


async def _carry_out(
    connection: "Connection",
    changes: Sequence[Change],
    before: Slice,
    stored: Stored | None,
    outcome: Outcome,
) -> tuple[tuple[tuple[int, CarrierOrder], ...], bool]:
    """The orders, each with its number, and whether older ones wait.

    Raises CallMoved, OrderMoved, VoucherMoved and QuotaMoved: somebody wrote without holding the
    locks.
    """
    if not changes:
        return (), False
    row = await carry_out(connection, changes)
    after = outcome.slice
    if outcome.payment is not None and after.voucher is not None:
        check_moved(row, after.voucher)
    elif outcome.payment is not None and after.quota is not None:
        check_quota_moved(row, after.quota)
    if _moves_order(before, outcome):
        read_saved(row, after.order)
    if after.call is None or not _moves_call(stored, outcome):
        return (), False
    written = read_written(row, after.call)
    asked = carrier_orders(outcome.effects)
    return tuple(zip(written.order_seqs, asked, strict=True)), written.others_pending


def _first_verdict(stored: Stored | None, call: Call | None) -> VerdictKind | None:
    if call is None or call.verdict is None or (stored and stored.call.verdict is not None):
        return None
    return call.verdict.kind


async def _move_counselors(
    connection: "Connection", tenant: TenantId, outcome: Outcome, program: Program, now: datetime
) -> None:
    for counselor, move in outcome.counselors:
        await _move_counselor(connection, tenant, counselor, move, program, now)


async def _move_counselor(
    connection: "Connection",
    tenant: TenantId,
    counselor: CounselorId,
    move: CounselorMove,
    program: Program,
    now: datetime,
) -> None:
    found = await lock_counselor_alone(connection, tenant, counselor)
    if found is not None:
        moved = moved_counselor(found, move, program, now)
        await save_counselor(connection, tenant, moved)


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
            joined_at=call.started_at,
            crisis=call.crisis,
            prefers=order.counselor,
        )
        await join_queue(connection, tenant, place)
    elif was:
        await leave_queue(connection, tenant, call.id)
    return is_
