"""Seals over the ledger: what stood in its books at a moment, in a form nobody can take back. Pure.

A chain tells that its entries belong together. It cannot tell that the last ones were cut off, or
that a whole book is gone, with its row. A seal can: it covers the heads of all books that changed
since the seal before it, follows that one, and is signed with a key of this installation alone.
Books are named by ids, so no personal data is in a seal.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from billing.ledger import GENESIS, canonical, microseconds
from terms.ids import BookId, TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSeal:
    """One seal over the heads of `books` books. `signature` is over `digest`."""

    tenant: TenantId
    number: int  # 1, 2, 3.. per tenant
    sealed_at: datetime
    books: int
    digest: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class SealedHead:
    """How far a book had come when it was sealed."""

    book: BookId
    number: int
    hash: bytes


class Digest:
    """What a seal says, gathered head by head, in the order of their books."""

    __slots__ = ("_hash", "books")

    def __init__(
        self, tenant: TenantId, number: int, sealed_at: datetime, previous: bytes = GENESIS
    ) -> None:
        opening = canonical((tenant, str(number), str(microseconds(sealed_at))))
        self._hash = sha256(previous + opening)
        self.books = 0

    def add(self, head: SealedHead) -> None:
        """The next head."""
        self._hash.update(canonical((head.book, str(head.number), head.hash.hex())))
        self.books += 1

    def value(self) -> bytes:
        """The digest over all that was added."""
        closed = self._hash.copy()
        closed.update(canonical((str(self.books),)))
        return closed.digest()
