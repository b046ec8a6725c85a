"""Seals are set from time to time, on what changed, once."""

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from billing import store
from billing.ledger import BLANK, post
from billing.store.ledger import insert_entries
from billing.store.seals import count_unsealed
from terms.ids import BookId, OrderId, TenantId
from tests.billing.stories import NOON, a_voucher, made
from tests.warmline.ledger.books import HOUSE, keep_books
from warmline.clock import VirtualClock
from warmline.ledger import sealing
from warmline.ledger.sealing import LedgerSealer, set_seals
from warmline.ledger.verifying import verify
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record


async def sealed(pool: "Pool[Record]") -> list[tuple[int, int]]:
    rows = await pool.fetch("SELECT number, books FROM ledger_seals ORDER BY number")
    return [(row["number"], row["books"]) for row in rows]


@pytest.mark.rule("X56")
async def test_every_hour_what_changed_since_is_sealed_and_nothing_else(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    clock = VirtualClock(NOON)
    sealer = LedgerSealer(database, seal, clock)
    async with database.acquire() as connection:
        await store.insert_vouchers(connection, HOUSE, [made("voucher-1"), made("voucher-2")])

    await sealer.look()
    assert await sealed(database) == [(1, 2)]
    async with database.acquire() as connection:
        await store.insert_vouchers(connection, HOUSE, [made("voucher-3")])
    clock.advance(3599)
    await sealer.look()
    assert await sealed(database) == [(1, 2)]
    clock.advance(1)
    await sealer.look()
    assert await sealed(database) == [(1, 2), (2, 1)]
    clock.advance(3600)
    assert await sealer.look() == clock.now() + timedelta(hours=1)

    assert await sealed(database) == [(1, 2), (2, 1)]
    async with database.acquire() as connection:
        assert await count_unsealed(connection, HOUSE) == 0


async def test_a_process_that_starts_seals_whatever_is_not_sealed_however_old(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    async with database.acquire() as connection:
        await store.insert_vouchers(connection, HOUSE, [made("voucher-1")])

    await LedgerSealer(database, seal, VirtualClock(NOON + timedelta(days=400))).look()

    assert await sealed(database) == [(1, 1)]


async def test_every_tenant_has_seals_of_its_own_and_many_books_get_several(
    database: "Pool[Record]", seal: AesSeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "MOST_BOOKS", 2)
    async with database.acquire() as connection:
        for tenant, count in (("house", 3), ("other", 1)):
            vouchers = [made(f"voucher-{n}") for n in range(count)]
            await store.insert_vouchers(connection, TenantId(tenant), vouchers)
        async with connection.transaction():
            set_ = await set_seals(connection, seal, NOON)
        found = await verify(connection, seal)

    told = [(one.tenant, one.number, one.books) for one in set_]
    assert told == [("house", 1, 2), ("house", 2, 1), ("other", 1, 1)]
    assert [fault for one in found for fault in one.faults if fault.book == "seals"] == []
    assert [one.unsealed for one in found] == [0, 0]


async def test_while_one_process_seals_the_others_leave_it_alone(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    async with database.acquire() as one, database.acquire() as other:
        await store.insert_vouchers(one, HOUSE, [made("voucher-1")])
        async with one.transaction(), other.transaction():
            assert len(await set_seals(one, seal, NOON)) == 1
            assert await set_seals(other, seal, NOON) == []

    assert await sealed(database) == [(1, 1)]


async def test_what_was_being_written_while_a_seal_was_set_is_in_the_next(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    clock = VirtualClock(NOON)
    sealer = LedgerSealer(database, seal, clock)
    async with database.acquire() as connection:
        await store.insert_vouchers(connection, HOUSE, [made("voucher-1")])
        async with connection.transaction():
            await store.insert_vouchers(connection, HOUSE, [made("voucher-2")])
            await sealer.look()
    clock.advance(3600)
    await sealer.look()

    assert await sealed(database) == [(1, 1), (2, 1)]


@pytest.mark.rule("X56")
async def test_no_personal_data_is_in_a_seal(database: "Pool[Record]", seal: AesSeal) -> None:
    await keep_books(database, seal)

    rows = await database.fetch(
        """SELECT to_jsonb(ledger_seals) AS told FROM ledger_seals
           UNION ALL SELECT to_jsonb(ledger_sealed_heads) FROM ledger_sealed_heads"""
    )

    told = [json.loads(row["told"]) for row in rows]
    assert {name for one in told for name in one} == {
        *("tenant", "number", "sealed_at", "books", "digest", "signature"),
        *("book", "hash", "seal"),
    }
    assert not any(a_voucher().code_ending in json.dumps(one) for one in told)


async def test_a_correction_is_a_new_entry_and_seals_go_on(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    """The same reason again is let in where it is a correction."""
    head, entries = BLANK, []
    for giver, taker in (("issuer", "remaining"), ("remaining", "issuer")) * 2:
        head, entry = post(
            BookId("talk/order-1"),
            head,
            from_account=giver,
            to_account=taker,
            units=5,
            reason="corrected",
            order=OrderId("order-1"),
            at=NOON,
            recurs=True,
        )
        entries.append(entry)
    async with database.acquire() as connection:
        for pair in (entries[:2], entries[2:]):
            await insert_entries(connection, HOUSE, pair)
            async with connection.transaction():
                assert len(await set_seals(connection, seal, NOON)) == 1
