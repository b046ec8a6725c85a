"""An insurance policy as an insurer's list tells it, and the people it names. Pure.

Three roles are kept apart (X14): whoever took the policy out, whom it insures, and the contact who
speaks for an insured child (X37). The caller is a fourth; no list knows them.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from billing.policies.relation import Relation
from terms.phone import PhoneNumber

CHILD_YEARS = 14
"""Below this age a guardian must be named (X37)."""


class Status(StrEnum):
    """What the insurer says of the policy."""

    IN_FORCE = "in_force"
    SURRENDERED = "surrendered"  # given back by its holder
    LAPSED = "lapsed"  # not paid for
    ENDED = "ended"  # over: its term, a claim, the insurer's decision


class Role(StrEnum):
    """Why a policy names somebody."""

    POLICYHOLDER = "policyholder"
    INSURED = "insured"
    CONTACT = "contact"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Person:
    """Somebody a policy names. Printing one gives nothing away but how they are recognised."""

    name: str
    phone: PhoneNumber | None = None
    id_number: str | None = None
    born_on: date | None = None

    def shown(self) -> dict[str, str | None]:
        """Each field masked: enough to recognise a person one knows, too little to find one."""
        return {
            "name": self.name[:1] + "*" * min(len(self.name) - 1, 3),
            "phone": None if self.phone is None else self.phone.masked,
            "id_number": None if self.id_number is None else _masked(self.id_number),
            "birth_date": None if self.born_on is None else f"{self.born_on.year}-**-**",
        }

    def __repr__(self) -> str:
        return f"Person({self.shown()['name']}, {self.phone})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Insured:
    """Somebody a policy insures; `contact` speaks for them, as a guardian does for a child."""

    person: Person
    relation: Relation
    contact: Person | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTerms:
    """What every row of one policy agrees about. Days are local dates of the insurer."""

    product: str
    purchased_on: date
    effective_on: date
    status: Status = Status.IN_FORCE
    cooling_off_end: date | None = None  # its last day, when the insurer names one (X17)
    ends_on: date | None = None  # the last day insured; None: for life

    def has_ended(self, today: date) -> bool:
        """Whether nobody is insured by it any more (A21, B03)."""
        over = self.ends_on is not None and self.ends_on < today
        return self.status is not Status.IN_FORCE or over


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPolicy:
    """One policy with its people, put together from the lines of a list."""

    sponsor: str
    number: str
    terms: PolicyTerms
    policyholder: Person
    insured: tuple[Insured, ...]
    lines: tuple[int, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What names a policy in the world: its number, at its insurer."""
        return self.sponsor, self.number


def age_on(born_on: date, day: date) -> int:
    """Whole years of age; somebody born on 29 February is older from 1 March on."""
    birthday_to_come = (day.month, day.day) < (born_on.month, born_on.day)
    return day.year - born_on.year - birthday_to_come


def _masked(id_number: str) -> str:
    kept = 4 if len(id_number) > 10 else 1
    return f"{id_number[:kept]}****{id_number[-kept:]}"
