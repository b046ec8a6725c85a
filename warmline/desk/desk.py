"""Everything that may happen to an order's call: dialled, told by the carrier, timed, commanded."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from billing.order import ClosedBy, Order
from dialer.call import Call, Purpose, State
from dialer.carriers import News
from dialer.events import (
    BridgeRefused,
    CalledBack,
    CounselorClaimed,
    CounselorMarkedCutOff,
    CounselorUnavailable,
    CrisisRaised,
    Event,
    TimerFired,
)
from dialer.phone_check import is_check
from dialer.store.calls import (
    Stored,
    insert_call,
    last_call_of,
    live_call_of,
    load_call,
)
from dialer.store.due import DueTimer, drop_timer
from dialer.store.news import Unfolded, call_of, keep_news, mark_fault, mark_folded
from dialer.verdict import CALLED_BACK_SOON
from routing.admission import require_admission
from routing.policy import Matching
from routing.queue import Place, Seated
from routing.store.devices import verified_number
from routing.store.queue import leave_queue
from terms.ids import CallId, CounselorId, OrderId, TenantId
from terms.phone import PhoneNumber
from terms.refusals import NotThere, RefusalCode, Refused
from terms.verdict import Role
from warmline.database.faults import is_out_of_reach
from warmline.desk import fold
from warmline.desk.hearing import hear
from warmline.desk.lapsing import Lapsing
from warmline.desk.opening import Opening
from warmline.desk.phone_checks import hear_of_check
from warmline.desk.shell import slice_of
from warmline.desk.slice import Outcome, Slice
from warmline.desk.stale import tell_stale
from warmline.desk.writing import Committed
from warmline.programs import Program

if TYPE_CHECKING:
    from warmline.desk.store import Connection

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk(Opening, Lapsing):
    """Everything that may happen to an order's call comes through here."""

    # -- the caller presses the button -------------------------------------------------------

    async def place_call(
        self, connection: "Connection", tenant: TenantId, order: OrderId, given: PhoneNumber
    ) -> tuple[Call, Committed]:
        """Start a call for the order, or bring a waiting one forward, in the caller's transaction.

        Call `tell` with the second value once that transaction is committed.

        Raises NotThere, and Refused: device_not_verified, number_mismatch, outside_hours,
        voucher_in_use, call_in_progress, order_expired, order_not_open, counselor_offline,
        counselor_busy, rate_limited.
        """
        now = self.clock.now()
        slice_, program = await self.lock(connection, tenant, order)
        await self._admit(connection, tenant, slice_.order, program, given, now)
        live = await live_call_of(connection, tenant, order)
        if live is not None:
            return await self._press_again(connection, tenant, slice_, live, program, now)
        dial = await self.dial(connection, tenant, slice_, program, now)
        outcome = fold.place(slice_, dial, program, now)
        return await self.start(connection, tenant, slice_, outcome, program, now)

    async def _admit(
        self,
        connection: "Connection",
        tenant: TenantId,
        order: Order,
        program: Program,
        given: PhoneNumber,
        now: datetime,
    ) -> None:
        verified = await verified_number(connection, self.seal, tenant, order.caller, now)
        require_admission(
            program.routing,
            given=given,
            verified=verified,
            now=now,
            workdays=await self.calendar.workdays(connection, tenant),
        )

    async def dial(
        self,
        connection: "Connection",
        tenant: TenantId,
        slice_: Slice,
        program: Program,
        now: datetime,
    ) -> fold.Dial:
        """The dial with its counselor claimed, counted.

        Raises Refused when a named counselor is not to be had, and rate_limited.
        """
        # Refuse a second dial before anybody looks at the counselor whom the first one claimed.
        call_id = CallId(self.new_id("call"))
        fold.may_call(slice_.order, call_id, now)
        counselor = await self._claim(connection, tenant, slice_.order, program, now)
        await self.count_dial(connection, tenant, slice_.order.id, now)
        last = await last_call_of(connection, tenant, slice_.order.id, Purpose.CONSULT)
        return fold.Dial(
            call=call_id,
            counselor=counselor,
            counted=0 if last is None else last.call.counted,
            attempt=0 if last is None else last.call.attempt,
        )

    async def _claim(
        self,
        connection: "Connection",
        tenant: TenantId,
        order: Order,
        program: Program,
        now: datetime,
    ) -> CounselorId | None:
        event = await self.offer(connection, tenant, order, program, now)
        if isinstance(event, CounselorClaimed):
            return event.counselor
        if program.routing.matching is Matching.POOL:
            return None
        raise _unavailable(event.why)

    async def _press_again(
        self,
        connection: "Connection",
        tenant: TenantId,
        slice_: Slice,
        live: Stored,
        program: Program,
        now: datetime,
    ) -> tuple[Call, Committed]:
        """A caller pressing while the call waits brings the attempt forward (A39)."""
        if live.call.state is not State.WAITING:
            fold.may_call(slice_.order, CallId(""), now)
        event = await self.offer(connection, tenant, slice_.order, program, now, call=live.call)
        if isinstance(event, CounselorUnavailable) and not live.call.pooled:
            raise _unavailable(event.why)
        await self.count_dial(connection, tenant, slice_.order.id, now)
        outcome = fold.carry(replace(slice_, call=live.call), event, program, now)
        committed = await self.writer.write(connection, tenant, slice_, live, outcome, program, now)
        assert outcome.slice.call is not None
        return outcome.slice.call, committed

    async def note_called_back(
        self, connection: "Connection", tenant: TenantId, order: OrderId
    ) -> Committed | None:
        """The caller tried an order that is over: evidence about how its last call ended."""
        now = self.clock.now()
        slice_, program = await self.lock(connection, tenant, order)
        last = await last_call_of(connection, tenant, order, Purpose.CONSULT)
        if last is None or last.call.ended_at is None or last.call.verdict_is_final:
            return None
        if now - last.call.ended_at > CALLED_BACK_SOON:
            return None
        outcome = fold.carry(replace(slice_, call=last.call), CalledBack(now), program, now)
        return await self.writer.write(connection, tenant, slice_, last, outcome, program, now)

    async def start(
        self,
        connection: "Connection",
        tenant: TenantId,
        slice_: Slice,
        outcome: Outcome,
        program: Program,
        now: datetime,
    ) -> tuple[Call, Committed]:
        call = outcome.slice.call
        assert call is not None
        blank = replace(call, timers=())
        await insert_call(connection, tenant, blank)
        committed = await self.writer.write(
            connection, tenant, slice_, Stored(blank, 0), outcome, program, now
        )
        return call, committed

    # -- the carrier tells -------------------------------------------------------------------

    async def take_news(self, id_: str, news: News) -> None:
        """Keep the news, then make of it what it means. Returns once it is kept.

        News that cannot be folded stays, is tried again, and alarms. While the database is out of
        reach its error is raised: nothing is kept, and the carrier must tell the news again.
        """
        now = self.clock.now()
        if is_check(call_of(news.leg)):
            await self._hear_of_check(news, now)
            return
        try:
            committed = await self._fold(id_, news, now)
        except Exception as fault:
            if is_out_of_reach(fault):
                raise
            await self._keep_unfolded(id_, news, fault, now)
            return
        if committed is not None:
            self.metrics.news_folded.inc()
            self.tell(committed)

    async def _fold(self, id_: str, news: News, now: datetime) -> Committed | None:
        """Kept and folded, or neither; None for news that is not new, or about no call of ours."""
        async with self.pool.acquire() as connection, connection.transaction():
            heard = await hear(connection, id_, news, stray_tenant=self.tenant, now=now)
            if heard is None:
                return None
            program = await self.programs.of_order(connection, heard.tenant, heard.locked.order)
            slice_ = slice_of(heard.locked)
            _, committed = await self.decide(
                connection, heard.tenant, slice_, heard.call, news, program, now
            )
            return committed

    async def _hear_of_check(self, news: News, now: datetime) -> None:
        """News of a phone that is rung by itself: it is about no call, and changes none."""
        async with self.pool.acquire() as connection, connection.transaction():
            committed = await hear_of_check(connection, news, now)
        if committed is not None:
            self.tell(committed)

    async def _keep_unfolded(self, id_: str, news: News, fault: Exception, now: datetime) -> None:
        """Nothing of the decision stands; the news alone is kept, to be tried again."""
        async with self.pool.acquire() as connection, connection.transaction():
            kept = await keep_news(connection, id_, news, stray_tenant=self.tenant, now=now)
            if not kept.is_new or kept.whose is None:
                return
            await mark_fault(connection, kept.whose[0], id_, type(fault).__name__)
        self.metrics.news_faults.inc()
        _log.error("news_not_folded", call=kept.whose[2], news=type(news).__name__, exc_info=fault)

    async def fold_again(self, waiting: Unfolded) -> None:
        """Try once more what could not be folded when it came."""
        now = self.clock.now()
        async with self.pool.acquire() as connection, connection.transaction():
            committed = await self.carry(
                connection, waiting.tenant, waiting.order, waiting.call, waiting.news, now
            )
            await mark_folded(connection, waiting.tenant, waiting.id, now)
        self.tell(committed)

    async def bridge_refused(self, tenant: TenantId, call: CallId) -> None:
        """The carrier would not join the call's legs."""
        now = self.clock.now()
        async with self.pool.acquire() as connection, connection.transaction():
            order = await _order_of(connection, tenant, call)
            committed = await self.carry(connection, tenant, order, call, BridgeRefused(), now)
        self.tell(committed)

    # -- time passes -------------------------------------------------------------------------

    async def fire(self, due: DueTimer, order: OrderId) -> None:
        """A timer is due. One that its call no longer holds is stale: told, and forgotten."""
        now = self.clock.now()
        event = TimerFired(due.timer)
        async with self.pool.acquire() as connection, connection.transaction():
            slice_, program = await self.lock(connection, due.tenant, order)
            stored = await load_call(connection, due.tenant, due.call)
            if stored is None or not stored.call.holds(due.timer):
                await drop_timer(connection, due)
                tell_stale(due, stored, now)
                return
            _, committed = await self.decide(
                connection, due.tenant, slice_, stored, event, program, now
            )
        self.tell(committed)

    # -- people decide -----------------------------------------------------------------------

    async def command(
        self,
        connection: "Connection",
        tenant: TenantId,
        call: CallId,
        order: OrderId,
        event: Event,
        *,
        by: CounselorId | None = None,
    ) -> tuple[Call, Committed]:
        """A person's command on a call, in their own transaction.

        `by` is the counselor who commands; another counselor's call is not there for them. Raises
        NotThere, and Refused when the call does not allow it now.
        """
        now = self.clock.now()
        slice_, program = await self.lock(connection, tenant, order)
        stored = await load_call(connection, tenant, call)
        if stored is None or (by is not None and not _may_command(stored.call, by, event)):
            raise NotThere(call)
        outcome, committed = await self.decide(
            connection, tenant, slice_, stored, event, program, now
        )
        assert outcome.slice.call is not None
        return outcome.slice.call, committed

    async def cancel_order(
        self, connection: "Connection", tenant: TenantId, order: OrderId, by: ClosedBy, why: str
    ) -> tuple[Order, Committed]:
        """The order is given up. Raises NotThere, Refused."""
        now = self.clock.now()
        slice_, program = await self.lock(connection, tenant, order)
        outcome = fold.cancel(slice_, by, why, now)
        committed = await self.writer.write(connection, tenant, slice_, None, outcome, program, now)
        return outcome.slice.order, committed

    async def withdraw_order(
        self,
        connection: "Connection",
        tenant: TenantId,
        order: OrderId,
        by: ClosedBy,
        why: str,
        *,
        house_fault: bool = False,
    ) -> tuple[Order, Committed]:
        """The order is given up for the caller, and the call that tries for it is ended.

        By `house_fault` it costs nothing (X23). Raises NotThere, Refused.
        """
        now = self.clock.now()
        slice_, program = await self.lock(connection, tenant, order)
        live = await live_call_of(connection, tenant, order)
        with_call = slice_ if live is None else replace(slice_, call=live.call)
        outcome = fold.withdraw(with_call, by, why, program, now, house_fault=house_fault)
        committed = await self.writer.write(connection, tenant, slice_, live, outcome, program, now)
        return outcome.slice.order, committed

    async def seat_next(self, tenant: TenantId, place: Place) -> Seated:
        """Give the head of a pool's queue whoever is free."""
        now = self.clock.now()
        committed = None
        async with self.pool.acquire() as connection, connection.transaction():
            order = await _order_of(connection, tenant, place.call)
            slice_, program = await self.lock(connection, tenant, order)
            stored = await load_call(connection, tenant, place.call)
            if stored is None or stored.call.state is not State.QUEUED:
                await leave_queue(connection, tenant, place.call)
                return Seated.YES
            event = await self.offer(
                connection, tenant, slice_.order, program, now, call=stored.call, is_head=True
            )
            if isinstance(event, CounselorUnavailable):
                return Seated.NOT_THIS_ONE if stored.call.turned_down_by() else Seated.NOBODY_FREE
            outcome = fold.carry(replace(slice_, call=stored.call), event, program, now)
            committed = await self.writer.write(
                connection, tenant, slice_, stored, outcome, program, now
            )
        self.tell(committed)
        return Seated.YES


def _may_command(call: Call, counselor: CounselorId, event: Event) -> bool:
    """Whoever is claimed now; what was seen in a talk may still be told by those who were in it."""
    if call.counselor == counselor:
        return True
    return isinstance(event, CrisisRaised | CounselorMarkedCutOff) and any(
        leg.role is Role.COUNSELOR and leg.party == counselor and leg.bridged_at is not None
        for leg in call.legs
    )


async def _order_of(connection: "Connection", tenant: TenantId, call: CallId) -> OrderId:
    stored = await load_call(connection, tenant, call)
    if stored is None:
        raise NotThere(call)
    return stored.call.order


def _unavailable(why: str) -> Refused:
    if why == RefusalCode.COUNSELOR_BUSY:
        return Refused(
            RefusalCode.COUNSELOR_BUSY,
            "The counselor is talking with somebody else; nothing was used. Try again later.",
            retry_after_seconds=60,
        )
    return Refused(
        RefusalCode.COUNSELOR_OFFLINE,
        "The counselor is not available now; nothing was used. Call at another time.",
    )
