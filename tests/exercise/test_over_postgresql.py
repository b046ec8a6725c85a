"""Fifty clients at once over PostgreSQL: nothing is used twice, nothing is lost, verify passes."""

import asyncio

import asyncpg
import pytest

from tests.exercise import CLIENTS, OPERATIONS_OVER_POSTGRESQL
from tests.exercise.clients import HOUSE, Client, Shared
from warmline.ledger.verifying import verify
from warmline.seal import AesSeal

USED_OTHERWISE_THAN_ONCE = """
    SELECT book, sum((to_account = 'consumed')::int - (from_account = 'consumed')::int) AS uses
    FROM ledger_entries WHERE book LIKE 'voucher/%' GROUP BY book
    HAVING sum((to_account = 'consumed')::int - (from_account = 'consumed')::int) NOT IN (0, 1)"""

# When the talk is found out after the order gave its voucher back, somebody else may have it.
TALKED_AND_NOT_PAID = """
    SELECT id FROM orders, LATERAL (
        SELECT count(*) FILTER (WHERE to_account IN ('consumed', 'used')) AS paid,
            bool_or(from_account = 'held' AND to_account IN ('returned', 'expired')) AS was_back
        FROM ledger_entries WHERE tenant = orders.tenant AND order_id = orders.id) AS entry
    WHERE connected_at IS NOT NULL AND paid <> 1 AND NOT (paid = 0 AND was_back)"""

PAID_AND_NOT_TALKED = """
    SELECT order_id FROM ledger_entries JOIN orders ON orders.id = order_id
    WHERE reason = 'connected' AND connected_at IS NULL"""

USED_AND_MOVED_WITHOUT_A_DECISION = """
    SELECT book, number FROM ledger_entries
    WHERE from_account = 'consumed' AND reason <> 'claim_granted'"""

UNITS = """
    SELECT count(*) FILTER (WHERE from_account = 'issuer') AS given,
        (SELECT count(*) FROM vouchers) AS vouchers,
        sum(CASE WHEN to_account = 'issuer' THEN units ELSE 0 END) AS taken_back
    FROM ledger_entries WHERE book LIKE 'voucher/%'"""

HELD_BY_NOBODY_ALIVE = """
    SELECT vouchers.id FROM vouchers JOIN orders ON orders.id = vouchers.order_id
    WHERE vouchers.state = 'held' AND orders.state NOT IN ('open', 'in_call')"""


@pytest.mark.rule("A18", "A19", "X02", "X56")
async def test_fifty_clients_at_once_lose_nothing_and_use_nothing_twice(
    database_url: str, seal: AesSeal
) -> None:
    shared = Shared(OPERATIONS_OVER_POSTGRESQL)
    async with asyncpg.create_pool(
        database_url, min_size=CLIENTS, max_size=CLIENTS, server_settings={"timezone": "UTC"}
    ) as pool:
        async with asyncio.TaskGroup() as clients:
            for number in range(CLIENTS):
                clients.create_task(Client(pool, shared, number).work())

        for question in (
            USED_OTHERWISE_THAN_ONCE,
            TALKED_AND_NOT_PAID,
            PAID_AND_NOT_TALKED,
            HELD_BY_NOBODY_ALIVE,
            USED_AND_MOVED_WITHOUT_A_DECISION,
        ):
            assert await pool.fetch(question) == []
        units = await pool.fetchrow(UNITS)
        assert units is not None
        assert (units["given"], units["taken_back"]) == (units["vouchers"], 0)
        async with pool.acquire() as connection:
            (found,) = await verify(connection, seal, HOUSE)
    assert found.faults == []
    assert shared.done > OPERATIONS_OVER_POSTGRESQL / 2
    assert found.entries > shared.done / 3
