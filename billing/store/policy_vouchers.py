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
        SELECT one.policy, one.program, one.policy_year, one.number, voucher.id AS voucher, state
        FROM policy_vouchers AS one
        JOIN vouchers AS voucher ON voucher.tenant = one.tenant AND voucher.id = one.voucher
        WHERE one.tenant = $1 AND one.policy = ANY($2::text[])
        UNION ALL
        SELECT given.policy, given.program, given.policy_year, given.number, newer.id, newer.state
        FROM given JOIN vouchers AS newer ON newer.tenant = $1 AND newer.replaces = given.voucher
    ) SELECT * FROM given"""
_POLICY = """id, sponsor, product, status, purchased_on, effective_on, cooling_off_end, ends_on"""


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
    given = await connection.fetch(_GIVEN, tenant, [row["id"] for row in rows])
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
               (tenant, policy, program, policy_year, number, voucher, given_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        [
            (tenant, policy, due.program, due.policy_year, due.number, voucher, now)
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


async def policy_of_voucher(
    connection: "Connection", tenant: TenantId, voucher: VoucherId
) -> tuple[PolicyId, PolicyTerms, State] | None:
    """The policy a voucher was given for, as it is now, and the voucher's state.

    The policy is held until the transaction ends: nobody surrenders it meanwhile.
    """
    row = await connection.fetchrow(
        f"""SELECT {", ".join(f"policy.{name}" for name in _POLICY.split(", "))},
               vouchers.state AS voucher_state
            FROM policy_vouchers AS given
            JOIN insurance_policies AS policy
                ON policy.tenant = given.tenant AND policy.id = given.policy
            JOIN vouchers ON vouchers.tenant = given.tenant AND vouchers.id = given.voucher
            WHERE given.tenant = $1 AND given.voucher = $2 FOR SHARE OF policy""",
        *(tenant, voucher),
    )
    if row is None:
        return None
    return PolicyId(row["id"]), read_terms(row), State(row["voucher_state"])


async def policy_behind(
    connection: "Connection", tenant: TenantId, voucher: VoucherId
) -> PolicyTerms | None:
    """The policy that this voucher, or one it stands in place of, was given for; as it is now."""
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
                ON policy.tenant = $1 AND policy.id = given.policy""",
        *(tenant, voucher),
    )
    return None if row is None else read_terms(row)


async def tenants_with_policies(connection: "Connection") -> list[TenantId]:
    """Whose lists were ever taken over."""
    rows = await connection.fetch("SELECT DISTINCT tenant FROM insurance_policies ORDER BY tenant")
    return [TenantId(row["tenant"]) for row in rows]


async def look_at_all_if_new(
    connection: "Connection", tenant: TenantId, digest: str, now: datetime
) -> bool:
    """Have every policy looked at when programs give something else than before."""
    changed = await connection.fetchval(
        """INSERT INTO policy_covers AS kept (tenant, digest) VALUES ($1, $2)
           ON CONFLICT (tenant) DO UPDATE SET digest = $2 WHERE kept.digest <> $2
           RETURNING true""",
        *(tenant, digest),
    )
    if changed:
        await connection.execute(
            """UPDATE insurance_policies SET due_at = $2
               WHERE tenant = $1 AND (due_at IS NULL OR due_at > $2)""",
            *(tenant, now),
        )
    return bool(changed)


def _given(row: "Record") -> Given:
    return Given(
        program=ProgramId(row["program"]),
        policy_year=row["policy_year"],
        number=row["number"],
        voucher=VoucherId(row["voucher"]),
        state=State(row["state"]),
    )
