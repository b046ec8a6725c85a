"""A voucher's story, told from its ledger."""

from datetime import timedelta

import pytest

from billing.history import Happened, Past, Step, happenings
from billing.ledger import Entry
from billing.voucher import State, Voucher, VoucherMove, carry_out, hold, redeem, restore
from terms.ids import OrderId, VoucherId
from tests.billing.stories import DAY, LIN, LISTENING, NOON, made

ORDER = OrderId("order-1")


class Book:
    """A voucher that goes through something, an hour after another."""

    def __init__(self) -> None:
        moves = made()
        self.voucher: Voucher = moves[-1][0]
        self.entries: list[Entry] = [entry for _, entry in moves]
        self.now = NOON

    def then(self, moved: tuple[Voucher, Entry | None]) -> "Book":
        self.voucher, entry = moved
        assert entry is not None
        self.entries.append(entry)
        self.now += timedelta(hours=1)
        return self

    @property
    def past(self) -> Past:
        return Past(
            steps=[
                Step(
                    account=State(entry.to_account),
                    reason=entry.reason,
                    order=entry.order,
                    at=entry.at,
                )
                for entry in self.entries
            ]
        )

    @property
    def told(self) -> list[Happened]:
        return [one.what for one in happenings(self.past)]


def held() -> Book:
    book = Book()
    book.then(redeem(book.voucher, LIN, book.now))
    return book.then(hold(book.voucher, order=ORDER, caller=LIN, program=LISTENING, now=book.now))


@pytest.mark.parametrize(
    ("move", "what"),
    [
        (VoucherMove.CONSUME, Happened.USED),
        (VoucherMove.LATE_CANCEL, Happened.USED_LATE_CANCEL),
        (VoucherMove.NO_SHOW, Happened.USED_NO_SHOW),
        (VoucherMove.RETURN_EXPIRED, Happened.BACK_IN_TIME),
        (VoucherMove.RETURN_CANCELLED, Happened.BACK_CANCELLED),
        (VoucherMove.RETURN_NO_CONTACT, Happened.BACK_UNREACHED),
        (VoucherMove.COUNT_NO_CONTACT, Happened.BACK_UNREACHED),
    ],
)
def test_each_fate_of_an_order_has_its_own_word(move: VoucherMove, what: Happened) -> None:
    book = held()

    book.then(carry_out(book.voucher, move, ORDER, book.now))

    assert book.told == [Happened.ISSUED, Happened.REDEEMED, Happened.HELD, what]


@pytest.mark.rule("X28")
def test_a_voucher_that_counts_as_used_for_nobody_was_reached_says_so() -> None:
    book = held()
    book.then(carry_out(book.voucher, VoucherMove.COUNT_NO_CONTACT, ORDER, book.now))
    again = OrderId("order-2")
    book.then(hold(book.voucher, order=again, caller=LIN, program=LISTENING, now=book.now))

    book.then(carry_out(book.voucher, VoucherMove.COUNT_NO_CONTACT, again, book.now))

    assert book.told[-1] is Happened.USED_UNREACHED


def test_what_a_person_decided_is_told_as_a_decision() -> None:
    book = held()
    book.then(carry_out(book.voucher, VoucherMove.CONSUME, ORDER, book.now))

    book.then(restore(book.voucher, reason="claim_granted", now=book.now))

    assert book.told[-1] is Happened.GIVEN_BACK


@pytest.mark.rule("X13")
def test_a_return_past_the_end_is_told_as_the_end() -> None:
    book = held()

    book.then(carry_out(book.voucher, VoucherMove.RETURN_EXPIRED, ORDER, NOON + 40 * DAY))

    assert book.told[-1] is Happened.EXPIRED
    assert book.past.last_at(State.EXPIRED) == NOON + 40 * DAY
    assert book.past.last_at(State.RETURNED) is None


@pytest.mark.rule("A36")
def test_a_replacement_begins_its_story_as_one() -> None:
    book = Book()
    past = Past(steps=book.past.steps, replaces=VoucherId("voucher-0"))

    assert [one.what for one in happenings(past)] == [Happened.REPLACES]


@pytest.mark.rule("X14")
def test_it_came_into_the_account_when_it_was_redeemed_or_else_with_its_first_order() -> None:
    straight = Book()
    straight.then(
        hold(straight.voucher, order=ORDER, caller=LIN, program=LISTENING, now=straight.now)
    )

    assert Book().past.redeemed_at is None
    assert straight.past.redeemed_at == NOON
    assert held().past.redeemed_at == NOON
    assert held().past.last_at(State.HELD) == NOON + timedelta(hours=1)
