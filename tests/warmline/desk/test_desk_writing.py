"""How the desk writes: everything or nothing, notices with the decision, locks in one order."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import asyncpg
import pytest

from billing.order import ClosedBy
from billing.order import State as OrderState
from billing.voucher import State as VoucherState
from dialer.events import CallerHungUp, CounselorHungUp
from terms.ids import OrderId
from terms.phone import PhoneNumber
from tests.house import NO_ANSWER, House, a_house, hangs_up
from tests.people import CALLER, DOCTOR, TENANT
from tests.warmline.desk.database import unchanged
from warmline.desk.writing import Writer
from warmline.notices.outbox import QueuedOutbox
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record
    from asyncpg.connection import LoggedQuery


class Abandoned(Exception):
    """The deciding transaction fails after the desk has done its part."""


async def cancel(house: House, order: OrderId, *, then_fail: bool) -> None:
    """Give the order up, in a transaction that commits or does not."""
    async with house.pool.acquire() as connection, connection.transaction():
        await house.desk.cancel_order(connection, TENANT, order, ClosedBy.CALLER, "changed_mind")
        if then_fail:
            raise Abandoned


@pytest.mark.rule("C26")
async def test_notices_and_their_jobs_come_with_the_decision_or_not_at_all(house: House) -> None:
    writer = Writer(QueuedOutbox(), house.new_id)
    house = replace(house, desk=replace(house.desk, writer=writer))
    order = await house.order(await house.caller(), await house.counselor())

    async with unchanged(house.pool):
        with pytest.raises(Abandoned):
            await cancel(house, order, then_fail=True)

    await cancel(house, order, then_fail=False)
    assert await house.notices(order) == ["order.cancelled", "order_cancelled"]
    assert await house.pool.fetchval("SELECT count(*) FROM pgqueuer") == 2
    assert (await house.see_voucher(order)).state is VoucherState.RETURNED
    assert "order.cancelled" in await house.timeline(order)


@pytest.mark.rule("X53", "A22")
async def test_a_dial_whose_transaction_fails_holds_nobody_and_rings_nowhere(
    house: House,
) -> None:
    counselor = await house.counselor()
    order = await house.order(await house.caller(), counselor)

    async def dial_in_vain() -> None:
        async with house.pool.acquire() as connection, connection.transaction():
            await house.desk.place_call(connection, TENANT, order, PhoneNumber(CALLER))
            raise Abandoned

    async with unchanged(house.pool):
        with pytest.raises(Abandoned):
            await dial_in_vain()
        await house.settle()

    assert house.world.standing_legs() == ()
    assert (await house.see_counselor(counselor))[1] is None
    await house.call(order)
    assert (await house.see_counselor(counselor))[1] is not None


@pytest.mark.rule("A22", "X02")
async def test_a_dial_waits_for_whoever_holds_the_order_and_then_sees_what_they_did(
    house: House,
) -> None:
    order = await house.order(await house.caller(), await house.counselor())

    async def second() -> None:
        await house.call(order)

    async with house.pool.acquire() as connection, connection.transaction():
        _, committed = await house.desk.place_call(connection, TENANT, order, PhoneNumber(CALLER))
        waiting = asyncio.ensure_future(second())
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while not waiting.done() and not await house.pool.fetchval(waits):  # noqa: ASYNC110
            await asyncio.sleep(0)  # the database tells nobody
        assert not waiting.done()
    house.desk.tell(committed)

    with pytest.raises(Exception, match="voucher") as refused:
        await waiting
    assert refused.value.code == "voucher_in_use"  # type: ignore[attr-defined]


async def test_the_same_timer_fires_once_and_a_stale_one_changes_nothing(house: House) -> None:
    order = await house.order(await house.caller(script=NO_ANSWER), await house.counselor())
    await house.call(order)
    row = await house.pool.fetchrow("SELECT * FROM timers WHERE kind = 'ring'")
    assert row is not None
    await house.command(order, CallerHungUp())
    assert await house.pool.fetchval("SELECT count(*) FROM timers WHERE kind = 'ring'") == 0
    await house.pool.execute(
        """INSERT INTO timers (tenant, call, kind, due_at, state_version)
           VALUES ($1, $2, 'ring', $3, $4)""",
        *(row["tenant"], row["call"], row["due_at"], row["state_version"]),
    )
    before = await house.see_call(order), await house.timeline(order)

    await house.pass_time(60)

    assert (await house.see_call(order), await house.timeline(order)) == before
    assert await house.pool.fetchval("SELECT count(*) FROM timers WHERE kind = 'ring'") == 0


# -- locks -----------------------------------------------------------------------------------

_RANKS = {"orders": 0, "vouchers": 1, "counselors": 2}
"""A call needs no lock of its own: nobody writes it who does not hold its order's."""


@dataclass
class Locks:
    """The rows each transaction locked, table by table, in the order in which it first did."""

    current: dict[object, list[str]] = field(default_factory=dict)
    done: list[tuple[str, ...]] = field(default_factory=list)

    def note(self, query: "LoggedQuery") -> None:
        """One statement of one connection."""
        words = query.query.split()
        locked = self.current.setdefault(asyncio.current_task(), [])
        if words[0].startswith(("COMMIT", "ROLLBACK;")):
            if locked:
                self.done.append(tuple(locked))
            self.current.pop(asyncio.current_task())
            return
        for table in _locked_by(words):
            if table not in locked:
                locked.append(table)


def _locked_by(words: list[str]) -> Iterator[str]:
    statement = " ".join(words)
    if words[0] == "UPDATE" and words[1] in _RANKS:
        yield words[1]
    if "FOR UPDATE" in statement or "FOR NO KEY UPDATE" in statement:
        named = [word for before, word in pairwise(words) if before == "FROM"]
        yield from (word for word in named if word in _RANKS)


@contextmanager
def _no_lock_out_of_turn(locks: Locks) -> Iterator[None]:
    yield
    assert locks.done
    for locked in locks.done:
        assert sorted(locked, key=lambda table: _RANKS[table]) == list(locked)


@pytest.mark.rule("A22")
async def test_every_transaction_of_a_call_locks_order_voucher_counselor_in_this_order(
    database_url: str, seal: AesSeal, noon: datetime
) -> None:
    locks = Locks()

    async def listen(connection: "asyncpg.pool.PoolConnectionProxy[Record]") -> None:
        connection.add_query_logger(locks.note)

    pool: Pool[Record]
    async with (
        asyncpg.create_pool(
            database_url, min_size=1, max_size=5, setup=listen, server_settings={"timezone": "UTC"}
        ) as pool,
        a_house(pool, seal, noon) as house,
    ):
        counselor = await house.counselor()
        order = await house.order(await house.caller(script=hangs_up(200)), counselor)
        waits = await house.order(await house.caller("+8613800000002"), program=DOCTOR)
        with _no_lock_out_of_turn(locks):
            await house.call(order)
            await house.call(waits, "+8613800000002")
            await house.pass_time(400)
            await house.counselor("+8613900000002", program=DOCTOR)
            await house.pass_time(1200)
            idle = await house.order(await house.caller("+8613800000003"), counselor)
            await cancel(house, idle, then_fail=False)
            await house.pass_time(86400)
        assert (await house.see_order(order)).state is OrderState.COMPLETED
    assert ("orders", "vouchers", "counselors") in locks.done


async def test_the_end_of_a_talk_wakes_whoever_seats_those_who_wait(house: House) -> None:
    order = await house.order(await house.caller(), await house.counselor())
    call = await house.call(order)
    await house.pass_time(60)
    assert (await house.see_call(order)).state == "bridged"

    async with house.pool.acquire() as connection, connection.transaction():
        _, committed = await house.desk.command(
            connection, TENANT, call.id, order, CounselorHungUp()
        )

    assert committed.seats
