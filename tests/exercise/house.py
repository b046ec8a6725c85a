"""Vouchers, orders and quotas in memory, moved by chance; every entry is read as it is made."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from random import Random
from typing import TypeVar

import billing.opening
import billing.order
import billing.quota
import billing.voucher
from billing import talk
from billing.ledger import Entry, Fault, Reading
from billing.order import LIVE, ClosedBy, Order, Settlement
from billing.order import State as OrderState
from billing.quota import Period, Quota, quota_on
from billing.settling import CallEnding, settle, unless_taken
from billing.voucher import State, Voucher, VoucherMove
from terms.ids import BookId, CallId, OrderId, VoucherId
from terms.refusals import RefusalCode, Refused
from tests.billing.stories import DAY, LISTENING, NOON
from tests.exercise.chances import (
    GRANTED_SECONDS,
    PEOPLE,
    POLICY,
    USES_ALLOWED,
    WITHOUT_VOUCHER,
    Chances,
)

S = TypeVar("S")

_GRANTED, _REISSUED = "claim_granted", "reissued"
_DECISIONS = (_GRANTED, _REISSUED)
"""Only for these a used voucher is moved again."""

_VOUCHERS_AT_A_TIME = 60
_ORDERS_AT_A_TIME = 60


class House:
    """What is live, and what was put away is only counted.

    `uses` tells for each voucher how often its unit came to be used, less the times that somebody's
    decision gave it back.
    """

    def __init__(self, seed: int) -> None:
        self.chances = Chances(Random(seed))
        self.now = NOON
        self.vouchers: dict[VoucherId, Voucher] = {}
        self.orders: dict[OrderId, Order] = {}
        self.quotas: dict[BookId, Quota] = {}
        self.readings: dict[BookId, Reading] = {}
        self.faults: list[Fault] = []
        self.uses: Counter[str] = Counter()
        self.sums: Counter[str] = Counter()
        self.operations: Counter[str] = Counter()
        self.refusals = self.made = self.entries = 0
        self._endings: dict[OrderId, CallEnding] = {}
        self._doings = (
            *(self.open_by_voucher,) * 7,
            *(self.open_by_quota,) * 3,
            *(self.dial,) * 6,
            *(self.connect,) * 5,
            *(self.end,) * 6,
            *(self.revise,) * 3,
            *(self.lapse,) * 3,
            *(self.redeem, self.cancel, self.expire, self.void, self.reissue, self.restore),
            self.pass_time,
        )

    def operate(self, times: int) -> None:
        """So many operations, one after the other."""
        for _ in range(times):
            doing = self.chances.one_of(self._doings)
            try:
                doing()
            except Refused:
                self.refusals += 1
            self.operations[doing.__name__] += 1

    # -- what is written -----------------------------------------------------------------------

    def note(self, *entries: Entry | None) -> None:
        """Read an entry as whoever verifies the books would."""
        for entry in entries:
            if entry is None:
                continue
            reading = self.readings.get(entry.book) or Reading(entry.book)
            self.readings[entry.book] = reading
            self.faults += reading.take(entry)
            self.sums[entry.from_account] -= entry.units
            self.sums[entry.to_account] += entry.units
            self.entries += 1

    def keep(self, voucher: Voucher, entry: Entry | None) -> None:
        """A voucher after an entry."""
        self.vouchers[voucher.id] = voucher
        self.note(entry)
        if entry is None:
            return
        if entry.to_account == State.CONSUMED:
            self.uses[voucher.id] += 1
            talked = entry.order is not None and self.orders[entry.order].connected_at is not None
            assert talked or entry.reason == VoucherMove.COUNT_NO_CONTACT
        if entry.from_account == State.CONSUMED:
            self.uses[voucher.id] -= 1
            assert entry.reason in _DECISIONS

    def take(self, before: Order, settlement: Settlement) -> None:
        """What was decided about an order, with everything that follows for what pays for it."""
        voucher = self.vouchers[before.voucher] if before.voucher else None
        booked = talk.booked(before, unless_taken(before, settlement, voucher), self.now)
        order, move = booked.order, booked.voucher_move
        self.orders[order.id] = order
        self.note(*booked.talk)
        if order.voucher is not None:
            voucher = self.vouchers[order.voucher]
            voucher, entry = billing.voucher.carry_out(voucher, move, order.id, self.now)
            self.keep(voucher, entry)
            still_holds = voucher.state is State.HELD and voucher.order == order.id
            assert order.connected_at is None or not still_holds
        elif order.quota is not None:
            quota = self.quotas[order.quota]
            quota, entry = billing.quota.carry_out(quota, move, order.id, self.now)
            self.quotas[quota.book] = quota
            self.note(entry)

    # -- what may happen -----------------------------------------------------------------------

    def open_by_voucher(self) -> None:
        """Somebody orders with any voucher, also one that is not theirs."""
        voucher = self._voucher(State.ISSUED, State.RETURNED)
        id_, caller = OrderId(f"order-{self.made}"), self.chances.one_of(PEOPLE)
        if voucher.holder is not None and self.chances.happens(0.9):
            caller = voucher.holder
        held, entry = billing.voucher.hold(
            voucher, order=id_, caller=caller, program=LISTENING, now=self.now
        )
        self.keep(held, entry)
        self._open(id_, voucher=voucher.id)

    def open_by_quota(self) -> None:
        """Somebody orders by their policy."""
        self._make_room()
        id_ = OrderId(f"order-{self.made}")
        blank = quota_on(
            date(self.now.year, 1, 1),
            program=LISTENING,
            subject=self.chances.one_of(PEOPLE),
            period=self.chances.one_of((Period.CALENDAR_YEAR, Period.ROLLING_365)),
        )
        quota = self.quotas.get(blank.book, blank)
        held, entry = billing.quota.hold(quota, order=id_, limit=USES_ALLOWED, at=self.now)
        self.quotas[held.book] = held
        self.note(entry)
        self._open(id_, quota=held.book)

    def _open(
        self, id_: OrderId, voucher: VoucherId | None = None, quota: BookId | None = None
    ) -> None:
        self.made += 1
        opened = billing.opening.open_order(
            id=id_,
            caller=self.chances.one_of(PEOPLE),
            program=LISTENING,
            program_version="1",
            program_digest="d",
            counselor=None,
            voucher=voucher,
            quota=quota,
            granted_seconds=GRANTED_SECONDS,
            policy=POLICY if voucher else WITHOUT_VOUCHER,
            now=self.now,
        )
        self.orders[id_] = opened.order
        self.note(*opened.talk)

    def dial(self) -> None:
        """Somebody presses the button."""
        order = self._order(OrderState.OPEN, OrderState.INTERRUPTED)
        call = CallId(f"call-{self.made}-{order.version}")
        dialled = billing.order.start_call(order, call, self.now)
        self.take(order, Settlement(order=dialled))

    def connect(self) -> None:
        """Two hear each other, and the news is told twice."""
        order = self._order(OrderState.IN_CALL)
        call = order.call or CallId("call-unknown")
        self.take(order, billing.order.connected(order, call, self.now))
        order = self.orders[order.id]
        self.take(order, billing.order.connected(order, call, self.now))

    def end(self) -> None:
        """A call ends, and the news is told twice."""
        order = self._order(OrderState.IN_CALL)
        if order.call is None:
            return
        ending = self.chances.ending(order, order.call, self.now)
        self._endings[order.id] = ending
        for _ in range(2):
            before = self.orders[order.id]
            self.take(before, settle(before, ending, POLICY, self.now))

    def revise(self) -> None:
        """Later evidence says something else of a call that is over."""
        order = self._order(OrderState.INTERRUPTED, OrderState.COMPLETED)
        told = self._endings.get(order.id)
        if told is not None:
            better = self.chances.ending(order, told.call, self.now)
            self.take(order, settle(order, better, POLICY, self.now))

    def lapse(self) -> None:
        """A sweep looks at an order."""
        order = self._order()
        self.take(order, billing.order.lapse(order, self.now))

    def cancel(self) -> None:
        """Somebody gives an order up."""
        order = self._order()
        self.take(order, billing.order.cancel(order, ClosedBy.CALLER, "changed_mind", self.now))

    def redeem(self) -> None:
        """A code comes into an account, or does not."""
        voucher = self._voucher()
        self.keep(*billing.voucher.redeem(voucher, self.chances.one_of(PEOPLE), self.now))

    def expire(self) -> None:
        """A sweep looks at a voucher."""
        self.keep(*billing.voucher.expire(self._voucher(), self.now))

    def void(self) -> None:
        """A policy ended."""
        if self.chances.happens(0.1):
            self.keep(*billing.voucher.void(self._voucher(), reason="surrendered", now=self.now))

    def restore(self) -> None:
        """A claim gives a used voucher back."""
        voucher = self._voucher(State.CONSUMED)
        order = self.orders.get(voucher.order) if voucher.order else None
        if order is None or order.state in LIVE:
            return
        restored = billing.voucher.restore(voucher, reason=_GRANTED, now=self.now)
        self.orders[order.id] = billing.order.finalise(order)
        self.keep(*restored)

    def reissue(self) -> None:
        """Support replaces a code."""
        voucher = self._voucher()
        order = self.orders.get(voucher.order) if voucher.order else None
        if order is not None and order.state in LIVE:
            return
        id_ = VoucherId(f"voucher-{self.made}-again")
        self.made += 1
        old, new = billing.voucher.reissue(
            voucher,
            id=id_,
            code_hash=id_.encode(),
            code_ending="0000",
            reason=_REISSUED,
            by_supervisor=False,
            now=self.now,
        )
        if order is not None:
            self.orders[order.id] = billing.order.finalise(order)
        self.keep(*old)
        self.keep(*new)
        self.keep(*billing.voucher.issue(new[0], self.now))

    def pass_time(self) -> None:
        """A second, or half a day."""
        self.now += timedelta(seconds=self.chances.one_of((1, 10, 60, 600, 20_000)))

    # -- coming and going ----------------------------------------------------------------------

    def _order(self, *fitting: OrderState) -> Order:
        """Mostly one in a fitting state: what cannot be done is tried too, but not all the time."""
        self._make_room()
        orders = tuple(self.orders.values())
        if fitting and self.chances.happens(0.8):
            orders = tuple(order for order in orders if order.state in fitting) or orders
        if not orders:
            raise Refused(RefusalCode.ORDER_NOT_OPEN, "There is no order yet.")
        return self.chances.one_of(orders)

    def _voucher(self, *fitting: State) -> Voucher:
        self._make_room()
        vouchers = tuple(self.vouchers.values())
        if fitting and self.chances.happens(0.8):
            vouchers = tuple(one for one in vouchers if one.state in fitting) or vouchers
        return self.chances.one_of(vouchers)

    def _make_room(self) -> None:
        """What is over is reckoned up and forgotten, and new vouchers are issued."""
        if len(self.orders) >= _ORDERS_AT_A_TIME or len(self.vouchers) >= _VOUCHERS_AT_A_TIME:
            self.put_away()
        while len(self.vouchers) < _VOUCHERS_AT_A_TIME / 2:
            self.made += 1
            id_ = VoucherId(f"voucher-{self.made}")
            made = billing.voucher.prepare(
                id=id_,
                program=LISTENING,
                code_hash=id_.encode(),
                code_ending="0000",
                valid_until=self.now + self.chances.one_of((1, 3, 30)) * DAY,
                now=self.now,
            )
            self.keep(*made)
            self.keep(*billing.voucher.issue(made[0], self.now))

    def put_away(self, *, everything: bool = False) -> None:
        """Reckon up what is at rest, or everything, and forget it."""
        for order in list(self.orders.values()):
            if everything or order.state not in LIVE:
                self._reckon(talk.book_of(order.id), talk.disagreements, order)
                del self.orders[order.id]
                self._endings.pop(order.id, None)
        paying = {order.voucher for order in self.orders.values()}
        for voucher in list(self.vouchers.values()):
            if everything or (voucher.id not in paying and voucher.state in _OVER):
                self._reckon(voucher.book, billing.voucher.disagreements, voucher)
                assert self.uses.pop(voucher.id, 0) == (voucher.state is State.CONSUMED)
                del self.vouchers[voucher.id]
        if everything:
            for quota in self.quotas.values():
                self._reckon(quota.book, billing.quota.disagreements, quota)

    def _reckon(
        self, book: BookId, compare: Callable[[S, Reading], Iterable[Fault]], subject: S
    ) -> None:
        self.faults += compare(subject, self.readings.pop(book))


_OVER = frozenset({State.CONSUMED, State.EXPIRED, State.VOIDED, State.REISSUED})
