"""The thin shell around `fold`: load and lock, decide, write, all in one transaction.

Locks are always taken in the order: order, voucher or quota, call, counselor. A call is written by
nobody who does not hold its order's lock, so it needs none of its own. Workers are woken after the
commit.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from billing.order import Order
from billing.policies.sealing import PersonSeal
from billing.store.orders import Locked, lock_order_with_payment
from dialer.call import Call
from dialer.events import CounselorClaimed, CounselorUnavailable, Event
from dialer.store.calls import Stored, load_call
from routing.limits import REDIALS, retry_after_seconds
from routing.policy import Matching
from routing.store.counselors import choose_idle, lock_counselor
from routing.store.queue import queue_heads
from routing.store.rates import mark_if_allowed
from terms.calendar import Workdays
from terms.ids import CallId, OrderId, TenantId
from terms.refusals import NotThere, RefusalCode, Refused
from warmline.clock import Clock
from warmline.desk import fold
from warmline.desk.slice import Outcome, Slice
from warmline.desk.waits import waiting_of
from warmline.desk.writing import Committed, Writer
from warmline.metrics import Metrics
from warmline.programs import Program

if TYPE_CHECKING:
    from asyncpg import Pool

    from warmline.desk.store import Connection, Record


class ProgramsInForce(Protocol):
    """Where the desk finds the program an order was opened under."""

    async def of_order(self, connection: "Connection", tenant: TenantId, order: Order) -> Program:
        """The text in force when the order was opened (X38)."""
        ...


class Calendar(Protocol):
    """The statutory calendar of a tenant."""

    async def workdays(self, connection: "Connection", tenant: TenantId) -> Workdays:
        """As it is known now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """What every decision at the desk goes through."""

    pool: "Pool[Record]"
    seal: PersonSeal
    clock: Clock
    programs: ProgramsInForce
    calendar: Calendar
    writer: Writer
    new_id: Callable[[str], str]
    committed: Callable[[Committed], None]
    metrics: Metrics
    tenant: TenantId

    def tell(self, committed: Committed) -> None:
        """Wake whoever has something to do now. Only after the commit."""
        if committed.verdict is not None:
            self.metrics.verdicts.labels(committed.verdict).inc()
        if committed.claim_opened:
            self.metrics.claims_opened.inc()
        if committed.claim_decided is not None:
            self.metrics.claim_decisions.labels(*committed.claim_decided).inc()
        self.committed(committed)

    def counselor_came_free(self, tenant: TenantId) -> None:
        """Somebody may answer now who could not before. Only after the commit."""
        self.committed(Committed(tenant=tenant, seats=True))

    async def lock(
        self, connection: "Connection", tenant: TenantId, order: OrderId
    ) -> tuple[Slice, Program]:
        locked = await lock_order_with_payment(connection, tenant, order)
        if locked is None:
            raise NotThere(order)
        program = await self.programs.of_order(connection, tenant, locked.order)
        return slice_of(locked), program

    async def carry(
        self,
        connection: "Connection",
        tenant: TenantId,
        order: OrderId,
        call: CallId,
        event: Event,
        now: datetime,
    ) -> Committed:
        slice_, program = await self.lock(connection, tenant, order)
        stored = await load_call(connection, tenant, call)
        if stored is None:
            raise NotThere(call)
        _, committed = await self.decide(connection, tenant, slice_, stored, event, program, now)
        return committed

    async def decide(
        self,
        connection: "Connection",
        tenant: TenantId,
        slice_: Slice,
        stored: Stored,
        event: Event,
        program: Program,
        now: datetime,
    ) -> tuple[Outcome, Committed]:
        if fold.needs_counselor(stored.call, event):
            event = await self.offer(
                connection, tenant, slice_.order, program, now, call=stored.call
            )
        elif fold.tells_place(stored.call, event):
            waiting = await waiting_of(connection, tenant, stored.call.id, program, now)
            event = event if waiting is None else fold.place_counted(waiting, program)
        outcome = fold.carry(replace(slice_, call=stored.call), event, program, now)
        committed = await self.writer.write(
            connection, tenant, slice_, stored, outcome, program, now
        )
        return outcome, committed

    async def offer(
        self,
        connection: "Connection",
        tenant: TenantId,
        order: Order,
        program: Program,
        now: datetime,
        *,
        call: Call | None = None,
        is_head: bool = False,
    ) -> CounselorClaimed | CounselorUnavailable:
        """Lock the counselor this call would get, and say whether it gets them.

        From a pool nobody gets a call again that they turned down. Where others wait for the same
        pool, only the head of the queue is offered anybody.
        """
        if program.routing.matching is Matching.POOL:
            if not is_head and await queue_heads(connection, tenant, program.id):
                return CounselorUnavailable(RefusalCode.COUNSELOR_BUSY)
            requirement = program.routing.requirement(program.id)
            without = () if call is None else call.turned_down_by()
            chosen = await choose_idle(
                connection, tenant, requirement, now, prefer=order.counselor, without=without
            )
            return fold.offer(chosen, None, program, now)
        if order.counselor is None:
            return fold.offer(None, None, program, now)
        found = await lock_counselor(connection, tenant, order.counselor)
        if found is None:
            return fold.offer(None, None, program, now)
        return fold.offer(*found, program, now)

    async def count_dial(
        self, connection: "Connection", tenant: TenantId, order: OrderId, now: datetime
    ) -> None:
        """A redial storm helps nobody and costs the number its good name (A40).

        Called once nothing else refuses the dial: only accepted ones count, and whoever lost a race
        hears why. Raises Refused(rate_limited).
        """
        wait_until = await mark_if_allowed(
            connection, tenant, "redial", order.encode(), REDIALS, now
        )
        if wait_until is not None:
            raise Refused(
                RefusalCode.RATE_LIMITED,
                "You have dialled many times within a short while; wait a moment, then try again.",
                retry_after_seconds=retry_after_seconds(wait_until, now),
            )


def slice_of(locked: Locked) -> Slice:
    """What was locked, without the call."""
    return Slice(
        order=locked.order,
        voucher=locked.voucher,
        quota=locked.quota,
        superseded=locked.superseded,
    )
