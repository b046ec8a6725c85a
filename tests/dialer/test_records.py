"""What a leg cost, and how the carrier's own record of it may differ."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING

import pytest

from dialer.carriers import ReleaseSide
from dialer.leg import Leg, LetGoReason, Release
from dialer.records import CarrierRecord, Difference, LegUse, difference, use_of
from dialer.store.records import DIFFERING, add_records, note_carrier, told_twice
from terms.ids import LegId, TenantId
from terms.verdict import Role

if TYPE_CHECKING:
    from asyncpg import Pool, Record

TENANT = TenantId("default")
AT = datetime(2030, 1, 1, 4, tzinfo=UTC)
LEG = LegId("call_1/caller/1")


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def leg(*, answered: float | None = None, released: float | None = None) -> Leg:
    """A phone that was rung at noon."""
    return Leg(
        id=LEG,
        role=Role.CALLER,
        rung_at=AT,
        answered_at=None if answered is None else AT + seconds(answered),
        release=None
        if released is None
        else Release(at=AT + seconds(released), by=ReleaseSide.PARTY),
    )


def ours(billed: int | None) -> LegUse:
    """A leg of ours, answered for so long or not at all."""
    return LegUse(leg=LEG, rung_at=AT, answered=billed is not None, billed_seconds=billed or 0)


def theirs(billed: int, unit: int = 1) -> CarrierRecord:
    return CarrierRecord(leg=LEG, started_at=AT, billed_seconds=billed, unit_seconds=unit)


@pytest.mark.rule("X09")
def test_a_leg_costs_what_lies_between_its_answer_and_its_release_by_our_clock() -> None:
    assert use_of(leg(answered=5, released=65.9)).billed_seconds == 60
    assert use_of(leg(released=20)) == ours(None), "ringing costs nothing"
    assert use_of(leg(answered=5)) == ours(0), "it still stands"


def test_a_leg_whose_release_was_never_told_ended_when_we_let_it_go() -> None:
    let_go = Leg(
        id=LEG,
        role=Role.CALLER,
        rung_at=AT,
        answered_at=AT,
        let_go_at=AT + seconds(30),
        let_go_why=LetGoReason.CAP,
    )
    assert use_of(let_go).billed_seconds == 30


@pytest.mark.parametrize(
    ("mine", "recorded", "found"),
    [
        (ours(60), theirs(60), None),
        (ours(60), theirs(62), None),
        (ours(60), theirs(63), Difference.SECONDS),
        (ours(60), theirs(57), Difference.SECONDS),
        (ours(61), theirs(120, 60), None),
        (ours(59), theirs(60, 60), None),
        (ours(59), theirs(120, 60), None),
        (ours(50), theirs(120, 60), Difference.SECONDS),
        (ours(60), None, Difference.MISSING),
        (ours(None), None, None),
        (None, theirs(9), Difference.UNKNOWN),
        (None, theirs(0), None),
        (ours(None), theirs(1), Difference.ANSWERED),
        (ours(60), theirs(0), Difference.ANSWERED),
        (ours(1), theirs(0), None),
    ],
)
def test_two_records_of_a_leg_differ_when_it_is_worth_asking(
    mine: LegUse | None, recorded: CarrierRecord | None, found: Difference | None
) -> None:
    assert difference(mine, recorded) is found


async def test_the_database_finds_the_same_differences(database: "Pool[Record]") -> None:
    mine = [None, *(ours(billed) for billed in (None, 0, 1, 2, 3, 57, 58, 60, 62, 119, 121))]
    recorded = [None, *(theirs(billed, unit) for billed in (0, 1, 60, 120) for unit in (1, 60))]
    pairs = [pair for pair in product(mine, recorded) if pair != (None, None)]
    found = await database.fetch(
        f"""SELECT {DIFFERING} AS difference
            FROM (SELECT true AS gives_records, * FROM unnest($1::boolean[], $2::boolean[],
                $3::integer[], $4::integer[], $5::integer[]) WITH ORDINALITY AS pair (ours,
                answered, billed_seconds, recorded_seconds, unit_seconds, number)) AS held_against
            ORDER BY number""",
        [one is not None for one, _ in pairs],
        [one is not None and one.answered for one, _ in pairs],
        [0 if one is None else one.billed_seconds for one, _ in pairs],
        [None if two is None else two.billed_seconds for _, two in pairs],
        [None if two is None else two.unit_seconds for _, two in pairs],
    )
    assert [row["difference"] for row in found] == [difference(*pair) for pair in pairs]


async def test_what_a_carrier_tells_again_takes_the_place_of_what_it_told(
    database: "Pool[Record]",
) -> None:
    for billed in (60, 90):
        async with database.acquire() as connection, connection.transaction():
            assert await add_records(connection, TENANT, "c", [theirs(billed)], AT) == 1
            assert await told_twice(connection) is None
    assert await database.fetchval("SELECT array_agg(billed_seconds) FROM carrier_records") == [90]
    async with database.acquire() as connection, connection.transaction():
        await add_records(connection, TENANT, "c", [theirs(1), theirs(2)], AT)
        assert await told_twice(connection) == LEG


async def test_a_carrier_is_noted_when_it_changes_and_not_at_every_start(
    database: "Pool[Record]",
) -> None:
    async with database.acquire() as connection:
        for day, carrier in enumerate(["one", "one", "two", "one"]):
            await note_carrier(connection, TENANT, carrier, AT + timedelta(days=day))
        rows = await connection.fetch("SELECT carrier FROM carriers_in_use ORDER BY since")
    assert [row["carrier"] for row in rows] == ["one", "two", "one"]
