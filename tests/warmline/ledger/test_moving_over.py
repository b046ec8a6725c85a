"""What was counted before there was a ledger is in it after the migration, unbroken."""

from typing import TYPE_CHECKING

import asyncpg
import pytest

from billing import store
from billing.ledger import balances
from terms.ids import BookId, TenantId
from warmline.database.migrate import migrate, shipped
from warmline.ledger.verifying import verify
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Record

THE_LEDGER = 10
GRADED_BOOKS = 29

BEFORE = """
INSERT INTO vouchers VALUES
    ('house', 'v1', 'psych-listening', 'consumed', '\\x0102', '7K2M', '2030-02-01Z',
     '2030-01-01 04:00:01.5Z', '林', 'o1', NULL, 0, 4),
    ('house', 'v2', 'psych-listening', 'returned', '\\x0103', '8K2M', '2030-02-01Z',
     '2030-01-02Z', 'lin', NULL, 'v1', 1, 3);
INSERT INTO voucher_movements VALUES
    ('house', 'v1', 1, 'issuer', 'pending', 'prepared', NULL, '/prepared', '2030-01-01Z'),
    ('house', 'v1', 2, 'pending', 'issued', 'issued', NULL, '/issued', '2030-01-01Z'),
    ('house', 'v1', 3, 'issued', 'held', 'held', 'o1', 'o1/held', '2030-01-01 04:00Z'),
    ('house', 'v1', 4, 'held', 'consumed', 'connected', 'o1', 'o1/connected',
     '2030-01-01 04:00:01.5Z'),
    ('house', 'v2', 1, 'issuer', 'issued', 'issued', NULL, '/issued', '2030-01-01Z'),
    ('house', 'v2', 2, 'issued', 'held', 'held', 'o2', 'o2/held', '2030-01-01 04:00Z'),
    ('house', 'v2', 3, 'held', 'returned', 'no_contact', 'o2', 'o2/no_contact', '2030-01-02Z');
INSERT INTO orders (tenant, id, caller, program, program_version, program_digest, voucher,
    one_at_a_time, opened_at, expires_at, granted_seconds, state, remaining_seconds, talked_seconds,
    attempts_counted, connected_at, resume_until, closed_at, closed_by, closed_reason, version)
VALUES
    ('house', 'o1', 'lin', 'psych-listening', '1', 'd', 'v1', false, '2030-01-01 04:00Z',
     '2030-01-02 04:00Z', 1500, 'completed', 900, 600, 0, '2030-01-01 04:01Z', NULL,
     '2030-01-01 04:11Z', 'call', 'party_ended', 3),
    ('house', 'o2', 'lin', 'psych-listening', '1', 'd', 'v2', false, '2030-01-01 04:00Z',
     '2030-01-02 04:00Z', 1500, 'cancelled', 1500, 0, 3, NULL, NULL,
     '2030-01-01 05:00Z', 'call', 'no_contact', 3),
    ('house', 'o3', 'mei', 'psych-listening', '1', 'd', NULL, false, '2030-01-01 04:00Z',
     '2030-01-02 04:00Z', 1500, 'interrupted', 300, 1400, 0, '2030-01-01 04:01Z',
     '2030-01-02 04:00Z', NULL, NULL, NULL, 3),
    ('house', 'o4', 'mei', 'hotline', '1', 'd', NULL, false, '2030-01-01 04:00Z',
     '2030-01-02 04:00Z', NULL, 'completed', NULL, 4000, 0, '2030-01-01 04:01Z', NULL,
     '2030-01-01 06:00Z', 'call', 'party_ended', 3),
    ('house', 'o5', 'wu', 'psych-listening', '1', 'd', NULL, false, '2030-01-01 04:00Z',
     '2030-01-02 04:00Z', 1500, 'completed', 0, 1700, 0, '2030-01-01 04:01Z', NULL,
     '2030-01-01 06:00Z', 'call', 'party_ended', 3);
"""


@pytest.mark.rule("X56")
async def test_vouchers_and_orders_from_before_are_moved_over_unbroken(
    empty_database: str, seal: AesSeal
) -> None:
    connection: asyncpg.Connection[Record] = await asyncpg.connect(
        empty_database, server_settings={"timezone": "UTC"}
    )
    try:
        await migrate(connection, [one for one in shipped() if one.version < THE_LEDGER])
        await connection.execute(BEFORE)

        await migrate(connection, shipped())

        (found,) = await verify(connection, seal)
        assert found.faults == []
        assert found.books == 7
        house = TenantId("house")
        entries = await store.entries_of(connection, house, BookId("voucher/v1"))
        assert [entry.key for entry in entries] == [
            "/prepared",
            "/issued",
            "o1/held",
            "o1/connected",
        ]
        talks = {
            order: balances(await store.entries_of(connection, house, BookId(f"talk/{order}")))
            for order in ("o1", "o3", "o4", "o5")
        }
        assert talks["o1"] == {"issuer": -1500, "remaining": 0, "talked": 600, "lapsed": 900}
        assert talks["o3"] == {"issuer": -1700, "remaining": 300, "talked": 1400}
        assert talks["o4"] == {"remaining": 0, "issuer": -4000, "talked": 4000}
        assert talks["o5"] == {"issuer": -1700, "remaining": 0, "talked": 1700}
    finally:
        await connection.close()


LINES = """
INSERT INTO call_grades (tenant, call, order_id, program, counselor, ended_at, from_grade, to_grade,
    talked_seconds, at)
VALUES
    ('house', 'c1', 'o1', 'psych-listening', '安娜', '2030-01-01 04:11Z', 'none', 'effective', 600,
     '2030-01-01 04:11:00.25Z'),
    ('house', 'c3', 'o3', 'psych-listening', NULL, '2030-01-01 04:31Z', 'none', 'resumed', 1400,
     '2030-01-01 04:31Z'),
    ('house', 'c1', 'o1', 'psych-listening', '安娜', '2030-01-01 04:11Z', 'effective', 'resumed', 0,
     '2030-01-01 05:11Z');
"""


@pytest.mark.rule("X56")
async def test_lines_of_the_settlement_from_before_are_vouched_for_in_the_order_they_were_written(
    empty_database: str, seal: AesSeal
) -> None:
    connection: asyncpg.Connection[Record] = await asyncpg.connect(
        empty_database, server_settings={"timezone": "UTC"}
    )
    try:
        await migrate(connection, [one for one in shipped() if one.version < THE_LEDGER])
        await connection.execute(BEFORE)
        await migrate(connection, [one for one in shipped() if one.version < GRADED_BOOKS])
        await connection.execute(LINES)

        await migrate(connection, shipped())

        (found,) = await verify(connection, seal)
        assert found.faults == []
        rows = await connection.fetch(
            "SELECT order_id, entry, to_grade FROM call_grades ORDER BY order_id, entry"
        )
        assert [tuple(row) for row in rows] == [
            ("o1", 4, "effective"),
            ("o1", 5, "resumed"),
            ("o3", 4, "resumed"),
        ]
        with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
            await connection.execute("DELETE FROM call_grades")
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("UPDATE call_grades SET counselor = 'wu' WHERE order_id = 'o3'")
        (forged,) = await verify(connection, seal)
        assert [(one.book, one.number) for one in forged.faults] == [("talk/o3", 4)]
    finally:
        await connection.close()
