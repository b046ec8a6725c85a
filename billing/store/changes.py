"""Customers who are to be told of a change ahead, and who was told already (B04)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from billing.policies.announcing import Announced, takes_effect_at
from billing.policies.policy import PolicyTerms, Role
from billing.store.policies import read_terms
from billing.voucher import USABLE, State
from terms.ids import CallerId, PolicyId, ProgramId, TenantId

if TYPE_CHECKING:
    from billing.store.connection import Connection, Record

_TERMS = "product, status, purchased_on, effective_on, cooling_off_end, ends_on"
_UNUSED = sorted(state.value for state in USABLE | {State.HELD})
_NOT_TOLD = """NOT EXISTS (SELECT FROM change_tellings AS told
    WHERE told.tenant = $1 AND told.program = $2 AND told.change = $3 AND told.caller = {caller}
        AND told.withheld_at IS NULL)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A number as it is kept: what to send to, and what tells it from others."""

    sealed: bytes
    index: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Somebody told of a change, by which SMS. `caller` is their account, where they have one."""

    phone_index: bytes
    caller: CallerId | None
    notice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Whom an SMS tells of what."""

    program: ProgramId
    change: str
    phone_index: bytes
    caller: CallerId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Insured:
    """An account that uses a service by a policy."""

    caller: CallerId
    policy: PolicyId
    terms: PolicyTerms


async def note_changes(
    connection: "Connection",
    tenant: TenantId,
    changes: Iterable[Announced],
    now: datetime,
) -> None:
    """Remember since when these are known here; what is known already stays as it is."""
    known = [(one.program, one.change.key) for one in changes]
    await connection.execute(
        """INSERT INTO program_changes (tenant, program, change, known_at)
           SELECT $1, program, change, $2
           FROM unnest($3::text[], $4::text[]) AS new (program, change)
           ON CONFLICT DO NOTHING""",
        *(tenant, now, [program for program, _ in known], [change for _, change in known]),
    )


async def policyholder_addresses(
    connection: "Connection", tenant: TenantId, policies: Collection[PolicyId]
) -> dict[PolicyId, Address]:
    """The number of each policyholder that has one."""
    rows = await connection.fetch(
        """SELECT policy, phone, phone_index FROM policy_people
           WHERE tenant = $1 AND policy = ANY($2::text[]) AND role = $3 AND phone IS NOT NULL""",
        *(tenant, list(policies), Role.POLICYHOLDER.value),
    )
    return {
        PolicyId(row["policy"]): Address(sealed=row["phone"], index=row["phone_index"])
        for row in rows
    }


async def voucher_accounts_not_told(
    connection: "Connection",
    tenant: TenantId,
    announced: Announced,
    *,
    after: CallerId | None,
    limit: int,
) -> list[CallerId]:
    """Accounts with an unused voucher that outlives the change, who were not told of it."""
    rows = await connection.fetch(
        f"""SELECT DISTINCT holder FROM vouchers
            WHERE tenant = $1 AND program = $2 AND state = ANY ($4::text[]) AND valid_until > $5
                AND holder IS NOT NULL AND ($6::text IS NULL OR holder > $6)
                AND {_NOT_TOLD.format(caller="holder")}
            ORDER BY holder LIMIT $7""",
        *(tenant, announced.program, announced.change.key, _UNUSED),
        *(takes_effect_at(announced.change), after, limit),
    )
    return [CallerId(row["holder"]) for row in rows]


async def insured_accounts_not_told(
    connection: "Connection",
    tenant: TenantId,
    announced: Announced,
    *,
    sponsor: str,
    products: Collection[str],
    after: Insured | None,
    limit: int,
) -> list[Insured]:
    """Accounts that gave an insured person's data (A06), or had an order of the program by a
    policy, who were not told of the change; with each policy. Ordered by account and policy."""
    from_here = "($6::text IS NULL OR (caller, policy.id) > ($6, $7))"
    rows = await connection.fetch(
        f"""(SELECT caller, policy.id, {_TERMS} FROM proven_insured AS proven
             JOIN insurance_policies AS policy
                 ON policy.tenant = $1 AND policy.id = proven.policy
             WHERE proven.tenant = $1 AND sponsor = $4 AND product = ANY ($5::text[])
                 AND {from_here} AND {_NOT_TOLD.format(caller="proven.caller")}
             GROUP BY caller, policy.tenant, policy.id
             ORDER BY caller, policy.id LIMIT $8)
            UNION
            (SELECT caller, policy.id, {_TERMS} FROM orders
             JOIN order_entitlements AS backed
                 ON backed.tenant = $1 AND backed.order_id = orders.id
             JOIN insurance_policies AS policy
                 ON policy.tenant = $1 AND policy.id = backed.policy
             WHERE orders.tenant = $1 AND orders.program = $2
                 AND sponsor = $4 AND product = ANY ($5::text[])
                 AND {from_here} AND {_NOT_TOLD.format(caller="orders.caller")}
             GROUP BY caller, policy.tenant, policy.id
             ORDER BY caller, policy.id LIMIT $8)
            ORDER BY caller, id LIMIT $8""",
        *(tenant, announced.program, announced.change.key, sponsor, list(products)),
        *((None, None) if after is None else (after.caller, after.policy)),
        limit,
    )
    return [
        Insured(caller=CallerId(row["caller"]), policy=PolicyId(row["id"]), terms=read_terms(row))
        for row in rows
    ]


async def note_told(
    connection: "Connection",
    tenant: TenantId,
    announced: Announced,
    tellings: Sequence[Telling],
    now: datetime,
) -> set[str]:
    """Write down who is told, each number once; the SMS that are to be sent for it.

    A number that was told already gets none, unless what was meant for it was withheld. Two that
    write the same numbers at once wait for each other.
    """
    # In one order, so that two who do this at once do not hold each other up for good.
    rows = sorted(tellings, key=lambda one: one.phone_index)
    written = await connection.fetch(
        """INSERT INTO change_tellings AS known
               (tenant, program, change, phone_index, caller, notice, told_at)
           SELECT $1, $2, $3, phone_index, caller, notice, $4
           FROM unnest($5::bytea[], $6::text[], $7::text[]) AS new (phone_index, caller, notice)
           ON CONFLICT (tenant, program, change, phone_index) DO UPDATE
           SET caller = coalesce(known.caller, excluded.caller), withheld_at = NULL,
               notice = CASE WHEN known.withheld_at IS NULL
                             THEN known.notice ELSE excluded.notice END,
               told_at = CASE WHEN known.withheld_at IS NULL
                              THEN known.told_at ELSE excluded.told_at END
           WHERE known.withheld_at IS NOT NULL
               OR (known.caller IS NULL AND excluded.caller IS NOT NULL)
           RETURNING notice""",
        *(tenant, announced.program, announced.change.key, now),
        *([one.phone_index for one in rows], [one.caller for one in rows]),
        [one.notice for one in rows],
    )
    return {row["notice"] for row in written} & {one.notice for one in rows}


async def load_told(connection: "Connection", tenant: TenantId, notice: str) -> Told | None:
    """Whom this SMS tells of what; None when another one does by now."""
    row = await connection.fetchrow(
        """SELECT program, change, phone_index, caller FROM change_tellings
           WHERE tenant = $1 AND notice = $2 AND withheld_at IS NULL""",
        *(tenant, notice),
    )
    if row is None:
        return None
    return Told(
        program=ProgramId(row["program"]),
        change=row["change"],
        phone_index=row["phone_index"],
        caller=None if row["caller"] is None else CallerId(row["caller"]),
    )


async def note_withheld(
    connection: "Connection", tenant: TenantId, notice: str, now: datetime
) -> None:
    """It was not sent: should its reader become a customer again, another one will be."""
    await connection.execute(
        """UPDATE change_tellings SET withheld_at = $3
           WHERE tenant = $1 AND notice = $2 AND withheld_at IS NULL""",
        *(tenant, notice, now),
    )


async def holds_unused_voucher(
    connection: "Connection", tenant: TenantId, program: ProgramId, caller: CallerId, at: datetime
) -> bool:
    """Whether the account has a voucher of the program that is unused and good at that moment."""
    return bool(
        await connection.fetchval(
            """SELECT EXISTS (SELECT FROM vouchers
                   WHERE tenant = $1 AND program = $2 AND holder = $3
                       AND state = ANY ($4::text[]) AND valid_until > $5)""",
            *(tenant, program, caller, _UNUSED, at),
        )
    )


async def terms_behind(
    connection: "Connection", tenant: TenantId, told: Told, sponsor: str
) -> list[PolicyTerms]:
    """Policies of this sponsor whose holder has the number, or by which the account is served."""
    rows: list[Record] = await connection.fetch(
        f"""SELECT {_TERMS} FROM insurance_policies AS policy
            WHERE tenant = $1 AND sponsor = $2 AND id IN (
                SELECT policy FROM policy_people
                WHERE tenant = $1 AND phone_index = $3 AND role = $4
                UNION SELECT policy FROM proven_insured WHERE tenant = $1 AND caller = $5
                UNION SELECT backed.policy FROM orders JOIN order_entitlements AS backed
                    ON backed.tenant = $1 AND backed.order_id = orders.id
                WHERE orders.tenant = $1 AND orders.caller = $5 AND orders.program = $6)""",
        *(tenant, sponsor, told.phone_index, Role.POLICYHOLDER.value, told.caller, told.program),
    )
    return [read_terms(row) for row in rows]
