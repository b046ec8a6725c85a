"""Orders to the carrier: obeyed in a call's sequence, calls side by side, no lock held meanwhile.

The process that decided obeys right after its commit, and as long as it lives it keeps its lease on
what it has in hand. What it left undone when it died is found by the sweep once that lease has
lapsed; such an order may have been sent, so a `ring` is then asked after, never repeated blindly.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from dialer.carriers import (
    Carrier,
    CarrierRefused,
    CarrierUnknown,
    LegEnded,
    ReleaseSide,
)
from dialer.carriers.last_look import apart
from dialer.orders import Answer, Bridge, CarrierOrder, HangUp, Limit, Part, Ring, Say
from dialer.store.due import (
    DueOrder,
    give_back_orders,
    lease_orders,
    next_order_at,
    postpone_order,
    settle_order,
)
from terms.ids import CallId, LegId, TenantId
from warmline.clock import Clock
from warmline.desk.desk import Desk
from warmline.desk.writing import ORDER_LEASE, Committed
from warmline.metrics import Metrics
from warmline.workers.asking_again import (
    ASK_AGAIN_SECONDS,
    Next,
    after_fault,
    aside_seconds,
    is_dropped,
    may_have_arrived,
)
from warmline.workers.hold import SHARED, Hold
from warmline.workers.leases import Leases, TakenOver
from warmline.workers.looking import Looker
from warmline.workers.sending import Numbers, Sender
from warmline.workers.settling import Settler

if TYPE_CHECKING:
    from asyncpg import Pool

    from warmline.desk.store import Record

_log = structlog.get_logger()

_MOST_STUMBLES = 5
_LONGEST_STUMBLE_SECONDS = 30
"""An order that we fail to obey, by a fault of our own, waits twice as long each time."""


@dataclass(slots=True)
class _Hand:
    """One call's orders in hand: some still to be obeyed, some only to be written as done."""

    waiting: deque[DueOrder]
    done: list[DueOrder] = field(default_factory=list)


class Obeyer(Looker):
    """Sends orders and writes how each ended."""

    name = "obeying"

    def __init__(
        self,
        pool: "Pool[Record]",
        desk: Desk,
        carrier: Carrier,
        numbers: Numbers,
        clock: Clock,
        metrics: Metrics,
        hold: Hold = SHARED,
    ) -> None:
        super().__init__(clock)
        self._pool = pool
        self._desk = desk
        self._hold = hold
        self._leases = Leases(pool, clock)
        self._sender = Sender(pool, carrier, numbers, self._leases, hold)
        self._metrics = metrics
        self._in_hand: dict[CallId, _Hand] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._settler = Settler(pool, clock)
        hold.rings(self.wake)

    def hand(self, committed: Committed) -> None:
        """Obey what was just decided here, unless others' orders come first."""
        call = committed.call
        if call is None or not committed.orders:
            return
        if self._stopping or not self._hold.may_obey:
            # Not our turn, or a request that was let in before we stopped: it is for others to do.
            seqs = [seq for seq, _ in committed.orders]
            self._go(self._give_back(committed.tenant, call, seqs))
            return
        now = self.clock.now()
        leased_until = committed.leased_until or now + ORDER_LEASE
        due = [
            DueOrder(committed.tenant, call, seq, order, 0, now, leased_until)
            for seq, order in committed.orders
            if not (isinstance(order, HangUp) and order.after_seconds)
        ]
        if call in self._in_hand:
            self._put_behind(due)
        elif committed.others_pending:
            self._go(self._give_back(committed.tenant, call, [one.seq for one in due]))
        elif due:
            self._take(due)
        if len(due) < len(committed.orders):
            self.wake()

    def unhanded(self) -> None:
        """Orders were written that are in nobody's hand: whoever may obey them looks."""
        if self._hold.may_obey:
            self.wake()
        else:
            self._go(self._pass_on())

    async def look(self) -> datetime | None:
        """Keep what is in our hand, and take over what is due and in nobody's."""
        while self._hold.may_obey:
            await self._leases.keep_all()
            now = self.clock.now()
            async with self._pool.acquire() as connection:
                due = await lease_orders(
                    connection, now, until=now + ORDER_LEASE, in_hand=self._leases.in_hand
                )
                if not due:
                    return await next_order_at(connection, now)
            for one in due:
                if one.call in self._in_hand:
                    self._put_behind([one])
                else:
                    self._take([one], others_follow=True)
            await asyncio.sleep(0)
        return None

    async def stop(self) -> None:
        """Finish what is in hand; what cannot be finished soon lapses to others."""
        await super().stop()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=ORDER_LEASE.total_seconds())
            for task in late:
                task.cancel()

    async def idle(self) -> None:
        """Until nothing is in hand."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _take(self, due: list[DueOrder], *, others_follow: bool = False) -> None:
        """`others_follow`: more of the call's orders may wait in the database behind these."""
        call = due[0].call
        self._in_hand[call] = _Hand(deque())
        self._put_behind(due)
        self._go(self._work_off(call, others_follow=others_follow))

    def _put_behind(self, due: list[DueOrder]) -> None:
        """Behind what is in hand of their call."""
        for one in due:
            self._leases.take(one)
            self._in_hand[one.call].waiting.append(one)

    def _go(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work, context=apart())
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            _log.error("obeying_fault", fault=type(fault).__name__, exc_info=fault)

    async def _give_back(self, tenant: TenantId, call: CallId, seqs: list[int]) -> None:
        async with self._pool.acquire() as connection:
            await give_back_orders(connection, tenant, call, seqs)
            if self._stopping or not self._hold.may_obey:
                await self._hold.pass_on(connection)
        self.wake()

    async def _pass_on(self) -> None:
        async with self._pool.acquire() as connection:
            await self._hold.pass_on(connection)

    async def _work_off(self, call: CallId, *, others_follow: bool) -> None:
        """One call's orders, one after the other, until none is left in hand."""
        hand = self._in_hand[call]
        try:
            while hand.waiting and self._hold.may_obey:
                due = hand.waiting.popleft()
                try:
                    if await self._obey(due, hand):
                        hand.done.append(due)
                    else:
                        self._leases.drop([due])
                except TakenOver:
                    self._leases.drop([due])
                    _log.info("order_taken_over", call=due.call, seq=due.seq)
                    continue
                except Exception as fault:
                    self._leases.drop([due])
                    await self._stumbled(due, fault)
                    break
                if not hand.waiting:
                    await self._write_done(hand)
        finally:
            del self._in_hand[call]
            self._leases.drop(hand.waiting)
            await self._write_done(hand)
            await self._let_wait(hand.waiting)
            if others_follow:
                self.wake()

    async def _write_done(self, hand: _Hand) -> None:
        """Before anything takes long: a lease that lapses would have an order sent twice."""
        done, hand.done = hand.done, []
        if done:
            try:
                await self._settler.settle(done)
            finally:
                self._leases.drop(done)

    async def _let_wait(self, left: deque[DueOrder]) -> None:
        """Whoever obeys the one before these goes on with them."""
        unsent = [due.seq for due in left if not due.tries]
        if unsent:
            await self._give_back(left[0].tenant, left[0].call, unsent)

    async def _stumbled(self, due: DueOrder, fault: Exception) -> None:
        """A fault of ours: its call's later orders must not wait for this one for ever."""
        kind = type(due.order).__name__
        _log.error("order_not_obeyed", call=due.call, seq=due.seq, order=kind, exc_info=fault)
        with suppress(TakenOver):
            if due.tries >= _MOST_STUMBLES and not isinstance(due.order, Limit):
                await self._gave_up(due)
                self.wake()
            else:
                seconds = min(2.0**due.tries, _LONGEST_STUMBLE_SECONDS)
                await self._postpone(due, type(fault).__name__, seconds)

    async def _obey(self, due: DueOrder, hand: _Hand) -> bool:
        """True when it was carried out and only that is left to write."""
        was_sent = due.tries > 0
        if is_dropped(due.order, was_sent=was_sent):
            await self._settle(due, "not_wanted", None)
            return False
        tries = 0
        while True:
            tries += 1
            try:
                outcome = await self._sender.send(due, was_sent, is_repeated=tries > 1)
            except (CarrierRefused, CarrierUnknown) as fault:
                why = fault
            else:
                return await self._sent(due, is_wanted=outcome is not None)
            then = after_fault(due.order, why, tries, was_sent=was_sent)
            if then is not Next.AGAIN:
                await self._failed(due, why, then)
                return False
            was_sent |= may_have_arrived(why)
            await self._pause(due, hand, why)

    async def _failed(
        self, due: DueOrder, why: CarrierRefused | CarrierUnknown, then: Next
    ) -> None:
        if then is Next.ASIDE:
            await self._step_aside(due, why)
        elif isinstance(why, CarrierRefused) and then is Next.REFUSED:
            await self._refused(due, why)
        else:
            await self._gave_up(due)

    async def _sent(self, due: DueOrder, *, is_wanted: bool) -> bool:
        if not is_wanted:
            await self._settle(due, "not_wanted", None)
            return False
        late = (self.clock.now() - due.written_at).total_seconds()
        self._metrics.order_lateness.observe(max(late, 0))
        self._count(due.order, "done")
        return True

    async def _pause(
        self, due: DueOrder, hand: _Hand, why: CarrierUnknown | CarrierRefused
    ) -> None:
        """It must be tried again: keep it in hand and look again in a moment."""
        await self._write_done(hand)
        self._leases.put_off(due, await self._write_postponed(due, str(why), ORDER_LEASE))
        await asyncio.sleep(ASK_AGAIN_SECONDS)

    async def _step_aside(self, due: DueOrder, why: CarrierUnknown | CarrierRefused) -> None:
        """Try again as long as its leg stands (X55), and let the call's other orders go past."""
        await self._postpone(due, str(why), aside_seconds(due.tries))

    async def _postpone(self, due: DueOrder, fault: str, seconds: float) -> None:
        await self._write_postponed(due, fault, timedelta(seconds=seconds))
        self.wake()

    async def _write_postponed(self, due: DueOrder, fault: str, wait: timedelta) -> datetime:
        """Until when. Raises TakenOver: a lease of somebody else's is not ours to move."""
        until = self.clock.now() + wait
        async with self._pool.acquire() as connection:
            if not await postpone_order(connection, due, fault=fault, until=until):
                raise TakenOver
        return until

    async def _refused(self, due: DueOrder, refusal: CarrierRefused) -> None:
        """The carrier said no. For a ring or a bridge that is news about the call."""
        await self._settle(due, "refused", refusal.code)
        match due.order:
            case Ring(leg):
                await self._leg_never_was(leg, refusal)
            case Bridge():
                await self._desk.bridge_refused(due.tenant, due.call)
            case Answer() | Part() | Say() | Limit() | HangUp():
                pass

    async def _gave_up(self, due: DueOrder) -> None:
        await self._settle(due, "gave_up", "unknown")
        if isinstance(due.order, Ring):
            await self._sender.let_go(due.order.leg)
            await self._leg_never_was(due.order.leg, CarrierRefused("unknown"))

    async def _leg_never_was(self, leg: LegId, refusal: CarrierRefused) -> None:
        ended = LegEnded(
            leg=leg,
            at=self.clock.now(),
            by=ReleaseSide.CARRIER,
            q850=refusal.q850,
            sip=refusal.sip,
            code=refusal.code,
        )
        await self._desk.take_news(f"{leg}/{refusal.code}", ended)

    async def _settle(self, due: DueOrder, outcome: str, fault: str | None) -> None:
        """Raises TakenOver: then nothing follows from it, either."""
        now = self.clock.now()
        async with self._pool.acquire() as connection:
            if not await settle_order(connection, due, outcome=outcome, fault=fault, now=now):
                raise TakenOver
        self._count(due.order, outcome)

    def _count(self, order: CarrierOrder, outcome: str) -> None:
        self._metrics.carrier_orders.labels(type(order).__name__, outcome).inc()
