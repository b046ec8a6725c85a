"""Insurance policies as lists tell them: read in bulk, written in bulk."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from billing.policies.diff import ChangedPolicy, Stored
from billing.policies.policy import (
    Insured,
    ListedPolicy,
    Person,
    PolicyTerms,
    Role,
    Status,
)
from billing.policies.relation import Relation
from billing.policies.sealing import PersonSeal, open_person, policy_digest, seal_person
from terms.ids import PersonId, PolicyId, TenantId

if TYPE_CHECKING:
    from billing.store.connection import Connection, Record

T = TypeVar("T")
Key = tuple[str, str]

AT_ONCE = 5000
"""Policies per statement: a transaction of many such is still one transaction."""

_TERMS = "product, status, purchased_on, effective_on, cooling_off_end, ends_on"
_PEOPLE = (
    *("tenant", "policy", "id", "role", "relation", "speaks_for", "place"),
    *("details", "phone", "phone_index", "id_index", "birth_index"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPolicy:
    """A policy no list told of before, with the ids it will be known by."""

    id: PolicyId
    policy: ListedPolicy
    insured_ids: tuple[PersonId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCounts:
    """How much an import did, in policies; rejected counts lines."""

    added: int
    changed: int
    unchanged: int
    rejected: int


async def lock_imports(connection: "Connection", tenant: TenantId) -> None:
    """Make other imports of this tenant wait until the transaction ends."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"policies:{tenant}"
    )


async def known_policies(
    connection: "Connection", tenant: TenantId, keys: Sequence[Key]
) -> dict[Key, tuple[PolicyId, bytes]]:
    """Which of these policies we know, and the digest of what was last told of each."""
    known: dict[Key, tuple[PolicyId, bytes]] = {}
    for some in chunks(keys, AT_ONCE):
        rows = await connection.fetch(
            """SELECT id, sponsor, number, digest FROM insurance_policies
               JOIN unnest($2::text[], $3::text[]) AS wanted (sponsor, number)
               USING (sponsor, number) WHERE tenant = $1""",
            *(tenant, [sponsor for sponsor, _ in some], [number for _, number in some]),
        )
        for row in rows:
            known[row["sponsor"], row["number"]] = PolicyId(row["id"]), row["digest"]
    return known


async def load_policies(
    connection: "Connection", seal: PersonSeal, tenant: TenantId, ids: Sequence[PolicyId]
) -> dict[Key, Stored]:
    """The policies with their people, opened."""
    stored: dict[Key, Stored] = {}
    for some in chunks(ids, AT_ONCE):
        rows = await connection.fetch(
            f"""SELECT id, sponsor, number, {_TERMS} FROM insurance_policies
                WHERE tenant = $1 AND id = ANY($2::text[])""",
            *(tenant, some),
        )
        people = await connection.fetch(
            """SELECT policy, id, role, relation, speaks_for, details, phone FROM policy_people
               WHERE tenant = $1 AND policy = ANY($2::text[]) ORDER BY policy, place""",
            *(tenant, some),
        )
        by_policy: dict[str, list[Record]] = {}
        for person in people:
            by_policy.setdefault(person["policy"], []).append(person)
        for row in rows:
            one = _stored(seal, row, by_policy[row["id"]])
            stored[one.policy.key] = one
    return stored


async def add_policies(
    connection: "Connection",
    seal: PersonSeal,
    tenant: TenantId,
    policies: Sequence[NewPolicy],
    now: datetime,
) -> None:
    """Write policies we did not know, to be looked at from `now` on."""
    await connection.copy_records_to_table(
        "insurance_policies",
        columns=[
            *("tenant", "id", "sponsor", "number", *_TERMS.split(", ")),
            *("digest", "imported_at", "changed_at", "due_at"),
        ],
        records=(
            (
                *(tenant, one.id, one.policy.sponsor, one.policy.number),
                *_terms_values(one.policy.terms),
                *(policy_digest(seal, one.policy), now, now, now),
            )
            for one in policies
        ),
    )
    await _copy_people(
        connection,
        tenant,
        (
            row
            for one in policies
            for row in _people(seal, tenant, one.id, one.policy, one.insured_ids)
        ),
    )


async def change_policies(
    connection: "Connection",
    seal: PersonSeal,
    tenant: TenantId,
    changed: Sequence[tuple[ChangedPolicy, tuple[PersonId, ...]]],
    now: datetime,
) -> None:
    """Write what a list says otherwise, to be looked at from `now` on.

    Each with the ids of its insured people, old ones and new ones.
    """
    if not changed:
        return
    columns = zip(*((one.id, *_terms_values(one.policy.terms)) for one, _ in changed), strict=True)
    digests = [policy_digest(seal, one.policy) for one, _ in changed]
    await connection.execute(
        f"""UPDATE insurance_policies AS old
            SET product = new.product, status = new.status, purchased_on = new.purchased_on,
                effective_on = new.effective_on, cooling_off_end = new.cooling_off_end,
                ends_on = new.ends_on, digest = new.digest, changed_at = $2, due_at = $2
            FROM unnest($3::text[], $4::text[], $5::text[], $6::date[], $7::date[], $8::date[],
                $9::date[], $10::bytea[]) AS new (id, {_TERMS}, digest)
            WHERE old.tenant = $1 AND old.id = new.id""",
        *(tenant, now, *(list(column) for column in columns), digests),
    )
    await connection.execute(
        "DELETE FROM policy_people WHERE tenant = $1 AND policy = ANY($2::text[])",
        *(tenant, [one.id for one, _ in changed]),
    )
    await _copy_people(
        connection,
        tenant,
        (row for one, ids in changed for row in _people(seal, tenant, one.id, one.policy, ids)),
    )


async def note_import(
    connection: "Connection",
    tenant: TenantId,
    id_: str,
    *,
    by: str,
    counts: ImportCounts,
    now: datetime,
) -> None:
    """Who imported how much, for those who ask later."""
    await connection.execute(
        """INSERT INTO policy_imports (tenant, id, by, at, added, changed, unchanged, rejected)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        *(tenant, id_, by, now),
        *(counts.added, counts.changed, counts.unchanged, counts.rejected),
    )


def read_terms(row: "Record") -> PolicyTerms:
    """The terms from a row that has their columns."""
    return PolicyTerms(
        product=row["product"],
        purchased_on=row["purchased_on"],
        effective_on=row["effective_on"],
        status=Status(row["status"]),
        cooling_off_end=row["cooling_off_end"],
        ends_on=row["ends_on"],
    )


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some


async def _copy_people(
    connection: "Connection", tenant: TenantId, rows: Iterable[tuple[object, ...]]
) -> None:
    await connection.copy_records_to_table("policy_people", columns=_PEOPLE, records=rows)


def _terms_values(terms: PolicyTerms) -> tuple[object, ...]:
    return (
        *(terms.product, terms.status.value, terms.purchased_on, terms.effective_on),
        *(terms.cooling_off_end, terms.ends_on),
    )


def _people(
    seal: PersonSeal,
    tenant: TenantId,
    id_: PolicyId,
    policy: ListedPolicy,
    insured_ids: Sequence[PersonId],
) -> Iterator[tuple[object, ...]]:
    """The rows of everybody the policy names; only insured people need ids that stay."""
    holder = (tenant, id_, Role.POLICYHOLDER.value, Role.POLICYHOLDER.value, None, None, 0)
    yield *holder, *_sealed(seal, policy.policyholder)
    for place, (one, own) in enumerate(zip(policy.insured, insured_ids, strict=True), start=1):
        insured = (tenant, id_, own, Role.INSURED.value, one.relation.value, None, place)
        yield *insured, *_sealed(seal, one.person)
        if one.contact is not None:
            contact = (tenant, id_, f"contact_{place}", Role.CONTACT.value, None, own, place)
            yield *contact, *_sealed(seal, one.contact)


def _sealed(seal: PersonSeal, person: Person) -> tuple[bytes | None, ...]:
    sealed = seal_person(seal, person)
    return (
        *(sealed.details, sealed.phone, sealed.phone_index),
        *(sealed.id_index, sealed.birth_index),
    )


def _stored(seal: PersonSeal, row: "Record", people: Sequence["Record"]) -> Stored:
    opened = {one["id"]: open_person(seal, one["details"], one["phone"]) for one in people}
    contacts: Mapping[str, Person] = {
        one["speaks_for"]: opened[one["id"]] for one in people if one["role"] == Role.CONTACT
    }
    insured = [one for one in people if one["role"] == Role.INSURED]
    return Stored(
        id=PolicyId(row["id"]),
        policy=ListedPolicy(
            sponsor=row["sponsor"],
            number=row["number"],
            terms=read_terms(row),
            policyholder=opened[Role.POLICYHOLDER],
            insured=tuple(
                Insured(
                    person=opened[one["id"]],
                    relation=Relation(one["relation"]),
                    contact=contacts.get(one["id"]),
                )
                for one in insured
            ),
        ),
        insured_ids=tuple(PersonId(one["id"]) for one in insured),
    )
