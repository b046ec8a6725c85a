"""A voucher: the right to one order. Pure; whatever changes it is an entry in its book.

`pending -> issued -> held(order) -> consumed`, back to `returned` when the order did not use it,
out by `expired`, `voided`, `reissued`. A returned voucher works like an issued one, for its holder.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from billing.cancelling import Counted
from billing.ledger import BLANK, ISSUER, Entry, Fault, Head, Reading, facts_digest, post
from terms.ids import BookId, CallerId, OrderId, ProgramId, VoucherId
from terms.refusals import RefusalCode, Refused
from terms.values import changer, quickly_made, replace


class State(StrEnum):
    """Where a voucher is; also the account of its book that holds its one unit."""

    PENDING = "pending"  # made, not yet given out (waiting period)
    ISSUED = "issued"  # somebody may redeem it
    HELD = "held"  # an order relies on it
    CONSUMED = "consumed"  # two people talked (A19, X01)
    RETURNED = "returned"  # the order ended without use; its holder may use it again (A33)
    EXPIRED = "expired"
    VOIDED = "voided"  # the policy behind it ended (X15)
    REISSUED = "reissued"  # replaced by another voucher (A36, X10)


USABLE = frozenset({State.ISSUED, State.RETURNED})
_WITH_ORDER = frozenset({State.HELD, State.CONSUMED})
_WITH_HOLDER = _WITH_ORDER | {State.RETURNED}


class VoucherMove(StrEnum):
    """What the fate of an order asks of the voucher or quota that pays for it.

    The value is the ledger's reason.
    """

    KEEP = "keep"
    CONSUME = "connected"
    RETURN_EXPIRED = "order_expired"
    RETURN_CANCELLED = "order_cancelled"
    RETURN_NO_CONTACT = "no_contact"
    COUNT_NO_CONTACT = "no_contact_counted"  # back the first time, used the second (X28)
    LATE_CANCEL = Counted.LATE_CANCEL.value  # given up too late: used (B08, X23)
    NO_SHOW = Counted.NO_SHOW.value  # an appointment that was not kept: used (B07)


def voucher_book(voucher: VoucherId) -> BookId:
    """The book of one voucher."""
    return BookId(f"voucher/{voucher}")


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Voucher:
    """One voucher, and how far its book has come. Of the code only its hash is here."""

    id: VoucherId
    program: ProgramId
    state: State
    code_hash: bytes
    code_ending: str  # the last four characters, for its holder to recognise it
    valid_until: datetime  # exclusive; a return never extends it (X13)
    changed_at: datetime
    holder: CallerId | None = None  # the first redeemer's account owns it (X14)
    order: OrderId | None = None  # the order that holds or consumed it
    replaces: VoucherId | None = None
    no_contacts: int = 0  # orders cancelled because nobody could be reached (X28)
    head: Head = BLANK

    def __post_init__(self) -> None:
        assert (self.order is not None) == (self.state in _WITH_ORDER)
        assert self.holder is not None or self.state not in _WITH_HOLDER

    @property
    def book(self) -> BookId:
        """Where its entries are."""
        return voucher_book(self.id)


Moved = tuple[Voucher, Entry]


def prepare(
    *,
    id: VoucherId,
    program: ProgramId,
    code_hash: bytes,
    code_ending: str,
    valid_until: datetime,
    now: datetime,
    holder: CallerId | None = None,
    replaces: VoucherId | None = None,
    reason: str = "prepared",
) -> Moved:
    """A new voucher that may not be used yet."""
    voucher = Voucher(
        id=id,
        program=program,
        state=State.PENDING,
        code_hash=code_hash,
        code_ending=code_ending,
        valid_until=valid_until,
        changed_at=now,
        holder=holder,
        replaces=replaces,
    )
    return _post(voucher, voucher, ISSUER, reason, None)


def issue(voucher: Voucher, now: datetime) -> Moved:
    """The waiting is over: give it out."""
    _must_be(voucher, {State.PENDING})
    return _move(voucher, State.ISSUED, "issued", now)


def redeem(voucher: Voucher, caller: CallerId, now: datetime) -> tuple[Voucher, Entry | None]:
    """The voucher in `caller`'s account: from now on, with an entry that says so, or already.

    Raises Refused: voucher_in_use while an order holds it, voucher_invalid when it is used,
    expired, not given out yet, or another account redeemed it first (X14).
    """
    may_redeem(voucher, caller, now)
    if voucher.holder == caller:
        return voucher, None
    redeemed = replace(voucher, holder=caller, changed_at=now)
    return _post(voucher, redeemed, voucher.state, "redeemed", None)


def may_redeem(voucher: Voucher, caller: CallerId, now: datetime) -> None:
    """Raises Refused as `redeem` does."""
    _must_be_usable(voucher, now)
    if voucher.holder not in (None, caller):
        raise _invalid("This voucher belongs to another account.")


def hold(
    voucher: Voucher, *, order: OrderId, caller: CallerId, program: ProgramId, now: datetime
) -> Moved:
    """Bind it to a new order; redeems it on the way.

    Raises Refused as `redeem` does, and voucher_invalid when it buys another program.
    """
    may_redeem(voucher, caller, now)
    if voucher.program != program:
        raise _invalid("This voucher is for another service.")
    held = replace(voucher, state=State.HELD, holder=caller, order=order, changed_at=now)
    return _post(voucher, held, voucher.state, "held", order)


def carry_out(
    voucher: Voucher, move: VoucherMove, order: OrderId, now: datetime
) -> tuple[Voucher, Entry | None]:
    """What the fate of `order` does to its voucher. Late and repeated moves change nothing."""
    match move:
        case VoucherMove.KEEP:
            return voucher, None
        case VoucherMove.CONSUME | VoucherMove.LATE_CANCEL | VoucherMove.NO_SHOW:
            return _consume(voucher, order, move, now)
        case VoucherMove.COUNT_NO_CONTACT if voucher.no_contacts:
            return _consume(voucher, order, move, now)
        case (
            VoucherMove.RETURN_EXPIRED
            | VoucherMove.RETURN_CANCELLED
            | VoucherMove.RETURN_NO_CONTACT
            | VoucherMove.COUNT_NO_CONTACT
        ):
            return _release(voucher, order, move, now)


def restore(voucher: Voucher, *, reason: str, now: datetime) -> Moved:
    """Give a used voucher back by a decision somebody answers for; past its time it expires (X13).

    Raises Refused(voucher_invalid) when it is not used.
    """
    _must_be(voucher, {State.CONSUMED})
    order = voucher.order
    return _back(voucher, reason, now, order)


def expire(voucher: Voucher, now: datetime) -> tuple[Voucher, Entry | None]:
    """Its time is over. An order that holds it may still use it (X13)."""
    if voucher.state not in USABLE | {State.PENDING} or now < voucher.valid_until:
        return voucher, None
    return _move(voucher, State.EXPIRED, "expired", now)


def void(voucher: Voucher, *, reason: str, now: datetime) -> tuple[Voucher, Entry | None]:
    """The policy behind it ended (X15): unused vouchers fall, a held one is never cut off."""
    if voucher.state not in USABLE | {State.PENDING}:
        return voucher, None
    return _move(voucher, State.VOIDED, reason, now)


def reissue(
    voucher: Voucher,
    *,
    id: VoucherId,
    code_hash: bytes,
    code_ending: str,
    reason: str,
    by_supervisor: bool,
    now: datetime,
) -> tuple[Moved, Moved]:
    """The old voucher put away, and a pending one with the ORIGINAL expiry in its place (X10).

    Raises Refused: quota_used for the second replacement in a row without a supervisor,
    voucher_invalid when the old one can no longer be replaced.
    """
    _must_be(voucher, USABLE | {State.CONSUMED})
    if voucher.replaces is not None and not by_supervisor:
        raise Refused(
            RefusalCode.QUOTA_USED, "It was replaced once already; a supervisor may do it again."
        )
    replacement = prepare(
        id=id,
        program=voucher.program,
        code_hash=code_hash,
        code_ending=code_ending,
        valid_until=voucher.valid_until,
        now=now,
        holder=voucher.holder,
        replaces=voucher.id,
    )
    return _move(voucher, State.REISSUED, reason, now, voucher.order), replacement


def revive(
    voucher: Voucher,
    *,
    id: VoucherId,
    code_hash: bytes,
    code_ending: str,
    reason: str,
    now: datetime,
) -> Moved:
    """A pending voucher with the ORIGINAL expiry in place of one that should not have fallen (X13).

    The fallen one stays voided: a correction is a new entry. Raises Refused(voucher_invalid) when
    it did not fall, or its time is over.
    """
    _must_be(voucher, {State.VOIDED})
    if now >= voucher.valid_until:
        raise _invalid("Its end date has passed, and a new one would bear the same.")
    return prepare(
        id=id,
        program=voucher.program,
        code_hash=code_hash,
        code_ending=code_ending,
        valid_until=voucher.valid_until,
        now=now,
        holder=voucher.holder,
        replaces=voucher.id,
        reason=reason,
    )


def _consume(
    voucher: Voucher, order: OrderId, move: VoucherMove, now: datetime
) -> tuple[Voucher, Entry | None]:
    # News of a connect may come after the order gave the voucher back: it was used all the same.
    held_here = voucher.state is State.HELD and voucher.order == order
    came_back = voucher.state is State.RETURNED and move is VoucherMove.CONSUME
    if not held_here and not came_back:
        return voucher, None
    return _move(voucher, State.CONSUMED, move, now, order)


def _release(
    voucher: Voucher, order: OrderId, move: VoucherMove, now: datetime
) -> tuple[Voucher, Entry | None]:
    if voucher.state is not State.HELD or voucher.order != order:
        return voucher, None
    unreached = move in (VoucherMove.RETURN_NO_CONTACT, VoucherMove.COUNT_NO_CONTACT)
    return _back(voucher, move, now, order, no_contacts=voucher.no_contacts + unreached)


def _back(
    voucher: Voucher,
    reason: str,
    now: datetime,
    order: OrderId | None,
    *,
    no_contacts: int | None = None,
) -> Moved:
    state = State.RETURNED if now < voucher.valid_until else State.EXPIRED
    counted = voucher.no_contacts if no_contacts is None else no_contacts
    back = replace(voucher, state=state, order=None, changed_at=now, no_contacts=counted)
    return _post(voucher, back, voucher.state, reason, order)


def _move(
    voucher: Voucher, state: State, reason: str, now: datetime, order: OrderId | None = None
) -> Moved:
    moved = _moved(voucher, state, order if state in _WITH_ORDER else None, now)
    return _post(voucher, moved, voucher.state, reason, order)


def _post(
    before: Voucher, after: Voucher, from_account: str, reason: str, order: OrderId | None
) -> Moved:
    """The voucher with its book one entry further; facts are told when they are new or changed."""
    moves = from_account != after.state
    changed = before is after or _facts(before) != _facts(after)
    head, entry = post(
        after.book,
        before.head,
        from_account=from_account,
        to_account=after.state,
        units=1 if moves else 0,
        reason=reason,
        order=order,
        at=after.changed_at,
        about=about(after) if changed else None,
    )
    return _with_head(after, head), entry


_with_head = changer(Voucher, "head")
_moved = changer(Voucher, "state", "order", "changed_at")


def about(voucher: Voucher) -> bytes:
    """What the voucher's book vouches for beside where it is."""
    return facts_digest(
        {
            "program": voucher.program,
            "code_hash": voucher.code_hash,
            "code_ending": voucher.code_ending,
            "valid_until": voucher.valid_until,
            "replaces": voucher.replaces,
            "holder": voucher.holder,
            "no_contacts": voucher.no_contacts,
        }
    )


def disagreements(voucher: Voucher, reading: Reading) -> Iterator[Fault]:
    """Where the voucher's row says something else than its book."""
    yield from reading.compare(voucher.head, about(voucher))
    last = reading.last
    if last is None:
        return
    at = next((account for account, units in reading.units.items() if units > 0), None)
    if at != voucher.state:
        yield Fault(voucher.book, last.number, f"its row is {voucher.state}, its unit is in {at}")
    if voucher.state in _WITH_ORDER and voucher.order != last.order:
        yield Fault(voucher.book, last.number, "its row names another order than its last entry")
    if voucher.changed_at != last.at:
        yield Fault(voucher.book, last.number, "its row was changed at another time")


def _facts(voucher: Voucher) -> tuple[object, ...]:
    """What of `about` may change in a voucher's life."""
    return voucher.holder, voucher.no_contacts


def _must_be_usable(voucher: Voucher, now: datetime) -> None:
    match voucher.state:
        case State.HELD:
            raise Refused(
                RefusalCode.VOUCHER_IN_USE,
                "Another order holds this voucher; it comes back when that order ends unused.",
            )
        case State.PENDING:
            raise _invalid("This voucher has not been given out yet.")
        case State.CONSUMED:
            raise _invalid("This voucher has been used.")
        case State.EXPIRED:
            raise _invalid("This voucher has expired.")
        case State.VOIDED:
            raise _invalid("This voucher ended together with its policy.")
        case State.REISSUED:
            raise _invalid("This voucher was replaced; please use the new code.")
        case State.ISSUED | State.RETURNED:
            if now >= voucher.valid_until:
                raise _invalid("This voucher has expired.")


def _must_be(voucher: Voucher, states: frozenset[State] | set[State]) -> None:
    if voucher.state not in states:
        raise _invalid(f"A voucher that is {voucher.state} cannot do this.")


def _invalid(detail: str) -> Refused:
    return Refused(RefusalCode.VOUCHER_INVALID, detail)
