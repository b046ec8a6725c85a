"""Whoever can do anything with the database changes one thing: verify finds it and names it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest

from billing import store
from billing.ledger import BLANK, facts_digest, post
from billing.store.ledger import insert_entries
from billing.talk import book_of
from tests.billing.stories import DAY, NOON, an_order, made
from tests.warmline.ledger.books import HOUSE, keep_books
from warmline.ledger.sealing import set_seals
from warmline.ledger.verifying import ExpectedSeal, SealsAsked, verify
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

OWNERS = {
    "ledger_entries": "book",
    "vouchers": "'voucher/' || id",
    "quotas": "book",
    "orders": "'talk/' || id",
    "call_grades": "'talk/' || order_id",
    "ledger_sealed_heads": "book",
    "ledger_seals": "'seals'",
}
COLUMNS = {
    "ledger_entries": (
        "tenant book number from_account to_account units reason order_id call recurs at about hash"
    ),
    "vouchers": (
        "tenant id program state code_hash code_ending valid_until changed_at holder order_id "
        "replaces no_contacts head_number head_hash"
    ),
    "quotas": (
        "tenant book program subject period starts ends uses no_contacts changed_at head_number "
        "head_hash"
    ),
    "orders": (
        "tenant id caller program program_version program_digest voucher quota one_at_a_time "
        "opened_at expires_at starts_at cancel_free_until granted_seconds remaining_seconds "
        "talked_seconds head_number head_hash"
    ),
    "call_grades": (
        "tenant call order_id program counselor ended_at from_grade to_grade talked_seconds at "
        "entry"
    ),
    "ledger_seals": "tenant number sealed_at books digest signature",
    "ledger_sealed_heads": "tenant book number hash seal",
}
NOT_COUNTED = {
    "orders": (
        "counselor state attempts_counted call connected_at talk_started_at resume_until "
        "let_down_at due_at closed_at closed_by closed_reason settled version"
    ),
}
"""How an order stands at the moment: told by the timeline, worth nothing by itself."""

FLIPPED = {
    "text": "overlay({c} placing chr(ascii(right({c}, 1)) # 1) from length({c}))",
    "bytea": "set_byte({c}, 5, get_byte({c}, 5) # 1)",
    "integer": "{c} # 64",
    "boolean": "NOT {c}",
    "timestamp with time zone": "{c} + interval '1 microsecond'",
    "date": "{c} + 1",
    "jsonb": "replace({c}::text, 'order-k', 'order-z')::jsonb",
}
BACK = {
    "timestamp with time zone": "{c} - interval '1 microsecond'",
    "date": "{c} - 1",
    "jsonb": "replace({c}::text, 'order-z', 'order-k')::jsonb",
}
FILLED = {
    "text": "'x'",
    "bytea": "'\\x01'::bytea",
    "timestamp with time zone": "'2030-01-01T00:00:00Z'::timestamptz",
}

_ADDED = "INSERT INTO call_grades VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"


@pytest.fixture
async def intruder(
    database: "Pool[Record]", database_url: str, seal: AesSeal
) -> "AsyncIterator[Connection[Record]]":
    """A superuser whom no trigger and no constraint stops, in a house with kept books."""
    await keep_books(database, seal)
    connection = await asyncpg.connect(database_url, server_settings={"timezone": "UTC"})
    await connection.execute("SET session_replication_role = replica")
    for row in await connection.fetch(
        """SELECT conrelid::regclass::text AS of, conname FROM pg_constraint
           WHERE contype IN ('c', 'f') AND connamespace = 'public'::regnamespace
           ORDER BY contype DESC"""
    ):
        await connection.execute(f'ALTER TABLE {row["of"]} DROP CONSTRAINT "{row["conname"]}"')
    await connection.execute("DROP INDEX one_open_order_per_person, one_holding_order_per_voucher")
    yield connection
    await connection.close()


async def test_books_that_nobody_touched_are_what_they_were(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    await keep_books(database, seal)

    async with database.acquire() as connection:
        (found,) = await verify(connection, seal)

    assert found.faults == []
    assert (found.books, found.seals, found.unsealed) == (7, 2, 1)
    assert found.entries == await database.fetchval("SELECT count(*) FROM ledger_entries")


async def test_every_column_that_there_is_gets_flipped(database: "Pool[Record]") -> None:
    """A column that somebody adds later is vouched for, or named here as one that is not."""
    rows = await database.fetch(
        """SELECT table_name, column_name FROM information_schema.columns
           WHERE table_schema = 'public' AND table_name = ANY ($1::text[])""",
        list(OWNERS),
    )

    told = {
        (table, one)
        for columns_of in (COLUMNS, NOT_COUNTED)
        for table, columns in columns_of.items()
        for one in columns.split()
    }
    assert {(row["table_name"], row["column_name"]) for row in rows} == told


@pytest.mark.rule("X56")
@pytest.mark.parametrize("table", COLUMNS)
async def test_one_flipped_byte_in_any_column_of_any_row_is_found_and_named(
    intruder: "Connection[Record]", seal: AesSeal, table: str
) -> None:
    kinds = {
        row["column_name"]: row["data_type"]
        for row in await intruder.fetch(
            """SELECT column_name, data_type FROM information_schema.columns
               WHERE table_schema = 'public' AND table_name = $1""",
            table,
        )
    }
    for column in COLUMNS[table].split():
        rows = await intruder.fetch(
            f"SELECT ctid, {OWNERS[table]} AS book, {column} IS NULL AS blank FROM {table}"
        )
        assert rows
        for row in rows:
            await flipped(intruder, seal, table, column, kinds[column], row)
    (clean,) = await verify(intruder, seal)
    assert clean.faults == []


async def flipped(
    intruder: "Connection[Record]",
    seal: AesSeal,
    table: str,
    column: str,
    kind: str,
    row: "Record",
) -> None:
    """Change one value, verify, and put it back."""
    if row["blank"] and kind not in FILLED:
        return
    change = FILLED[kind] if row["blank"] else FLIPPED[kind].format(c=column)
    where = await intruder.fetchval(
        f"UPDATE {table} SET {column} = {change} WHERE ctid = $1 RETURNING ctid", row["ctid"]
    )

    found = [fault for one in await verify(intruder, seal) for fault in one.faults]

    assert found, f"{table}.{column} of {row['book']}"
    if table != "ledger_sealed_heads":
        assert any(fault.book == row["book"] for fault in found), found
    undone = "NULL" if row["blank"] else (BACK.get(kind) or FLIPPED[kind]).format(c=column)
    await intruder.execute(f"UPDATE {table} SET {column} = {undone} WHERE ctid = $1", where)


@pytest.mark.rule("X56")
@pytest.mark.parametrize(
    ("removing", "book", "number"),
    [
        ("DELETE FROM ledger_entries WHERE book = 'voucher/voucher-used' AND number = 2",
         "voucher/voucher-used", 3),
        ("DELETE FROM ledger_entries WHERE book = 'voucher/voucher-used' AND number = 4",
         "voucher/voucher-used", 4),
        ("DELETE FROM ledger_entries WHERE book = 'talk/order-talk'", "talk/order-talk", 1),
        ("DELETE FROM vouchers WHERE id = 'voucher-back'", "voucher/voucher-back", None),
        ("DELETE FROM orders WHERE id = 'order-talk'", "talk/order-talk", None),
        ("UPDATE orders SET remaining_seconds = 1499 WHERE id = 'order-back'",
         "talk/order-back", 1),
        ("UPDATE orders SET talked_seconds = 1 WHERE id = 'order-back'", "talk/order-back", 1),
        ("UPDATE orders SET granted_seconds = 1600 WHERE id = 'order-back'",
         "talk/order-back", None),
        ("INSERT INTO ledger_entries SELECT tenant, 'voucher/forged', number, from_account, "
         "to_account, units, reason, order_id, call, recurs, at, about, hash FROM ledger_entries "
         "WHERE book = 'voucher/voucher-new' AND number = 1", "voucher/forged", 1),
        ("UPDATE ledger_entries SET book = 'gift/1' WHERE book = 'voucher/voucher-new'",
         "gift/1", 1),
        ("UPDATE call_grades SET counselor = 'counselor-9' WHERE to_grade = 'effective'",
         "talk/order-talk", 4),
        ("INSERT INTO call_grades SELECT tenant, call, 'order-back', program, counselor, "
         "ended_at, from_grade, to_grade, talked_seconds, at, 1 FROM call_grades "
         "WHERE order_id = 'order-k'", "talk/order-back", 1),
        ("ALTER TABLE call_grades DROP CONSTRAINT call_grades_pkey; "
         "INSERT INTO call_grades SELECT * FROM call_grades WHERE order_id = 'order-k'",
         "talk/order-k", None),
    ],
)  # fmt: skip
async def test_what_is_missing_added_or_disagrees_is_named(
    intruder: "Connection[Record]", seal: AesSeal, removing: str, book: str, number: int | None
) -> None:
    await intruder.execute(removing)

    (found,) = await verify(intruder, seal)

    assert (book, number) in {(fault.book, fault.number) for fault in found.faults}


@pytest.mark.rule("X56")
async def test_every_line_of_the_settlement_that_is_removed_or_added_is_named(
    intruder: "Connection[Record]", seal: AesSeal
) -> None:
    lines = await intruder.fetch("SELECT * FROM call_grades")
    assert len(lines) == 4
    for line in lines:
        book, entry = f"talk/{line['order_id']}", line["entry"]
        values = tuple(line.values())

        await intruder.execute(
            "DELETE FROM call_grades WHERE order_id = $1 AND entry = $2", line["order_id"], entry
        )
        (removed,) = await verify(intruder, seal)
        await intruder.execute(_ADDED, *values)
        await intruder.execute(_ADDED, *values[:-1], entry + 100)
        (added,) = await verify(intruder, seal)
        await intruder.execute("DELETE FROM call_grades WHERE entry > 100")

        assert [(one.book, one.number) for one in removed.faults] == [(book, entry)]
        assert [(one.book, one.number) for one in added.faults] == [(book, entry + 100)]


@pytest.mark.rule("X56")
@pytest.mark.parametrize("tenant", ["house", "nobody"])
async def test_a_line_of_an_order_that_never_was_is_named_and_nothing_else(
    intruder: "Connection[Record]", seal: AesSeal, tenant: str
) -> None:
    (line,) = await intruder.fetch("SELECT * FROM call_grades WHERE order_id = 'order-k'")
    forged = {**line, "tenant": tenant, "order_id": "order-forged"}
    await intruder.execute(_ADDED, *forged.values())

    found = await verify(intruder, seal)

    told = [(one.tenant, fault.book, fault.number) for one in found for fault in one.faults]
    book = "talk/order-forged"
    assert told == [(tenant, book, line["entry"]), (tenant, book, None)]


@pytest.mark.rule("X56")
async def test_a_tail_cut_off_together_with_its_row_is_missed_by_the_seal(
    intruder: "Connection[Record]", seal: AesSeal
) -> None:
    await intruder.execute(
        """WITH cut AS (
               DELETE FROM ledger_entries WHERE book = 'talk/order-talk' AND number > 1
           ), ungraded AS (
               DELETE FROM call_grades WHERE order_id = 'order-talk'
           )
           UPDATE orders SET remaining_seconds = granted_seconds, talked_seconds = 0,
               head_number = 1, head_hash = entry.hash
           FROM ledger_entries AS entry
           WHERE orders.id = 'order-talk' AND book = 'talk/order-talk' AND number = 1"""
    )

    (found,) = await verify(intruder, seal)

    assert {(fault.book, fault.what) for fault in found.faults} == {
        ("talk/order-talk", "is gone: seal 1 saw it"),
        ("talk/order-talk", "is gone: seal 2 saw it"),
    }


@pytest.mark.rule("X56")
async def test_a_book_removed_with_all_that_speaks_of_it_is_missed_by_the_seal(
    intruder: "Connection[Record]", seal: AesSeal
) -> None:
    await intruder.execute("DELETE FROM ledger_entries WHERE book = 'voucher/voucher-new'")
    await intruder.execute("DELETE FROM vouchers WHERE id = 'voucher-new'")

    (found,) = await verify(intruder, seal)

    assert [(fault.book, fault.number) for fault in found.faults] == [("voucher/voucher-new", 2)]


@pytest.mark.rule("X56")
async def test_a_history_written_anew_with_right_hashes_is_not_what_was_sealed(
    intruder: "Connection[Record]", seal: AesSeal
) -> None:
    """Hashes have no key, so whoever knows them can chain a lie; the seal was before it."""
    await intruder.execute(
        """DO $$
           DECLARE entry ledger_entries; head bytea := decode(repeat('00', 32), 'hex');
           BEGIN
               UPDATE ledger_entries SET reason = 'gift'
               WHERE book = 'voucher/voucher-used' AND number = 2;
               FOR entry IN SELECT * FROM ledger_entries
                   WHERE book = 'voucher/voucher-used' ORDER BY number
               LOOP
                   head := ledger_hash(head, entry.book, entry.number, entry.from_account,
                       entry.to_account, entry.units, entry.reason, entry.order_id, entry.call,
                       entry.recurs, entry.at, entry.about);
                   UPDATE ledger_entries SET hash = head
                   WHERE book = entry.book AND number = entry.number;
               END LOOP;
               UPDATE vouchers SET head_hash = head WHERE id = 'voucher-used';
           END $$"""
    )

    (found,) = await verify(intruder, seal)

    assert {(fault.book, fault.what) for fault in found.faults} == {
        ("voucher/voucher-used", "is not what it was: seal 1 saw it")
    }


@pytest.mark.rule("X56")
@pytest.mark.parametrize("number", [1, 2])
async def test_a_seal_that_is_gone_is_missed(
    intruder: "Connection[Record]", seal: AesSeal, number: int
) -> None:
    await intruder.execute("DELETE FROM ledger_seals WHERE number = $1", number)

    (found,) = await verify(intruder, seal)

    assert ("seals", number) in {(fault.book, fault.number) for fault in found.faults}


@pytest.mark.rule("X56")
async def test_a_seal_by_somebody_without_the_key_is_none(
    intruder: "Connection[Record]", seal: AesSeal
) -> None:
    stranger = AesSeal(b"somebody else's secret, of 32 bytes or more")
    async with intruder.transaction():
        await set_seals(intruder, stranger, NOON + timedelta(hours=3))

    (found,) = await verify(intruder, seal)

    assert [(fault.book, fault.number, fault.what) for fault in found.faults] == [
        ("seals", 3, "was not signed by this installation")
    ]


@pytest.mark.rule("X56")
@pytest.mark.parametrize("kept", [0, 1], ids=["all", "the newest"])
async def test_seals_removed_without_a_trace_are_missed_because_entries_must_be_sealed_by_now(
    intruder: "Connection[Record]", seal: AesSeal, kept: int
) -> None:
    """The books of `keep_books` end within minutes; a voucher of the next day tells what is due."""
    await store.insert_vouchers(intruder, HOUSE, [made("voucher-late", now=NOON + DAY)])
    async with intruder.transaction():
        await set_seals(intruder, seal, NOON + DAY)
    (whole,) = await verify(intruder, seal, asked=SealsAsked())
    await intruder.execute("DELETE FROM ledger_sealed_heads WHERE seal > $1", kept)
    await intruder.execute("DELETE FROM ledger_seals WHERE number > $1", kept)

    (found,) = await verify(intruder, seal, asked=SealsAsked())

    assert whole.faults == []
    assert [(fault.book, fault.number) for fault in found.faults] == [("seals", kept + 1)]
    assert found.overdue > 0


@pytest.mark.rule("X56")
async def test_seals_set_anew_over_a_forged_ledger_are_not_the_one_that_somebody_noted(
    intruder: "Connection[Record]", seal: AesSeal
) -> None:
    (before,) = await verify(intruder, seal)
    assert before.last_seal is not None
    noted = ExpectedSeal(before.last_seal.number, before.last_seal.digest.hex())
    asked = SealsAsked(expected={HOUSE: noted})
    (kept,) = await verify(intruder, seal, asked=asked)
    await intruder.execute("DELETE FROM ledger_sealed_heads")
    await intruder.execute("DELETE FROM ledger_seals")
    (removed,) = await verify(intruder, seal, asked=asked)
    for number in range(noted.number):
        async with intruder.transaction():
            await set_seals(intruder, seal, NOON + DAY)
        more = made(f"voucher-{number}", now=NOON + DAY)
        await store.insert_vouchers(intruder, HOUSE, [more])
    (forged,) = await verify(intruder, seal, asked=asked)

    assert kept.faults == []
    assert [one.what for one in removed.faults] == ["is expected, and there is no such seal"]
    assert [one.what[:23] for one in forged.faults] == ["is not the expected one"]


async def test_an_order_opened_when_books_vouched_for_less_is_still_what_it_was(
    intruder: "Connection[Record]", seal: AesSeal
) -> None:
    """Entries are never written anew, so the digests of old ones are read as they were made."""
    order = an_order("order-old", voucher=None)
    about = facts_digest(
        {
            "caller": order.caller,
            "program": order.program,
            "program_digest": order.program_digest,
            "granted_seconds": order.granted_seconds,
            "opened_at": order.opened_at,
        }
    )
    head, entry = post(
        book_of(order.id),
        BLANK,
        from_account="issuer",
        to_account="remaining",
        units=order.granted_seconds or 0,
        reason="granted",
        order=order.id,
        at=order.opened_at,
        about=about,
    )
    await store.insert_order(intruder, HOUSE, order)
    await intruder.execute("DELETE FROM ledger_entries WHERE book = 'talk/order-old'")
    await insert_entries(intruder, HOUSE, [entry])
    await intruder.execute("UPDATE orders SET head_hash = $1 WHERE id = 'order-old'", head.hash)

    (found,) = await verify(intruder, seal)
    await intruder.execute("UPDATE orders SET caller = 'mei' WHERE id = 'order-old'")
    (forged,) = await verify(intruder, seal)

    assert found.faults == []
    assert [fault.book for fault in forged.faults] == ["talk/order-old"]
