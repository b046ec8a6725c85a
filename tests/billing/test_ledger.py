"""Books, entries and their chain, without a database."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.ledger import (
    BLANK,
    GENESIS,
    Entry,
    Head,
    balances,
    canonical,
    facts_digest,
    post,
    read,
    verify_chain,
)
from terms.ids import BookId, CallId, OrderId
from tests.billing.stories import NOON

BOOK = BookId("voucher/1")
ORDER = OrderId("order-1")


def chain(*accounts: str, head: Head = BLANK) -> list[Entry]:
    """One unit that wanders from account to account."""
    entries = []
    for giver, taker in pairwise(accounts):
        head, entry = post(
            BOOK,
            head,
            from_account=giver,
            to_account=taker,
            units=1,
            reason=f"to {taker}",
            order=ORDER,
            at=NOON + timedelta(seconds=head.number),
        )
        entries.append(entry)
    return entries


ENTRIES = chain("issuer", "issued", "held", "consumed")


def test_entries_are_numbered_and_each_carries_the_hash_of_the_one_before_it() -> None:
    first, second, third = ENTRIES

    assert [entry.number for entry in ENTRIES] == [1, 2, 3]
    assert len({entry.hash for entry in ENTRIES} | {GENESIS}) == 4
    again = chain("issued", "held", head=first.head)[0]
    assert (again.hash == second.hash, third.head) == (True, Head(3, third.hash))


@pytest.mark.rule("X56")
def test_an_unbroken_book_has_no_fault_and_sums_to_zero() -> None:
    assert verify_chain(ENTRIES) == []
    assert balances(ENTRIES) == {"issuer": -1, "issued": 0, "held": 0, "consumed": 1}


@pytest.mark.rule("X56")
@pytest.mark.parametrize(
    "changed",
    [
        {"number": 7},
        {"from_account": "returned"},
        {"to_account": "returned"},
        {"units": 2},
        {"reason": "else"},
        {"order": OrderId("order-2")},
        {"order": None},
        {"call": CallId("call-1")},
        {"at": NOON},
        {"about": GENESIS},
        {"recurs": True},
        {"hash": GENESIS},
        {"book": BookId("voucher/2")},
    ],
    ids=str,
)
def test_whatever_is_changed_in_an_entry_breaks_the_chain_there(changed: dict[str, object]) -> None:
    first, second, third = ENTRIES
    bent = replace(second, **changed)  # type: ignore[arg-type]

    faults = verify_chain([first, bent, third])

    assert faults
    assert faults[0].number == bent.number


@pytest.mark.rule("X56")
def test_entries_removed_or_put_in_another_order_break_the_chain() -> None:
    first, second, third = ENTRIES

    assert verify_chain([first, third])[0].number == 3
    assert verify_chain([second, third])[0].number == 2
    assert verify_chain([first, third, second])


@pytest.mark.rule("X56")
def test_no_account_but_the_issuers_gives_what_it_has_not() -> None:
    entries = chain("issuer", "issued", "held") + chain("issued", "held", head=Head(2, GENESIS))

    said = [fault.what for fault in verify_chain(entries)]

    assert "takes more from issued than is there" in said


def test_a_cut_off_tail_shows_where_the_row_says_that_more_was_booked() -> None:
    reading, faults = read(ENTRIES[:2])
    assert (reading is not None, faults) == (True, [])
    assert reading is not None

    (fault,) = reading.compare(ENTRIES[2].head)

    assert (fault.number, fault.what) == (3, "its row knows 3 entries, the book ends with 2")
    assert list(reading.compare(ENTRIES[1].head)) == []


def test_facts_are_those_of_the_last_entry_that_told_of_any() -> None:
    _, first = post(
        BOOK,
        BLANK,
        from_account="issuer",
        to_account="issued",
        units=1,
        reason="issued",
        order=None,
        at=NOON,
        about=facts_digest({"holder": None}),
    )
    reading, _ = read([first, *chain("issued", "held", head=first.head)])
    assert reading is not None
    head = reading.head

    assert list(reading.compare(head, facts_digest({}))) == []
    assert list(reading.compare(head, facts_digest({"holder": "lin"})))


def test_a_key_is_the_order_and_the_reason_and_a_correction_has_none() -> None:
    held = ENTRIES[1]

    assert held.key == "order-1/to held"
    assert replace(held, order=None).key == "/to held"
    assert replace(held, call=CallId("call-1")).key == "order-1/to held/call-1"
    assert replace(held, recurs=True).key is None


@pytest.mark.parametrize(("units", "taker"), [(-1, "held"), (0, "held"), (1, "issued")])
def test_what_moves_nothing_or_less_is_no_entry(units: int, taker: str) -> None:
    with pytest.raises(ValueError, match="units from issued"):
        post(
            BOOK,
            BLANK,
            from_account="issued",
            to_account=taker,
            units=units,
            reason="x",
            order=None,
            at=NOON,
        )


FIELDS = st.lists(st.one_of(st.none(), st.text()), min_size=1, max_size=4)


@given(FIELDS, FIELDS)
def test_no_two_lists_of_fields_give_the_same_bytes(
    one: list[str | None], other: list[str | None]
) -> None:
    def storable(field: str | None) -> bool:
        return field is None or field.isprintable()

    if all(map(storable, one + other)):
        assert (canonical(one) == canonical(other)) == (one == other)
