"""A month that was really played, settled by the database and recounted by hand."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING

import pytest

from billing.settlement import Month
from dialer.records import CarrierRecord, use_of
from dialer.service_level import ServiceLevel
from dialer.store.records import add_records, note_carrier
from routing.hours import OpeningHours, Window
from terms.ids import OrderId
from tests.house import House, a_house
from tests.people import DOCTOR, LISTENING, TENANT
from tests.warmline.reports.playing import february, january
from tests.warmline.reports.recounting import (
    SHANGHAI,
    Sums,
    recount_counselors,
    recount_legs,
    recount_programs,
    talked_by_the_phones,
)
from warmline.programs import load_shipped
from warmline.reports.settlement import Asking, at_one_instant, settlement, sponsor_sums
from warmline.reports.tables import Report, Row
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record

JANUARY, FEBRUARY = Month(date(2030, 1, 1)), Month(date(2030, 2, 1))

Tables = dict[str, list[dict[str, str | int | None]]]


@pytest.fixture
async def house(database: "Pool[Record]", seal: AesSeal, noon: datetime) -> AsyncIterator[House]:
    """At noon, with the shipped programs, open day and night: months end at midnight."""
    day_and_night = OpeningHours(zone=SHANGHAI, windows=(Window(0, 24 * 60),))
    programs = {
        program.id: replace(program, routing=replace(program.routing, hours=day_and_night))
        for program in load_shipped().values()
    }
    async with a_house(database, seal, noon, programs=programs) as one:
        async with one.pool.acquire() as connection:
            await note_carrier(connection, TENANT, "simulated", noon)
        yield one


def asking(house: House, month: Month) -> Asking:
    return Asking(
        tenant=TENANT,
        installation=TENANT,
        month=month,
        programs=house.programs,
        level=ServiceLevel(within_seconds=20, short_abandon_seconds=5),
    )


async def read(report: Report) -> Tables:
    """Every row by its columns."""
    return {
        table.name: [_named(table.keys, table.figures, row) async for row in table.rows]
        for table in report.tables
    }


def _named(
    keys: tuple[str, ...], figures: tuple[str, ...], row: Row
) -> dict[str, str | int | None]:
    named: dict[str, str | int | None] = dict(zip(keys, row.keys, strict=True))
    return named | dict(zip(figures, row.figures, strict=True))


async def settled(house: House, month: Month) -> Tables:
    async with house.pool.acquire() as connection, at_one_instant(connection):
        return await read(await settlement(connection, asking(house, month)))


def sums_of(table: list[dict[str, str | int | None]], *about: str) -> Sums:
    """Figures that are not zero, by what they are about."""
    found: Sums = {}
    for row in table:
        figures = {
            name: value for name, value in row.items() if isinstance(value, int) and value != 0
        }
        found[tuple(str(row[name]) for name in about)] = figures
    return found


def without_zeros(sums: Sums) -> Sums:
    return {
        about: {name: units for name, units in told.items() if units}
        for about, told in sums.items()
    }


def total(table: list[dict[str, str | int | None]], figure: str) -> int:
    return sum(int(row[figure] or 0) for row in table)


@pytest.mark.rule("A27", "A33", "A35", "X01", "X08", "X09", "X10", "X56")
async def test_two_months_that_were_played_equal_their_recount_to_the_unit(house: House) -> None:
    orders = await january(house)
    first = await settled(house, JANUARY)
    await february(house, orders)
    async with house.pool.acquire() as connection:
        for month in (JANUARY, FEBRUARY):
            tables = await settled(house, month)
            counselors = sums_of(tables["counselors"], "for_month", "program", "counselor")
            assert counselors == without_zeros(await recount_counselors(connection, month))
            programs = sums_of(tables["programs"], "for_month", "program")
            for told in programs.values():
                told.pop("calls", None)
            assert programs == without_zeros(await recount_programs(connection, month))
            (carrier,) = tables["carriers"]
            assert {
                name: carrier[name] for name in ("legs", "answered_legs", "billed_seconds")
            } == await recount_legs(connection, month)
            assert total(tables["counselors"], "talk_seconds") == total(
                tables["programs"], "talked_seconds"
            )
            assert total(tables["counselors"], "calls") == total(tables["programs"], "calls")
        both = [await settled(house, month) for month in (JANUARY, FEBRUARY)]
        talked = sum(total(tables["counselors"], "talk_seconds") for tables in both)
        assert talked == await talked_by_the_phones(connection) > 0
    assert await settled(house, JANUARY) == first, "a month that is over stays as it was"


async def test_january_tells_every_kind_of_end_apart(house: House) -> None:
    await january(house)
    tables = await settled(house, JANUARY)
    by_program = {str(row["program"]): row for row in tables["counselors"]}
    listening, doctor = by_program[LISTENING], by_program[DOCTOR]
    assert {name: listening[name] for name in listening if name.endswith("calls")} == {
        "calls": 5,
        "effective_calls": 3,
        "short_calls": 0,  # the one there was has been given back
        "resumed_calls": 1,
        "given_back_calls": 1,
    }
    assert (doctor["calls"], doctor["effective_calls"]) == (1, 1)
    worth = {str(row["program"]): row for row in tables["programs"]}[LISTENING]
    assert worth["vouchers_used"] == 5 - 1, "over midnight it was used before, and one came back"
    assert (worth["vouchers_reissued"], worth["vouchers_voided"]) == (1, 1)
    assert worth["vouchers_returned"] == 2


@pytest.mark.rule("X51", "X56")
async def test_a_correction_stands_in_the_month_of_the_decision_and_names_the_one_it_is_about(
    house: House,
) -> None:
    orders = await january(house)
    await february(house, orders)
    tables = await settled(house, FEBRUARY)
    (correction,) = [row for row in tables["counselors"] if row["for_month"] == "2030-01"]
    assert (correction["effective_calls"], correction["given_back_calls"]) == (-1, 1)
    assert (correction["calls"], correction["talk_seconds"]) == (0, 0)
    (taken_back,) = [row for row in tables["programs"] if row["for_month"] == "2030-01"]
    assert (taken_back["vouchers_used"], taken_back["vouchers_reissued"]) == (-1, 1)
    own = [row for row in tables["counselors"] if row["for_month"] == "2030-02"]
    assert sorted(int(row["talk_seconds"] or 0) for row in own) == [64, 403], "midnight in Shanghai"


async def test_legs_that_the_carrier_recorded_otherwise_are_named_by_their_token(
    house: House,
) -> None:
    orders = await january(house)
    call = await house.see_call(OrderId(orders["effective"]))
    uses = [use_of(leg) for leg in call.legs]
    told = [
        CarrierRecord(leg=one.leg, started_at=one.rung_at, billed_seconds=one.billed_seconds + more)
        for one, more in zip(uses, (0, 9), strict=True)
    ]
    async with house.pool.acquire() as connection, connection.transaction():
        await add_records(connection, TENANT, "simulated", told, house.clock.now())
    tables = await settled(house, JANUARY)
    differing = {row["leg"]: row for row in tables["differences"]}
    assert uses[0].leg not in differing
    wrong = differing[uses[1].leg]
    assert wrong["difference"] == "seconds"
    assert wrong["recorded_seconds"] == uses[1].billed_seconds + 9
    (carrier,) = tables["carriers"]
    assert carrier["recorded_legs"] == 2
    assert carrier["differing_legs"] == len(differing) == int(carrier["answered_legs"] or 0) - 1
    assert not [row for row in tables["differences"] if "+86" in str(row)]


@pytest.mark.rule("B11")
async def test_a_sponsor_sees_sums_of_its_programs_and_none_that_few_people_stand_behind(
    house: House,
) -> None:
    await january(house)
    async with house.pool.acquire() as connection, at_one_instant(connection):
        report = await sponsor_sums(connection, asking(house, JANUARY), "default")
        tables = await read(report)
        others = await read(await sponsor_sums(connection, asking(house, JANUARY), "somebody"))
    assert set(tables) == {"programs"}, "no counselor, no leg, no call"
    assert others == {"programs": []}
    rows = {str(row["program"]): row for row in tables["programs"]}
    assert (rows[DOCTOR]["calls"], rows[DOCTOR]["talked_seconds"]) == (None, None)
    assert rows[LISTENING]["calls"] == 5
    assert rows[LISTENING]["vouchers_reissued"] is None
    assert rows[LISTENING]["vouchers_expired"] == 0
