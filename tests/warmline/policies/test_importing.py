"""Taking lists over: shown first, all good lines or none, the same list again changes nothing."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from billing.policies.waiting import today_in_china
from terms.ids import TenantId
from tests.billing.policies.lists import HOLDER_ID, cells
from tests.warmline.policies.kit import APPLY, LOOK, PARTIAL, Office, Row, as_csv, warm
from warmline.policies import importing
from warmline.policies.importing import Choice
from warmline.policies.tables import read_table
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record

BAD = cells(policy_number="P-BAD", status="?")


@pytest.fixture
def office(database: "Pool[Record]", seal: AesSeal, noon: datetime) -> Office:
    return Office(database, seal, noon)


def numbered(count: int) -> list[Row]:
    return [cells(policy_number=f"P-{number}") for number in range(count)]


async def test_a_look_shows_what_would_be_new_and_writes_nothing(office: Office) -> None:
    found, applied = await office.take(as_csv([cells(), BAD]), LOOK)

    assert not applied
    assert [one.number for one in found.added] == ["P-1"]
    assert [(row.line, row.number) for row in found.rejected] == [(3, "P-BAD")]
    assert await office.everything() == []


async def test_one_bad_line_keeps_all_good_ones_out(office: Office) -> None:
    _, applied = await office.take(as_csv([*numbered(3), BAD]), APPLY)

    assert not applied
    assert await office.everything() == []


async def test_the_good_ones_are_taken_where_that_was_chosen(office: Office) -> None:
    found, applied = await office.take(as_csv([*numbered(3), BAD]), PARTIAL)

    assert applied
    assert len(found.added) == 3
    assert len(await office.everything()) == 6


async def test_partial_alone_is_still_a_look(office: Office) -> None:
    _, applied = await office.take(as_csv(numbered(1)), Choice(partial=True))

    assert not applied
    assert await office.everything() == []


async def test_the_same_list_again_changes_not_a_byte(office: Office) -> None:
    raw = as_csv(numbered(3))
    await office.take(raw)
    before = await office.everything()

    found, applied = await office.take(raw)

    assert applied
    assert (len(found.added), len(found.changed), found.unchanged) == (0, 0, 3)
    assert await office.everything() == before


async def test_a_change_is_shown_by_field_then_written(office: Office) -> None:
    await office.take(as_csv(numbered(2)))
    changed = as_csv([cells(policy_number="P-0", status="surrendered"), numbered(2)[1]])

    looked, _ = await office.take(changed, LOOK)
    found, _ = await office.take(changed)
    again, _ = await office.take(changed)

    assert looked == found
    assert [(one.policy.number, one.changes[0].field) for one in found.changed] == [
        ("P-0", "status")
    ]
    assert found.unchanged == 1
    assert (again.changed, again.unchanged) == ((), 2)


async def test_people_keep_their_ids_when_a_list_tells_them_otherwise(office: Office) -> None:
    await office.take(as_csv([cells()]))
    ids = {row[8] for row in await office.everything()}

    await office.take(as_csv([cells(insured_phone="13900000009", insured_name="李强强")]))

    assert {row[8] for row in await office.everything()} == ids


async def test_policies_a_list_does_not_name_stay_as_they_are(office: Office) -> None:
    await office.take(as_csv(numbered(2)))

    await office.take(as_csv(numbered(1)))

    assert len(await office.everything()) == 4


@pytest.mark.rule("B09")
async def test_nothing_of_a_person_can_be_read_in_the_database(
    office: Office, database: "Pool[Record]"
) -> None:
    guarded = cells(
        insured_id_number=None,
        insured_birth_date="2020-05-05",
        relation="child",
        contact_name="陈静",
        contact_phone="13700000003",
    )
    await office.take(as_csv([guarded]))

    told = ""
    for table in ("insurance_policies", "policy_people", "policy_imports"):
        rows = await database.fetch(f"SELECT {table}::text AS told FROM {table}")
        told += " ".join(row["told"] for row in rows)
    kept = b""
    for row in await database.fetch("SELECT * FROM policy_people"):
        kept += b"".join(value for value in row.values() if isinstance(value, bytes))

    for secret in ("王芳", "李强", "陈静", "13800000001", "13900000002", HOLDER_ID, "2020-05-05"):
        assert secret not in told
        assert secret.encode() not in kept
        assert secret.encode().hex() not in told


async def test_the_same_person_twice_looks_different_at_rest(office: Office) -> None:
    await office.take(as_csv(numbered(2)))

    rows = await office.everything()

    assert len({row[12] for row in rows}) == len(rows)


async def test_two_imports_at_once_do_not_make_one_policy_twice(office: Office) -> None:
    raw = as_csv(numbered(20))
    await warm(office.pool, 4)

    results = await asyncio.gather(*(office.take(raw) for _ in range(4)))

    assert sorted(len(found.added) for found, _ in results) == [0, 0, 0, 20]
    assert len(await office.everything()) == 40


async def test_a_fault_in_the_middle_leaves_nothing_behind(
    office: Office, database: "Pool[Record]"
) -> None:
    roster = office.read(as_csv(numbered(3)))

    async def half() -> None:
        async with database.acquire() as connection, connection.transaction():
            await office.importer().take_over(connection, roster, APPLY, office.now)
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await half()

    assert await office.everything() == []


@pytest.mark.rule("A42")
async def test_lists_of_two_sponsors_are_kept_apart(office: Office) -> None:
    await office.take(as_csv([cells()]), sponsor="one")
    found, _ = await office.take(as_csv([cells()]), sponsor="two")

    assert len(found.added) == 1
    assert len(await office.everything()) == 4


@pytest.mark.rule("A42")
async def test_tenants_know_nothing_of_each_others_policies(office: Office) -> None:
    await office.take(as_csv([cells()]))
    elsewhere = replace(office.importer(), tenant=TenantId("elsewhere"))

    async with office.pool.acquire() as connection, connection.transaction():
        found, _ = await elsewhere.take_over(
            connection, office.read(as_csv([cells()])), APPLY, office.now
        )

    assert len(found.added) == 1


async def test_each_import_is_noted_with_who_answers_for_it(
    office: Office, database: "Pool[Record]"
) -> None:
    await office.take(as_csv([*numbered(2), BAD]), PARTIAL)

    row = await database.fetchrow("SELECT * FROM policy_imports")

    assert row is not None
    assert (row["by"], row["added"], row["rejected"]) == ("test", 2, 1)


async def test_what_is_new_or_changed_is_looked_at_at_once(
    office: Office, database: "Pool[Record]"
) -> None:
    await office.take(as_csv(numbered(2)))
    await database.execute("UPDATE insurance_policies SET due_at = NULL")
    later = Office(office.pool, office.seal, office.now + timedelta(hours=1))

    await later.take(as_csv([cells(policy_number="P-0", status="lapsed"), numbered(2)[1]]))

    rows = await database.fetch("SELECT number, due_at FROM insurance_policies ORDER BY number")
    assert [row["due_at"] for row in rows] == [later.now, None]


async def test_the_importer_tells_how_far_it_is_at_every_stage_of_a_long_list(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_TELLS_EVERY", "AT_ONCE"):
        monkeypatch.setattr(importing, name, 5)
    told: list[tuple[str, int, int | None]] = []
    importer = replace(
        office.importer(), progress=lambda stage, done, total: told.append((stage, done, total))
    )
    today = today_in_china(office.now)
    roster = importer.gather(read_table(as_csv(numbered(12))), sponsor="default", today=today)

    async with office.pool.acquire() as connection, connection.transaction():
        await importer.take_over(connection, roster, APPLY, office.now)

    assert told == [
        *(("reading", 5, None), ("reading", 10, None)),
        *(("comparing", 5, 12), ("comparing", 10, 12)),
        *(("writing", 5, 12), ("writing", 10, 12), ("writing", 12, 12)),
    ]
