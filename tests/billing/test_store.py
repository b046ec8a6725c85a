"""Orders and vouchers over a real PostgreSQL: what the database itself refuses."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import asyncpg
import pytest

from billing import store
from billing.ledger import balances
from billing.opening import open_order
from billing.order import (
    ClosedBy,
    Order,
    Settlement,
    State,
    cancel,
    connected,
    finalise,
    lapse,
    start_call,
)
from billing.settling import settle, unless_taken
from billing.store import OrderMoved, VoucherMoved
from billing.talk import booked
from billing.voucher import State as VoucherState
from billing.voucher import VoucherMove, carry_out, hold
from terms.ids import BookId, CallerId, CallId, OrderId, TenantId, VoucherId
from terms.refusals import RefusalCode, Refused
from terms.verdict import EndedBy, VerdictKind
from tests.billing.stories import (
    DAY,
    DOCTOR,
    DOCTOR_POLICY,
    FIRST,
    LIN,
    LISTENING,
    MANY_AT_A_TIME,
    MEI,
    MINUTE,
    NOON,
    POLICY,
    SECOND,
    a_voucher,
    an_order,
    ended,
    made,
)

if TYPE_CHECKING:
    from asyncpg import Pool, Record

HOUSE, ELSEWHERE = TenantId("house"), TenantId("elsewhere")


async def opened(
    database: "Pool[Record]", name: str, caller: CallerId = LIN, code: bytes = b"voucher-1"
) -> Order:
    """What the desk does: lock the voucher behind the code, hold it, open the order."""
    async with database.acquire() as connection, connection.transaction():
        voucher = await store.lock_voucher_by_code(connection, HOUSE, code)
        assert voucher is not None
        held, entry = hold(voucher, order=OrderId(name), caller=caller, program=LISTENING, now=NOON)
        order = an_order(name, voucher=voucher.id, caller=caller)
        await store.insert_order(connection, HOUSE, order)
        await store.save_voucher(connection, HOUSE, held, entry)
        return order


@pytest.fixture
async def ready(database: "Pool[Record]") -> "Pool[Record]":
    """A database that knows one issued voucher."""
    async with database.acquire() as connection:
        await store.insert_vouchers(connection, HOUSE, [made()])
    return database


@pytest.mark.rule("A18", "A22", "A23", "X02")
async def test_of_fifty_devices_with_one_code_exactly_one_gets_the_order(
    ready: "Pool[Record]",
) -> None:
    answers = await asyncio.gather(
        *(opened(ready, f"order-{n}", CallerId(f"caller-{n}")) for n in range(50)),
        return_exceptions=True,
    )

    refusals = [answer for answer in answers if isinstance(answer, Refused)]
    assert len([answer for answer in answers if isinstance(answer, Order)]) == 1
    assert len(refusals) == 49
    assert {refusal.code for refusal in refusals} == {RefusalCode.VOUCHER_IN_USE}
    assert await ready.fetchval("SELECT count(*) FROM orders") == 1


@pytest.mark.rule("A22", "A23", "X02")
async def test_of_fifty_dials_of_one_order_exactly_one_rings(ready: "Pool[Record]") -> None:
    order = await opened(ready, "order-1")

    async def dial(number: int) -> Order:
        async with ready.acquire() as connection, connection.transaction():
            locked = await store.lock_order_with_payment(connection, HOUSE, order.id)
            assert locked is not None
            dialled = start_call(locked.order, CallId(f"call-{number}"), NOON)
            return await store.save_order(connection, HOUSE, dialled)

    answers = await asyncio.gather(*(dial(n) for n in range(50)), return_exceptions=True)

    assert len([answer for answer in answers if isinstance(answer, Order)]) == 1
    refusals = [answer for answer in answers if isinstance(answer, Refused)]
    assert [refusal.code for refusal in refusals] == [RefusalCode.VOUCHER_IN_USE] * 49


@pytest.mark.rule("X02")
async def test_the_database_itself_refuses_a_second_live_order_for_a_voucher(
    ready: "Pool[Record]",
) -> None:
    await opened(ready, "order-1")

    async with ready.acquire() as connection:
        with pytest.raises(Refused) as refused:
            await store.insert_order(connection, HOUSE, an_order("order-2"))

    assert refused.value.code is RefusalCode.VOUCHER_IN_USE


@pytest.mark.rule("X34", "C05", "C11")
async def test_a_person_has_one_open_doctor_order_at_a_time_and_any_number_in_turn(
    database: "Pool[Record]",
) -> None:
    first, second, third = (an_order(f"order-{n}", voucher=None, program=DOCTOR) for n in (1, 2, 3))
    async with database.acquire() as connection:
        await store.insert_order(connection, HOUSE, first)
        with pytest.raises(Refused) as refused:
            await store.insert_order(connection, HOUSE, second)
        given_up = cancel(first, ClosedBy.CALLER, "changed my mind", NOON)
        await store.save_settlement(connection, HOUSE, given_up)
        await store.insert_order(connection, HOUSE, third)

    assert refused.value.code is RefusalCode.CALL_IN_PROGRESS


@pytest.mark.rule("X34")
async def test_an_order_that_another_open_one_has_followed_stays_at_rest(
    database: "Pool[Record]",
) -> None:
    """The database has room for one: a better verdict on the first must not ask for a second."""
    first, second = (an_order(f"order-{n}", voucher=None, program=DOCTOR) for n in (1, 2))
    done = settle(start_call(first, FIRST, NOON), ended(), DOCTOR_POLICY, NOON)
    async with database.acquire() as connection:
        await store.insert_order(connection, HOUSE, first)
        await store.save_settlement(connection, HOUSE, booked(first, done, NOON))
        alone = await store.lock_order_with_payment(connection, HOUSE, first.id)
        await store.insert_order(connection, HOUSE, second)
        followed = await store.lock_order_with_payment(connection, HOUSE, first.id)
        other = await store.lock_order_with_payment(connection, HOUSE, second.id)
    assert alone is not None
    assert followed is not None
    assert other is not None
    drop = ended(VerdictKind.SYSTEM_DROP, EndedBy.CARRIER)
    better = settle(followed.order, drop, DOCTOR_POLICY, NOON)

    assert (alone.superseded, followed.superseded, other.superseded) == (False, True, False)
    assert better.order.state is State.INTERRUPTED
    assert unless_taken(followed.order, better, None) == better
    kept = unless_taken(followed.order, better, None, superseded=True)
    assert kept == Settlement(order=followed.order)


async def test_an_order_comes_back_from_the_database_as_it_went_in(ready: "Pool[Record]") -> None:
    order = await opened(ready, "order-1")
    async with ready.acquire() as connection:
        dialled = await store.save_order(connection, HOUSE, start_call(order, FIRST, NOON))
        talking = connected(dialled, FIRST, NOON + MINUTE)
        saved = await store.save_settlement(connection, HOUSE, talking)
        dropped = settle(saved, ended(VerdictKind.SYSTEM_DROP, EndedBy.CARRIER), POLICY, NOON)
        dropped = replace(dropped, order=finalise(dropped.order))
        saved = await store.save_settlement(connection, HOUSE, dropped)
        loaded = await store.load_order(connection, HOUSE, order.id)

    assert loaded == saved == replace(dropped.order, version=3)


async def test_an_order_and_its_voucher_are_locked_by_one_statement(ready: "Pool[Record]") -> None:
    order = await opened(ready, "order-1")
    async with ready.acquire() as one, ready.acquire() as other:
        async with one.transaction():
            locked = await store.lock_order_with_payment(one, HOUSE, order.id)
            for table in ("orders", "vouchers"):
                with pytest.raises(asyncpg.LockNotAvailableError):
                    await other.execute(f"SELECT 1 FROM {table} FOR UPDATE NOWAIT")
        voucher = await store.load_voucher(other, HOUSE, VoucherId("voucher-1"))

    assert locked is not None
    assert (locked.order, locked.voucher, locked.quota) == (order, voucher, None)


async def test_an_order_without_a_voucher_is_locked_alone(database: "Pool[Record]") -> None:
    order = an_order(voucher=None)
    async with database.acquire() as connection, connection.transaction():
        await store.insert_order(connection, HOUSE, order)
        locked = await store.lock_order_with_payment(connection, HOUSE, order.id)
        nobody = await store.lock_order_with_payment(connection, HOUSE, OrderId("nobody"))

    assert locked is not None
    assert (locked.order, locked.voucher, nobody) == (order, None, None)


async def test_a_stale_order_is_not_written(ready: "Pool[Record]") -> None:
    order = await opened(ready, "order-1")
    async with ready.acquire() as connection:
        await store.save_order(connection, HOUSE, start_call(order, FIRST, NOON))
        with pytest.raises(OrderMoved):
            await store.save_order(connection, HOUSE, start_call(order, SECOND, NOON))
        loaded = await store.load_order(connection, HOUSE, order.id)

    assert loaded is not None
    assert loaded.call == FIRST


@pytest.mark.rule("X56")
async def test_a_voucher_is_not_moved_twice_by_the_same_news(ready: "Pool[Record]") -> None:
    await opened(ready, "order-1")
    async with ready.acquire() as connection:
        held = await store.load_voucher(connection, HOUSE, VoucherId("voucher-1"))
        assert held is not None
        used, entry = carry_out(held, VoucherMove.CONSUME, OrderId("order-1"), NOON)
        assert entry is not None
        await store.save_voucher(connection, HOUSE, used, entry)
        with pytest.raises(VoucherMoved):
            await store.save_voucher(connection, HOUSE, used, entry)
        entries = await store.entries_of(connection, HOUSE, held.book)

    assert [entry.reason for entry in entries] == ["prepared", "issued", "held", "connected"]
    assert entries[-1] == entry


@pytest.mark.rule("X56")
async def test_the_books_of_every_voucher_sum_to_zero_with_one_unit_where_it_is(
    ready: "Pool[Record]",
) -> None:
    await opened(ready, "order-1")

    async with ready.acquire() as connection:
        entries = await store.entries_of(connection, HOUSE, BookId("voucher/voucher-1"))

    units = balances(entries)
    assert sum(units.values()) == 0
    assert {account for account, held in units.items() if held > 0} == {"held"}


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE ledger_entries SET reason = 'else'",
        "DELETE FROM ledger_entries",
        "TRUNCATE ledger_entries",
    ],
)
@pytest.mark.rule("X56")
async def test_the_database_refuses_to_rewrite_an_entry(
    ready: "Pool[Record]", tampering: str
) -> None:
    with pytest.raises(asyncpg.RestrictViolationError):
        await ready.execute(tampering)


@pytest.mark.rule("A32", "A33", "X03")
async def test_an_order_past_its_day_is_found_and_its_voucher_comes_back(
    ready: "Pool[Record]",
) -> None:
    await opened(ready, "order-1")
    async with ready.acquire() as connection, connection.transaction():
        assert await store.next_due_at(connection) == NOON + DAY
        assert await store.lock_due_order(connection, NOON + DAY - MINUTE) is None
        due = await store.lock_due_order(connection, NOON + DAY)
        assert due is not None
        tenant = due[0]
        locked = await store.lock_order_with_payment(connection, *due)
        assert locked is not None
        order, voucher = locked.order, locked.voucher
        assert voucher is not None
        settlement = booked(order, lapse(order, NOON + DAY), NOON + DAY)
        await store.save_settlement(connection, tenant, settlement)
        back, entry = carry_out(voucher, settlement.voucher_move, order.id, NOON + DAY)
        assert entry is not None
        await store.save_voucher(connection, tenant, back, entry)
        assert await store.lock_due_order(connection, NOON + DAY) is None
        mine, _ = await store.list_vouchers(connection, HOUSE, LIN, limit=10, cursor=None)

    assert settlement.order.state is State.EXPIRED
    assert [voucher.state for voucher in mine] == [VoucherState.RETURNED]


async def test_an_order_in_a_call_is_never_due(ready: "Pool[Record]") -> None:
    order = await opened(ready, "order-1")
    async with ready.acquire() as connection, connection.transaction():
        await store.save_order(connection, HOUSE, start_call(order, FIRST, NOON))

        assert await store.next_due_at(connection) is None
        assert await store.lock_due_order(connection, NOON + 2 * DAY) is None


async def test_two_sweepers_never_take_the_same_order(ready: "Pool[Record]") -> None:
    await opened(ready, "order-1")
    async with (
        ready.acquire() as one,
        ready.acquire() as other,
        one.transaction(),
        other.transaction(),
    ):
        assert await store.lock_due_order(one, NOON + DAY) is not None
        assert await store.lock_due_order(other, NOON + DAY) is None


@pytest.mark.rule("A20")
async def test_an_unused_voucher_past_its_time_is_found(ready: "Pool[Record]") -> None:
    async with ready.acquire() as connection, connection.transaction():
        assert await store.lock_due_voucher(connection, NOON + 30 * DAY - MINUTE) is None
        assert await store.lock_due_voucher(connection, NOON + 30 * DAY) == (
            HOUSE,
            a_voucher().id,
        )


async def test_lists_come_in_pages_newest_first(database: "Pool[Record]") -> None:
    async with database.acquire() as connection:
        for number in range(5):
            order = an_order(f"order-{number}", voucher=None, policy=MANY_AT_A_TIME)
            await store.insert_order(connection, HOUSE, order)
        one, cursor = await store.list_orders(connection, HOUSE, LIN, limit=3, cursor=None)
        two, end = await store.list_orders(connection, HOUSE, LIN, limit=3, cursor=cursor)
        others, _ = await store.list_orders(connection, HOUSE, MEI, limit=3, cursor=None)

    assert [order.id for order in one + two] == [f"order-{n}" for n in (4, 3, 2, 1, 0)]
    assert (end, others) == (None, [])


async def test_another_tenant_sees_nothing(ready: "Pool[Record]") -> None:
    order = await opened(ready, "order-1")
    async with ready.acquire() as connection:
        assert await store.load_order(connection, ELSEWHERE, order.id) is None
        assert await store.lock_order_with_payment(connection, ELSEWHERE, order.id) is None
        assert await store.lock_voucher_by_code(connection, ELSEWHERE, b"voucher-1") is None
        assert await store.load_voucher(connection, ELSEWHERE, VoucherId("voucher-1")) is None


async def test_a_dial_in_finds_the_orders_that_are_alive(ready: "Pool[Record]") -> None:
    order = await opened(ready, "order-1")
    async with ready.acquire() as connection:
        found = await store.live_orders(connection, HOUSE, LIN, LISTENING)
        await store.save_settlement(connection, HOUSE, cancel(order, ClosedBy.APP, "why", NOON))
        after = await store.live_orders(connection, HOUSE, LIN, LISTENING)

    assert (found, after) == ([order], [])


@pytest.mark.rule("X38", "C02")
async def test_the_text_in_force_when_an_order_was_opened_stays(database: "Pool[Record]") -> None:
    async with database.acquire() as connection:
        for digest, body in (("d1", "cap_seconds = 900"), ("d2", "cap_seconds = 600")):
            for _ in range(2):
                await store.keep_program_text(
                    connection,
                    HOUSE,
                    program=DOCTOR,
                    version="1",
                    digest=digest,
                    body=body,
                    now=NOON,
                )
        order = open_order(
            id=OrderId("order-1"),
            caller=LIN,
            program=DOCTOR,
            program_version="1",
            program_digest="d1",
            counselor=None,
            voucher=None,
            granted_seconds=900,
            policy=DOCTOR_POLICY,
            now=NOON,
        ).order
        await store.insert_order(connection, HOUSE, order)
        loaded = await store.load_order(connection, HOUSE, order.id)
        assert loaded is not None
        text = await store.load_program_text(connection, HOUSE, DOCTOR, loaded.program_digest)

    assert text == "cap_seconds = 900"


@pytest.mark.rule("A22", "X02")
async def test_a_typed_code_locks_its_voucher_until_the_transaction_ends(
    ready: "Pool[Record]",
) -> None:
    async with ready.acquire() as one, ready.acquire() as other, one.transaction():
        assert await store.lock_voucher_by_code(one, HOUSE, b"voucher-1") == a_voucher()
        with pytest.raises(asyncpg.LockNotAvailableError):
            await other.execute("SELECT 1 FROM vouchers FOR UPDATE NOWAIT")
