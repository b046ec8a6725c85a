"""News of several calls that comes at once: dealt with together, and nobody waits for another."""

import asyncio
from collections.abc import Sequence

from structlog.testing import capture_logs

from dialer.call import Call
from dialer.carriers import LegAnswered, LegRinging, Report
from terms.ids import LegId, OrderId
from tests.house import House, hangs_up
from tests.people import TENANT
from tests.warmline.desk.database import contents

CALLS = 6
_PATIENCE_SECONDS = 20


async def ringing(house: House, how_many: int = CALLS) -> list[OrderId]:
    """Orders whose callers' phones ring, and are left to ring."""
    orders = []
    for number in range(how_many):
        caller = await house.caller(f"+861380000{number:04}", script=hangs_up(300))
        order = await house.order(caller, await house.counselor(f"+861390000{number:04}"))
        await house.call(order, f"+861380000{number:04}")
        orders.append(order)
    return orders


async def answers(house: House, orders: Sequence[OrderId]) -> list[Report]:
    """The reports that each caller took the call."""
    now = house.clock.now()
    legs = [(await house.see_call(order)).legs[0].id for order in orders]
    return [Report(id=f"{leg}/answered", news=LegAnswered(leg=leg, at=now)) for leg in legs]


async def receive_all(house: House, reports: Sequence[Report]) -> None:
    """All within one turn of the loop; whoever waits for ever fails the test."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        await asyncio.gather(*(house.switchboard.receive(report) for report in reports))


async def answered(house: House, orders: Sequence[OrderId]) -> list[bool]:
    """Whose caller is on the line, as far as we know."""
    calls: list[Call] = [await house.see_call(order) for order in orders]
    return [call.legs[0].answered_at is not None for call in calls]


async def decided(house: House) -> int:
    """How many transactions wrote the calls as they are now."""
    return int(await house.pool.fetchval("SELECT count(DISTINCT xmin::text) FROM calls"))


async def test_news_of_several_calls_that_comes_at_once_shares_one_transaction(
    house: House,
) -> None:
    orders = await ringing(house)
    assert await decided(house) == CALLS

    await receive_all(house, await answers(house, orders))

    assert await answered(house, orders) == [True] * CALLS
    assert await decided(house) == 1
    await house.settle()
    assert [len((await house.see_call(order)).legs) for order in orders] == [2] * CALLS


async def test_together_or_alone_news_leaves_the_same_behind(house: House) -> None:
    orders = await ringing(house)
    reports = await answers(house, orders)
    alone, together = orders[: CALLS // 2], orders[CALLS // 2 :]
    for report in reports[: CALLS // 2]:
        assert isinstance(report.news, LegAnswered)
        await house.desk.take_news(report.id, report.news)
    await receive_all(house, reports[CALLS // 2 :])
    await house.settle()

    for table, columns in (
        ("calls", "state, version"),
        ("timeline", "kind, role, data, cardinality(visible)"),
        ("carrier_orders", "state_version, body->>'order', tries, outcome"),
        ("timers", "kind, due_at, state_version"),
        ("news", "folded_at, received_at, tries"),
    ):
        of_call = {"calls": "id", "timeline": "call_id"}.get(table, "call")
        left = [
            await house.pool.fetch(
                f"SELECT {columns} FROM {table} WHERE {of_call} = $1 ORDER BY 1, 2",
                (await house.see_call(order)).id,
            )
            for order in (*alone, *together)
        ]
        assert left[0], table
        assert all(rows == left[0] for rows in left), table


async def test_an_order_that_somebody_holds_keeps_no_other_news_waiting(house: House) -> None:
    orders = await ringing(house)
    reports = await answers(house, orders)
    async with house.pool.acquire() as holding, holding.transaction():
        await holding.execute("SELECT FROM orders WHERE id = $1 FOR UPDATE", orders[0])
        held_up = asyncio.create_task(house.switchboard.receive(reports[0]))
        await receive_all(house, reports[1:])

        assert await answered(house, orders) == [False, *[True] * (CALLS - 1)]
        assert not held_up.done()

    await held_up
    assert await answered(house, orders) == [True] * CALLS


async def test_a_voucher_that_somebody_holds_keeps_no_other_news_waiting(house: House) -> None:
    orders = await ringing(house)
    reports = await answers(house, orders)
    voucher = (await house.see_voucher(orders[0])).id
    async with house.pool.acquire() as holding, holding.transaction():
        await holding.execute("SELECT FROM vouchers WHERE id = $1 FOR UPDATE", voucher)
        held_up = asyncio.create_task(house.switchboard.receive(reports[0]))
        await receive_all(house, reports[1:])

        assert await answered(house, orders) == [False, *[True] * (CALLS - 1)]

    await held_up
    assert await answered(house, orders) == [True] * CALLS


async def test_news_that_cannot_be_folded_takes_no_other_with_it(house: House) -> None:
    orders = await ringing(house)
    reports = await answers(house, orders)
    poisoned = (await house.see_call(orders[2])).id
    await house.pool.execute("UPDATE calls SET record = '{}' WHERE id = $1", poisoned)

    await receive_all(house, reports)

    good = [order for order in orders if order != orders[2]]
    assert await answered(house, good) == [True] * (CALLS - 1)
    waiting = await house.pool.fetch("SELECT id, fault FROM news WHERE folded_at IS NULL")
    assert [tuple(row) for row in waiting] == [(reports[2].id, "KeyError")]


_SENT_BACK_TWICE = """
    CREATE SEQUENCE tries;
    CREATE FUNCTION send_back() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF nextval('tries') <= 2 THEN
            RAISE EXCEPTION 'deadlock detected' USING ERRCODE = 'deadlock_detected';
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER send_back AFTER UPDATE ON calls EXECUTE FUNCTION send_back()"""
"""The first two statements that write calls do nothing; a sequence keeps counting all the same."""


async def test_news_that_the_database_sends_back_is_taken_once_more(house: House) -> None:
    orders = await ringing(house)
    reports = await answers(house, orders)
    await house.pool.execute(_SENT_BACK_TWICE)

    with capture_logs() as logged:
        await receive_all(house, reports)  # together, then one of them alone: both in vain

    assert await answered(house, orders) == [True] * CALLS
    assert await house.pool.fetchval("SELECT count(*) FROM news WHERE fault IS NOT NULL") == 0
    [line] = [one for one in logged if one["event"] == "news_not_together"]
    assert (line["pieces"], line["fault"]) == (CALLS, "DeadlockDetectedError")


async def test_news_told_again_among_others_changes_nothing(house: House) -> None:
    orders = await ringing(house)
    reports = await answers(house, orders)
    await receive_all(house, reports[:3])
    await house.settle()
    before = await contents(house.pool)

    await receive_all(house, reports[:3])
    assert await contents(house.pool) == before
    await receive_all(house, reports)

    assert await answered(house, orders) == [True] * CALLS


async def test_news_of_one_call_is_dealt_with_in_the_order_it_came(house: House) -> None:
    orders = await ringing(house, 2)
    legs = [(await house.see_call(order)).legs[0].id for order in orders]
    now = house.clock.now()
    reports = [
        Report(id=f"{leg}/{kind.__name__}/again", news=kind(leg=leg, at=now))
        for leg in legs
        for kind in (LegRinging, LegAnswered)
    ]

    await receive_all(house, reports)

    assert await answered(house, orders) == [True, True]
    told = await house.pool.fetch(
        "SELECT kind FROM timeline WHERE order_id = $1 ORDER BY seq", orders[0]
    )
    kinds = [row["kind"] for row in told]
    assert kinds.index("leg_ringing") < kinds.index("leg_answered")


ANOTHER = "another"


async def gave_away(house: House, order: OrderId) -> None:
    """All that belongs to the order is another tenant's from now on."""
    seen, call = await house.see_order(order), await house.see_call(order)
    of_it = "|".join(map(str, (order, call.id, seen.caller, seen.voucher, seen.counselor)))
    tables = await house.pool.fetch(
        """SELECT table_name FROM information_schema.columns NATURAL JOIN information_schema.tables
           WHERE column_name = 'tenant' AND table_schema = 'public' AND table_type = 'BASE TABLE'"""
    )
    async with house.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        for (table,) in tables:
            await connection.execute(
                f"UPDATE {table} AS one SET tenant = $1 WHERE one::text ~ $2", ANOTHER, of_it
            )


async def test_news_of_two_tenants_that_comes_at_once_stays_each_with_its_own(
    house: House,
) -> None:
    orders = await ringing(house)
    reports = await answers(house, orders)
    for order in (orders[0], orders[3]):
        await gave_away(house, order)

    with capture_logs() as logged:
        await receive_all(house, reports)

    folded = await house.pool.fetch(
        """SELECT news.tenant, count(*) FROM news
           JOIN timeline ON timeline.tenant = news.tenant AND call_id = news.call
           JOIN calls ON calls.tenant = news.tenant AND calls.id = news.call
           WHERE news.id = ANY ($1) AND folded_at IS NOT NULL AND kind = 'leg_answered'
           GROUP BY news.tenant ORDER BY news.tenant""",
        [report.id for report in reports],
    )
    assert [tuple(row) for row in folded] == [(ANOTHER, 2), (TENANT, CALLS - 2)]
    assert logged == []  # nothing failed on the way
    await house.settle()


async def test_news_of_legs_that_are_nobodys_is_kept_beside_the_others(house: House) -> None:
    orders = await ringing(house, 2)
    reports = await answers(house, orders)
    leg = LegId("call_of_nobody/caller/1")
    stray = Report(id="stray", news=LegRinging(leg=leg, at=house.clock.now()))

    await receive_all(house, [*reports, stray])

    assert await answered(house, orders) == [True, True]
    assert await house.pool.fetchval("SELECT tenant FROM news WHERE id = 'stray'") == TENANT
