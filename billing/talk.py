"""The book of an order's talk seconds: granted, talked, left over. Pure.

What is left, what was talked and what lapsed is what the order says. Entries are read off the
difference between the order before and after, never off an event, so that nothing can be forgotten.
The first entry vouches for the order's own facts, later ones for the lines that its calls add to
the settlement (`billing.settlement`).
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from billing.ledger import BLANK, ISSUER, Entry, Fault, Head, Posted, Reading, facts_digest, post
from terms.ids import BookId, CallId, OrderId
from terms.values import replace

if TYPE_CHECKING:
    from billing.order import Order, Settlement
    from billing.settlement import GradeLine

REMAINING = "remaining"  # may be talked yet
TALKED = "talked"
LAPSED = "lapsed"  # was left over when the order came to rest

GRANTED = "granted"
TALK = "talked"
BEYOND_CAP = "talked_beyond_cap"  # in danger nobody is cut off (X55)
TOP_UP = "topped_up"  # the least that is left after a drop (X07)
LAPSE = "lapsed"
CORRECTION = "corrected"  # a better verdict, or somebody's decision
GRADED = "graded"  # it moves no seconds, and vouches for a line of the settlement

_OPENING = 1

_Step = tuple[str, str, int, str, bool]


def book_of(order: OrderId) -> BookId:
    """Where the order's seconds are counted."""
    return BookId(f"talk/{order}")


def opening(order: "Order") -> Posted:
    """The first entry of a new order's book: all of its time, given by the issuer."""
    granted = order.granted_seconds or 0
    return post(
        book_of(order.id),
        BLANK,
        from_account=ISSUER if granted else REMAINING,
        to_account=REMAINING,
        units=granted,
        reason=GRANTED,
        order=order.id,
        at=order.opened_at,
        about=about(order),
    )


def booked(
    before: "Order", settlement: "Settlement", at: datetime, reason: str = CORRECTION
) -> "Settlement":
    """The settlement with the entries that lead from the order `before` to the one it decided on.

    `reason` is told of what is neither talk nor time: a correction, or somebody's decision. The
    first entry vouches for what the call counts as; where nothing moves it is one of 0 seconds.
    """
    after, graded = settlement.order, settlement.graded
    steps = _steps(before, after, reason)
    if graded is not None:
        steps = steps or [(REMAINING, REMAINING, 0, GRADED, True)]
    if not steps:
        return settlement
    line = None if graded is None else graded.about
    head, entries = _post_all(after, before.call, before.head, steps, at, line)
    return replace(settlement, order=replace(after, head=head), talk=(*settlement.talk, *entries))


def vouching(settlement: "Settlement") -> int:
    """The number of the entry that vouches for the settlement's line, which is there and booked."""
    assert settlement.graded is not None
    about = settlement.graded.about
    return next(entry.number for entry in settlement.talk if entry.about == about)


def balances(order: "Order") -> dict[str, int]:
    """What every account but the issuer's holds when the order is as it is."""
    left = order.remaining_seconds or 0
    rests = order.closed_at is not None
    return {
        REMAINING: 0 if rests else left,
        TALKED: order.talked_seconds,
        LAPSED: left if rests else 0,
    }


def _steps(before: "Order", after: "Order", reason: str) -> list[_Step]:
    if _balance_alike(before, after):
        return []
    if _is_correction(before, after):
        steps = _corrections(balances(before), balances(after), reason)
    else:
        steps = _moves(before, after)
    return [step for step in steps if step[2]]


def _balance_alike(one: "Order", other: "Order") -> bool:
    return (
        one.remaining_seconds == other.remaining_seconds
        and one.talked_seconds == other.talked_seconds
        and (one.closed_at is None) == (other.closed_at is None)
    )


def about(order: "Order") -> bytes:
    """What the order's book vouches for beside the seconds: all that never changes about it."""
    return facts_digest(
        _first_facts(order)
        | {
            "program_version": order.program_version,
            "one_at_a_time": order.one_at_a_time,
            "expires_at": order.expires_at,
            "starts_at": order.starts_at,
            "cancel_free_until": order.cancel_free_until,
        }
    )


def _first_facts(order: "Order") -> dict[str, object]:
    """What books vouch for that were opened when this was all that was told."""
    return {
        "caller": order.caller,
        "program": order.program,
        "program_digest": order.program_digest,
        "voucher": order.voucher,
        "quota": order.quota,
        "granted_seconds": order.granted_seconds,
        "opened_at": order.opened_at,
    }


def disagreements(order: "Order", reading: Reading) -> Iterator[Fault]:
    """Where the order's row says something else than its book."""
    yield from reading.compare(order.head)
    told = reading.told.get(_OPENING)
    if told != about(order) and told != facts_digest(_first_facts(order)):
        yield reading.other_facts()
    for account, seconds in balances(order).items():
        booked_seconds = reading.units[account]
        if booked_seconds != seconds:
            seen = f"its row has {seconds} s {account}, the book {booked_seconds} s"
            yield Fault(book_of(order.id), reading.head.number, seen)


def misgraded(reading: Reading, lines: "Mapping[int, GradeLine | None]") -> Iterator[Fault]:
    """Where the settlement's lines are not those that the order's book vouches for.

    They are told by the entry they name; None is one that no longer says what can be.
    """
    vouched = {number: told for number, told in reading.told.items() if number != _OPENING}
    for number in sorted(vouched.keys() | lines.keys()):
        if number not in lines:
            yield Fault(reading.book, number, "the line of call_grades that it vouches for is gone")
        elif number not in vouched:
            yield Fault(
                reading.book, number, "vouches for no line of call_grades, and there is one"
            )
        elif (line := lines[number]) is None or line.about != vouched[number]:
            yield Fault(reading.book, number, "its line of call_grades is not what it was")


def _is_correction(before: "Order", after: "Order") -> bool:
    """An order at rest moves, or the talk of a call that is over is counted anew."""
    if before.closed_at is not None:
        return True
    return before.call is None and after.settled is not before.settled


def _moves(before: "Order", after: "Order") -> Iterator[_Step]:
    """Talk is taken from what is left, then given on top; what is left over at rest lapses."""
    left = before.remaining_seconds or 0
    talked = after.talked_seconds - before.talked_seconds
    within = min(talked, left)
    yield REMAINING, TALKED, within, TALK, False
    beyond = TALK if after.granted_seconds is None else BEYOND_CAP
    yield ISSUER, TALKED, talked - within, beyond, False
    rest = after.remaining_seconds or 0
    yield ISSUER, REMAINING, rest - (left - within), TOP_UP, False
    if after.closed_at is not None:
        yield REMAINING, LAPSED, rest, LAPSE, True


def _corrections(was: dict[str, int], is_: dict[str, int], reason: str) -> Iterator[_Step]:
    """The fewest entries from one set of balances to another."""
    change = {account: is_[account] - was[account] for account in was}
    change[ISSUER] = -sum(change.values())
    for giver in (REMAINING, LAPSED, TALKED, ISSUER):
        for taker in (TALKED, REMAINING, LAPSED, ISSUER):
            units = min(-change[giver], change[taker])
            if units > 0:
                change[giver] += units
                change[taker] -= units
                yield giver, taker, units, reason, True


def _post_all(
    order: "Order",
    call: CallId | None,
    head: Head,
    steps: Iterable[_Step],
    at: datetime,
    about: bytes | None,
) -> tuple[Head, list[Entry]]:
    """All of them; the first says `about`."""
    entries: list[Entry] = []
    for giver, taker, units, reason, recurs in steps:
        head, entry = post(
            book_of(order.id),
            head,
            from_account=giver,
            to_account=taker,
            units=units,
            reason=reason,
            order=order.id,
            call=call,
            at=at,
            about=None if entries else about,
            recurs=recurs,
        )
        entries.append(entry)
    return head, entries
