"""Writing what was decided: each part into its own room's tables, in the deciding transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from dialer.call import Call, State
from dialer.orders import CarrierOrder
from dialer.store.calls import Stored, Written, read_written
from routing.queue import Place
from routing.store.counselors import lock_counselor_alone, save_counselor
from routing.store.queue import join_queue, leave_queue
from terms.ids import CallId, CounselorId, OrderId, TenantId
from terms.verdict import VerdictKind
from warmline.desk.drafting import ORDER_LEASE, Decision, Draft, draft, moves_of, shared
from warmline.desk.moves import moved_counselor
from warmline.desk.slice import CounselorMove, Outcome, Slice
from warmline.desk.store import carry_out
from warmline.programs import Program

if TYPE_CHECKING:
    from warmline.desk.store import Connection

__all__ = ["ORDER_LEASE", "Committed", "Decision", "Outbox", "Writer"]


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
    seats: bool = (
        False  # somebody joined a queue, or somebody who may answer came (or will come) free
    )
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
        """Write everything an outcome changes, as `write_all` does."""
        decision = Decision(before=before, stored=stored, outcome=outcome, program=program)
        (committed,) = await self.write_all(connection, tenant, [decision], now)
        return committed

    async def write_all(
        self,
        connection: "Connection",
        tenant: TenantId,
        decisions: Sequence[Decision],
        now: datetime,
    ) -> list[Committed]:
        """Write everything that several outcomes change, each about an order of its own.

        Counselors and the queue are locked and read first. All the rest of one outcome is one
        statement. What several share is one, and each that changes what its order is worth has one
        of its own: so there are few different statements, and the database plans each but once.

        Raises CallMoved, OrderMoved, VoucherMoved and QuotaMoved: somebody wrote without holding
        the locks.
        """
        await _move_counselors(connection, tenant, decisions, now)
        queued = [await _write_place(connection, tenant, one) for one in decisions]
        drafts = [draft(tenant, one, self.new_id, now) for one in decisions]
        written = await _carry_out(connection, tenant, drafts, now)
        notices = [id_ for one in drafts for id_ in one.notices]
        if notices:
            await self.outbox.enqueue(connection, tenant, notices, now)
        return [
            _committed(tenant, one, written.get(one.decision.before.order.id), waits, now)
            for one, waits in zip(drafts, queued, strict=True)
        ]


async def _carry_out(
    connection: "Connection", tenant: TenantId, drafts: Sequence[Draft], now: datetime
) -> dict[OrderId, Written]:
    """What was written of each order's call."""
    only = drafts[0] if len(drafts) == 1 else None
    changes = [*shared(tenant, drafts, now), *(() if only is None else only.own)]
    moves, written = moves_of(drafts), list[Written]()
    if changes:
        row = await carry_out(connection, changes)
        written = read_written(row, moves) if moves else written
        if only is not None:
            only.check_own(row)
    for one in drafts:
        if one.own and one is not only:
            one.check_own(await carry_out(connection, one.own))
    return {move.after.order: done for move, done in zip(moves, written, strict=True)}


def _committed(
    tenant: TenantId, done: Draft, written: Written | None, queued: bool, now: datetime
) -> Committed:
    decision = done.decision
    call = decision.call
    freed = any(
        move not in (CounselorMove.CLAIMED, CounselorMove.ACCEPTED)
        for _, move in decision.outcome.counselors
    )
    return Committed(
        tenant=tenant,
        order=decision.before.order.id,
        call=None if call is None else call.id,
        orders=() if written is None else written.orders,
        leased_until=now + ORDER_LEASE,
        others_pending=written is not None and written.others_pending,
        next_timer_at=min((one.due_at for one in call.timers), default=None) if call else None,
        seats=queued or freed,
        said=bool(done.lines),
        verdict=_first_verdict(decision.stored, call),
        notices=bool(done.notices),
    )


def _first_verdict(stored: Stored | None, call: Call | None) -> VerdictKind | None:
    if call is None or call.verdict is None or (stored and stored.call.verdict is not None):
        return None
    return call.verdict.kind


async def _move_counselors(
    connection: "Connection", tenant: TenantId, decisions: Sequence[Decision], now: datetime
) -> None:
    """Several are locked by id, whatever they are moved for; one's own moves keep their order."""
    moves = [
        (counselor, move, one) for one in decisions for counselor, move in one.outcome.counselors
    ]
    for counselor, move, decision in sorted(moves, key=lambda one: one[0]):
        await _move_counselor(connection, tenant, counselor, move, decision, now)


async def _move_counselor(
    connection: "Connection",
    tenant: TenantId,
    counselor: CounselorId,
    move: CounselorMove,
    decision: Decision,
    now: datetime,
) -> None:
    found = await lock_counselor_alone(connection, tenant, counselor)
    if found is not None:
        assert decision.call is not None
        call = decision.call.id
        moved = moved_counselor(found, move, call, decision.program, now)
        claimed_by = call if move is CounselorMove.CLAIMED else None
        await save_counselor(connection, tenant, moved, claimed_by=claimed_by)


async def _write_place(connection: "Connection", tenant: TenantId, decision: Decision) -> bool:
    """Keep the call's place in the queue in step with its state; True when it waits there."""
    stored, call = decision.stored, decision.call
    was = stored is not None and stored.version > 0 and stored.call.state is State.QUEUED
    is_ = call is not None and call.state is State.QUEUED
    if call is None or (was and is_ and stored is not None and stored.call.crisis == call.crisis):
        return False
    if is_:
        place = Place(
            call=call.id,
            program=decision.program.id,
            joined_at=call.started_at,
            crisis=call.crisis,
            prefers=decision.outcome.slice.order.counselor,
        )
        await join_queue(connection, tenant, place)
    elif was:
        await leave_queue(connection, tenant, call.id)
    return is_
