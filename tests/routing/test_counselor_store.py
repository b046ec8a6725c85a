"""Counselors' records, the catalogue, and stewards' choices, against a real PostgreSQL."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from routing.counselor import (
    CounselorState,
    Grade,
    Hospital,
    Presence,
    StaffType,
    Untaken,
    UntakenOffer,
    missed,
)
from routing.matching import Match
from routing.store.counselors import (
    choose_idle,
    lapse_leases,
    list_counselors,
    load_counselor,
    lock_counselor,
    next_free_at,
    save_counselor,
)
from routing.store.matches import add_match, load_matches
from terms.ids import CallId, CounselorId, OrderId, ProgramId, StaffId, TenantId
from terms.phone import PhoneNumber
from tests.routing.people import (
    LI,
    LISTENING,
    MINE,
    MINUTE,
    NEEDS_COUNSELOR,
    NOON,
    SECOND,
    TENANT,
    TRAINED,
    WANG,
    ZHAO,
)
from tests.routing.roster import engage, staff
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record

MISSED = UntakenOffer(CallId("a"), NOON, Untaken.MISSED)
DECLINED = UntakenOffer(CallId("b"), NOON + SECOND, Untaken.DECLINED)


async def test_a_counselor_is_read_back_as_stored(database: "Pool[Record]", seal: AesSeal) -> None:
    doctor = replace(
        LI,
        training=TRAINED,
        staff_type=StaffType.HOSPITAL,
        grade=Grade.ASSOCIATE_CHIEF,
        hospital=Hospital.TOP100,
        wrap_up_until=NOON,
        cooldown_until=NOON + SECOND,
        untaken=(MISSED, DECLINED),
    )
    await staff(database, seal, doctor)

    async with database.acquire() as connection, connection.transaction():
        found = await load_counselor(connection, TENANT, LI.id)
        locked = await lock_counselor(connection, TENANT, LI.id)

    assert found is not None
    assert found == locked
    assert seal.open(found[0].number_sealed) == MINE
    assert replace(found[0], number_sealed=b"") == doctor


async def test_presence_and_untaken_offers_are_saved(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    await staff(database, seal, LI)
    async with database.acquire() as connection:
        before = await load_counselor(connection, TENANT, LI.id)
        assert before is not None
        away = missed(
            replace(before[0], untaken=(MISSED,)), CallId("b"), NOON, misses_before_away=2
        )
        await save_counselor(connection, TENANT, away)

        assert await load_counselor(connection, TENANT, LI.id) == (away, None)
        assert await lapse_leases(connection, TENANT, NOON + timedelta(days=1)) == [LI.id]
        lapsed = await load_counselor(connection, TENANT, LI.id)
    assert (away.presence, away.sent_away_at) == (Presence.BREAK, NOON)
    assert lapsed is not None
    assert (lapsed[0].presence, lapsed[0].sent_away_at) == (Presence.OFFLINE, None)


async def test_an_unknown_counselor_and_another_tenants_are_not_found(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    await staff(database, seal, LI)

    async with database.acquire() as connection:
        assert await lock_counselor(connection, TENANT, CounselorId("nobody")) is None
        assert await lock_counselor(connection, TenantId("other"), LI.id) is None
        assert await load_counselor(connection, TenantId("other"), LI.id) is None


@pytest.mark.rule("A09", "A26")
async def test_the_catalogue_is_paged_and_shows_what_each_is_doing(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    away = replace(ZHAO, presence=Presence.OFFLINE, lease_until=None)
    elsewhere = replace(LI, id=CounselorId("mo"), programs=frozenset({ProgramId("other")}))
    await staff(database, seal, LI, WANG, away, elsewhere)
    await engage(database, WANG.id, "call-1")

    async with database.acquire() as connection:
        first = await list_counselors(connection, TENANT, NEEDS_COUNSELOR, NOON, limit=2)
        rest = await list_counselors(
            connection, TENANT, NEEDS_COUNSELOR, NOON, limit=2, after=first[-1].counselor.id
        )

    assert [(one.counselor.id, one.state) for one in first + rest] == [
        (LI.id, CounselorState.AVAILABLE),
        (WANG.id, CounselorState.BUSY),
        (ZHAO.id, CounselorState.OFFLINE),
    ]


@pytest.mark.rule("D12")
async def test_lapsed_leases_are_written_down_as_offline(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    silent = replace(WANG, lease_until=NOON)
    await staff(database, seal, LI, silent)

    async with database.acquire() as connection:
        assert (
            await choose_idle(connection, TENANT, NEEDS_COUNSELOR, NOON)
            == (await load_counselor(connection, TENANT, LI.id) or [None])[0]
        )
        assert await lapse_leases(connection, TENANT, NOON) == [silent.id]
        assert await lapse_leases(connection, TENANT, NOON) == []


async def test_the_queue_knows_when_somebody_is_free_again_by_themselves(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    writing = replace(LI, wrap_up_until=NOON + 2 * MINUTE)
    cooling = replace(WANG, wrap_up_until=NOON + SECOND, cooldown_until=NOON + MINUTE)
    gone = replace(ZHAO, wrap_up_until=NOON + SECOND, lease_until=NOON)
    await staff(database, seal, writing, cooling, gone)

    async with database.acquire() as connection:
        for now, free_at in [
            (NOON, NOON + MINUTE),
            (NOON + MINUTE, NOON + 2 * MINUTE),
            (NOON + 2 * MINUTE, None),
        ]:
            assert await next_free_at(connection, TENANT, LISTENING, now) == free_at


@pytest.mark.rule("C06")
async def test_every_choice_of_a_steward_is_kept(database: "Pool[Record]", seal: AesSeal) -> None:
    await staff(database, seal, LI, WANG)
    order = OrderId("order-1")
    first = Match(order=order, counselor=LI.id, steward=StaffId("gao"), matched_at=NOON)
    better = replace(first, counselor=WANG.id, matched_at=NOON + MINUTE, reason="儿科")

    async with database.acquire() as connection:
        await add_match(connection, TENANT, better)
        await add_match(connection, TENANT, first)

        assert await load_matches(connection, TENANT, order) == [first, better]
        assert await load_matches(connection, TENANT, OrderId("order-2")) == []


def test_numbers_of_counselors_do_not_show_in_their_record() -> None:
    assert PhoneNumber("+8613800000001").digits not in repr(replace(LI, number_sealed=b"\x01"))
