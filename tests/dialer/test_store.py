"""The dialer's tables, on a real PostgreSQL."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

import asyncpg
import pytest

from dialer.call import Call, Transfer
from dialer.carriers import (
    KeyPressed,
    LegAnswered,
    LegBridged,
    LegEnded,
    LegRinging,
    MediaHeard,
    MediaLost,
    News,
    ReleaseSide,
)
from dialer.events import CrisisRaised, Timer, TimerFired, TimerKind
from dialer.machine import start, transition
from dialer.machine.starting import Begin
from dialer.orders import Answer, Bridge, CarrierOrder, Effect, HangUp, Limit, Ring, Say
from dialer.policy import Policy
from dialer.store.calls import CallMoved, Stored, insert_call, live_call_of, load_call, save_call
from dialer.store.codec import read_news, read_order, write_news, write_order
from dialer.store.due import (
    lease_orders,
    lease_timers,
    next_timer_at,
    settle_done,
)
from dialer.store.news import keep_news, mark_fault, mark_folded, unfolded_news
from terms.ids import CallId, CounselorId, LegId, OrderId, TargetId, TenantId
from terms.verdict import Role

if TYPE_CHECKING:
    from asyncpg import Pool, Record

TENANT = TenantId("default")
POLICY = Policy()
LEG = LegId("call_1/caller/1")


def begun(noon: datetime, number: int = 1) -> tuple[Call, tuple[Effect, ...]]:
    return start(
        Begin(
            id=CallId(f"call_{number}"),
            order=OrderId(f"order_{number}"),
            counselor=CounselorId(f"counselor_{number}"),
            granted_seconds=1500,
        ),
        POLICY,
        noon,
    )


async def stored(
    database: "Pool[Record]", call: Call, effects: tuple[Effect, ...], now: datetime
) -> Stored:
    async with database.acquire() as connection:
        await insert_call(connection, TENANT, call)
        blank = Stored(replace(call, timers=()), 0)
        written = await save_call(connection, TENANT, blank, call, effects, now, None)
    return Stored(call, written.version)


async def test_a_call_is_read_back_exactly_as_it_was_written(
    database: "Pool[Record]", noon: datetime
) -> None:
    call, effects = begun(noon)
    call = replace(
        call,
        crisis=True,
        counselor_mark=False,
        called_back_at=noon,
        not_before=noon,
        transfer=None,
    )
    await stored(database, call, effects, noon)

    async with database.acquire() as connection:
        found = await load_call(connection, TENANT, call.id)
        live = await live_call_of(connection, TENANT, call.order)

    assert found is not None
    assert found.call == call
    assert live == found


async def test_a_whole_talk_survives_writing_at_every_step(
    database: "Pool[Record]", noon: datetime
) -> None:
    call, effects = begun(noon)
    kept = await stored(database, call, effects, noon)
    caller, counselor = LEG, LegId("call_1/counselor/1")
    happenings: list[News | TimerFired | CrisisRaised] = [
        LegRinging(leg=caller, at=noon),
        LegAnswered(leg=caller, at=noon),
        LegAnswered(leg=counselor, at=noon),
        KeyPressed(leg=counselor, at=noon, digit="1"),
        LegBridged(leg=caller, at=noon),
        LegBridged(leg=counselor, at=noon),
        MediaLost(leg=counselor, at=noon, since=noon - timedelta(seconds=9)),
        MediaHeard(leg=counselor, at=noon),
        LegEnded(leg=counselor, at=noon, by=ReleaseSide.CARRIER, q850=41),
        CrisisRaised(),
        LegEnded(leg=caller, at=noon, by=ReleaseSide.PARTY, q850=16, sip=200, code="bye"),
    ]
    for event in happenings:
        after, effects = transition(kept.call, event, POLICY, noon)
        async with database.acquire() as connection:
            written = await save_call(connection, TENANT, kept, after, effects, noon, None)
            found = await load_call(connection, TENANT, after.id)
        assert found == Stored(after, written.version)
        kept = found


async def test_timers_follow_the_calls_own(database: "Pool[Record]", noon: datetime) -> None:
    call, effects = begun(noon)
    await stored(database, call, effects, noon)
    due = noon + timedelta(seconds=POLICY.ring_seconds)

    async with database.acquire() as connection:
        assert await next_timer_at(connection) == due
        assert await lease_timers(connection, noon, until=noon) == []
        (taken,) = await lease_timers(connection, due, until=due + timedelta(seconds=3))
        again = await lease_timers(connection, due, until=due)
        after_the_lease = await lease_timers(connection, due + timedelta(seconds=3), until=due)

    assert taken.timer == Timer(TimerKind.RING, due)
    assert again == []
    assert len(after_the_lease) == 1


async def test_the_next_timer_is_the_first_that_nobody_has_in_hand_or_whose_lease_is_over(
    database: "Pool[Record]", noon: datetime
) -> None:
    def at(second: int) -> datetime:
        return noon + timedelta(seconds=second)

    rng, kinds = Random(1), (TimerKind.RING, TimerKind.CAP)
    for _ in range(60):
        timers = [
            (f"call_{number}", rng.choice(kinds), rng.randrange(9), rng.choice((None, 3, 8)))
            for number in range(rng.randrange(5))
        ]
        held = rng.choice(((), (TimerKind.RING,)))
        async with database.acquire() as connection:
            await connection.execute("DELETE FROM timers")
            await connection.executemany(
                """INSERT INTO timers (tenant, call, kind, due_at, leased_until, state_version)
                   VALUES ($1, $2, $3, $4, $5, 1)""",
                [
                    (TENANT, call, kind, at(due), None if lease is None else at(lease))
                    for call, kind, due, lease in timers
                ],
            )
            found = await next_timer_at(connection, held=held)
        times = [max(due, lease or due) for _, kind, due, lease in timers if kind not in held]
        assert found == (at(min(times)) if times else None), timers


async def test_orders_of_one_call_come_one_after_the_other(
    database: "Pool[Record]", noon: datetime
) -> None:
    call, _ = begun(noon)
    said = (Say(LEG, "connecting"), HangUp(LEG, after_seconds=6))
    await stored(database, call, said, noon)
    later = noon + timedelta(seconds=10)

    async with database.acquire() as connection:
        (first,) = await lease_orders(connection, later, until=later + timedelta(seconds=3))
        meanwhile = await lease_orders(connection, later, until=later)
        await settle_done(connection, [(TENANT, call.id, first.seq)], later)
        too_early = await lease_orders(connection, noon + timedelta(seconds=5), until=later)
        (second,) = await lease_orders(connection, later, until=later)

    assert first.order == said[0]
    assert meanwhile == []
    assert too_early == []
    assert second.order == said[1]


async def test_an_order_left_by_a_dead_process_says_that_it_may_have_been_sent(
    database: "Pool[Record]", noon: datetime
) -> None:
    call, effects = begun(noon)
    lease = noon + timedelta(seconds=3)
    async with database.acquire() as connection:
        await insert_call(connection, TENANT, call)
        blank = Stored(replace(call, timers=()), 0)
        await save_call(connection, TENANT, blank, call, effects, noon, lease)
        assert await lease_orders(connection, noon, until=lease) == []
        (orphan,) = await lease_orders(connection, lease, until=lease)

    assert orphan.tries > 0


async def test_what_a_dead_process_had_in_hand_is_taken_before_its_lease_is_over(
    database: "Pool[Record]", database_url: str, noon: datetime
) -> None:
    call, effects = begun(noon)
    lease = noon + timedelta(seconds=3)
    blank = Stored(replace(call, timers=()), 0)
    doomed = await asyncpg.connect(database_url, server_settings={"application_name": "doomed"})
    await insert_call(doomed, TENANT, call)
    await save_call(doomed, TENANT, blank, call, effects, noon, lease)
    async with database.acquire() as connection:
        while_it_lives = await lease_orders(connection, noon, until=lease)
        backend = doomed.get_server_pid()
        doomed.terminate()
        await connection.execute("SELECT pg_terminate_backend($1, 5000)", backend)
        (orphan,) = await lease_orders(connection, noon, until=lease)

    assert while_it_lives == []
    assert orphan.tries > 0


async def test_a_write_on_a_stale_reading_is_refused(
    database: "Pool[Record]", noon: datetime
) -> None:
    call, effects = begun(noon)
    kept = await stored(database, call, effects, noon)
    async with database.acquire() as connection:
        await save_call(connection, TENANT, kept, call, (), noon, None)
        with pytest.raises(CallMoved):
            await save_call(connection, TENANT, kept, call, (), noon, None)


async def test_the_database_refuses_a_second_live_call_for_an_order_or_a_counselor(
    database: "Pool[Record]", noon: datetime
) -> None:
    one, effects = begun(noon)
    await stored(database, one, effects, noon)
    async with database.acquire() as connection:
        for clash in (
            replace(one, id=CallId("call_2"), counselor=CounselorId("counselor_2")),
            replace(one, id=CallId("call_2"), order=OrderId("order_2")),
        ):
            with pytest.raises(asyncpg.UniqueViolationError):
                await insert_call(connection, TENANT, clash)


async def test_news_is_kept_once_and_stays_when_it_cannot_be_folded(
    database: "Pool[Record]", noon: datetime
) -> None:
    call, effects = begun(noon)
    await stored(database, call, effects, noon)
    news = LegRinging(leg=LEG, at=noon)
    async with database.acquire() as connection:
        first = await keep_news(connection, "n1", news, stray_tenant=TENANT, now=noon)
        second = await keep_news(connection, "n1", news, stray_tenant=TENANT, now=noon)
        stray = await keep_news(
            connection,
            "n2",
            LegRinging(leg=LegId("nobody/caller/1"), at=noon),
            stray_tenant=TENANT,
            now=noon,
        )
        assert await unfolded_news(connection, received_before=noon) == []
        await mark_fault(connection, TENANT, "n1", "SomeBug")
        (waiting,) = await unfolded_news(connection, received_before=noon)
        await mark_folded(connection, TENANT, "n1", noon)
        left = await unfolded_news(connection, received_before=noon)

    assert first.is_new
    assert first.whose == (TENANT, call.order, call.id)
    assert not second.is_new
    assert stray.whose is None
    assert waiting.news == news
    assert left == []


@pytest.mark.parametrize(
    "order",
    [
        Ring(LEG, Role.COUNSELOR, "counselor_1", 30),
        Ring(LEG, Role.CALLER, None, 30),
        Answer(LEG),
        Bridge((LEG, LegId("call_1/counselor/1")), 1502),
        Say(LEG, "press_1"),
        Limit(LEG, 7200),
        HangUp(LEG, 6),
    ],
)
def test_orders_are_read_back_exactly(order: CarrierOrder) -> None:
    assert read_order(write_order(order)) == order


def test_news_is_read_back_exactly(noon: datetime) -> None:
    every: list[News] = [
        LegRinging(leg=LEG, at=noon),
        LegAnswered(leg=LEG, at=noon),
        KeyPressed(leg=LEG, at=noon, digit="1"),
        LegBridged(leg=LEG, at=noon),
        MediaLost(leg=LEG, at=noon, since=noon),
        MediaHeard(leg=LEG, at=noon),
        LegEnded(leg=LEG, at=noon, by=ReleaseSide.UNKNOWN, q850=16, sip=200, code="x"),
    ]
    assert [read_news(write_news(news)) for news in every] == every


async def test_a_transfer_under_way_is_read_back(database: "Pool[Record]", noon: datetime) -> None:
    call, effects = begun(noon)
    kept = await stored(database, call, effects, noon)
    for event in (
        LegAnswered(leg=LEG, at=noon),
        KeyPressed(leg=LegId("call_1/counselor/1"), at=noon, digit="1"),
        LegBridged(leg=LEG, at=noon),
        LegBridged(leg=LegId("call_1/counselor/1"), at=noon),
    ):
        call, _ = transition(call, event, POLICY, noon)
    call = replace(call, transfer=Transfer(targets=(TargetId("t1"),), joined=True))
    async with database.acquire() as connection:
        await save_call(connection, TENANT, kept, call, (), noon, None)
        found = await load_call(connection, TENANT, call.id)
    assert found is not None
    assert found.call == call
