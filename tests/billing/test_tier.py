"""The star tier of a policyholder, by the vectors of the handbook's formula."""

from datetime import date
from decimal import Decimal

import pytest

from billing.policies.policy import Status
from billing.tier import Contract, Frequency, Kind, Policy, TopUp, standard_premium, stars
from tests.billing.policies.lists import terms

HANDBOOK = Policy()
TODAY = date(2025, 6, 1)
IN_FORCE = terms(effective="2025-01-01")


def paying(premium: str, years: int = 10) -> Contract:
    """An ordinary policy with a yearly premium."""
    return Contract(terms=IN_FORCE, premium=Decimal(premium), payment_years=years)


def investing(premium: str, years: int, *top_ups: TopUp) -> Contract:
    """A unit-linked policy with a yearly premium."""
    return Contract(
        terms=IN_FORCE,
        premium=Decimal(premium),
        payment_years=years,
        kind=Kind.INVESTMENT,
        top_ups=top_ups,
    )


def topped_up(amount: str, paid_on: date = date(2025, 3, 1)) -> TopUp:
    return TopUp(amount=Decimal(amount), paid_on=paid_on)


ONCE = Contract(terms=IN_FORCE, premium=Decimal(100_000), frequency=Frequency.ONCE)


@pytest.mark.rule("E08", "E09", "E10", "X44")
@pytest.mark.parametrize(
    ("contract", "premium", "tier"),
    [
        (paying("20000", 5), 10_000, 2),
        (paying("30000", 20), 30_000, 3),
        (investing("100000", 10, topped_up("200000")), 60_000, 3),
        (ONCE, 10_000, 2),
        (investing("300000", 3), 45_000, 3),
    ],
)
def test_a_policy_counts_as_the_handbook_reckons_it(
    contract: Contract, premium: int, tier: int
) -> None:
    assert standard_premium(contract, HANDBOOK, TODAY) == premium
    assert stars([contract], HANDBOOK, TODAY) == tier


@pytest.mark.rule("E03", "E04", "E05", "E06", "E07", "X44")
@pytest.mark.parametrize(
    ("premium", "tier"),
    [
        ("0", 1),
        ("9999.99", 1),
        ("10000", 2),
        ("29999.99", 2),
        ("30000", 3),
        ("99999.99", 3),
        ("100000", 4),
        ("299999.99", 4),
        ("300000", 5),
        ("9000000", 5),
    ],
)
def test_a_tier_begins_exactly_at_its_threshold(premium: str, tier: int) -> None:
    assert stars([paying(premium)], HANDBOOK, TODAY) == tier


@pytest.mark.rule("X44")
def test_less_than_a_cent_below_a_threshold_is_below_it() -> None:
    below = paying("33333.33", 3)

    assert standard_premium(below, HANDBOOK, TODAY) == Decimal("9999.999")
    assert stars([below], HANDBOOK, TODAY) == 1


@pytest.mark.rule("X44")
def test_cents_add_up_exactly() -> None:
    premiums = [paying("1000.10", 10) for _ in range(9)] + [paying("999.10", 10)]

    assert stars(premiums, HANDBOOK, TODAY) == 2
    assert stars([*premiums[:9], paying("999.09", 10)], HANDBOOK, TODAY) == 1


@pytest.mark.rule("E02")
def test_all_policies_in_force_count_together_and_no_other() -> None:
    ended = terms(effective="2020-01-01", ends="2025-05-31")
    last_day = terms(effective="2020-01-01", ends="2025-06-01")
    to_come = terms(effective="2025-06-02")
    given_back = terms(status=Status.SURRENDERED)

    def beside(other: Contract) -> int | None:
        return stars([paying("6000"), other], HANDBOOK, TODAY)

    assert beside(paying("4000")) == 2
    assert beside(Contract(terms=last_day, premium=Decimal(4000), payment_years=10)) == 2
    for out in (ended, to_come, given_back):
        assert beside(Contract(terms=out, premium=Decimal(4000), payment_years=10)) == 1


@pytest.mark.rule("E07")
def test_without_a_policy_in_force_there_is_no_tier_not_even_one_star() -> None:
    ended = Contract(terms=terms(ends="2025-05-31"), premium=Decimal(500_000), payment_years=10)

    assert stars([], HANDBOOK, TODAY) is None
    assert stars([ended], HANDBOOK, TODAY) is None


@pytest.mark.rule("E10")
@pytest.mark.parametrize(
    ("years", "premium"), [(1, 1_000), (5, 5_000), (9, 9_000), (10, 10_000), (11, 10_000)]
)
def test_the_factor_is_a_tenth_for_each_year_of_payment_and_at_most_one(
    years: int, premium: int
) -> None:
    assert standard_premium(paying("10000", years), HANDBOOK, TODAY) == premium


@pytest.mark.rule("X44")
@pytest.mark.parametrize(
    ("frequency", "premium"),
    [
        (Frequency.ONCE, 100),
        (Frequency.YEARLY, 1_000),
        (Frequency.HALF_YEARLY, 2_000),
        (Frequency.QUARTERLY, 4_000),
        (Frequency.MONTHLY, 12_000),
    ],
)
def test_a_premium_is_reckoned_for_a_year_by_how_often_it_is_paid(
    frequency: Frequency, premium: int
) -> None:
    contract = Contract(
        terms=IN_FORCE, premium=Decimal(1_000), payment_years=10, frequency=frequency
    )

    assert standard_premium(contract, HANDBOOK, TODAY) == premium


@pytest.mark.rule("X44")
@pytest.mark.parametrize(
    ("paid_on", "premium"),
    [
        (date(2025, 3, 9), 0),  # the last day of the policy year before
        (date(2025, 3, 10), 1_000),
        (date(2025, 6, 1), 1_000),
        (date(2025, 6, 2), 0),  # not paid yet
    ],
)
def test_only_what_was_paid_in_during_the_current_policy_year_counts(
    paid_on: date, premium: int
) -> None:
    contract = Contract(
        terms=terms(purchased="2020-03-01", effective="2020-03-10"),
        premium=Decimal(0),
        kind=Kind.INVESTMENT,
        top_ups=(topped_up("20000", paid_on),),
    )

    assert standard_premium(contract, HANDBOOK, TODAY) == premium


@pytest.mark.rule("E08")
def test_what_is_paid_into_an_ordinary_policy_beside_its_premium_does_not_count() -> None:
    contract = Contract(
        terms=IN_FORCE,
        premium=Decimal(1_000),
        payment_years=10,
        top_ups=(topped_up("200000"),),
    )

    assert standard_premium(contract, HANDBOOK, TODAY) == 1_000


@pytest.mark.rule("X44")
def test_a_policy_that_is_paid_up_counts_as_long_as_it_is_in_force() -> None:
    paid_up = Contract(
        terms=terms(purchased="2010-01-01", effective="2010-01-01"),
        premium=Decimal(20_000),
        payment_years=5,
    )

    assert stars([paid_up], HANDBOOK, TODAY) == 2


def test_every_number_of_the_formula_is_the_plans_own() -> None:
    plan = Policy(
        thresholds=(Decimal(5_000), Decimal(8_000)),
        full_payment_years=20,
        single_payment_years=2,
        investment_share=Decimal("0.25"),
        top_up_share=Decimal("0.1"),
    )

    assert standard_premium(paying("20000", 5), plan, TODAY) == 5_000
    assert standard_premium(ONCE, plan, TODAY) == 10_000
    assert standard_premium(investing("32000", 20, topped_up("20000")), plan, TODAY) == 10_000
    assert stars([paying("20000", 5)], plan, TODAY) == 2
    assert stars([paying("900000", 20)], plan, TODAY) == 3
