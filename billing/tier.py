"""The star tier that a policyholder's insurance policies amount to (E02 to E10, X44). Pure.

Nothing uses it yet. The daily and quarterly assessments will (E12, E14): this module says what the
policies amount to on one day, and they what becomes of the tier a policyholder had.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from billing.policies.policy import PolicyTerms
from billing.policies.waiting import policy_year_of


class Kind(StrEnum):
    """How a policy's premium counts."""

    ORDINARY = "ordinary"
    INVESTMENT = "investment"  # unit-linked, universal


class Frequency(StrEnum):
    """How often the premium is paid."""

    ONCE = "once"
    YEARLY = "yearly"
    HALF_YEARLY = "half_yearly"
    QUARTERLY = "quarterly"
    MONTHLY = "monthly"

    @property
    def payments_per_year(self) -> int:
        """By how much one payment is multiplied to make a year's premium."""
        match self:
            case Frequency.ONCE | Frequency.YEARLY:
                return 1
            case Frequency.HALF_YEARLY:
                return 2
            case Frequency.QUARTERLY:
                return 4
            case Frequency.MONTHLY:
                return 12


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUp:
    """What was paid into an investment policy beside its premium, in yuan."""

    amount: Decimal
    paid_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What the tier needs to know of one insurance policy. All amounts in yuan (X44).

    `payment_years` is the agreed period of payment, all paid by now or not; of a premium that is
    paid once the plan says it.
    """

    terms: PolicyTerms
    premium: Decimal  # each payment
    payment_years: int = 1
    frequency: Frequency = Frequency.YEARLY
    kind: Kind = Kind.ORDINARY
    top_ups: tuple[TopUp, ...] = ()

    def __post_init__(self) -> None:
        assert self.premium >= 0
        assert self.payment_years >= 1
        assert all(top_up.amount >= 0 for top_up in self.top_ups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A plan's own numbers; the defaults are those of the handbook."""

    thresholds: tuple[Decimal, ...] = (  # in yuan: the least for two stars, for three, and so on
        Decimal(10_000),  # E06
        Decimal(30_000),  # E05
        Decimal(100_000),  # E04
        Decimal(300_000),  # E03
    )
    full_payment_years: int = 10  # from this period of payment on the factor is 1 (E10)
    single_payment_years: int = 1  # the period of a premium that is paid once (X44)
    investment_share: Decimal = Decimal("0.50")  # of an investment policy's premium (E09)
    top_up_share: Decimal = Decimal("0.05")  # of what is paid in beside it (E09)

    def __post_init__(self) -> None:
        assert list(self.thresholds) == sorted(set(self.thresholds))
        assert self.full_payment_years >= 1
        assert self.single_payment_years >= 1


def stars(contracts: Iterable[Contract], policy: Policy, today: date) -> int | None:
    """The tier, from one star up; None when no policy is in force (E07).

    The sum is compared as it is: a cent below a threshold, or less, is below it (X44).
    """
    in_force = [contract for contract in contracts if _is_in_force(contract.terms, today)]
    if not in_force:
        return None
    total = sum(standard_premium(contract, policy, today) for contract in in_force)
    return 1 + sum(total >= threshold for threshold in policy.thresholds)


def standard_premium(contract: Contract, policy: Policy, today: date) -> Decimal:
    """The yearly standard premium of one policy in yuan, unrounded (E08, E09)."""
    yearly = contract.premium * contract.frequency.payments_per_year * _factor(contract, policy)
    if contract.kind is Kind.ORDINARY:
        return yearly
    return yearly * policy.investment_share + _topped_up(contract, today) * policy.top_up_share


def _factor(contract: Contract, policy: Policy) -> Decimal:
    """E10."""
    once = contract.frequency is Frequency.ONCE
    years = policy.single_payment_years if once else contract.payment_years
    return Decimal(min(years, policy.full_payment_years)) / policy.full_payment_years


def _topped_up(contract: Contract, today: date) -> Decimal:
    """What was paid in so far in the policy year of `today` (X44)."""
    year = policy_year_of(contract.terms, today)
    this_year = (top_up for top_up in contract.top_ups if year.starts_on <= top_up.paid_on <= today)
    return sum((top_up.amount for top_up in this_year), Decimal(0))


def _is_in_force(terms: PolicyTerms, today: date) -> bool:
    return terms.effective_on <= today and not terms.has_ended(today)
