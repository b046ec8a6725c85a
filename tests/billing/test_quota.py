"""How often somebody may, and until when it counts."""

from datetime import UTC, date, datetime, timedelta

import pytest

from billing.ledger import Entry, balances, read
from billing.quota import (
    Period,
    Quota,
    Stage,
    carry_out,
    disagreements,
    hold,
    left,
    quota_on,
    restore,
    standing_for,
    taken,
)
from billing.voucher import VoucherMove
from terms.ids import OrderId
from terms.refusals import RefusalCode, Refused
from tests.billing.stories import DAY, DOCTOR, LISTENING, MINUTE, NOON

FIRST, SECOND, THIRD = (OrderId(f"order-{n}") for n in (1, 2, 3))
SERVICE_BEGAN = date(2030, 1, 1)


def a_quota(period: Period = Period.CALENDAR_YEAR, subject: str = "person-1") -> Quota:
    day = date(2030, 1, 1)
    anchor = SERVICE_BEGAN if period in (Period.POLICY_YEAR, Period.SERVICE_YEAR) else None
    return quota_on(day, program=DOCTOR, subject=subject, period=period, anchor=anchor)


def used(quota: Quota, order: OrderId, at: datetime = NOON, limit: int = 99) -> Quota:
    held, _ = hold(quota, order=order, limit=limit, at=at)
    return carry_out(held, VoucherMove.CONSUME, order, at)[0]


def bounds(
    period: Period, day: date, anchor: date | None = None
) -> tuple[date | None, date | None]:
    quota = quota_on(day, program=DOCTOR, subject="p", period=period, anchor=anchor)
    return quota.starts, quota.ends


@pytest.mark.rule("X18")
@pytest.mark.parametrize(
    ("period", "day", "anchor", "starts", "ends"),
    [
        (Period.POLICY_YEAR, date(2031, 6, 14), date(2030, 6, 15), date(2030, 6, 15),
         date(2031, 6, 15)),
        (Period.POLICY_YEAR, date(2031, 6, 15), date(2030, 6, 15), date(2031, 6, 15),
         date(2032, 6, 15)),
        (Period.POLICY_YEAR, date(2030, 6, 15), date(2030, 6, 15), date(2030, 6, 15),
         date(2031, 6, 15)),
        (Period.SERVICE_YEAR, date(2031, 1, 1), date(2030, 3, 1), date(2030, 3, 1),
         date(2031, 3, 1)),
        (Period.POLICY_YEAR, date(2029, 2, 27), date(2028, 2, 29), date(2028, 2, 29),
         date(2029, 2, 28)),
        (Period.POLICY_YEAR, date(2032, 2, 29), date(2028, 2, 29), date(2032, 2, 29),
         date(2033, 2, 28)),
        (Period.CALENDAR_YEAR, date(2030, 12, 31), None, date(2030, 1, 1), date(2031, 1, 1)),
        (Period.CALENDAR_YEAR, date(2031, 1, 1), None, date(2031, 1, 1), date(2032, 1, 1)),
        (Period.ROLLING_365, date(2030, 7, 1), None, None, None),
    ],
)  # fmt: skip
def test_a_year_is_what_the_plan_calls_one(
    period: Period, day: date, anchor: date | None, starts: date | None, ends: date | None
) -> None:
    assert bounds(period, day, anchor) == (starts, ends)


@pytest.mark.parametrize("anchor", [None, date(2030, 1, 2)])
def test_a_day_before_the_policy_is_in_no_policy_year(anchor: date | None) -> None:
    with pytest.raises(ValueError, match="policy_year"):
        bounds(Period.POLICY_YEAR, date(2030, 1, 1), anchor)


@pytest.mark.rule("B29", "C15")
def test_a_service_that_may_be_used_once_is_refused_the_second_time() -> None:
    quota = used(a_quota(Period.POLICY_YEAR), FIRST, limit=1)

    with pytest.raises(Refused) as refused:
        hold(quota, order=SECOND, limit=1, at=NOON + DAY)

    assert refused.value.code is RefusalCode.QUOTA_USED


@pytest.mark.rule("B29")
def test_each_service_has_a_quota_of_its_own() -> None:
    one = used(a_quota(), FIRST, limit=1)
    other = quota_on(
        date(2030, 1, 1), program=LISTENING, subject="person-1", period=Period.CALENDAR_YEAR
    )

    assert one.book != other.book
    assert left(other, 1, NOON) == 1


def test_what_an_order_holds_is_taken_before_it_is_used() -> None:
    held, _ = hold(a_quota(), order=FIRST, limit=1, at=NOON)

    assert (taken(held, NOON), left(held, 1, NOON)) == (1, 0)
    with pytest.raises(Refused):
        hold(held, order=SECOND, limit=1, at=NOON)


@pytest.mark.rule("X48")
def test_when_the_allowance_changes_what_was_used_stays_and_is_never_less_than_none() -> None:
    quota = used(used(used(a_quota(), FIRST), SECOND), THIRD)

    assert [left(quota, limit, NOON) for limit in (5, 3, 1, 0)] == [2, 0, 0, 0]
    assert taken(quota, NOON) == 3
    with pytest.raises(Refused):
        hold(quota, order=OrderId("order-4"), limit=1, at=NOON)
    assert hold(quota, order=OrderId("order-4"), limit=4, at=NOON)[0].use_of(OrderId("order-4"))


@pytest.mark.rule("X49")
def test_uses_are_counted_for_each_person_or_together_for_the_policyholder() -> None:
    """Whoever opens the order says whom it counts for: one subject, one quota."""
    mother, son = a_quota(subject="mother"), a_quota(subject="son")
    assert mother.book != son.book
    assert left(used(mother, FIRST, limit=1), 1, NOON) == 0
    assert left(son, 1, NOON) == 1

    together = used(used(a_quota(subject="policyholder"), FIRST, limit=2), SECOND, limit=2)
    with pytest.raises(Refused):
        hold(together, order=THIRD, limit=2, at=NOON)


@pytest.mark.rule("X18")
def test_nothing_is_carried_over_into_the_next_period() -> None:
    this = used(a_quota(), FIRST, limit=3)
    following = quota_on(
        date(2031, 1, 1), program=DOCTOR, subject="person-1", period=Period.CALENDAR_YEAR
    )

    assert following.book != this.book
    assert left(following, 3, NOON + 365 * DAY) == 3


@pytest.mark.rule("X18")
def test_of_a_rolling_year_a_use_counts_for_365_days_in_shanghai() -> None:
    late = datetime(2030, 1, 1, 15, 59, tzinfo=UTC)  # 23:59 on 1 January in Shanghai
    quota = used(a_quota(Period.ROLLING_365), FIRST, at=late, limit=1)
    last_day = datetime(2030, 12, 31, 15, 59, tzinfo=UTC)  # 23:59 on 31 December there

    assert left(quota, 1, last_day) == 0
    assert left(quota, 1, last_day + MINUTE) == 1

    again, _ = hold(quota, order=SECOND, limit=1, at=last_day + MINUTE)
    assert [use.order for use in again.uses] == [SECOND]


@pytest.mark.rule("X56")
@pytest.mark.parametrize(
    "move",
    [VoucherMove.RETURN_EXPIRED, VoucherMove.RETURN_CANCELLED, VoucherMove.RETURN_NO_CONTACT],
)
def test_an_order_that_ends_without_a_talk_gives_its_use_back(move: VoucherMove) -> None:
    held, _ = hold(a_quota(), order=FIRST, limit=1, at=NOON)

    back, entry = carry_out(held, move, FIRST, NOON)

    assert entry is not None
    assert (entry.from_account, entry.to_account, entry.reason) == ("held", "issuer", move)
    assert left(back, 1, NOON) == 1


@pytest.mark.rule("X56")
def test_a_use_is_consumed_once_and_never_by_another_order() -> None:
    held, _ = hold(a_quota(), order=FIRST, limit=2, at=NOON)

    consumed, entry = carry_out(held, VoucherMove.CONSUME, FIRST, NOON)

    assert entry is not None
    assert (entry.from_account, entry.to_account) == ("held", "used")
    assert entry.key == "order-1/connected"
    assert carry_out(consumed, VoucherMove.CONSUME, FIRST, NOON) == (consumed, None)
    assert carry_out(consumed, VoucherMove.RETURN_EXPIRED, FIRST, NOON) == (consumed, None)
    assert carry_out(held, VoucherMove.RETURN_EXPIRED, SECOND, NOON) == (held, None)
    assert carry_out(held, VoucherMove.KEEP, FIRST, NOON) == (held, None)


@pytest.mark.rule("X48")
def test_news_of_a_talk_after_the_use_came_back_counts_even_over_the_allowance() -> None:
    held, _ = hold(a_quota(), order=FIRST, limit=1, at=NOON)
    back, _ = carry_out(held, VoucherMove.RETURN_EXPIRED, FIRST, NOON)
    other, _ = hold(back, order=SECOND, limit=1, at=NOON)

    both, entry = carry_out(other, VoucherMove.CONSUME, FIRST, NOON)

    assert entry is not None
    assert (taken(both, NOON), left(both, 1, NOON)) == (2, 0)


@pytest.mark.rule("X28")
def test_the_second_time_nobody_is_reached_in_a_period_counts_as_used() -> None:
    held, _ = hold(a_quota(), order=FIRST, limit=1, at=NOON)
    back, _ = carry_out(held, VoucherMove.COUNT_NO_CONTACT, FIRST, NOON)
    assert left(back, 1, NOON) == 1
    again, _ = hold(back, order=SECOND, limit=1, at=NOON)

    counted, entry = carry_out(again, VoucherMove.COUNT_NO_CONTACT, SECOND, NOON)

    assert entry is not None
    assert (entry.to_account, left(counted, 1, NOON)) == ("used", 0)


@pytest.mark.rule("X56")
def test_a_decision_gives_a_used_one_back_by_an_entry_of_its_own() -> None:
    quota = used(a_quota(), FIRST, limit=1)

    back, entry = restore(quota, order=FIRST, reason="claim_resume", at=NOON)

    assert (entry.from_account, entry.to_account) == ("used", "issuer")
    assert left(back, 1, NOON) == 1
    with pytest.raises(Refused):
        restore(back, order=FIRST, reason="claim_resume", at=NOON)


@pytest.mark.rule("X56")
def test_the_book_of_a_quota_agrees_with_it_and_sums_to_zero() -> None:
    quota, entries = a_quota(), list[Entry]()
    for order in (FIRST, SECOND):
        quota, entry = hold(quota, order=order, limit=2, at=NOON)
        entries.append(entry)
    quota, moved = carry_out(quota, VoucherMove.CONSUME, FIRST, NOON + MINUTE)
    assert moved is not None
    reading, faults = read([*entries, moved])
    assert reading is not None

    assert faults + list(disagreements(quota, reading)) == []
    assert balances([*entries, moved]) == {"issuer": -2, Stage.HELD: 1, Stage.USED: 1}
    forgotten = used(a_quota(), FIRST, at=NOON + timedelta(minutes=1))
    assert list(disagreements(forgotten, reading))


@pytest.mark.rule("X18")
@pytest.mark.parametrize(
    "corrected", [date(2029, 12, 20), date(2030, 1, 9), date(2029, 1, 1), date(2030, 5, 1)]
)
def test_a_corrected_first_day_brings_no_second_allowance(corrected: date) -> None:
    spent = used(a_quota(Period.POLICY_YEAR), FIRST)
    day = date(2030, 6, 1)
    blank = quota_on(
        day, program=DOCTOR, subject="person-1", period=Period.POLICY_YEAR, anchor=corrected
    )

    counted = standing_for(blank, corrected, [spent])

    assert counted == spent
    with pytest.raises(Refused):
        hold(counted, order=SECOND, limit=1, at=NOON)


@pytest.mark.rule("X18")
def test_the_corrected_next_year_has_an_allowance_of_its_own() -> None:
    spent, corrected = used(a_quota(Period.POLICY_YEAR), FIRST), date(2030, 1, 9)
    days = {date(2031, 1, 8): True, date(2031, 1, 9): False}

    for day, is_counted in days.items():
        blank = quota_on(
            day, program=DOCTOR, subject="person-1", period=Period.POLICY_YEAR, anchor=corrected
        )
        assert (standing_for(blank, corrected, [spent]) is spent) == is_counted


def test_years_that_have_no_anchor_are_never_corrected() -> None:
    spent = used(a_quota(), FIRST)
    blank = quota_on(
        date(2031, 1, 1), program=DOCTOR, subject="person-1", period=Period.CALENDAR_YEAR
    )

    assert standing_for(blank, None, [spent]) is blank
