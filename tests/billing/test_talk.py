"""The book of an order's seconds follows the order, whatever happens to it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from billing import talk
from billing.ledger import Entry, Reading, balances, read
from billing.order import ClosedBy, Order, Settlement, cancel, connected, lapse, start_call
from billing.policy import Policy
from billing.settling import CallEnding, settle
from terms.ids import CallId
from terms.verdict import EndedBy, VerdictKind
from tests.billing.stories import DAY, FIRST, NOON, POLICY, SECOND, an_order, ended

DROP = (VerdictKind.SYSTEM_DROP, EndedBy.CARRIER)


class Kept:
    """An order, and the entries of its book."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.entries: list[Entry] = [talk.opening(order)[1]]
        assert order.head == self.entries[0].head

    def take(self, settlement: Settlement, reason: str = talk.CORRECTION) -> None:
        booked = talk.booked(self.order, settlement, NOON, reason)
        self.order = booked.order
        self.entries += booked.talk

    def called(self, ending: CallEnding, policy: Policy = POLICY) -> None:
        self.take(Settlement(order=start_call(self.order, ending.call, NOON)))
        self.take(connected(self.order, ending.call, NOON))
        self.take(settle(self.order, ending, policy, NOON))

    def told(self) -> list[tuple[str, str, int, str]]:
        return [(e.from_account, e.to_account, e.units, e.reason) for e in self.entries]

    def holds(self) -> dict[str, int]:
        reading, faults = read(self.entries)
        assert isinstance(reading, Reading)
        assert faults + list(talk.disagreements(self.order, reading)) == []
        units = balances(self.entries)
        assert sum(units.values()) == 0
        return {account: held for account, held in units.items() if held}


def uncapped() -> Order:
    order = replace(an_order(), granted_seconds=None, remaining_seconds=None)
    return replace(order, head=talk.opening(order)[0])


@pytest.mark.rule("A25", "X56")
def test_what_was_talked_and_what_was_left_over_is_booked_when_the_order_completes() -> None:
    kept = Kept(an_order())

    kept.called(ended(talked=600))

    assert kept.told() == [
        ("issuer", "remaining", 1500, "granted"),
        ("remaining", "talked", 600, "talked"),
        ("remaining", "lapsed", 900, "lapsed"),
    ]
    assert kept.holds() == {"issuer": -1500, "talked": 600, "lapsed": 900}


@pytest.mark.rule("A27", "X07", "X56")
def test_the_least_that_is_left_after_a_drop_is_topped_up_by_the_issuer() -> None:
    kept = Kept(an_order())

    kept.called(ended(*DROP, talked=1400))

    assert kept.told()[1:] == [
        ("remaining", "talked", 1400, "talked"),
        ("issuer", "remaining", 200, "topped_up"),
    ]
    assert kept.holds() == {"issuer": -1700, "remaining": 300, "talked": 1400}


@pytest.mark.rule("X56")
def test_talk_over_the_cap_in_danger_is_given_by_the_issuer() -> None:
    kept = Kept(an_order())

    kept.called(ended(talked=2000))

    assert kept.told()[1:] == [
        ("remaining", "talked", 1500, "talked"),
        ("issuer", "talked", 500, "talked_beyond_cap"),
    ]
    assert kept.holds() == {"issuer": -2000, "talked": 2000}


def test_talk_without_a_cap_comes_from_the_issuer_as_it_is_talked() -> None:
    kept = Kept(uncapped())

    kept.called(ended(talked=2000))

    assert kept.told() == [
        ("remaining", "remaining", 0, "granted"),
        ("issuer", "talked", 2000, "talked"),
    ]
    assert kept.holds() == {"issuer": -2000, "talked": 2000}


@pytest.mark.rule("X07", "X56")
def test_the_rest_lapses_when_its_window_closes_and_not_before() -> None:
    kept = Kept(an_order())
    kept.called(ended(*DROP, talked=600))
    assert kept.holds() == {"issuer": -1500, "remaining": 900, "talked": 600}

    kept.take(lapse(kept.order, NOON + 2 * DAY))

    assert kept.told()[-1] == ("remaining", "lapsed", 900, "lapsed")
    kept.holds()


@pytest.mark.parametrize("way", ["cancelled", "expired"])
def test_an_order_given_up_lets_all_of_its_time_lapse(way: str) -> None:
    kept = Kept(an_order())

    if way == "cancelled":
        kept.take(cancel(kept.order, ClosedBy.CALLER, "changed my mind", NOON))
    else:
        kept.take(lapse(kept.order, NOON + 2 * DAY))

    assert kept.holds() == {"issuer": -1500, "lapsed": 1500}


@pytest.mark.rule("A27", "X56")
def test_a_better_verdict_is_answered_by_correcting_entries() -> None:
    kept = Kept(an_order())
    kept.called(ended(talked=1400))
    before = len(kept.entries)

    kept.take(settle(kept.order, ended(*DROP, talked=1400), POLICY, NOON))

    assert kept.told()[before:] == [
        ("lapsed", "remaining", 100, "corrected"),
        ("issuer", "remaining", 200, "corrected"),
    ]
    assert {entry.key for entry in kept.entries[before:]} == {None}
    assert kept.holds() == {"issuer": -1700, "remaining": 300, "talked": 1400}

    kept.take(settle(kept.order, ended(talked=1400), POLICY, NOON))
    assert kept.holds() == {"issuer": -1500, "talked": 1400, "lapsed": 100}
    kept.take(settle(kept.order, ended(*DROP, talked=1400), POLICY, NOON))
    assert kept.holds() == {"issuer": -1700, "remaining": 300, "talked": 1400}


@pytest.mark.rule("X56")
def test_talk_that_turns_out_to_have_been_longer_is_corrected() -> None:
    kept = Kept(an_order())
    kept.called(ended(talked=600))

    kept.take(settle(kept.order, ended(talked=610), POLICY, NOON))

    assert kept.told()[-1] == ("lapsed", "talked", 10, "corrected")
    assert kept.holds() == {"issuer": -1500, "talked": 610, "lapsed": 890}


def test_somebodys_decision_says_why_it_gave_the_rest_back() -> None:
    kept = Kept(an_order())
    kept.called(ended(*DROP, talked=600))
    resumable = kept.order
    kept.take(lapse(kept.order, NOON + 2 * DAY))
    again = replace(resumable, head=kept.order.head, resume_until=NOON + 3 * DAY)

    kept.take(Settlement(order=again), "claim_resume")

    assert kept.told()[-1] == ("lapsed", "remaining", 900, "claim_resume")
    kept.holds()


@pytest.mark.rule("X56")
def test_an_order_that_only_moves_or_is_told_again_books_nothing() -> None:
    kept = Kept(an_order())
    kept.called(ended(*DROP, talked=600))
    booked = list(kept.entries)

    kept.take(settle(kept.order, ended(*DROP, talked=600), POLICY, NOON))
    kept.take(Settlement(order=start_call(kept.order, SECOND, NOON)))
    kept.take(connected(kept.order, SECOND, NOON + timedelta(seconds=1)))

    assert kept.entries == booked


def test_the_talk_of_every_call_is_booked_under_the_call() -> None:
    kept = Kept(an_order())
    kept.called(ended(*DROP, talked=600))
    kept.called(ended(talked=300, call=SECOND))

    talked = [entry for entry in kept.entries if entry.to_account == talk.TALKED]

    assert [(entry.call, entry.units) for entry in talked] == [(FIRST, 600), (SECOND, 300)]
    assert talked[0].key == f"order-1/talked/{CallId('call-1')}"


@pytest.mark.parametrize(
    "bent",
    [{"talked_seconds": 601}, {"remaining_seconds": 901}, {"granted_seconds": 1501}],
    ids=str,
)
def test_an_order_that_says_something_else_than_its_book_is_found(bent: dict[str, int]) -> None:
    kept = Kept(an_order())
    kept.called(ended(*DROP, talked=600))
    reading, _ = read(kept.entries)
    assert reading is not None

    assert list(talk.disagreements(replace(kept.order, **bent), reading))  # type: ignore[arg-type]
