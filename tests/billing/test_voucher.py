"""Where a voucher may go, and who may use it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from billing.voucher import (
    State,
    Voucher,
    VoucherMove,
    carry_out,
    expire,
    hold,
    issue,
    prepare,
    redeem,
    reissue,
    restore,
    void,
)
from terms.ids import CallerId, OrderId, ProgramId, VoucherId
from terms.refusals import RefusalCode, Refused
from tests.billing.stories import DAY, DOCTOR, LIN, LISTENING, MEI, NOON, a_voucher, made

ORDER, LATER_ORDER = OrderId("order-1"), OrderId("order-2")
LAST_DAY = NOON + 30 * DAY


def held(order: OrderId = ORDER, caller: CallerId = LIN, voucher: Voucher | None = None) -> Voucher:
    return hold(voucher or a_voucher(), order=order, caller=caller, program=LISTENING, now=NOON)[0]


def used() -> Voucher:
    return carry_out(held(), VoucherMove.CONSUME, ORDER, NOON)[0]


@pytest.mark.rule("A14", "A31")
def test_an_order_holds_the_voucher_and_the_books_say_so() -> None:
    voucher, entry = hold(a_voucher(), order=ORDER, caller=LIN, program=LISTENING, now=NOON)

    assert (voucher.state, voucher.order, voucher.holder) == (State.HELD, ORDER, LIN)
    assert (entry.from_account, entry.to_account) == ("issued", "held")
    assert (entry.number, entry.key) == (3, "order-1/held")


@pytest.mark.rule("A18", "A23", "X02")
@pytest.mark.parametrize("caller", [LIN, MEI])
def test_a_voucher_that_an_order_holds_is_in_use_for_everybody(caller: CallerId) -> None:
    with pytest.raises(Refused) as refused:
        redeem(held(), caller, NOON)

    assert refused.value.code is RefusalCode.VOUCHER_IN_USE


@pytest.mark.rule("A18", "A19")
def test_a_used_voucher_cannot_be_used_again() -> None:
    with pytest.raises(Refused, match="has been used") as refused:
        held(voucher=used())

    assert refused.value.code is RefusalCode.VOUCHER_INVALID


@pytest.mark.rule("X14", "E60")
def test_whoever_redeems_first_owns_the_voucher_even_after_it_came_back() -> None:
    back, _ = carry_out(held(), VoucherMove.RETURN_EXPIRED, ORDER, NOON)

    with pytest.raises(Refused, match="another account"):
        redeem(back, MEI, NOON)
    assert redeem(back, LIN, NOON) == (back, None)
    assert redeem(a_voucher(), MEI, NOON)[0].holder == MEI


@pytest.mark.rule("A16", "C36")
def test_a_voucher_in_its_waiting_period_cannot_be_redeemed() -> None:
    waiting, _ = made()[0]

    with pytest.raises(Refused, match="not been given out"):
        redeem(waiting, LIN, NOON)
    assert redeem(issue(waiting, NOON)[0], LIN, NOON)[0].holder == LIN


@pytest.mark.rule("A20", "A21")
def test_a_voucher_is_good_until_its_last_instant_exclusive() -> None:
    assert redeem(a_voucher(), LIN, LAST_DAY - timedelta(microseconds=1))[0].holder == LIN
    with pytest.raises(Refused, match="expired"):
        redeem(a_voucher(), LIN, LAST_DAY)


def test_a_voucher_buys_its_own_program_only() -> None:
    with pytest.raises(Refused, match="another service"):
        hold(a_voucher(), order=ORDER, caller=LIN, program=DOCTOR, now=NOON)


@pytest.mark.rule("A33", "A34")
def test_a_returned_voucher_opens_another_order_for_its_holder() -> None:
    back, entry = carry_out(held(), VoucherMove.RETURN_EXPIRED, ORDER, NOON)
    assert entry is not None

    assert (back.state, back.holder, back.order) == (State.RETURNED, LIN, None)
    assert (entry.to_account, entry.reason) == ("returned", "order_expired")
    assert held(LATER_ORDER, voucher=back).order == LATER_ORDER


@pytest.mark.rule("X13")
def test_a_return_never_extends_validity() -> None:
    in_time, _ = carry_out(held(), VoucherMove.RETURN_EXPIRED, ORDER, LAST_DAY - DAY)
    too_late, entry = carry_out(held(), VoucherMove.RETURN_EXPIRED, ORDER, LAST_DAY)

    assert in_time.valid_until == LAST_DAY
    assert too_late.state is State.EXPIRED
    assert entry is not None
    assert entry.reason == "order_expired"


@pytest.mark.rule("X13", "X15")
def test_time_and_a_policy_that_ends_leave_a_held_voucher_to_its_order() -> None:
    assert expire(held(), LAST_DAY + DAY) == (held(), None)
    assert void(held(), reason="policy_ended", now=NOON) == (held(), None)
    assert carry_out(held(), VoucherMove.CONSUME, ORDER, LAST_DAY)[0].state is State.CONSUMED


@pytest.mark.rule("A20", "A21", "A17", "B03", "X15")
def test_an_unused_voucher_falls_with_its_time_or_its_policy() -> None:
    assert expire(a_voucher(), LAST_DAY)[0].state is State.EXPIRED
    assert expire(a_voucher(), LAST_DAY - DAY) == (a_voucher(), None)
    fallen, entry = void(made()[0][0], reason="surrendered", now=NOON)
    assert entry is not None
    assert (fallen.state, entry.reason) == (State.VOIDED, "surrendered")


@pytest.mark.rule("A19", "X56")
def test_the_news_of_a_connect_uses_the_voucher_once() -> None:
    voucher, entry = carry_out(held(), VoucherMove.CONSUME, ORDER, NOON)

    assert entry is not None
    assert (voucher.state, entry.key) == (State.CONSUMED, "order-1/connected")
    assert carry_out(voucher, VoucherMove.CONSUME, ORDER, NOON) == (voucher, None)


@pytest.mark.parametrize("move", [move for move in VoucherMove if move is not VoucherMove.KEEP])
def test_a_late_move_of_one_order_does_not_touch_what_another_holds(move: VoucherMove) -> None:
    others = held(LATER_ORDER)

    assert carry_out(others, move, ORDER, NOON) == (others, None)


@pytest.mark.parametrize("move", list(VoucherMove))
def test_no_move_of_an_order_brings_a_used_voucher_back(move: VoucherMove) -> None:
    assert carry_out(used(), move, ORDER, NOON) == (used(), None)


@pytest.mark.rule("A19", "X01")
def test_a_connect_that_is_heard_of_after_the_return_still_uses_the_voucher() -> None:
    back, _ = carry_out(held(), VoucherMove.RETURN_NO_CONTACT, ORDER, NOON)

    voucher, entry = carry_out(back, VoucherMove.CONSUME, ORDER, NOON)

    assert voucher.state is State.CONSUMED
    assert entry is not None
    assert entry.from_account == "returned"


@pytest.mark.rule("X28")
def test_the_first_cancel_for_no_contact_is_free_and_the_second_uses_the_voucher() -> None:
    once, first = carry_out(held(), VoucherMove.COUNT_NO_CONTACT, ORDER, NOON)
    again = held(LATER_ORDER, voucher=once)
    twice, second = carry_out(again, VoucherMove.COUNT_NO_CONTACT, LATER_ORDER, NOON)

    assert first is not None
    assert second is not None
    assert (once.state, twice.state) == (State.RETURNED, State.CONSUMED)
    assert second.reason == "no_contact_counted"


@pytest.mark.rule("X28", "X27")
def test_without_that_rule_no_contact_never_uses_a_voucher() -> None:
    voucher = a_voucher()
    for number in range(5):
        order = OrderId(f"order-{number}")
        voucher = held(order, voucher=voucher)
        voucher, _ = carry_out(voucher, VoucherMove.RETURN_NO_CONTACT, order, NOON)

    assert voucher.state is State.RETURNED


@pytest.mark.rule("X56", "A27")
def test_a_used_voucher_comes_back_only_by_a_decision_with_its_reason() -> None:
    back, entry = restore(used(), reason="claim_granted", now=NOON)

    assert back.state is State.RETURNED
    assert (entry.from_account, entry.to_account) == ("consumed", "returned")
    assert (entry.reason, entry.order) == ("claim_granted", ORDER)
    with pytest.raises(Refused):
        restore(held(), reason="claim_granted", now=NOON)


@pytest.mark.rule("A36", "X10")
def test_a_replacement_keeps_the_original_expiry_and_owner() -> None:
    (old, put_away), (new, prepared) = reissue(
        used(),
        id=VoucherId("voucher-2"),
        code_hash=b"new",
        code_ending="NEW0",
        reason="short_call",
        by_supervisor=False,
        now=NOON,
    )

    assert (old.state, put_away.reason) == (State.REISSUED, "short_call")
    assert (new.valid_until, new.holder, new.replaces) == (LAST_DAY, LIN, old.id)
    assert (prepared.from_account, prepared.to_account) == ("issuer", "pending")
    with pytest.raises(Refused, match="new code"):
        redeem(old, LIN, NOON)


@pytest.mark.rule("X10")
def test_a_second_replacement_needs_a_supervisor() -> None:
    replaced_once = replace(used(), replaces=VoucherId("voucher-0"))

    def again(by_supervisor: bool) -> State:
        (old, _), _ = reissue(
            replaced_once,
            id=VoucherId("voucher-2"),
            code_hash=b"new",
            code_ending="NEW0",
            reason="short_call",
            by_supervisor=by_supervisor,
            now=NOON,
        )
        return old.state

    with pytest.raises(Refused) as refused:
        again(by_supervisor=False)
    assert refused.value.code is RefusalCode.QUOTA_USED
    assert again(by_supervisor=True) is State.REISSUED


def test_a_voucher_cannot_be_in_an_order_and_in_none_at_once() -> None:
    with pytest.raises(AssertionError):
        replace(a_voucher(), state=State.HELD, holder=LIN)
    with pytest.raises(AssertionError):
        replace(held(), state=State.ISSUED)
    with pytest.raises(AssertionError):
        replace(a_voucher(), state=State.RETURNED)


def test_a_new_voucher_waits_and_comes_from_the_issuer() -> None:
    voucher, entry = prepare(
        id=VoucherId("v"),
        program=ProgramId("p"),
        code_hash=b"h",
        code_ending="0000",
        valid_until=LAST_DAY,
        now=NOON,
    )

    assert (voucher.state, voucher.head) == (State.PENDING, entry.head)
    assert (entry.from_account, entry.key) == ("issuer", "/prepared")
