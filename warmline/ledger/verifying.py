"""All of the ledger is read and compared: every chain, every row it speaks of, every seal."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from billing.ledger import GENESIS, Fault
from billing.seals import Digest, LedgerSeal
from billing.store.books import Verified, faults_in_books, tenants_of
from billing.store.seals import (
    count_overdue,
    count_unsealed,
    digest_of_seal,
    sealed_heads,
    seals_of,
    unmet_heads,
)
from terms.ids import BookId, TenantId
from warmline.ledger.sealing import PURPOSE, SEALED_WITHIN
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from warmline.database import Connection

MOST_NAMED = 1_000
"""Of more faults of one tenant only the number is told."""


@dataclass(frozen=True, slots=True)
class ExpectedSeal:
    """A seal that somebody kept outside of the database: its number, and how its digest begins."""

    number: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SealsAsked:
    """What is asked of the seals beyond what they say themselves.

    `overdue`: that every entry is sealed which is so old that it has to be; else nobody notices
    that all seals were removed, or the newest ones.
    """

    overdue: bool = True
    expected: Mapping[TenantId, ExpectedSeal] = field(default_factory=dict)


@dataclass(slots=True)
class Findings:
    """What was read of one tenant's ledger, and what is wrong with it."""

    tenant: TenantId
    books: int = 0
    entries: int = 0
    seals: int = 0
    unsealed: int = 0  # entries no seal covers yet
    overdue: int = 0  # .. of which so old that one must
    last_seal: LedgerSeal | None = None
    fault_count: int = 0
    faults: list[Fault] = field(default_factory=list)

    def note(self, fault: Fault) -> None:
        """Something is wrong; of very many only the first are kept."""
        self.fault_count += 1
        if len(self.faults) < MOST_NAMED:
            self.faults.append(fault)


async def verify(
    connection: "Connection",
    seal: AesSeal,
    tenant: TenantId | None = None,
    asked: SealsAsked | None = None,
) -> list[Findings]:
    """Verify one tenant's ledger, or everybody's, as it is at this moment, in bounded memory."""
    asked = asked or SealsAsked(overdue=False)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        tenants = [tenant] if tenant else sorted({*await tenants_of(connection), *asked.expected})
        return [await _verify(connection, seal, one, asked) for one in tenants]


async def _verify(
    connection: "Connection", seal: AesSeal, tenant: TenantId, asked: SealsAsked
) -> Findings:
    findings, verified = Findings(tenant), Verified()
    async for fault in faults_in_books(connection, tenant, verified):
        findings.note(fault)
    findings.books, findings.entries = verified.books, verified.entries
    async for fault in _faults_in_seals(connection, seal, findings):
        findings.note(fault)
    async for number, head, is_there in unmet_heads(connection, tenant):
        what = "is not what it was" if is_there else "is gone"
        findings.note(Fault(head.book, head.number, f"{what}: seal {number} saw it"))
    findings.unsealed = await count_unsealed(connection, tenant)
    await _look_for_missing_seals(connection, findings, asked)
    return findings


async def _look_for_missing_seals(
    connection: "Connection", findings: Findings, asked: SealsAsked
) -> None:
    """What the seals that are left cannot tell: that the newest ones, or all, were removed."""
    tenant = findings.tenant
    if asked.overdue and findings.unsealed:
        findings.overdue = await count_overdue(connection, tenant, SEALED_WITHIN)
    if findings.overdue:
        what = f"{findings.overdue} entries that a seal must cover by now are in none: it is gone"
        findings.note(_fault(findings.seals + 1, what))
    expected = asked.expected.get(tenant)
    if expected is None:
        return
    digest = await digest_of_seal(connection, tenant, expected.number)
    if digest is None:
        findings.note(_fault(expected.number, "is expected, and there is no such seal"))
    elif not digest.hex().startswith(expected.digest):
        findings.note(_fault(expected.number, f"is not the expected one: {digest.hex()}"))


async def _faults_in_seals(
    connection: "Connection", seal: AesSeal, findings: Findings
) -> AsyncIterator[Fault]:
    """The chain of seals, their signatures, and whether each still covers what it covered."""
    tenant = findings.tenant
    heads = aiter(sealed_heads(connection, tenant))
    head = await anext(heads, None)
    previous = GENESIS
    async for one in seals_of(connection, tenant):
        findings.seals += 1
        while head is not None and head[0] < findings.seals:
            yield _fault(head[0], f"covers {head[1].book}, but there is no such seal")
            head = await anext(heads, None)
        if one.number != findings.seals:
            yield _fault(one.number, f"follows seal {findings.seals - 1}: one is missing")
            findings.seals = one.number
        digest = Digest(tenant, one.number, one.sealed_at, previous)
        while head is not None and head[0] == one.number:
            digest.add(head[1])
            head = await anext(heads, None)
        if digest.value() != one.digest or digest.books != one.books:
            yield _fault(one.number, "does not say what it said when it was set")
        if not seal.signed(one.digest, PURPOSE, one.signature):
            yield _fault(one.number, "was not signed by this installation")
        previous, findings.last_seal = one.digest, one
    while head is not None:
        yield _fault(head[0], f"covers {head[1].book}, but there is no such seal")
        head = await anext(heads, None)


def _fault(number: int, what: str) -> Fault:
    return Fault(BookId("seals"), number, what)
