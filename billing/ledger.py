"""The ledger: everything that is counted, as double entries in chained books. Pure.

A *book* counts one thing: a voucher, the talk seconds of an order, the uses of a quota. It is an
append-only chain of *entries*; each moves units from one account to another, so that a book always
sums to zero, and each carries a hash over the entry before it and itself. Whoever changes, removes
or inserts an entry later breaks the chain; `verify_chain` says where. Corrections are new entries.

The row that a book is about (a voucher, an order, a quota) carries the book's `Head`. It is locked
by whoever decides, so entries of one book are made one after the other.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from terms.ids import BookId, CallId, OrderId
from terms.values import maker, quickly_made

GENESIS = bytes(32)
"""What the first entry of a book follows."""

ISSUER = "issuer"
"""The account everything comes out of: the only one that may hold less than nothing."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@quickly_made
@dataclass(frozen=True, slots=True)
class Head:
    """How far a book has come: the number and the hash of its last entry."""

    number: int = 0
    hash: bytes = GENESIS


BLANK = Head()
"""A book without entries."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """`units` went from one account to another; the sum over all accounts stays zero.

    An entry of 0 units moves nothing: it only says that the facts of the subject changed. `about`
    is a digest of those facts (`facts_digest`), given when they are new or changed; in a later
    entry of talk it is that of the line it adds to the settlement (`billing.talk`). `call` is named
    where one order may give the same reason once per call.
    """

    book: BookId
    number: int  # 1, 2, 3.. per book
    from_account: str
    to_account: str
    units: int
    reason: str
    order: OrderId | None
    at: datetime
    hash: bytes
    call: CallId | None = None
    about: bytes | None = None
    recurs: bool = False  # it may happen again for the same reason: a correction, say

    @property
    def key(self) -> str | None:
        """What a book holds once at most: order, reason and call; None where it may recur."""
        if self.recurs:
            return None
        key = f"{self.order or ''}/{self.reason}"
        return key if self.call is None else f"{key}/{self.call}"

    @property
    def head(self) -> Head:
        """The book's head right after this entry."""
        return _make_head(self.number, self.hash)


_make_head, _make_entry = maker(Head), maker(Entry)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in the books that cannot be: which book, at which entry, and what is wrong."""

    book: BookId
    number: int | None
    what: str


Posted = tuple[Head, Entry]


def post(
    book: BookId,
    head: Head,
    *,
    from_account: str,
    to_account: str,
    units: int,
    reason: str,
    order: OrderId | None,
    at: datetime,
    call: CallId | None = None,
    about: bytes | None = None,
    recurs: bool = False,
) -> Posted:
    """The entry that comes next in `book`, and the head it leads to.

    Raises ValueError for less than nothing, and for 0 units between two accounts.
    """
    if units < 0 or (units == 0) != (from_account == to_account):
        raise ValueError(f"{units} units from {from_account} to {to_account}")
    number = head.number + 1
    digest = _digest(
        head.hash,
        *(book, number, from_account, to_account, units, reason, order, call, recurs, at, about),
    )
    entry = _make_entry(
        book=book,
        number=number,
        from_account=from_account,
        to_account=to_account,
        units=units,
        reason=reason,
        order=order,
        at=at,
        hash=digest,
        call=call,
        about=about,
        recurs=recurs,
    )
    return _make_head(number, digest), entry


def hash_of(previous: bytes, entry: Entry) -> bytes:
    """The hash `entry` must carry after one that carries `previous`."""
    return _digest(
        previous,
        entry.book,
        entry.number,
        entry.from_account,
        entry.to_account,
        entry.units,
        entry.reason,
        entry.order,
        entry.call,
        entry.recurs,
        entry.at,
        entry.about,
    )


def facts_digest(facts: Mapping[str, object]) -> bytes:
    """What an entry says of its subject in `about`: names and values in this order, None left out.

    A fact added later is None for older subjects, so their digests stay what they were.
    """
    told = ""
    for name, fact in facts.items():
        if fact is not None:
            text = fact if type(fact) is str else _fact(fact)
            told += f"{len(name)}:{name}{len(text)}:{text}"  # as `canonical` would
    return sha256(told.encode()).digest()


def canonical(fields: Iterable[str | None]) -> bytes:
    """Fields as bytes that no other fields give: each with its length in characters before it.

    PostgreSQL's `ledger_hash` builds the same bytes.
    """
    return "".join(["-" if one is None else f"{len(one)}:{one}" for one in fields]).encode()


def microseconds(at: datetime) -> int:
    """Exact, since 1970."""
    return (at - _EPOCH) // _MICROSECOND


class Reading:
    """A book read entry by entry, in bounded memory: where it stands, and what is wrong so far."""

    __slots__ = ("about", "book", "head", "last", "told", "units")

    def __init__(self, book: BookId) -> None:
        self.book = book
        self.head = BLANK
        self.last: Entry | None = None
        self.about: bytes | None = None  # the last digest told
        self.told: dict[int, bytes] = {}  # all of them, by the entry
        self.units: defaultdict[str, int] = defaultdict(int)

    def take(self, entry: Entry) -> list[Fault]:
        """The next entry: what is wrong with it. Reading goes on from what it says."""
        faults: list[Fault] = []
        before, units = self.head, self.units
        if entry.number != before.number + 1:
            seen = f"follows entry {before.number}: one is missing or added"
            faults.append(self._fault(entry, seen))
        if hash_of(before.hash, entry) != entry.hash:
            seen = "its hash is not that of its content after the entry before it"
            faults.append(self._fault(entry, seen))
        if entry.units < 0:
            faults.append(self._fault(entry, f"moves {entry.units} units"))
        units[entry.from_account] -= entry.units
        units[entry.to_account] += entry.units
        if units[entry.from_account] < 0 and entry.from_account != ISSUER:
            seen = f"takes more from {entry.from_account} than is there"
            faults.append(self._fault(entry, seen))
        self.head, self.last = entry.head, entry
        if entry.about:
            self.about = self.told[entry.number] = entry.about
        return faults

    def compare(self, head: Head, *about: bytes) -> Iterator[Fault]:
        """What the subject's row must agree with: where the book stands, and its facts where
        the last digest is about them.
        """
        if head.number > self.head.number:
            missing = f"its row knows {head.number} entries, the book ends with {self.head.number}"
            yield Fault(self.book, self.head.number + 1, missing)
        elif head != self.head:
            yield Fault(self.book, self.head.number, "its row does not carry the last entry's hash")
        if about and self.about not in about:
            yield self.other_facts()

    def other_facts(self) -> Fault:
        """The subject's row says of it what the book does not."""
        return Fault(self.book, None, "the facts in its row are not those the book vouches for")

    def _fault(self, entry: Entry, what: str) -> Fault:
        return Fault(self.book, entry.number, what)


def read(entries: Iterable[Entry]) -> tuple[Reading | None, list[Fault]]:
    """One book's entries, in order; None for none."""
    reading: Reading | None = None
    faults: list[Fault] = []
    for entry in entries:
        reading = reading or Reading(entry.book)
        faults += reading.take(entry)
    return reading, faults


def verify_chain(entries: Iterable[Entry]) -> list[Fault]:
    """Everything that is wrong with one book's entries, from the first on."""
    return read(entries)[1]


def balances(entries: Iterable[Entry]) -> dict[str, int]:
    """What each account of these entries holds; their sum is zero."""
    units: Counter[str] = Counter()
    for entry in entries:
        units[entry.from_account] -= entry.units
        units[entry.to_account] += entry.units
    return dict(units)


def _digest(
    previous: bytes,
    book: str,
    number: int,
    from_account: str,
    to_account: str,
    units: int,
    reason: str,
    order: str | None,
    call: str | None,
    recurs: bool,
    at: datetime,
    about: bytes | None,
) -> bytes:
    # As `canonical` would give them, written out: every entry is hashed at least twice.
    moment, count, moved = str(microseconds(at)), str(number), str(units)
    told = (
        f"{len(book)}:{book}{len(count)}:{count}{len(from_account)}:{from_account}"
        f"{len(to_account)}:{to_account}{len(moved)}:{moved}{len(reason)}:{reason}"
        f"{'-' if order is None else f'{len(order)}:{order}'}"
        f"{'-' if call is None else f'{len(call)}:{call}'}{_RECURS if recurs else _ONCE}"
        f"{len(moment)}:{moment}{'-' if about is None else f'{2 * len(about)}:{about.hex()}'}"
    )
    return sha256(previous + told.encode()).digest()


_RECURS, _ONCE = "4:true", "5:false"


def _text(flag: bool) -> str:
    return "true" if flag else "false"


def _fact(fact: object) -> str:
    if isinstance(fact, datetime):
        return str(microseconds(fact))
    if isinstance(fact, bytes):
        return fact.hex()
    if isinstance(fact, bool):
        return _text(fact)
    return str(fact)
