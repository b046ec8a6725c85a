"""The ledger in PostgreSQL: the same bytes, the same hashes, and what the database refuses."""

import asyncio
from datetime import date, timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing import store
from billing.ledger import BLANK, Entry, hash_of, post
from billing.quota import Period, Quota, hold, left, quota_on
from billing.store import QuotaMoved
from billing.store.ledger import insert_entries
from terms.ids import BookId, CallId, OrderId, TenantId
from terms.refusals import Refused
from tests.billing.stories import DOCTOR, NOON, an_order

if TYPE_CHECKING:
    from asyncpg import Pool, Record

HOUSE = TenantId("house")
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
ENTRIES = st.builds(
    Entry,
    book=WORDS.map(BookId),
    number=st.integers(1, 2**31 - 1),
    from_account=WORDS,
    to_account=WORDS,
    units=st.integers(0, 2**31 - 1),
    reason=WORDS,
    order=st.none() | WORDS.map(OrderId),
    at=st.timedeltas(timedelta(days=-20_000), timedelta(days=2_000_000)).map(
        lambda since: NOON + since
    ),
    hash=st.binary(min_size=32, max_size=32),
    call=st.none() | WORDS.map(CallId),
    about=st.none() | st.binary(min_size=32, max_size=32),
    recurs=st.booleans(),
)


@pytest.mark.rule("X56")
async def test_python_and_postgresql_hash_an_entry_alike(database: "Pool[Record]") -> None:
    drawn: list[Entry] = []

    @settings(max_examples=300, database=None, suppress_health_check=list(HealthCheck))
    @given(ENTRIES)
    def draw(entry: Entry) -> None:
        drawn.append(entry)

    draw()
    async with database.acquire() as connection:
        ask = await connection.prepare(
            "SELECT ledger_hash($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        )
        for entry in drawn:
            theirs = await ask.fetchval(
                entry.hash,
                *(entry.book, entry.number, entry.from_account, entry.to_account, entry.units),
                *(entry.reason, entry.order, entry.call, entry.recurs, entry.at, entry.about),
            )
            assert theirs == hash_of(entry.hash, entry)
    assert len(drawn) >= 100


async def test_an_entry_comes_back_from_the_database_as_it_went_in(
    database: "Pool[Record]",
) -> None:
    _, entry = post(
        BookId("voucher/1"),
        BLANK,
        from_account="issuer",
        to_account="issued",
        units=1,
        reason="issued",
        order=None,
        at=NOON,
        about=bytes(32),
    )
    async with database.acquire() as connection:
        await insert_entries(connection, HOUSE, [entry])

        assert await store.entries_of(connection, HOUSE, entry.book) == [entry]


@pytest.mark.rule("X56")
async def test_the_database_books_one_reason_of_an_order_once(database: "Pool[Record]") -> None:
    head, entries = BLANK, []
    for giver, taker in (("issuer", "held"), ("held", "issuer")):
        head, entry = post(
            BookId("quota/1"),
            head,
            from_account=giver,
            to_account=taker,
            units=1,
            reason="held",
            order=OrderId("order-1"),
            at=NOON,
        )
        entries.append(entry)
    async with database.acquire() as connection:
        with pytest.raises(asyncpg.UniqueViolationError):
            await insert_entries(connection, HOUSE, entries)


def a_quota() -> Quota:
    day = date(2030, 1, 1)
    return quota_on(day, program=DOCTOR, subject="person-1", period=Period.CALENDAR_YEAR)


@pytest.mark.rule("B29", "C15")
async def test_of_fifty_orders_at_once_a_quota_of_three_lets_three_in(
    database: "Pool[Record]",
) -> None:
    async def take(number: int) -> None:
        async with database.acquire() as connection, connection.transaction():
            quota = await store.lock_quota(connection, HOUSE, a_quota())
            order = OrderId(f"order-{number}")
            held, entry = hold(quota, order=order, limit=3, at=NOON)
            await store.save_quota(connection, HOUSE, held, entry)

    answers = await asyncio.gather(*(take(n) for n in range(50)), return_exceptions=True)

    assert sum(answer is None for answer in answers) == 3
    assert sum(isinstance(answer, Refused) for answer in answers) == 47
    async with database.acquire() as connection:
        kept = await store.load_quota(connection, HOUSE, a_quota().book)
        assert kept is not None
        entries = await store.entries_of(connection, HOUSE, kept.book)
    assert left(kept, 3, NOON) == 0
    assert [entry.number for entry in entries] == [1, 2, 3]


async def test_a_quota_comes_back_as_it_went_in_and_a_stale_one_is_not_written(
    database: "Pool[Record]",
) -> None:
    async with database.acquire() as connection:
        blank = await store.lock_quota(connection, HOUSE, a_quota())
        assert blank == a_quota()
        held, entry = hold(blank, order=OrderId("order-1"), limit=3, at=NOON)
        await store.save_quota(connection, HOUSE, held, entry)
        other, late = hold(blank, order=OrderId("order-2"), limit=3, at=NOON)
        with pytest.raises(QuotaMoved):
            await store.save_quota(connection, HOUSE, other, late)

        assert await store.load_quota(connection, HOUSE, held.book) == held


async def test_an_order_paid_by_a_quota_is_locked_with_it(database: "Pool[Record]") -> None:
    async with database.acquire() as connection, connection.transaction():
        blank = await store.lock_quota(connection, HOUSE, a_quota())
        order = an_order(voucher=None, quota=blank.book)
        held, entry = hold(blank, order=order.id, limit=1, at=NOON)
        await store.save_quota(connection, HOUSE, held, entry)
        await store.insert_order(connection, HOUSE, order)

        locked = await store.lock_order_with_payment(connection, HOUSE, order.id)

    assert locked is not None
    assert (locked.order, locked.voucher, locked.quota) == (order, None, held)
