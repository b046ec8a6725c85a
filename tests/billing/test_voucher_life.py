"""The whole life of a voucher and of those that replace it, in any order: what always holds."""

from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from billing.history import Happened, Past, Step, happenings
from billing.ledger import Entry, balances, read
from billing.voucher import (
    Moved,
    State,
    Voucher,
    VoucherMove,
    carry_out,
    disagreements,
    expire,
    hold,
    issue,
    redeem,
    reissue,
    restore,
    void,
)
from terms.ids import CallerId, OrderId, VoucherId
from terms.refusals import RefusalCode, Refused
from tests.billing.stories import DAY, LIN, LISTENING, MEI, NOON, made

END = NOON + 3 * DAY
CALLERS = st.sampled_from([LIN, MEI])
LAST_WORDS = {
    State.ISSUED: {Happened.ISSUED, Happened.REPLACES, Happened.REDEEMED},
    State.HELD: {Happened.HELD},
    State.CONSUMED: {
        *(Happened.USED, Happened.USED_UNREACHED),
        *(Happened.USED_LATE_CANCEL, Happened.USED_NO_SHOW),
    },
    State.RETURNED: {
        *(Happened.BACK_IN_TIME, Happened.BACK_CANCELLED, Happened.BACK_UNREACHED),
        *(Happened.GIVEN_BACK, Happened.REDEEMED),
    },
    State.EXPIRED: {Happened.EXPIRED},
    State.VOIDED: {Happened.VOIDED},
    State.REISSUED: {Happened.REPLACED},
}


class Life(RuleBasedStateMachine):
    """One voucher, what comes in its place, two people, and staff."""

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = NOON
        self.chain: list[Voucher] = []
        self.books: dict[VoucherId, list[Entry]] = {}
        self.owners: list[CallerId] = []
        self.orders: list[OrderId] = []
        self.decisions = 0
        self.replaced_by_support = 0
        for moved in made(valid_until=END)[:1]:
            self.add(moved)

    @property
    def last(self) -> Voucher:
        return self.chain[-1]

    def add(self, moved: Moved) -> None:
        self.chain.append(moved[0])
        self.books[moved[0].id] = [moved[1]]

    def keep(self, moved: tuple[Voucher, Entry | None]) -> None:
        voucher, entry = moved
        place = next(place for place, one in enumerate(self.chain) if one.id == voucher.id)
        self.chain[place] = voucher
        if entry is not None:
            self.books[voucher.id].append(entry)

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @precondition(lambda self: self.last.state is State.PENDING)
    @rule()
    def it_is_given_out(self) -> None:
        self.keep(issue(self.last, self.now))

    @rule(caller=CALLERS)
    def somebody_redeems_it(self, caller: CallerId) -> None:
        try:
            moved = redeem(self.last, caller, self.now)
        except Refused:
            return
        assert self.now < END
        self.owners.append(caller)
        self.keep(moved)

    @rule(caller=CALLERS)
    def somebody_opens_an_order_with_it(self, caller: CallerId) -> None:
        order = OrderId(f"order-{len(self.orders)}")
        try:
            moved = hold(self.last, order=order, caller=caller, program=LISTENING, now=self.now)
        except Refused as refused:
            in_use = refused.code is RefusalCode.VOUCHER_IN_USE
            if in_use != (self.last.state is State.HELD):
                raise
            return
        assert self.now < END
        self.owners.append(caller)
        self.orders.append(order)
        self.keep(moved)

    @precondition(lambda self: self.orders)
    @rule(move=st.sampled_from(VoucherMove), back=st.integers(0, 2), old=st.booleans())
    def an_order_fares_somehow_or_is_heard_of_late(
        self, move: VoucherMove, back: int, old: bool
    ) -> None:
        order = self.orders[max(0, len(self.orders) - 1 - back)]
        voucher = self.chain[max(0, len(self.chain) - 1 - old)]
        if move is VoucherMove.CONSUME and voucher.order != order and (back or self.used(order)):
            return  # a connect is told of the order that held it last, and once
        self.keep(carry_out(voucher, move, order, self.now))

    def used(self, order: OrderId) -> bool:
        entries = [entry for book in self.books.values() for entry in book]
        return any(entry.order == order and entry.reason == "connected" for entry in entries)

    @precondition(lambda self: self.last.state is State.CONSUMED)
    @rule(number=st.integers(0, 10**6))
    def somebody_decides_to_give_it_back(self, number: int) -> None:
        self.keep(restore(self.last, reason="claim_granted", now=self.now))
        self.decisions += 1

    @rule(by_supervisor=st.booleans())
    def staff_replace_it(self, by_supervisor: bool) -> None:
        name = VoucherId(f"voucher-{len(self.chain) + 1}")
        try:
            old, new = reissue(
                self.last,
                id=name,
                code_hash=name.encode(),
                code_ending="NEW0",
                reason="reissued",
                by_supervisor=by_supervisor,
                now=self.now,
            )
        except Refused:
            return
        self.keep(old)
        self.add(new)
        self.decisions += 1
        self.replaced_by_support += not by_supervisor

    @rule()
    def its_time_is_looked_at(self) -> None:
        self.keep(expire(self.last, self.now))

    @rule()
    def an_operator_voids_it(self) -> None:
        if self.now < NOON + DAY:
            return  # not so often, or nothing else would happen
        self.keep(void(self.last, reason="voided_by_operator", now=self.now))

    @invariant()
    def every_book_is_whole_and_its_row_agrees_with_it(self) -> None:
        for voucher in self.chain:
            reading, faults = read(self.books[voucher.id])
            assert reading is not None
            assert not faults
            assert not list(disagreements(voucher, reading))
            held = balances(self.books[voucher.id])
            assert sum(held.values()) == 0
            assert held[voucher.state] == 1

    @invariant()
    def all_but_the_newest_are_put_away(self) -> None:
        assert {one.state for one in self.chain[:-1]} <= {State.REISSUED}
        for earlier, later in pairwise(self.chain):
            assert later.replaces == earlier.id

    @invariant()
    def nothing_ever_makes_it_last_longer(self) -> None:
        assert {one.valid_until for one in self.chain} == {END}

    @invariant()
    def its_first_redeemer_owns_it_and_whatever_replaces_it(self) -> None:
        assert len(set(self.owners)) <= 1
        for voucher in self.chain:
            assert voucher.holder in (None, *self.owners)
        for earlier, later in pairwise(self.chain):
            assert earlier.holder in (None, later.holder)

    @invariant()
    def it_is_used_once_and_once_more_for_each_decision(self) -> None:
        uses = [
            entry
            for entries in self.books.values()
            for entry in entries
            if entry.to_account == State.CONSUMED
        ]
        assert len(uses) <= 1 + self.decisions
        assert len({(entry.book, entry.order) for entry in uses}) == len(uses)

    @invariant()
    def support_replaces_once_and_the_rest_takes_a_supervisor(self) -> None:
        assert self.replaced_by_support <= 1

    @invariant()
    def its_story_can_be_told_from_its_book(self) -> None:
        for voucher in self.chain:
            steps = [
                Step(
                    account=State(entry.to_account),
                    reason=entry.reason,
                    order=entry.order,
                    at=entry.at,
                )
                for entry in self.books[voucher.id]
            ]
            told = happenings(Past(steps=steps, replaces=voucher.replaces))
            assert len(told) == sum(step.account is not State.PENDING for step in steps)
            assert [one.at for one in told] == sorted(one.at for one in told)
            if told:
                assert told[-1].what in LAST_WORDS[voucher.state]


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
