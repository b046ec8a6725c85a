"""One word for all that a run leaves in its books: runs that end alike have it in common.

It is how a change that should change nothing shows that it did not.
"""

from collections.abc import Iterator
from dataclasses import fields
from hashlib import sha256
from operator import attrgetter

from billing.order import Order
from dialer.call import Call
from dialer.leg import Leg
from routing.counselor import Counselor
from warmline.simulation.books import Books

_CALL, _LEG, _ORDER = (
    attrgetter(*[field.name for field in fields(kind) if field.name != "legs"])
    for kind in (Call, Leg, Order)
)
_COUNSELOR = attrgetter(
    *[one.name for one in fields(Counselor) if one.name not in ("programs", "roles", "skills")]
)


def digest_of(books: Books) -> str:
    """Over every order, call, leg and counselor, and the hashes in which every book ends."""
    whole = sha256()
    for record in _records(books):
        whole.update(repr(record).encode())
    return whole.hexdigest()[:32]


def _records(books: Books) -> Iterator[object]:
    yield from map(_ORDER, books.orders.values())
    for call in books.calls.values():
        yield _CALL(call)
        yield from map(_LEG, call.legs)
    yield from map(_COUNSELOR, books.counselors.values())
    for book, entries in books.ledger.items():
        yield book, entries[-1].hash
