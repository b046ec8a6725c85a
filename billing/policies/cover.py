"""What a program asks of the insurance policy behind it, and gives for it: part of `[billing]`."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar

from billing.policies.changes import Change, parse_changes
from billing.policies.relation import DIRECT, FAMILY, Relation
from billing.quota import CountedFor, Period
from terms.section import Section

Word = TypeVar("Word", bound=StrEnum)

MOST_WAITING_DAYS = 3650
MOST_VOUCHERS = 100


class Entitlement(StrEnum):
    """Whether an order has to be backed by an insurance policy."""

    NONE = "none"
    REQUIRED = "required"


class WaitingAnchor(StrEnum):
    """The day a waiting period is counted from; that day itself is not counted (X12, X17)."""

    NONE = "none"  # no waiting
    PURCHASE = "purchase"
    EFFECT = "effect"  # the end of the cooling-off period, where the insurer names one


class Relatives(StrEnum):
    """Which insured people a service is for, by how they stand to the policyholder (X21)."""

    ANY = "any"
    DIRECT = "direct"  # the policyholder, and parents, children, spouse
    FAMILY = "family"  # these and siblings

    def includes(self, relation: Relation) -> bool:
        """Whether somebody so related is among them."""
        match self:
            case Relatives.ANY:
                return True
            case Relatives.DIRECT:
                return relation in DIRECT
            case Relatives.FAMILY:
                return relation in FAMILY


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """Which products a program is part of, from when on, and how much of it there is."""

    products: frozenset[str] = frozenset()  # as insurers name them; none: it is part of no policy
    entitlement: Entitlement = Entitlement.NONE
    relatives: Relatives = Relatives.ANY
    waiting_anchor: WaitingAnchor = WaitingAnchor.NONE
    waiting_days: int = 0  # natural days (A16, B01)
    service_years: int = 0  # how long the service lasts from its own start (B02); 0: as the policy
    send_hour: int = 10  # codes are sent from this hour on (X12) ..
    send_until_hour: int = 20  # .. until this one; later ones wait for the next morning
    vouchers_per_policy_year: int = 0  # issued by themselves, one code each (A05, A20)
    quota_uses: int = 0  # orders in a period (C15, X35); 0: as many as one likes (C10)
    quota_period: Period = Period.POLICY_YEAR
    quota_per: CountedFor = CountedFor.PERSON
    offered_until: date | None = None  # the last day in China; None: no end is announced (B05)
    changes: tuple[Change, ...] = ()  # told ahead, the end of the service among them (B04)

    def is_offered_on(self, day: date) -> bool:
        """Whether new orders may be opened, and vouchers given, on this day (B05)."""
        return self.offered_until is None or day <= self.offered_until


def parse_cover(section: Section) -> Cover:
    """The keys of a cover; faults are noted in the section."""
    products = section.words("products", default=())
    offered_until = section.day("offered_until")
    cover = Cover(
        products=frozenset(products),
        entitlement=_one_of(Entitlement, section, "entitlement", Entitlement.NONE),
        relatives=_one_of(Relatives, section, "relatives", Relatives.ANY),
        waiting_anchor=_one_of(WaitingAnchor, section, "waiting_anchor", WaitingAnchor.NONE),
        waiting_days=section.whole("waiting_days", most=MOST_WAITING_DAYS, default=0),
        service_years=section.whole("service_years", most=100, default=0),
        send_hour=section.whole("send_hour", most=23, default=10),
        send_until_hour=section.whole("send_until_hour", least=1, most=24, default=20),
        vouchers_per_policy_year=section.whole(
            "vouchers_per_policy_year", most=MOST_VOUCHERS, default=0
        ),
        quota_uses=section.whole("quota_uses", default=0),
        quota_period=_one_of(Period, section, "quota_period", Period.POLICY_YEAR),
        quota_per=_one_of(CountedFor, section, "quota_per", CountedFor.PERSON),
        offered_until=offered_until,
        changes=parse_changes(section, offered_until),
    )
    if len(cover.products) != len(products) or "" in cover.products:
        section.fault("products", "must not name a product twice, nor an empty one")
    _check_together(section, cover)
    return cover


def _check_together(section: Section, cover: Cover) -> None:
    """What no key can tell alone."""
    if cover.entitlement is Entitlement.REQUIRED and not cover.products:
        section.fault("products", "must name whose insured are entitled (entitlement = 'required')")
    if cover.vouchers_per_policy_year and not cover.products:
        section.fault("products", "must name whose policyholders get a voucher each policy year")
    if cover.waiting_days and cover.waiting_anchor is WaitingAnchor.NONE:
        section.fault("waiting_anchor", "must say from when waiting_days count: purchase or effect")
    if cover.waiting_anchor is not WaitingAnchor.NONE and not cover.products:
        section.fault("waiting_anchor", "has no effect without products")
    if cover.relatives is not Relatives.ANY and cover.entitlement is Entitlement.NONE:
        section.fault("relatives", "has no effect unless entitlement = 'required'")
    if cover.service_years and cover.entitlement is Entitlement.NONE:
        section.fault("service_years", "has no effect unless entitlement = 'required'")
    if cover.quota_uses and cover.entitlement is Entitlement.NONE:
        section.fault("quota_uses", "has no effect unless entitlement = 'required'")
    if cover.send_until_hour <= cover.send_hour:
        section.fault("send_until_hour", "must be after send_hour")


def _one_of(kind: type[Word], section: Section, key: str, default: Word) -> Word:
    chosen = section.word(key, among=[word.value for word in kind], default=default.value)
    return kind(chosen) if chosen else default
