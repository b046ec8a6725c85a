"""Queue, transfer targets and the calendar, against a real PostgreSQL."""

import random
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import asyncpg
import pytest

from routing.queue import Place, in_order, position
from routing.store.calendar import CalendarDay, import_days, load_workdays
from routing.store.queue import (
    join_queue,
    leave_queue,
    load_place,
    queue_heads,
    queue_position,
    waiting_programs,
)
from routing.store.targets import load_target, load_targets, put_target
from routing.transfer import AgencyKind, Region, TransferTarget
from terms.calendar import Workdays
from terms.ids import CallId, CounselorId, ProgramId, TargetId, TenantId
from terms.phone import PhoneNumber
from tests.routing.people import LISTENING, MINUTE, NOON, SECOND, TENANT
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record

FIRST = Place(call=CallId("first"), program=LISTENING, joined_at=NOON)
SECOND_ONE = Place(call=CallId("second"), program=LISTENING, joined_at=NOON + SECOND)


@pytest.mark.rule("D15", "D19")
async def test_sql_and_rule_agree_on_the_order_of_the_queue(database: "Pool[Record]") -> None:
    chance = random.Random(3)
    places = [
        Place(
            call=CallId(chance.choice("aBcD") + f"{n:02}"),
            program=LISTENING,
            joined_at=NOON + chance.randrange(5) * SECOND,
            priority=chance.randrange(-1, 2),
            crisis=chance.random() < 0.2,
        )
        for n in range(60)
    ]
    async with database.acquire() as connection:
        for place in places:
            await join_queue(connection, TENANT, place)
        await join_queue(connection, TenantId("other"), FIRST)
        await join_queue(connection, TENANT, replace(FIRST, program=ProgramId("other")))

        heads = await queue_heads(connection, TENANT, LISTENING, limit=99)
        positions = [await queue_position(connection, TENANT, place.call) for place in places]

    assert tuple(heads) == in_order(places)
    assert positions == [position(places, place.call) for place in places]


@pytest.mark.rule("D19", "X55")
async def test_a_call_in_danger_moves_to_the_front_and_keeps_its_time(
    database: "Pool[Record]",
) -> None:
    async with database.acquire() as connection:
        await join_queue(connection, TENANT, FIRST)
        await join_queue(connection, TENANT, SECOND_ONE)
        late = replace(SECOND_ONE, crisis=True, joined_at=NOON + MINUTE)
        await join_queue(connection, TENANT, late)

        assert await queue_position(connection, TENANT, SECOND_ONE.call) == 1
        assert await queue_position(connection, TENANT, FIRST.call) == 2
        assert await load_place(connection, TENANT, late.call) == replace(
            late, joined_at=SECOND_ONE.joined_at
        )


async def test_leaving_the_queue_moves_the_others_up(database: "Pool[Record]") -> None:
    async with database.acquire() as connection:
        await join_queue(connection, TENANT, replace(FIRST, prefers=CounselorId("li")))
        await join_queue(connection, TENANT, SECOND_ONE)
        assert await waiting_programs(connection) == [(TENANT, LISTENING)]

        assert await leave_queue(connection, TENANT, FIRST.call)
        assert not await leave_queue(connection, TENANT, FIRST.call)
        assert await queue_position(connection, TENANT, FIRST.call) is None
        assert await load_place(connection, TENANT, FIRST.call) is None
        assert await queue_position(connection, TENANT, SECOND_ONE.call) == 1


@pytest.mark.rule("D35")
async def test_transfer_targets_are_kept_sealed_and_replaced(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    police = TransferTarget(
        id=TargetId("police-sh"), name="110", kind=AgencyKind.POLICE, region=Region("310000")
    )
    number = PhoneNumber("+862112345678")
    async with database.acquire() as connection:
        await put_target(connection, seal, TENANT, police, PhoneNumber("110"))
        await put_target(connection, seal, TENANT, replace(police, name="上海 110"), number)

        found = await load_target(connection, TENANT, police.id)
        assert found is not None
        assert await load_targets(connection, TENANT) == [found]
        assert await load_target(connection, TENANT, TargetId("none")) is None

    assert seal.open(found.number_sealed) == number
    assert replace(found, number_sealed=b"") == replace(police, name="上海 110")


async def test_a_region_that_is_no_code_is_refused(database: "Pool[Record]", seal: AesSeal) -> None:
    somewhere = TransferTarget(
        id=TargetId("x"), name="x", kind=AgencyKind.CLINIC, region=Region("上海")
    )
    async with database.acquire() as connection:
        with pytest.raises(asyncpg.CheckViolationError):
            await put_target(connection, seal, TENANT, somewhere, PhoneNumber("110"))


@pytest.mark.rule("X51")
async def test_the_calendar_is_replaceable_data(database: "Pool[Record]") -> None:
    holiday = CalendarDay(day=date(2025, 10, 1), worked=False, name="国庆节", source="notice")
    sunday = CalendarDay(day=date(2025, 9, 28), worked=True, source="notice")
    async with database.acquire() as connection:
        assert await load_workdays(connection, TENANT) == Workdays()

        await import_days(connection, TENANT, [holiday, replace(sunday, worked=False)])
        await import_days(connection, TENANT, [sunday])

        calendar = await load_workdays(connection, TENANT)
        assert await load_workdays(connection, TenantId("other")) == Workdays()

    assert calendar == Workdays(
        exceptions={holiday.day: False, sunday.day: True}, known_until=date(2025, 12, 31)
    )
