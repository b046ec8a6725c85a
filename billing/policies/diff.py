"""What a list changes: which policies are new, and what is different in those we know.

An insured person keeps their id from list to list, for their uses are counted under it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields

from billing.policies.policy import Insured, ListedPolicy, Person, PolicyTerms
from terms.ids import PersonId, PolicyId


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A policy as we know it; `insured_ids` in the order of `policy.insured`."""

    id: PolicyId
    policy: ListedPolicy
    insured_ids: tuple[PersonId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field before and after; people's data masked."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedPolicy:
    """A policy that a list tells otherwise. `insured_ids`: who stays who; None for a new person."""

    id: PolicyId
    policy: ListedPolicy
    insured_ids: tuple[PersonId | None, ...]
    changes: tuple[FieldChange, ...]


def compare(stored: Stored, listed: ListedPolicy) -> ChangedPolicy | None:
    """What the list says otherwise, field by field; None when it says the same."""
    partners = _partners(stored, listed.insured)
    changes = (
        *_of_terms(stored.policy.terms, listed.terms),
        *_of_person("policyholder", stored.policy.policyholder, listed.policyholder),
        *_of_insured(stored.policy.insured, listed.insured, partners),
    )
    if not changes:
        return None
    return ChangedPolicy(
        id=stored.id,
        policy=listed,
        insured_ids=tuple(None if at is None else stored.insured_ids[at] for at in partners),
        changes=changes,
    )


def fingerprint(policy: ListedPolicy) -> str:
    """All that a list says of a policy as one text, whatever the order of its lines."""
    terms = policy.terms
    parts = [
        *(policy.sponsor, policy.number, terms.product, terms.status.value),
        *map(str, (terms.purchased_on, terms.effective_on, terms.cooling_off_end, terms.ends_on)),
        _spelled(policy.policyholder),
        *sorted(
            f"{one.relation.value}\x1e{_spelled(one.person)}\x1e{_spelled(one.contact)}"
            for one in policy.insured
        ),
    ]
    return "\x1f".join(parts)


def _spelled(person: Person | None) -> str:
    if person is None:
        return ""
    digits = "" if person.phone is None else person.phone.digits
    return f"{person.name}\x1d{digits}\x1d{person.id_number or ''}\x1d{person.born_on or ''}"


def _partners(stored: Stored, listed: Sequence[Insured]) -> list[int | None]:
    """For each listed person the place of the stored one they are: by id number, name, or alone."""
    known = stored.policy.insured
    partners: list[int | None] = [None] * len(listed)
    free = set(range(len(known)))
    for same in (_same_id_number, _same_name_and_birth, _same_name):
        for place, one in enumerate(listed):
            if partners[place] is not None:
                continue
            found = next((at for at in sorted(free) if same(known[at].person, one.person)), None)
            if found is not None:
                partners[place] = found
                free.discard(found)
    return partners


def _same_id_number(one: Person, other: Person) -> bool:
    return one.id_number is not None and one.id_number == other.id_number


def _same_name_and_birth(one: Person, other: Person) -> bool:
    return (one.name, one.born_on) == (other.name, other.born_on)


def _same_name(one: Person, other: Person) -> bool:
    return one.name == other.name


def _of_terms(before: PolicyTerms, after: PolicyTerms) -> Iterator[FieldChange]:
    for one in fields(PolicyTerms):
        yield from _change(one.name, getattr(before, one.name), getattr(after, one.name))


def _of_person(role: str, before: Person | None, after: Person | None) -> Iterator[FieldChange]:
    if before is None or after is None:
        name_before, name_after = _shown(before), _shown(after)
        yield from _change(role, name_before, name_after)
        return
    masked_before, masked_after = before.shown(), after.shown()
    for field, attribute in (
        ("name", "name"),
        ("phone", "phone"),
        ("id_number", "id_number"),
        ("birth_date", "born_on"),
    ):
        if getattr(before, attribute) != getattr(after, attribute):
            yield FieldChange(
                field=f"{role}.{field}", before=masked_before[field], after=masked_after[field]
            )


def _of_insured(
    known: Sequence[Insured], listed: Sequence[Insured], partners: Sequence[int | None]
) -> Iterator[FieldChange]:
    for one, at in zip(listed, partners, strict=True):
        role = f"insured {_shown(one.person)}"
        if at is None:
            yield FieldChange(field=role, before=None, after="added")
            continue
        before = known[at]
        yield from _change(f"{role}.relation", before.relation, one.relation)
        yield from _of_person(role, before.person, one.person)
        yield from _of_person(f"{role}.contact", before.contact, one.contact)
    for at in _left_out(len(known), partners):
        yield FieldChange(field=f"insured {_shown(known[at].person)}", before="insured", after=None)


def _left_out(count: int, partners: Iterable[int | None]) -> list[int]:
    return sorted(set(range(count)) - {at for at in partners if at is not None})


def _shown(person: Person | None) -> str | None:
    return None if person is None else person.shown()["name"]


def _change(field: str, before: object, after: object) -> Iterator[FieldChange]:
    if before != after:
        yield FieldChange(
            field=field,
            before=None if before is None else str(before),
            after=None if after is None else str(after),
        )
