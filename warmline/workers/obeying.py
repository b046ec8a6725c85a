"""Orders to the carrier: obeyed in a call's sequence, calls side by side, no lock held meanwhile.

The process that decided obeys right after its commit. What it left undone when it died is found by
the sweep once its lease has lapsed; such an order may have been sent, so a `ring` is then asked
after, never repeated blindly.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

import structlog

from dialer.call import Call
from dialer.carriers import (
    Carrier,
    CarrierRefused,
    CarrierUnknown,
    CarrierUnreachable,
    LegEnded,
    ReleaseSide,
)
from dialer.leg import Leg
from dialer.orders import Answer, Bridge, CarrierOrder, HangUp, Limit, Ring, Say
from dialer.store.calls import load_call
from dialer.store.due import (
    DueOrder,
    give_back_orders,
    lease_orders,
    next_order_at,
    postpone_order,
    settle_order,
)
from terms.ids import CallId, LegId, TenantId
from terms.phone import PhoneNumber
from warmline.clock import Clock
from warmline.desk.desk import Desk
from warmline.desk.writing import ORDER_LEASE, Committed
from warmline.metrics import Metrics
from warmline.workers.hearing import HEARING_SECONDS
from warmline.workers.looking import Looker
from warmline.workers.settling import Settler

if TYPE_CHECKING:
    from asyncpg import Pool

    from warmline.desk.store import Connection, Record

_log = structlog.get_logger()

LANGUAGE = "zh-CN"
"""What callers hear."""

_ASK_AGAIN_SECONDS = 0.5
_MOST_TRIES = 60
"""At half a second each: as long as an order can matter; the dialer's own timers end the wait."""


_NO_SUCH_LEG = 481  # SIP


def is_asked_again(order: CarrierOrder, refusal: CarrierRefused) -> bool:
    """Whether a no may be a yes in a moment, and has to be: a carrier that is too busy says no.

    A limit that is not lifted cuts somebody in danger (X55); a leg that is not let go talks on.
    """
    return isinstance(order, Limit | HangUp) and refusal.sip != _NO_SUCH_LEG


class Numbers(Protocol):
    """Where a leg's number is looked up, at the last moment."""

    async def of_leg(
        self, connection: "Connection", tenant: TenantId, call: Call, leg: Leg
    ) -> tuple[PhoneNumber, str] | None:
        """Whom to ring, and the number to show them; None when there is no such person."""
        ...


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
    ) -> None:
        super().__init__(clock)
        self._pool = pool
        self._desk = desk
        self._carrier = carrier
        self._numbers = numbers
        self._metrics = metrics
        self._in_hand: dict[CallId, deque[DueOrder]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._settler = Settler(pool, clock)

    def hand(self, committed: Committed) -> None:
        """Obey what was just decided here, unless others' orders come first."""
        call = committed.call
        if call is None or not committed.orders:
            return
        now = self.clock.now()
        due = [
            DueOrder(committed.tenant, call, seq, order, 0, now)
            for seq, order in committed.orders
            if not (isinstance(order, HangUp) and order.after_seconds)
        ]
        if call in self._in_hand:
            self._in_hand[call].extend(due)
        elif committed.others_pending:
            self._go(self._give_back(committed.tenant, call, [one.seq for one in due]))
        elif due:
            self._take(due)
        if len(due) < len(committed.orders):
            self.wake()

    async def look(self) -> datetime | None:
        """Take over what is due and in nobody's hand."""
        while True:
            now = self.clock.now()
            async with self._pool.acquire() as connection:
                due = await lease_orders(connection, now, until=now + ORDER_LEASE)
                if not due:
                    return await next_order_at(connection, now)
            for one in due:
                if one.call in self._in_hand:
                    self._in_hand[one.call].append(one)
                else:
                    self._take([one], others_follow=True)
            await asyncio.sleep(0)

    async def stop(self) -> None:
        """Finish what is in hand; what cannot be finished soon lapses to others."""
        await super().stop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=ORDER_LEASE.total_seconds())

    async def idle(self) -> None:
        """Until nothing is in hand."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _take(self, due: list[DueOrder], *, others_follow: bool = False) -> None:
        """`others_follow`: more of the call's orders may wait in the database behind these."""
        call = due[0].call
        self._in_hand[call] = deque(due)
        self._go(self._work_off(call, others_follow=others_follow))

    def _go(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            _log.error("obeying_fault", fault=type(fault).__name__, exc_info=fault)

    async def _give_back(self, tenant: TenantId, call: CallId, seqs: list[int]) -> None:
        async with self._pool.acquire() as connection:
            await give_back_orders(connection, tenant, call, seqs)
        self.wake()

    async def _work_off(self, call: CallId, *, others_follow: bool) -> None:
        """One call's orders, one after the other, until none is left in hand."""
        waiting = self._in_hand[call]
        done: list[DueOrder] = []
        try:
            while waiting:
                due = waiting.popleft()
                if await self._obey(due):
                    done.append(due)
                if done and not waiting:
                    await self._settler.settle(done)
                    done = []
        finally:
            del self._in_hand[call]
            if others_follow:
                self.wake()

    async def _obey(self, due: DueOrder) -> bool:
        """True when it was carried out and only that is left to write."""
        may_have_been_sent = due.tries > 0
        for tries in range(1, _MOST_TRIES + 1):
            try:
                outcome = await self._send(due, may_have_been_sent, is_repeated=tries > 1)
            except CarrierRefused as refusal:
                if is_asked_again(due.order, refusal):
                    await self._pause(due, refusal)
                    continue
                await self._refused(due, refusal)
                return False
            except CarrierUnknown as unknown:
                may_have_been_sent |= not isinstance(unknown, CarrierUnreachable)
                if isinstance(due.order, Say) and may_have_been_sent:
                    break  # better once too few than spoken twice
                await self._pause(due, unknown)
                continue
            if outcome is None:
                await self._settle(due, "not_wanted", None)
                return False
            late = (self.clock.now() - due.written_at).total_seconds()
            self._metrics.order_lateness.observe(max(late, 0))
            self._count(due.order, "done")
            return True
        await self._gave_up(due)
        return False

    async def _send(
        self, due: DueOrder, may_have_been_sent: bool, *, is_repeated: bool
    ) -> Literal[True] | None:
        """Send it once. None: it is not wanted any more. Raises CarrierRefused, CarrierUnknown."""
        order, carrier = due.order, self._carrier
        if isinstance(order, Ring):
            return await self._ring(due, order, may_have_been_sent)
        if (is_repeated or due.tries) and not await self._still_stands(due):
            return None
        match order:
            case Answer(leg):
                await carrier.answer(leg)
            case Bridge(legs, limit_seconds):
                await carrier.bridge(due.call, legs, limit_seconds=limit_seconds)
            case Say(leg, prompt):
                await carrier.say(leg, prompt, language=LANGUAGE)
            case Limit(leg, limit_seconds):
                await carrier.limit(leg, limit_seconds=limit_seconds)
            case HangUp(leg):
                await carrier.hang_up(leg)
        return True

    async def _ring(
        self, due: DueOrder, order: Ring, may_have_been_sent: bool
    ) -> Literal[True] | None:
        if may_have_been_sent:
            if await self._is_there(order.leg):
                return True
            # It may have been there and be gone: then the news of that is on its way.
            await asyncio.sleep(HEARING_SECONDS)
        async with self._pool.acquire() as connection:
            stored = await load_call(connection, due.tenant, due.call)
            leg = None if stored is None else stored.call.leg(order.leg)
            if stored is None or leg is None or leg.is_over:
                return None
            found = await self._numbers.of_leg(connection, due.tenant, stored.call, leg)
        if found is None:
            raise CarrierRefused("no_number", q850=1)
        number, shows = found
        await self._carrier.ring(order.leg, number, shows=shows, ring_seconds=order.ring_seconds)
        return True

    async def _still_stands(self, due: DueOrder) -> bool:
        """Whether an order that is tried again still has a leg to act on."""
        if isinstance(due.order, HangUp):
            return True
        legs = due.order.legs if isinstance(due.order, Bridge) else (due.order.leg,)
        async with self._pool.acquire() as connection:
            stored = await load_call(connection, due.tenant, due.call)
        if stored is None:
            return True  # a caller turned away: there is no call to look at
        standing = {leg.id for leg in stored.call.all_standing()}
        return standing.issuperset(legs)

    async def _is_there(self, leg: LegId) -> bool:
        """Whether the carrier knows the leg. Raises CarrierUnknown."""
        return any(live.leg == leg for live in await self._carrier.live_legs())

    async def _pause(self, due: DueOrder, why: CarrierUnknown | CarrierRefused) -> None:
        """It must be tried again: keep it in hand and look again in a moment."""
        until = self.clock.now() + ORDER_LEASE
        async with self._pool.acquire() as connection:
            await postpone_order(connection, due, fault=str(why), until=until)
        await asyncio.sleep(_ASK_AGAIN_SECONDS)

    async def _refused(self, due: DueOrder, refusal: CarrierRefused) -> None:
        """The carrier said no. For a ring or a bridge that is news about the call."""
        await self._settle(due, "refused", refusal.code)
        match due.order:
            case Ring(leg):
                await self._leg_never_was(leg, refusal)
            case Bridge():
                await self._desk.bridge_refused(due.tenant, due.call)
            case Answer() | Say() | Limit() | HangUp():
                pass

    async def _gave_up(self, due: DueOrder) -> None:
        await self._settle(due, "gave_up", "unknown")
        if isinstance(due.order, Ring):
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
        self._count(due.order, outcome)
        async with self._pool.acquire() as connection:
            await settle_order(
                connection,
                due.tenant,
                due.call,
                due.seq,
                outcome=outcome,
                fault=fault,
                now=self.clock.now(),
            )

    def _count(self, order: CarrierOrder, outcome: str) -> None:
        self._metrics.carrier_orders.labels(type(order).__name__, outcome).inc()
