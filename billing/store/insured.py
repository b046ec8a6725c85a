"""Insured people as callers are matched to them: by phone, or by data that was proven."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from billing.policies.entitlement import Candidate, Entitled, KnownBy
from billing.policies.policy import Role
from billing.policies.relation import Relation
from billing.policies.sealing import PersonSeal, open_person
from billing.store.policies import read_terms
from terms.ids import CallerId, OrderId, PersonId, PolicyId, TenantId

if TYPE_CHECKING:
    from billing.store.connection import Connection, Record

MOST_CANDIDATES = 200
"""A number that stands in more places than this belongs to an agent, not to a person."""

_KNOWN_BY = {
    Role.INSURED: KnownBy.OWN_PHONE,
    Role.CONTACT: KnownBy.CONTACT,
    Role.POLICYHOLDER: KnownBy.HOLDER,
}

_COLUMNS = """policy.id AS policy_id, sponsor, product, status, purchased_on, effective_on,
        cooling_off_end, ends_on, insured.id AS insured_id, insured.relation,
        insured.details"""
_INSURED = """
    FROM insurance_policies AS policy
    JOIN policy_people AS insured
        ON insured.tenant = policy.tenant AND insured.policy = policy.id
        AND insured.role = 'insured'"""


async def insured_by_phone(
    connection: "Connection", seal: PersonSeal, tenant: TenantId, phone_index: bytes
) -> list[Candidate]:
    """Everybody whom a policy insures that has this number: theirs, a contact's, its holder's.

    The policies are held until the transaction ends: nobody surrenders one meanwhile.
    """
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS}, known.role AS known_as {_INSURED}
            JOIN policy_people AS known
                ON known.tenant = policy.tenant AND known.policy = policy.id
                AND (known.id = insured.id OR known.speaks_for = insured.id
                     OR known.role = 'policyholder')
            WHERE policy.tenant = $1 AND known.phone_index = $2
            ORDER BY policy.id, insured.place LIMIT {MOST_CANDIDATES} FOR SHARE OF policy""",
        *(tenant, phone_index),
    )
    return [_candidate(seal, row, _KNOWN_BY[Role(row["known_as"])]) for row in rows]


async def insured_proven_by(
    connection: "Connection", seal: PersonSeal, tenant: TenantId, caller: CallerId
) -> list[Candidate]:
    """Everybody whose data the caller gave before (A06)."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} {_INSURED}
            JOIN proven_insured AS proven
                ON proven.tenant = policy.tenant AND proven.policy = policy.id
                AND proven.insured = insured.id
            WHERE policy.tenant = $1 AND proven.caller = $2
            ORDER BY policy.id, insured.place LIMIT {MOST_CANDIDATES} FOR SHARE OF policy""",
        *(tenant, caller),
    )
    return [_candidate(seal, row, KnownBy.PROVEN) for row in rows]


async def insured_by_data(
    connection: "Connection",
    seal: PersonSeal,
    tenant: TenantId,
    *,
    id_index: bytes | None,
    birth_index: bytes | None,
    phone_index: bytes,
) -> list[Candidate]:
    """Who is insured under this name and identity number; or under this name and day of birth,
    by a policy that knows the phone. One statement, whatever is found."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} {_INSURED}
            WHERE policy.tenant = $1 AND (
                insured.id_index = $2 OR (insured.birth_index = $3 AND EXISTS (
                    SELECT 1 FROM policy_people AS known
                    WHERE known.tenant = $1 AND known.policy = policy.id AND known.phone_index = $4
                ))
            ) ORDER BY policy.id, insured.place LIMIT {MOST_CANDIDATES}""",
        *(tenant, id_index, birth_index, phone_index),
    )
    return [_candidate(seal, row, KnownBy.PROVEN) for row in rows]


async def keep_proven(
    connection: "Connection",
    tenant: TenantId,
    caller: CallerId,
    proven: Sequence[tuple[PolicyId, PersonId]],
    now: datetime,
) -> None:
    """From now on the caller may order for these insured people."""
    await connection.executemany(
        """INSERT INTO proven_insured (tenant, caller, policy, insured, proven_at)
           VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING""",
        [(tenant, caller, policy, insured, now) for policy, insured in proven],
    )


async def note_entitlement(
    connection: "Connection", tenant: TenantId, order: OrderId, entitled: Entitled, now: datetime
) -> None:
    """Which policy and which insured person the order rests on (X14)."""
    await connection.execute(
        """INSERT INTO order_entitlements (tenant, order_id, policy, insured, known_by, opened_at)
           VALUES ($1, $2, $3, $4, $5, $6)""",
        *(tenant, order, entitled.policy, entitled.insured, entitled.known_by.value, now),
    )


def _candidate(seal: PersonSeal, row: "Record", known_by: KnownBy) -> Candidate:
    return Candidate(
        policy=PolicyId(row["policy_id"]),
        sponsor=row["sponsor"],
        terms=read_terms(row),
        insured=PersonId(row["insured_id"]),
        relation=Relation(row["relation"]),
        born_on=open_person(seal, row["details"], None).born_on,
        known_by=known_by,
    )
