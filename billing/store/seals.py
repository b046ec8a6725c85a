"""Seals over the ledger, and what of it is not sealed yet."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from billing.seals import LedgerSeal, SealedHead
from terms.ids import BookId, TenantId

if TYPE_CHECKING:
    from billing.store.connection import Connection, Record

_AT_ONCE = 2_000
_SECONDS = 3_600.0

_LOCK = 0x6C656467_65727365  # "ledgerse": one process seals, the others leave it to that one

_UNSEALED = """NOT EXISTS (
    SELECT FROM ledger_sealed_heads AS sealed
    WHERE sealed.tenant = entry.tenant AND sealed.book = entry.book
        AND sealed.number >= entry.number)"""


async def alone_to_seal(connection: "Connection") -> bool:
    """Whether nobody else seals until this transaction ends."""
    return bool(await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK))


async def unsealed_heads(
    connection: "Connection", since: datetime | None
) -> AsyncIterator[tuple[TenantId, SealedHead]]:
    """The heads of all books that have entries no seal covers, by tenant and book.

    Entries older than `since` are not looked at; None looks at all.
    """
    rows = connection.cursor(
        f"""SELECT DISTINCT ON (tenant, book) tenant, book, number, hash
            FROM ledger_entries AS entry
            WHERE ($1::timestamptz IS NULL OR at >= $1) AND {_UNSEALED}
            ORDER BY tenant, book, number DESC""",
        since,
        prefetch=_AT_ONCE,
        timeout=_SECONDS,
    )
    async for row in rows:
        yield TenantId(row["tenant"]), _head(row)


async def count_unsealed(connection: "Connection", tenant: TenantId) -> int:
    """How many entries no seal covers yet."""
    counted: int = await connection.fetchval(
        f"SELECT count(*) FROM ledger_entries AS entry WHERE tenant = $1 AND {_UNSEALED}",
        tenant,
        timeout=_SECONDS,
    )
    return counted


async def count_overdue(connection: "Connection", tenant: TenantId, within: timedelta) -> int:
    """How many entries no seal covers though others came more than `within` later."""
    counted: int = await connection.fetchval(
        f"""SELECT count(*) FROM ledger_entries AS entry
            WHERE tenant = $1 AND at < (
                SELECT max(at) FROM ledger_entries WHERE tenant = $1) - $2::interval
                AND {_UNSEALED}""",
        *(tenant, within),
        timeout=_SECONDS,
    )
    return counted


async def last_seal(connection: "Connection", tenant: TenantId) -> LedgerSeal | None:
    """The newest seal; None before the first."""
    row = await connection.fetchrow(
        """SELECT tenant, number, sealed_at, books, digest, signature FROM ledger_seals
           WHERE tenant = $1 ORDER BY number DESC LIMIT 1""",
        tenant,
    )
    return _seal(row) if row else None


async def digest_of_seal(connection: "Connection", tenant: TenantId, number: int) -> bytes | None:
    """What the seal of this number says; None where there is none."""
    digest: bytes | None = await connection.fetchval(
        "SELECT digest FROM ledger_seals WHERE tenant = $1 AND number = $2", tenant, number
    )
    return digest


async def insert_seal(
    connection: "Connection", seal: LedgerSeal, heads: Sequence[SealedHead]
) -> None:
    """A new seal, and what it covers."""
    await connection.execute(
        """INSERT INTO ledger_seals (tenant, number, sealed_at, books, digest, signature)
           VALUES ($1, $2, $3, $4, $5, $6)""",
        *(seal.tenant, seal.number, seal.sealed_at, seal.books, seal.digest, seal.signature),
    )
    await connection.copy_records_to_table(
        "ledger_sealed_heads",
        records=[(seal.tenant, one.book, one.number, one.hash, seal.number) for one in heads],
        columns=["tenant", "book", "number", "hash", "seal"],
    )


async def seals_of(connection: "Connection", tenant: TenantId) -> AsyncIterator[LedgerSeal]:
    """All seals, the oldest first; in a transaction."""
    rows = connection.cursor(
        """SELECT tenant, number, sealed_at, books, digest, signature FROM ledger_seals
           WHERE tenant = $1 ORDER BY number""",
        tenant,
        prefetch=_AT_ONCE,
    )
    async for row in rows:
        yield _seal(row)


async def sealed_heads(
    connection: "Connection", tenant: TenantId
) -> AsyncIterator[tuple[int, SealedHead]]:
    """What every seal covers, by the seal's number and then by book; in a transaction."""
    rows = connection.cursor(
        """SELECT seal, book, number, hash FROM ledger_sealed_heads
           WHERE tenant = $1 ORDER BY seal, book""",
        tenant,
        prefetch=_AT_ONCE,
        timeout=_SECONDS,
    )
    async for row in rows:
        yield row["seal"], _head(row)


async def unmet_heads(
    connection: "Connection", tenant: TenantId
) -> AsyncIterator[tuple[int, SealedHead, bool]]:
    """Sealed heads that the ledger does not bear out, and whether such an entry is there at all."""
    rows = connection.cursor(
        """SELECT seal, book, number, sealed.hash, entry.hash IS NOT NULL AS is_there
           FROM ledger_sealed_heads AS sealed
           LEFT JOIN ledger_entries AS entry USING (tenant, book, number)
           WHERE sealed.tenant = $1 AND entry.hash IS DISTINCT FROM sealed.hash
           ORDER BY book, number""",
        tenant,
        prefetch=_AT_ONCE,
        timeout=_SECONDS,
    )
    async for row in rows:
        yield row["seal"], _head(row), row["is_there"]


def _seal(row: "Record") -> LedgerSeal:
    return LedgerSeal(
        tenant=TenantId(row["tenant"]),
        number=row["number"],
        sealed_at=row["sealed_at"],
        books=row["books"],
        digest=row["digest"],
        signature=row["signature"],
    )


def _head(row: "Record") -> SealedHead:
    return SealedHead(BookId(row["book"]), row["number"], row["hash"])
