"""The promises, checked at every step. Each has a name; a broken one is a violation.

Nothing here asks the fold what is right: every check is made from the values alone.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

import billing.voucher
from billing import talk
from billing.ledger import ISSUER, Entry, Fault, Reading, read
from billing.order import LIVE
from billing.voucher import State as VoucherState
from billing.voucher import Voucher
from dialer.call import TALKING, Call
from dialer.leg import LetGoReason
from dialer.orders import Fact, FactKind, HangUp, Ring
from routing.counselor import Counselor, Presence
from terms.ids import BookId, CallId, CounselorId, OrderId
from terms.verdict import Role
from warmline.programs import Program
from warmline.simulation.books import Books
from warmline.simulation.truth import Findings, Truth
from warmline.simulation.witness import WatchedWorld
from warmline.simulation.writing import Step

_SHANGHAI = timedelta(hours=8)
_MOST_KEPT = 200


class Promise(StrEnum):
    """What must hold, whatever goes wrong."""

    ATTEMPTS = "at_most_the_programs_attempts"
    SPACING = "attempts_keep_their_distance"
    OVERLAP = "attempts_never_overlap"
    ONE_CALL = "one_live_call_per_order"
    ONE_COUNSELOR = "no_counselor_on_two_calls"
    OFFER = "only_a_free_counselor_is_offered"
    HOURS = "admission_only_within_hours"
    CAP = "never_over_the_cap"
    CRISIS = "nobody_in_danger_is_cut"
    VOUCHER_ONCE = "no_voucher_used_twice"
    LEDGER = "the_books_are_unbroken_and_agree"
    CONSUMED = "consumed_if_and_only_if_connected"
    VOUCHER_LOST = "no_voucher_lost"
    ORDER_RESTS = "every_order_comes_to_rest"
    LEG_ALIVE = "no_leg_left_alive"
    TIMER_LEFT = "no_timer_left"
    VERDICT = "the_verdict_is_what_happened"
    NO_FAULT = "no_decision_fails"


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise: which, when, for whom, and what was seen."""

    promise: Promise
    at: datetime
    subject: str
    seen: str


class _Tally:
    """What is known of one order's attempts and talks."""

    __slots__ = ("allowed", "connected", "counted", "doubtful", "not_before", "pressed_at")

    def __init__(self, attempts: int) -> None:
        self.allowed = attempts
        self.counted = 0
        self.connected = False
        self.doubtful = False
        self.not_before: datetime | None = None
        self.pressed_at: datetime | None = None


class Watch:
    """Sees every step and keeps what it found broken."""

    def __init__(self, books: Books, world: WatchedWorld, truth: Truth) -> None:
        self.violations: list[Violation] = []
        self.violation_count = 0
        self._books = books
        self._world = world
        self._truth = truth
        self._tallies: dict[OrderId, _Tally] = {}
        self._holding: dict[CounselorId, CallId] = {}
        self._working: dict[OrderId, CallId] = {}
        self._accounts: dict[str, str] = {}
        self._consumed: set[str] = set()
        self._keys: set[tuple[str, str | None]] = set()
        self._checks: dict[FactKind, Callable[[Fact, Step], None]] = {
            FactKind.ATTEMPT_FAILED: self._attempt_failed,
            FactKind.COUNSELOR_CLAIMED: self._attempt_started,
            FactKind.QUEUED: self._attempt_started,  # where a pool's call begins its attempt
            FactKind.DIALLED_IN: self._dialled_in,
        }

    def broken(self, promise: Promise, at: datetime, subject: str, seen: str) -> None:
        """Note a violation; of very many only the first are kept."""
        self.violation_count += 1
        if len(self.violations) < _MOST_KEPT:
            self.violations.append(Violation(promise, at, subject, seen))

    # --- every step ---------------------------------------------------------------------------

    def pressed(self, order: OrderId, program: Program, now: datetime) -> None:
        """The caller asks for a call now: an attempt may be brought forward by that."""
        self._tally(order, program).pressed_at = now

    def stepped(self, step: Step) -> None:
        """A call's transaction was committed."""
        before, after = step.before, step.after
        if before is None:
            self._placed(step)
        if before is None or before.counselor != after.counselor:
            self._counselor_is_alone(before, after, step.now)
        for fact in step.facts:
            check = self._checks.get(fact.kind)
            if check is not None:
                check(fact, step)
        for order in step.orders:
            if type(order) is Ring:
                self._rings_one_phone(order, step)
            elif type(order) is HangUp and after.crisis:
                self._keeps_who_is_in_danger(order, step)
        if after.ended_at is not None:
            self._over(before, after, step)

    def _placed(self, step: Step) -> None:
        call, now = step.after, step.now
        other = self._working.setdefault(call.order, call.id)
        if other != call.id:
            self.broken(Promise.ONE_CALL, now, call.order, f"{other} and {call.id}")
        if not _is_open(step.program, now):
            self.broken(Promise.HOURS, now, call.id, f"admitted at {now.isoformat()}")
        tally = self._tally(call.order, step.program)
        if tally.counted >= tally.allowed:
            tally.allowed = tally.counted + 1  # asked for once more, after all attempts were used

    def _counselor_is_alone(self, before: Call | None, after: Call, now: datetime) -> None:
        held = None if before is None else before.counselor
        if held is not None and self._holding.get(held) == after.id:
            del self._holding[held]
        if after.counselor is not None:
            other = self._holding.setdefault(after.counselor, after.id)
            if other != after.id:
                seen = f"{other} and {after.id}"
                self.broken(Promise.ONE_COUNSELOR, now, after.counselor, seen)

    def _attempt_failed(self, fact: Fact, step: Step) -> None:
        call, policy = step.after, step.program.dialer
        if not fact.detail["counts"]:
            return
        tally = self._tally(call.order, step.program)
        tally.counted += 1
        if tally.counted > tally.allowed or call.counted > policy.attempts:
            seen = f"{tally.counted} counted, {tally.allowed} allowed"
            self.broken(Promise.ATTEMPTS, step.now, call.id, seen)
        spacing = policy.attempt_spacing_seconds
        seconds = spacing[min(tally.counted, len(spacing)) - 1] if spacing else 0
        tally.not_before = step.now + timedelta(seconds=seconds)

    def _dialled_in(self, _: Fact, step: Step) -> None:
        """By calling themselves the caller brings the next attempt forward (A39)."""
        self._tally(step.after.order, step.program).not_before = None

    def _attempt_started(self, _: Fact, step: Step) -> None:
        tally = self._tally(step.after.order, step.program)
        early = tally.not_before is not None and step.now < tally.not_before
        if early and tally.pressed_at != step.now:
            seen = f"due at {tally.not_before}, started at {step.now}"
            self.broken(Promise.SPACING, step.now, step.after.id, seen)
        tally.not_before = None

    def _rings_one_phone(self, ring: Ring, step: Step) -> None:
        rung = [one.id for one in step.after.all_standing() if one.role is ring.role]
        if rung != [ring.leg]:
            self.broken(Promise.OVERLAP, step.now, step.after.id, f"{ring.role}: {rung}")

    def _keeps_who_is_in_danger(self, order: HangUp, step: Step) -> None:
        before = step.before
        if before is None or before.state not in TALKING:
            return
        known, leg = before.leg(order.leg), step.after.leg(order.leg)
        if known is None or leg is None or leg.role is not Role.CALLER or known.is_over:
            return
        if known.answered_at is not None and leg.let_go_why not in _ALLOWED_IN_DANGER:
            self.broken(Promise.CRISIS, step.now, leg.id, f"let go: {leg.let_go_why}")

    def _over(self, before: Call | None, after: Call, step: Step) -> None:
        if before is None or before.ended_at is None:
            self._working.pop(after.order, None)
        if after.verdict_is_final and (before is None or not before.verdict_is_final):
            findings = self._truth.compare(after, step.program)
            self._judged(findings, after, step)

    def _judged(self, findings: Findings, call: Call, step: Step) -> None:
        tally = self._tally(call.order, step.program)
        tally.connected |= findings.connected
        tally.doubtful |= findings.doubtful
        if findings.wrong_verdict:
            self.broken(Promise.VERDICT, step.now, call.id, findings.wrong_verdict)
        if findings.over_cap:
            self.broken(Promise.CAP, step.now, call.id, findings.over_cap)
        if findings.cut_in_danger:
            self.broken(Promise.CRISIS, step.now, call.id, findings.cut_in_danger)

    def claimed(self, counselor: Counselor, call: CallId, now: datetime) -> None:
        """A call claims this counselor, who is still as they were."""
        busy = self._holding.get(counselor.id)
        away = counselor.presence is not Presence.AVAILABLE or _is_past(counselor.lease_until, now)
        resting = _is_ahead(counselor.wrap_up_until, now) or _is_ahead(
            counselor.cooldown_until, now
        )
        if busy not in (None, call) or away or resting:
            seen = f"busy={busy} presence={counselor.presence} resting={resting}"
            self.broken(Promise.OFFER, now, counselor.id, seen)

    def moved(self, before: Voucher | None, voucher: Voucher, entry: Entry) -> None:
        """A voucher moved: its one unit must be where the entry takes it from."""
        id_, now = voucher.id, entry.at
        held = self._accounts.get(id_, ISSUER)
        number = 1 if before is None else before.head.number + 1
        if entry.from_account != held or entry.number != number:
            seen = f"{entry.from_account} -> {entry.to_account}, but it is in {held}"
            self.broken(Promise.LEDGER, now, id_, seen)
        if (id_, entry.key) in self._keys:
            self.broken(Promise.LEDGER, now, id_, f"twice for one reason: {entry.key}")
        self._keys.add((id_, entry.key))
        self._accounts[id_] = entry.to_account
        if entry.to_account == VoucherState.CONSUMED:
            if id_ in self._consumed:
                self.broken(Promise.VOUCHER_ONCE, now, id_, f"again by {entry.order}")
            self._consumed.add(id_)

    def decision_failed(self, subject: str, fault: BaseException, now: datetime) -> None:
        """A decision raised what it must never raise."""
        self.broken(Promise.NO_FAULT, now, subject, f"{type(fault).__name__}: {fault}")

    # --- at the end, after all faults are healed ----------------------------------------------

    def at_rest(self, now: datetime) -> None:
        """Everything must have come to rest."""
        for order in self._books.orders.values():
            if order.state in LIVE:
                self.broken(Promise.ORDER_RESTS, now, order.id, f"still {order.state}")
        for call in self._books.calls.values():
            if call.timers:
                self.broken(Promise.TIMER_LEFT, now, call.id, f"{call.timers}")
        for live in self._world.standing_legs():
            self.broken(Promise.LEG_ALIVE, now, live.leg, f"{live}")
        self._vouchers_at_rest(now)
        self._books_at_rest(now)

    def _vouchers_at_rest(self, now: datetime) -> None:
        for voucher in self._books.vouchers.values():
            if voucher.state not in _FINE_AT_REST:
                self.broken(Promise.VOUCHER_LOST, now, voucher.id, f"{voucher.state}")
            if self._accounts.get(voucher.id) != voucher.state:
                seen = f"{voucher.state}, but its unit is in {self._accounts.get(voucher.id)}"
                self.broken(Promise.LEDGER, now, voucher.id, seen)
        for order in self._books.orders.values():
            if order.voucher is None:
                continue
            tally = self._tallies.get(order.id)
            connected = tally is not None and tally.connected
            voucher = self._books.vouchers[order.voucher]
            consumed = voucher.state is VoucherState.CONSUMED and voucher.order == order.id
            evidence_lost = tally is not None and tally.doubtful
            if consumed != connected and not (connected and evidence_lost):
                seen = f"connected={connected} but consumed={consumed}"
                self.broken(Promise.CONSUMED, now, order.id, seen)

    def _books_at_rest(self, now: datetime) -> None:
        """Every book is one unbroken chain, and what is counted is what its row says."""
        books = self._books
        for one in books.vouchers.values():
            self._read_book(one.book, partial(billing.voucher.disagreements, one), now)
        for order in books.orders.values():
            book = talk.book_of(order.id)
            self._read_book(book, partial(talk.disagreements, order), now)

    def _read_book(
        self, book: BookId, compare: Callable[[Reading], Iterable[Fault]], now: datetime
    ) -> None:
        reading, faults = read(self._books.ledger.get(book, ()))
        faults += compare(reading or Reading(book))
        for fault in faults:
            self.broken(Promise.LEDGER, now, book, f"entry {fault.number}: {fault.what}")

    def _tally(self, order: OrderId, program: Program) -> _Tally:
        tally = self._tallies.get(order)
        if tally is None:
            tally = self._tallies[order] = _Tally(program.dialer.attempts)
        return tally


_ALLOWED_IN_DANGER = frozenset(
    {LetGoReason.CALLER_ENDED, LetGoReason.SILENT, LetGoReason.STAFF_ENDED}
)
_FINE_AT_REST = frozenset(
    {VoucherState.CONSUMED, VoucherState.ISSUED, VoucherState.RETURNED, VoucherState.EXPIRED}
)


def _is_open(program: Program, now: datetime) -> bool:
    """The wall clock in Shanghai, where there is no daylight saving."""
    wall = now + _SHANGHAI
    minute = wall.hour * 60 + wall.minute
    return any(
        window.opens_minute <= minute < window.closes_minute
        for window in program.routing.hours.windows
    )


def _is_ahead(instant: datetime | None, now: datetime) -> bool:
    return instant is not None and now < instant


def _is_past(instant: datetime | None, now: datetime) -> bool:
    return instant is None or instant <= now
