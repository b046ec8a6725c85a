"""Each promise is kept by the shipped fold, and a fold broken on purpose is caught by its name."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from billing.order import ClosedBy
from billing.voucher import State as VoucherState
from billing.voucher import VoucherMove, carry_out
from dialer.call import State
from dialer.carriers import LegBridged, LegEnded
from dialer.events import (
    CounselorClaimed,
    CounselorUnavailable,
    Event,
    Timer,
    TimerFired,
    TimerKind,
)
from dialer.leg import LetGoReason
from dialer.orders import HangUp, Limit, Ring
from routing.counselor import Counselor
from terms.ids import CallId
from terms.values import replace
from terms.verdict import Confidence, EndedBy, Role, Verdict, VerdictKind
from tests.warmline.simulation.breaking import (
    PROGRAMS,
    after_carry,
    broken_promises,
    call_of,
    with_call,
)
from warmline.desk import fold
from warmline.desk.slice import Outcome, Slice
from warmline.programs import Program
from warmline.simulation.deciding import Deciding, Offer
from warmline.simulation.misfortune import parse
from warmline.simulation.shell import Shell
from warmline.simulation.simulation import Simulation
from warmline.simulation.watch import Promise


def test_the_shipped_fold_keeps_every_promise() -> None:
    assert broken_promises(Deciding(), days=3) == set()


@pytest.mark.rule("C25", "C27", "X27")
def test_a_fold_that_never_stops_counting_attempts_is_caught() -> None:
    def carry(slice_: Slice, event: Event, program: Program, now: datetime) -> Outcome:
        endless = replace(program, dialer=replace(program.dialer, attempts=99))
        return fold.carry(slice_, event, endless, now)

    assert Promise.ATTEMPTS in broken_promises(Deciding(carry=carry), days=6)


@pytest.mark.rule("X27")
def test_a_fold_that_tries_again_at_once_is_caught() -> None:
    def change(
        slice_: Slice, event: Event, program: Program, now: datetime, outcome: Outcome
    ) -> Outcome:
        call = call_of(outcome)
        if call.state is not State.WAITING or call is slice_.call:
            return outcome
        return with_call(outcome, call.with_timer(TimerKind.ATTEMPT, now + timedelta(seconds=8)))

    assert Promise.SPACING in broken_promises(after_carry(change))


def test_a_fold_that_rings_a_phone_that_rings_already_is_caught() -> None:
    def change(
        slice_: Slice, event: Event, program: Program, now: datetime, outcome: Outcome
    ) -> Outcome:
        call = call_of(outcome)
        rung = call.standing(Role.CALLER)
        if rung is None or rung.answered_at is not None or not isinstance(event, TimerFired):
            return outcome
        second = replace(rung, id=call.next_leg(Role.CALLER))
        again = Ring(second.id, Role.CALLER, None, 30)
        return replace(with_call(outcome, call.with_leg(second)), effects=(*outcome.effects, again))

    assert Promise.OVERLAP in broken_promises(after_carry(change))


@pytest.mark.rule("A22", "A23")
def test_a_desk_that_lets_a_second_call_in_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def place(slice_: Slice, dial: fold.Dial, program: Program, now: datetime) -> Outcome:
        placed = fold.place(slice_, dial, program, now)
        return replace(placed, slice=replace(placed.slice, order=slice_.order))

    monkeypatch.setattr(Shell, "_live_call", lambda shell, order: None)

    assert Promise.ONE_CALL in broken_promises(Deciding(place=place), days=3)


@pytest.mark.rule("X53")
def test_routing_that_offers_busy_and_absent_counselors_is_caught() -> None:
    def offer(
        counselor: Counselor | None, engaged: CallId | None, program: Program, now: datetime
    ) -> Offer:
        if counselor is None:
            return CounselorUnavailable("counselor_offline")
        return CounselorClaimed(counselor.id)

    promises = broken_promises(Deciding(offer=offer))
    assert Promise.ONE_COUNSELOR in promises
    assert Promise.OFFER in promises


def test_routing_that_forgets_the_wrap_up_is_caught() -> None:
    def offer(
        counselor: Counselor | None, engaged: CallId | None, program: Program, now: datetime
    ) -> Offer:
        rested = None if counselor is None else replace(counselor, wrap_up_until=None)
        return fold.offer(rested, engaged, program, now)

    assert Promise.OFFER in broken_promises(Deciding(offer=offer), days=12)


@pytest.mark.rule("A24", "X05")
def test_a_desk_that_admits_at_any_hour_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routing.admission.is_open", lambda hours, now, workdays: True)

    assert Promise.HOURS in broken_promises(Deciding(), days=6)


@pytest.mark.rule("X55")
def test_a_fold_that_cuts_somebody_in_danger_is_caught() -> None:
    def change(
        slice_: Slice, event: Event, program: Program, now: datetime, outcome: Outcome
    ) -> Outcome:
        call = call_of(outcome)
        caller = call.standing(Role.CALLER)
        if not call.crisis or call.state is not State.BRIDGED or caller is None:
            return outcome
        cut = call.with_leg(replace(caller, let_go_at=now, let_go_why=LetGoReason.CAP))
        return replace(with_call(outcome, cut), effects=(*outcome.effects, HangUp(caller.id)))

    assert Promise.CRISIS in broken_promises(after_carry(change), days=4)


@pytest.mark.rule("X55")
def test_a_fold_that_leaves_the_carriers_limit_on_somebody_in_danger_is_caught() -> None:
    def change(
        slice_: Slice, event: Event, program: Program, now: datetime, outcome: Outcome
    ) -> Outcome:
        kept = tuple(one for one in outcome.effects if not isinstance(one, Limit))
        return replace(outcome, effects=kept)

    assert Promise.CRISIS in broken_promises(after_carry(change), days=20)


@pytest.mark.rule("A18", "A19")
def test_a_fold_that_uses_a_voucher_twice_is_caught() -> None:
    def change(
        slice_: Slice, event: Event, program: Program, now: datetime, outcome: Outcome
    ) -> Outcome:
        entry = outcome.payment
        if entry is None or entry.to_account != VoucherState.CONSUMED:
            return outcome
        assert slice_.voucher is not None
        back = replace(slice_.voucher, state=VoucherState.RETURNED, order=None)
        return replace(outcome, slice=replace(outcome.slice, voucher=back))

    promises = broken_promises(after_carry(change), days=4)
    assert Promise.VOUCHER_ONCE in promises
    assert Promise.LEDGER in promises


@pytest.mark.parametrize("wrong", ["an entry", "the row"])
def test_books_that_say_something_else_than_what_was_written_are_caught(wrong: str) -> None:
    def change(
        slice_: Slice, event: Event, program: Program, now: datetime, outcome: Outcome
    ) -> Outcome:
        if not outcome.talk:
            return outcome
        if wrong == "an entry":
            first, *rest = outcome.talk
            return replace(outcome, talk=(replace(first, units=first.units + 1), *rest))
        order = outcome.slice.order
        more = replace(order, talked_seconds=order.talked_seconds + 1)
        return replace(outcome, slice=replace(outcome.slice, order=more))

    assert Promise.LEDGER in broken_promises(after_carry(change))


@pytest.mark.rule("A19", "X01")
def test_a_fold_that_uses_the_voucher_when_the_first_phone_is_answered_is_caught() -> None:
    def place(slice_: Slice, dial: fold.Dial, program: Program, now: datetime) -> Outcome:
        placed = fold.place(slice_, dial, program, now)
        if slice_.voucher is None:
            return placed
        used, entry = carry_out(slice_.voucher, VoucherMove.CONSUME, slice_.order.id, now)
        return replace(placed, slice=replace(placed.slice, voucher=used), payment=entry)

    assert Promise.CONSUMED in broken_promises(Deciding(place=place))


@pytest.mark.rule("A32", "A33", "X03")
def test_orders_that_time_never_ends_are_caught() -> None:
    def lapse(slice_: Slice, program: Program, now: datetime) -> Outcome:
        return Outcome(slice=slice_)

    promises = broken_promises(Deciding(lapse=lapse))
    assert Promise.ORDER_RESTS in promises


@pytest.mark.rule("A33")
def test_a_cancelled_order_that_keeps_its_voucher_is_caught() -> None:
    def cancel(slice_: Slice, by: ClosedBy, why: str, now: datetime) -> Outcome:
        cancelled = fold.cancel(slice_, by, why, now)
        return replace(
            cancelled, payment=None, slice=replace(cancelled.slice, voucher=slice_.voucher)
        )

    assert Promise.VOUCHER_LOST in broken_promises(Deciding(cancel=cancel), days=4)


def test_a_fold_that_forgets_to_hang_up_is_caught() -> None:
    def change(
        slice_: Slice, event: Event, program: Program, now: datetime, outcome: Outcome
    ) -> Outcome:
        call = call_of(outcome)
        if call.state is not State.ENDED:
            return outcome
        forgotten = tuple(
            replace(leg, let_go_at=None, let_go_why=None) if leg.release is None else leg
            for leg in call.legs
        )
        kept = tuple(one for one in outcome.effects if not isinstance(one, HangUp))
        return replace(with_call(outcome, replace(call, legs=forgotten)), effects=kept)

    assert Promise.LEG_ALIVE in broken_promises(after_carry(change), days=4)


def test_a_timer_that_never_goes_is_caught() -> None:
    def change(
        slice_: Slice, event: Event, program: Program, now: datetime, outcome: Outcome
    ) -> Outcome:
        call = call_of(outcome)
        stale = Timer(TimerKind.PARTED, now)
        return with_call(outcome, replace(call, timers=(*call.timers, stale)))

    assert Promise.TIMER_LEFT in broken_promises(after_carry(change), days=1)


@pytest.mark.rule("A29", "A27")
def test_a_fold_that_says_that_the_caller_hung_up_whatever_happened_is_caught() -> None:
    blame = Verdict(
        kind=VerdictKind.PARTY_ENDED, by=EndedBy.CALLER, confidence=Confidence.HIGH, reasons=()
    )

    def change(
        slice_: Slice, event: Event, program: Program, now: datetime, outcome: Outcome
    ) -> Outcome:
        call = call_of(outcome)
        if call.state is not State.ENDED or call.verdict == blame:
            return outcome
        return with_call(outcome, replace(call, verdict=blame))

    assert Promise.VERDICT in broken_promises(after_carry(change))


def test_a_fold_that_drops_what_is_told_late_is_caught() -> None:
    def carry(slice_: Slice, event: Event, program: Program, now: datetime) -> Outcome:
        assert slice_.call is not None
        if isinstance(event, LegEnded) and now - event.at > timedelta(seconds=2):
            return Outcome(slice=slice_)
        return fold.carry(slice_, event, program, now)

    simulation = Simulation(
        PROGRAMS,
        seed=1,
        calls_per_day=100,
        misfortune=parse("reorder=0.5,delay=1"),
        deciding=Deciding(carry=carry),
    )
    promises = {violation.promise for violation in simulation.run(2).violations}
    assert Promise.VERDICT in promises


def test_a_decision_that_raises_is_caught() -> None:
    def carry(slice_: Slice, event: Event, program: Program, now: datetime) -> Outcome:
        if isinstance(event, LegBridged):
            raise LookupError("no such leg")
        return fold.carry(slice_, event, program, now)

    assert Promise.NO_FAULT in broken_promises(Deciding(carry=carry), days=1)


def test_every_promise_is_broken_once_by_a_test() -> None:
    told = "".join(one.read_text() for one in Path(__file__).parent.glob("test_*.py"))
    assert [one for one in Promise if f"assert Promise.{one.name} in" not in told] == []
