"""What a look at a policy leads to, and when the next one is due."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from billing.policies.cover import Cover, WaitingAnchor
from billing.policies.issuing import Attention, Due, Given, attend
from billing.policies.policy import PolicyTerms, Status
from billing.voucher import State
from terms.ids import ProgramId, VoucherId
from tests.billing.policies.lists import terms

LISTENING = ProgramId("psych-listening")
COVER = Cover(
    products=frozenset({"mind-care"}),
    waiting_anchor=WaitingAnchor.PURCHASE,
    waiting_days=30,
    vouchers_per_policy_year=1,
)
YEAR_ENDS = datetime(2025, 12, 31, 16, tzinfo=UTC)
FIRST = Due(
    program=LISTENING,
    policy_year=1,
    year_starts_on=date(2025, 1, 1),
    number=1,
    valid_until=YEAR_ENDS,
)


def china(text: str) -> datetime:
    return (datetime.fromisoformat(text) - timedelta(hours=8)).replace(tzinfo=UTC)


def look(
    at: str,
    told: PolicyTerms | None = None,
    given: Sequence[Given] = (),
    *,
    cover: Cover = COVER,
    sponsor: str = "default",
) -> Attention:
    covers = {LISTENING: ("default", cover)}
    return attend(sponsor, told or terms(), given, covers, china(at))


def had(
    year: int = 1, number: int = 1, state: State = State.ISSUED, *, fell: bool = False
) -> Given:
    return Given(
        program=LISTENING,
        year_starts_on=date(2024 + year, 1, 1),
        number=number,
        voucher=VoucherId(f"voucher_{year}_{number}"),
        state=state,
        valid_until=YEAR_ENDS.replace(year=2024 + year),
        fell=fell,
    )


@pytest.mark.rule("A05", "A16", "X12")
def test_a_voucher_is_due_at_ten_on_the_first_day_after_the_wait_and_not_before() -> None:
    before = look("2025-02-01 09:59:59")
    then = look("2025-02-01 10:00")

    assert before == Attention(look_at=china("2025-02-01 10:00"))
    assert then == Attention(give=(FIRST,), look_at=china("2026-01-01 10:00"))


def test_what_was_given_for_the_policy_year_is_not_given_again() -> None:
    for state in State:
        assert look("2025-06-01 12:00", given=[had(state=state)]).give == ()


@pytest.mark.rule("A20")
def test_each_policy_year_brings_its_own_voucher() -> None:
    again = look("2026-01-01 10:00", given=[had()])

    assert [(one.policy_year, one.valid_until) for one in again.give] == [
        (2, datetime(2026, 12, 31, 16, tzinfo=UTC))
    ]


def test_years_that_went_by_before_the_list_came_are_not_made_up_for() -> None:
    late = look("2028-06-01 12:00")

    assert [one.policy_year for one in late.give] == [4]


def test_who_is_late_waits_for_the_next_morning() -> None:
    late = look("2025-02-03 22:15")

    assert late == Attention(look_at=china("2025-02-04 10:00"))


def test_a_year_may_bring_several_vouchers_and_missing_ones_are_made_up() -> None:
    cover = Cover(products=COVER.products, vouchers_per_policy_year=3)

    due = look("2025-02-01 10:00", given=[had(number=2)], cover=cover)

    assert [one.number for one in due.give] == [1, 3]


@pytest.mark.rule("A17")
@pytest.mark.parametrize("status", [Status.SURRENDERED, Status.LAPSED, Status.ENDED])
def test_a_policy_that_is_over_within_the_wait_gets_nothing(status: Status) -> None:
    assert look("2025-02-01 10:00", terms(status=status)) == Attention()


@pytest.mark.rule("A21", "B03", "X15")
@pytest.mark.parametrize("status", [Status.SURRENDERED, Status.LAPSED, Status.ENDED])
def test_unused_vouchers_fall_with_their_policy(status: Status) -> None:
    given = [had(state=State.ISSUED), had(year=2, state=State.RETURNED)]

    fallen = look("2026-03-01 10:00", terms(status=status), given)

    assert fallen == Attention(void=("voucher_1_1", "voucher_2_1"))  # type: ignore[arg-type]


@pytest.mark.rule("A21")
def test_a_policy_ends_with_its_last_day_and_is_looked_at_then() -> None:
    told = terms(ends="2025-06-30")

    assert look("2025-06-30 12:00", told, [had()]) == Attention(look_at=china("2025-07-01 00:00"))
    assert look("2025-07-01 00:00", told, [had()]).void == ("voucher_1_1",)


@pytest.mark.rule("X15")
def test_a_held_voucher_is_left_alone_and_looked_at_again() -> None:
    surrendered = terms(status=Status.SURRENDERED)

    held = look("2025-06-01 12:00", surrendered, [had(state=State.HELD)])
    back = look("2025-06-01 12:01", surrendered, [had(state=State.RETURNED)])

    assert held == Attention(look_at=china("2025-06-01 12:01"))
    assert back == Attention(void=(VoucherId("voucher_1_1"),))


def test_a_used_voucher_needs_no_further_look() -> None:
    surrendered = terms(status=Status.SURRENDERED)

    assert look("2025-06-01 12:00", surrendered, [had(state=State.CONSUMED)]) == Attention()


@pytest.mark.rule("A42")
def test_a_program_gives_nothing_for_another_sponsors_policy_nor_for_another_product() -> None:
    assert look("2025-02-01 10:00", sponsor="another") == Attention()
    assert look("2025-02-01 10:00", terms(product="another")) == Attention()


def test_a_policy_that_takes_effect_later_waits_for_that() -> None:
    told = terms(purchased="2025-01-01", effective="2025-05-01")

    assert look("2025-02-01 10:00", told) == Attention(look_at=china("2025-05-01 10:00"))


def test_the_last_policy_year_is_followed_by_none() -> None:
    told = terms(ends="2025-12-31")

    assert look("2025-02-01 10:00", told).look_at == china("2026-01-01 00:00")


@pytest.mark.rule("A18", "A20")
@pytest.mark.parametrize(
    ("effective", "next_year", "starts_on"),
    [
        ("2024-12-25", 2, "2025-12-25"),
        ("2025-01-08", 2, "2026-01-08"),
        ("2024-01-01", 3, "2026-01-01"),
        ("2026-01-01", 2, "2027-01-01"),
        ("2024-08-01", 2, "2025-08-01"),
    ],
)
def test_a_corrected_first_day_neither_grants_twice_nor_takes_back(
    effective: str, next_year: int, starts_on: str
) -> None:
    """Given for the year from January 2025; the insurer says later that years begin otherwise."""
    cover = replace(COVER, waiting_days=0)
    corrected = terms(purchased="2023-12-01", effective=effective)
    eve = date.fromisoformat(starts_on) - timedelta(days=1)

    for day in ("2025-02-15", "2025-07-15", eve.isoformat()):
        assert look(f"{day} 12:00", corrected, [had()], cover=cover).give == ()
    (due,) = look(f"{starts_on} 12:00", corrected, [had()], cover=cover).give
    assert (due.policy_year, due.year_starts_on.isoformat()) == (next_year, starts_on)


@pytest.mark.rule("X15", "X13")
def test_what_fell_by_mistake_comes_back_between_the_hours_and_not_past_its_end() -> None:
    fallen = had(state=State.VOIDED, fell=True)
    voided = had(state=State.VOIDED)

    assert look("2025-06-01 12:00", given=[fallen]).revive == ("voucher_1_1",)
    night = look("2025-06-01 22:00", given=[fallen])
    assert (night.revive, night.look_at) == ((), china("2025-06-02 10:00"))
    assert look("2026-01-01 12:00", given=[fallen]).revive == ()
    assert look("2025-06-01 12:00", given=[voided]).revive == ()
    over = terms(status=Status.SURRENDERED)
    assert look("2025-06-01 12:00", over, [fallen]).revive == ()


@pytest.mark.rule("B05")
def test_a_service_that_is_offered_no_more_gives_no_further_voucher() -> None:
    ends = replace(COVER, offered_until=date(2025, 12, 31))

    assert look("2025-12-31 12:00", cover=ends).give == (FIRST,)
    assert look("2026-01-01 12:00", given=[had()], cover=ends).give == ()
