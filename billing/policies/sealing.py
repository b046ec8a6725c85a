"""People's data as it is kept: unreadable, and found again by keyed hashes alone."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from billing.policies.diff import fingerprint
from billing.policies.policy import ListedPolicy, Person
from terms.phone import Seal

_DETAILS = "insured person"
_ID_NUMBER = "name and identity number"
_BIRTH = "name and day of birth"
_POLICY = "policy as listed"


class PersonSeal(Seal, Protocol):
    """A seal that also keeps texts, and finds them again."""

    def seal_text(self, text: str, purpose: str) -> bytes:
        """Encrypt a short text for one purpose."""
        ...

    def open_text(self, sealed: bytes, purpose: str) -> str:
        """Decrypt what `seal_text` gave."""
        ...

    def index_text(self, text: str, purpose: str) -> bytes:
        """A keyed hash, equal for equal texts of one purpose: what look-ups compare."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedPerson:
    """What of a person goes into a row."""

    details: bytes  # name, identity number, day of birth
    phone: bytes | None
    phone_index: bytes | None
    id_index: bytes | None  # name and identity number together
    birth_index: bytes | None  # name and day of birth together


def seal_person(seal: PersonSeal, person: Person) -> SealedPerson:
    """The person, unreadable."""
    born_on = None if person.born_on is None else person.born_on.isoformat()
    details = json.dumps([person.name, person.id_number, born_on], ensure_ascii=False)
    return SealedPerson(
        details=seal.seal_text(details, _DETAILS),
        phone=None if person.phone is None else seal.seal(person.phone),
        phone_index=None if person.phone is None else seal.index(person.phone),
        id_index=None
        if person.id_number is None
        else id_index(seal, person.name, person.id_number),
        birth_index=None
        if person.born_on is None
        else birth_index(seal, person.name, person.born_on),
    )


def open_person(seal: PersonSeal, details: bytes, phone: bytes | None) -> Person:
    """The person behind a row."""
    name, id_number, born_on = json.loads(seal.open_text(details, _DETAILS))
    return Person(
        name=name,
        phone=None if phone is None else seal.open(phone),
        id_number=id_number,
        born_on=None if born_on is None else date.fromisoformat(born_on),
    )


def id_index(seal: PersonSeal, name: str, id_number: str) -> bytes:
    """What finds somebody whose name and identity number one knows, both."""
    return seal.index_text(f"{name}\x1f{id_number}", _ID_NUMBER)


def birth_index(seal: PersonSeal, name: str, born_on: date) -> bytes:
    """What finds somebody whose name and day of birth one knows, both."""
    return seal.index_text(f"{name}\x1f{born_on}", _BIRTH)


def policy_digest(seal: PersonSeal, policy: ListedPolicy) -> bytes:
    """Equal for lists that say the same of a policy."""
    return seal.index_text(fingerprint(policy), _POLICY)
