"""What policies are due and were given: one look at a policy at a time, whoever looks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from billing.policies.issuing import Due, Given
from billing.policies.policy import PolicyTerms, Role
from billing.store.policies import read_terms
from billing.voucher import State
from terms.ids import PolicyId, ProgramId, TenantId, VoucherId

if TYPE_CHECKING:
    from billing.store.connection import Connection, Record

# A voucher that was replaced stands for the one in its place, which falls with the policy too.
_GIVEN = """
    WITH RECURSIVE given AS (
        SELECT one.policy, one.program, one.year_starts_on, one.number, voucher.id AS voucher,
            state, valid_until, head_number
        FROM policy_vouchers AS one
        JOIN vouchers AS voucher ON voucher.tenant = one.tenant AND voucher.id = one.voucher
        WHERE one.tenant = $1 AND one.policy = ANY($2::text[])
        UNION ALL
        SELECT given.policy, given.program, given.year_starts_on, given.number, newer.id,
            newer.state, newer.valid_until, newer.head_number
        FROM given JOIN vouchers AS newer ON newer.tenant = $1 AND newer.replaces = given.voucher
    )
    SELECT given.*, state = 'voided' AND why.reason = $3
        AND NOT EXISTS (SELECT FROM given AS newer JOIN vouchers ON vouchers.tenant = $1
            AND vouchers.id = newer.voucher WHERE vouchers.replaces = given.voucher) AS fell
    FROM given JOIN ledger_entries AS why ON why.tenant = $1
        AND why.book = 'voucher/' || given.voucher AND why.number = given.head_number"""
_POLICY = """id, sponsor, product, status, purchased_on, effective_on, cooling_off_end, ends_on"""


POLICY_ENDED = "policy_ended"
"""Why a voucher was voided, in the ledger: the only reason for which it comes back by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePolicy:
    """A policy somebody has to look at, locked, with what it was given so far."""

    tenant: TenantId
    id: PolicyId
    sponsor: str
    terms: PolicyTerms
    given: tuple[Given, ...]


async def lock_due_policies(connection: "Connection", now: datetime, limit: int) -> list[DuePolicy]:
    """Policies whose time has come, of one tenant, nobody else's until the transaction ends."""
    rows = await connection.fetch(
        f"""SELECT tenant, {_POLICY} FROM insurance_policies
            WHERE due_at <= $1 AND tenant = (
                SELECT tenant FROM insurance_policies WHERE due_at <= $1 ORDER BY due_at LIMIT 1
            )
            ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED""",
        *(now, limit),
    )
    if not rows:
        return []
    tenant = TenantId(rows[0]["tenant"])
    given = await connection.fetch(_GIVEN, tenant, [row["id"] for row in rows], POLICY_ENDED)
    by_policy: dict[str, list[Given]] = {}
    for one in given:
        by_policy.setdefault(one["policy"], []).append(_given(one))
    return [
        DuePolicy(
            tenant=tenant,
            id=PolicyId(row["id"]),
            sponsor=row["sponsor"],
            terms=read_terms(row),
            given=tuple(by_policy.get(row["id"], ())),
        )
        for row in rows
    ]


async def next_policy_due_at(connection: "Connection") -> datetime | None:
    """When `lock_due_policies` will next find something."""
    due_at: datetime | None = await connection.fetchval(
        "SELECT min(due_at) FROM insurance_policies WHERE due_at IS NOT NULL"
    )
    return due_at


async def note_looked_at(
    connection: "Connection",
    tenant: TenantId,
    looked_at: Sequence[tuple[PolicyId, datetime | None]],
) -> None:
    """When each of these policies is looked at again."""
    await connection.execute(
        """UPDATE insurance_policies AS policy SET due_at = next.due_at
           FROM unnest($2::text[], $3::timestamptz[]) AS next (id, due_at)
           WHERE policy.tenant = $1 AND policy.id = next.id""",
        *(tenant, [policy for policy, _ in looked_at], [due_at for _, due_at in looked_at]),
    )


async def note_given(
    connection: "Connection",
    tenant: TenantId,
    given: Sequence[tuple[PolicyId, Due, VoucherId]],
    now: datetime,
) -> None:
    """Remember which voucher was given for what. The same once more violates the primary key."""
    await connection.executemany(
        """INSERT INTO policy_vouchers
               (tenant, policy, program, policy_year, year_starts_on, number, voucher, given_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        [
            (
                *(tenant, policy, due.program, due.policy_year, due.year_starts_on),
                *(due.number, voucher, now),
            )
            for policy, due, voucher in given
        ],
    )


async def policyholder_phones(
    connection: "Connection", tenant: TenantId, policies: Sequence[PolicyId]
) -> dict[PolicyId, bytes]:
    """The sealed number of each policyholder: where codes are sent (A05)."""
    rows = await connection.fetch(
        """SELECT policy, phone FROM policy_people
           WHERE tenant = $1 AND policy = ANY($2::text[]) AND role = $3 AND phone IS NOT NULL""",
        *(tenant, list(policies), Role.POLICYHOLDER.value),
    )
    return {PolicyId(row["policy"]): row["phone"] for row in rows}


async def policy_behind(
    connection: "Connection", tenant: TenantId, voucher: VoucherId, *, hold: bool = False
) -> PolicyTerms | None:
    """The policy that this voucher, or one it stands in place of, was given for; as it is now.

    `hold`: until the transaction ends nobody surrenders it. Whoever has a voucher locked must not.
    """
    row = await connection.fetchrow(
        f"""WITH RECURSIVE line AS (
                SELECT id, replaces FROM vouchers WHERE tenant = $1 AND id = $2
                UNION ALL
                SELECT older.id, older.replaces
                FROM line JOIN vouchers AS older ON older.tenant = $1 AND older.id = line.replaces
            )
            SELECT {", ".join(f"policy.{name}" for name in _POLICY.split(", "))}
            FROM line JOIN policy_vouchers AS given
                ON given.tenant = $1 AND given.voucher = line.id
            JOIN insurance_policies AS policy
                ON policy.tenant = $1 AND policy.id = given.policy
            {"FOR SHARE OF policy" if hold else ""}""",
        *(tenant, voucher),
    )
    return None if row is None else read_terms(row)


async def tenants_with_policies(connection: "Connection") -> list[TenantId]:
    """Whose lists were ever taken over."""
    rows = await connection.fetch("SELECT DISTINCT tenant FROM insurance_policies ORDER BY tenant")
    return [TenantId(row["tenant"]) for row in rows]


async def gives_otherwise(connection: "Connection", tenant: TenantId, digest: str) -> bool:
    """Whether programs give something else than when all policies were last looked at."""
    kept = await connection.fetchval("SELECT digest FROM policy_covers WHERE tenant = $1", tenant)
    return bool(kept != digest)


async def look_at_some(
    connection: "Connection", tenant: TenantId, after: PolicyId | None, now: datetime, limit: int
) -> PolicyId | None:
    """Have so many policies looked at `now`, in the order of ids; the last of them."""
    last: str | None = await connection.fetchval(
        """WITH batch AS (
               SELECT id FROM insurance_policies
               WHERE tenant = $1 AND ($2::text IS NULL OR id > $2) ORDER BY id LIMIT $4
           ), due AS (
               UPDATE insurance_policies AS policy SET due_at = $3 FROM batch
               WHERE policy.tenant = $1 AND policy.id = batch.id
                   AND (due_at IS NULL OR due_at > $3)
           )
           SELECT max(id) FROM batch""",
        *(tenant, after, now, limit),
    )
    return None if last is None else PolicyId(last)


async def note_covers(connection: "Connection", tenant: TenantId, digest: str) -> None:
    """All policies are looked at with what programs give now."""
    await connection.execute(
        """INSERT INTO policy_covers (tenant, digest) VALUES ($1, $2)
           ON CONFLICT (tenant) DO UPDATE SET digest = $2""",
        *(tenant, digest),
    )


def _given(row: "Record") -> Given:
    return Given(
        program=ProgramId(row["program"]),
        year_starts_on=row["year_starts_on"],
        number=row["number"],
        voucher=VoucherId(row["voucher"]),
        state=State(row["state"]),
        valid_until=row["valid_until"],
        fell=row["fell"],
    )
