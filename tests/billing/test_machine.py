"""Any order of dials, news, repeats, corrections, cancels and time: what always holds."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from functools import partial

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import billing.quota
import billing.voucher
from billing import talk
from billing.ledger import ISSUER, Entry, Fault, Reading, balances, read
from billing.opening import open_order
from billing.order import (
    LIVE,
    ClosedBy,
    Order,
    Settlement,
    State,
    cancel,
    connected,
    finalise,
    lapse,
    start_call,
)
from billing.policy import Policy, VoucherUse
from billing.quota import Period, quota_on
from billing.settling import CallEnding, OnExhausted, settle
from billing.voucher import State as VoucherState
from billing.voucher import VoucherMove, carry_out, expire, hold, restore
from terms.ids import BookId, CallerId, CallId, OrderId, VoucherId
from terms.refusals import Refused
from terms.verdict import Confidence, EndedBy, Verdict, VerdictKind
from tests.billing.stories import ANA, DAY, LIN, LISTENING, MEI, NOON, made

POLICY = Policy(no_contact_consumes=True)
BY_POLICY = Policy(voucher=VoucherUse.NONE)
GRANTED = 1500
ALLOWED = 2
Disagreements = Callable[[Reading], Iterable[Fault]]
VERDICTS = st.builds(
    Verdict,
    kind=st.sampled_from(VerdictKind),
    by=st.sampled_from(EndedBy),
    confidence=st.sampled_from(Confidence),
    reasons=st.just(()),
)


class Worth(RuleBasedStateMachine):
    """One voucher, one quota, two people, any number of orders and calls after one another."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        given = made(valid_until=NOON + 5 * DAY)
        self.voucher = given[-1][0]
        self.books: list[Entry] = [entry for _, entry in given]
        self.orders: dict[OrderId, Order] = {}
        self.talks: dict[OrderId, list[Entry]] = {}
        self.quota = quota_on(
            date(2030, 1, 1), program=LISTENING, subject="lin", period=Period.CALENDAR_YEAR
        )
        self.uses: list[Entry] = []
        self.dialled = 0
        self.endings: list[tuple[OrderId, CallEnding]] = []

    @property
    def order(self) -> Order:
        return list(self.orders.values())[-1]

    def take(self, settlement: Settlement) -> None:
        before = self.orders.get(settlement.order.id)
        if before is not None:
            settlement = talk.booked(before, settlement, self.now)
        order = settlement.order
        self.orders[order.id] = order
        self.talks.setdefault(order.id, []).extend(settlement.talk)
        if order.voucher is not None:
            self.move(carry_out(self.voucher, settlement.voucher_move, order.id, self.now))
        elif order.quota is not None:
            move = settlement.voucher_move
            self.quota, entry = billing.quota.carry_out(self.quota, move, order.id, self.now)
            self.uses += [entry] if entry else []

    def move(self, moved: tuple[object, Entry | None]) -> None:
        voucher, entry = moved
        self.voucher = voucher  # type: ignore[assignment]
        if entry is not None:
            self.books.append(entry)

    @rule(caller=st.sampled_from([LIN, MEI]))
    def a_person_redeems_the_code(self, caller: CallerId) -> None:
        id = OrderId(f"order-{len(self.orders)}")
        try:
            moved = hold(self.voucher, order=id, caller=caller, program=LISTENING, now=self.now)
        except Refused:
            return
        self.move(moved)
        self.open(id, caller, voucher=self.voucher.id)

    @rule()
    def a_person_orders_by_their_policy(self) -> None:
        id = OrderId(f"order-{len(self.orders)}")
        try:
            self.quota, entry = billing.quota.hold(self.quota, order=id, limit=ALLOWED, at=self.now)
        except Refused:
            assert billing.quota.taken(self.quota, self.now) >= ALLOWED
            return
        self.uses.append(entry)
        self.open(id, LIN, quota=self.quota.book)

    def open(
        self,
        id: OrderId,
        caller: CallerId,
        *,
        voucher: VoucherId | None = None,
        quota: BookId | None = None,
    ) -> None:
        self.take(
            open_order(
                id=id,
                caller=caller,
                program=LISTENING,
                program_version="1",
                program_digest="d1",
                counselor=ANA,
                voucher=voucher,
                quota=quota,
                granted_seconds=GRANTED,
                policy=POLICY if voucher else BY_POLICY,
                now=self.now,
            )
        )

    @precondition(lambda self: self.orders)
    @rule()
    def a_person_dials(self) -> None:
        try:
            dialled = start_call(self.order, CallId(f"call-{self.dialled}"), self.now)
        except Refused:
            return
        self.dialled += 1
        self.orders[dialled.id] = dialled

    @precondition(lambda self: self.orders)
    @rule(back=st.integers(0, 2))
    def two_people_hear_each_other(self, back: int) -> None:
        call = CallId(f"call-{max(0, self.dialled - 1 - back)}")
        self.take(connected(self.order, call, self.now))

    @precondition(lambda self: self.orders and self.order.state is State.IN_CALL)
    @rule(
        verdict=VERDICTS,
        talks=st.booleans(),
        talked=st.integers(0, 2000),
        exhausted=st.booleans(),
        on_exhausted=st.sampled_from(OnExhausted),
    )
    def a_call_ends(
        self,
        verdict: Verdict,
        talks: bool,
        talked: int,
        exhausted: bool,
        on_exhausted: OnExhausted,
    ) -> None:
        assert self.order.call is not None
        ending = CallEnding(
            call=self.order.call,
            verdict=verdict,
            connected=talks,
            talked_seconds=talked,
            ended_at=self.now,
            exhausted=exhausted,
            on_exhausted=on_exhausted,
        )
        self.endings.append((self.order.id, ending))
        self.take(settle(self.order, ending, POLICY, self.now))
        assert settle(self.order, ending, POLICY, self.now) == Settlement(order=self.order)

    @precondition(lambda self: self.endings)
    @rule(which=st.integers(0, 100), verdict=VERDICTS)
    def a_better_verdict_comes(self, which: int, verdict: Verdict) -> None:
        id, told = self.endings[which % len(self.endings)]
        before = self.orders[id]
        better = CallEnding(
            call=told.call,
            verdict=verdict,
            connected=told.connected,
            talked_seconds=told.talked_seconds,
            ended_at=told.ended_at,
            exhausted=told.exhausted,
            on_exhausted=told.on_exhausted,
        )
        self.take(settle(before, better, POLICY, self.now))
        after = self.orders[id]
        assert after.talked_seconds == before.talked_seconds
        if before.state in (State.IN_CALL, State.CANCELLED, State.EXPIRED):
            assert after == before

    @rule(seconds=st.sampled_from([1, 59, 600, 43_200, 86_400]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: self.orders)
    @rule(which=st.integers(0, 100))
    def a_sweep_looks(self, which: int) -> None:
        before = list(self.orders.values())[which % len(self.orders)]
        self.take(lapse(before, self.now))
        if before.state not in LIVE:
            assert self.orders[before.id] == before
        self.move(expire(self.voucher, self.now))

    @precondition(lambda self: self.orders)
    @rule()
    def a_person_cancels(self) -> None:
        try:
            self.take(cancel(self.order, ClosedBy.CALLER, "changed_my_mind", self.now))
        except Refused:
            assert self.order.state not in (State.OPEN, State.INTERRUPTED)

    @precondition(lambda self: self.voucher.state is VoucherState.CONSUMED)
    @rule()
    def a_claim_gives_the_voucher_back(self) -> None:
        assert self.voucher.order is not None
        order = self.orders[self.voucher.order]
        if order.state not in LIVE:
            self.orders[order.id] = finalise(order)
            self.move(restore(self.voucher, reason="claim_granted", now=self.now))

    @invariant()
    def the_rest_is_never_negative_nor_above_the_grant(self) -> None:
        for order in self.orders.values():
            assert order.remaining_seconds is not None
            assert 0 <= order.remaining_seconds <= GRANTED
            assert order.talked_seconds >= 0

    @invariant()
    def the_books_tell_one_unbroken_story_and_sum_to_zero(self) -> None:
        balances: Counter[str] = Counter()
        at = ISSUER
        for number, entry in enumerate(self.books, start=1):
            assert (entry.number, entry.from_account) == (number, at)
            at = entry.to_account
            balances[entry.from_account] -= 1
            balances[entry.to_account] += 1
        assert at == self.voucher.state
        assert (sum(balances.values()), balances[ISSUER]) == (0, -1)
        assert all(units in (0, 1) for account, units in balances.items() if account != ISSUER)

    @invariant()
    def every_book_is_an_unbroken_chain_and_agrees_with_its_row(self) -> None:
        for book, disagreements in self.all_books():
            reading, faults = read(book)
            if reading is not None:
                assert faults + list(disagreements(reading)) == []
                assert sum(balances(book).values()) == 0

    def all_books(self) -> Iterator[tuple[list[Entry], Disagreements]]:
        yield self.books, partial(billing.voucher.disagreements, self.voucher)
        yield self.uses, partial(billing.quota.disagreements, self.quota)
        for order in self.orders.values():
            yield self.talks[order.id], partial(talk.disagreements, order)

    @invariant()
    def no_move_is_booked_twice(self) -> None:
        for book, _ in self.all_books():
            keys = Counter(entry.key for entry in book if entry.key is not None)
            assert not [key for key, times in keys.items() if times > 1]

    @invariant()
    def a_quota_counts_every_order_that_talked_or_may_yet(self) -> None:
        for order in self.orders.values():
            if order.quota is None:
                continue
            use = self.quota.use_of(order.id)
            if order.connected_at is not None:
                assert use is not None
                assert use.stage is billing.quota.Stage.USED
            elif order.state in LIVE:
                assert use is not None
                assert use.stage is billing.quota.Stage.HELD

    @invariant()
    def a_used_voucher_came_back_only_by_a_decision(self) -> None:
        for entry in self.books:
            if entry.from_account == VoucherState.CONSUMED:
                assert entry.reason == "claim_granted"

    @invariant()
    def a_voucher_is_used_only_by_an_order_whose_people_talked_or_never_answered(self) -> None:
        for entry in self.books:
            if entry.to_account == VoucherState.CONSUMED:
                assert entry.order is not None
                order = self.orders[entry.order]
                twice_unreached = entry.reason == VoucherMove.COUNT_NO_CONTACT
                assert twice_unreached or order.connected_at is not None

    @invariant()
    def an_order_whose_people_talked_has_used_its_voucher(self) -> None:
        entries = [*self.books, *self.uses]
        used = {entry.order for entry in entries if entry.reason == "connected"}
        for order in self.orders.values():
            assert order.connected_at is None or order.id in used

    @invariant()
    def one_live_order_at_most_relies_on_the_voucher(self) -> None:
        live = [order for order in self.orders.values() if order.voucher and order.state in LIVE]
        unconnected = [order for order in live if order.connected_at is None]
        assert len(unconnected) <= 1
        if unconnected:
            assert self.voucher.state is VoucherState.HELD
            assert self.voucher.order == unconnected[0].id


TestWorth = Worth.TestCase
TestWorth.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
