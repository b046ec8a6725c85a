"""Taking a counselor for a call, against a real PostgreSQL."""

import asyncio
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from routing.counselor import (
    Counselor,
    Grade,
    Hospital,
    Presence,
    Requirement,
    StaffType,
    claimable,
    claimed,
    lacks,
)
from routing.matching import choose
from routing.store.counselors import (
    choose_idle,
    list_counselors,
    lock_counselor,
    save_counselor,
)
from terms.ids import CallId, CounselorId
from tests.routing.people import (
    DAY,
    HOUR,
    LI,
    LISTENING,
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


@pytest.mark.rule("A22", "A26", "X53")
async def test_of_a_hundred_calls_for_one_counselor_exactly_one_wins(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    await staff(database, seal, LI)

    async def call(number: int) -> str:
        async with database.acquire() as connection, connection.transaction():
            found = await lock_counselor(connection, TENANT, LI.id)
            assert found is not None
            counselor, engaged = found
            refused = claimable(counselor, NEEDS_COUNSELOR, engaged, NOON)
            if refused is not None:
                return refused
            await engage(connection, LI.id, f"call-{number}")
            await save_counselor(connection, TENANT, claimed(counselor, NOON))
            return "won"

    async with asyncio.timeout(30):
        outcomes = await asyncio.gather(*(call(number) for number in range(100)))

    assert sorted(outcomes) == ["counselor_busy"] * 99 + ["won"]


@pytest.mark.rule("A03", "A09")
async def test_a_pool_gives_each_of_many_calls_at_once_another_counselor(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    free = [
        replace(LI, id=CounselorId(f"c{n:02}"), idle_since=NOON - n * MINUTE) for n in range(20)
    ]
    await staff(database, seal, *free)

    async def call(number: int) -> CounselorId | None:
        async with database.acquire() as connection, connection.transaction():
            chosen = await choose_idle(connection, TENANT, NEEDS_COUNSELOR, NOON)
            if chosen is None:
                return None
            await save_counselor(connection, TENANT, claimed(chosen, NOON))
            await engage(connection, chosen.id, f"call-{number}")
            return chosen.id

    async with asyncio.timeout(30):
        at_once = await asyncio.gather(*(call(number) for number in range(60)))
    # Somebody may have come while all the free were in other hands, and gone away with nobody.
    later = [await call(100 + number) for number in range(20)]

    taken = [one for one in [*at_once, *later] if one is not None]
    assert sorted(taken) == sorted(one.id for one in free)


async def choose_now(
    pool: "Pool[Record]",
    requirement: Requirement = NEEDS_COUNSELOR,
    prefer: CounselorId | None = None,
) -> CounselorId | None:
    async with pool.acquire() as connection, connection.transaction():
        chosen = await choose_idle(connection, TENANT, requirement, NOON, prefer=prefer)
        return chosen.id if chosen is not None else None


async def test_the_longest_idle_is_chosen_and_a_free_preferred_one_before(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    await staff(database, seal, LI, WANG, ZHAO)

    assert await choose_now(database) == ZHAO.id
    assert await choose_now(database, prefer=LI.id) == LI.id

    await engage(database, ZHAO.id, "call-1")
    await engage(database, LI.id, "call-2")
    assert await choose_now(database) == WANG.id
    assert await choose_now(database, prefer=LI.id) == WANG.id


async def test_a_counselor_held_by_another_transaction_is_passed_over(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    await staff(database, seal, LI, WANG)
    async with database.acquire() as other, other.transaction():
        await lock_counselor(other, TENANT, WANG.id)

        async with asyncio.timeout(10):
            assert await choose_now(database) == LI.id


async def test_a_claim_committed_while_choosing_is_seen(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    """The chooser's statement began before the claim: its own snapshot shows the counselor free."""
    await staff(database, seal, LI, WANG)
    # Reading who is engaged waits for us, with the snapshot of the statement that asked.
    await database.execute(
        """CREATE FUNCTION engaged_slowly() RETURNS SETOF calls LANGUAGE plpgsql STABLE AS $$
             BEGIN
               PERFORM pg_advisory_xact_lock_shared(7);
               RETURN QUERY SELECT * FROM calls WHERE counselor IS NOT NULL;
             END $$;
           CREATE OR REPLACE VIEW engaged_counselors AS
             SELECT tenant, counselor, id AS call FROM engaged_slowly()"""
    )
    async with database.acquire() as claimer:
        transaction = claimer.transaction()
        await transaction.start()
        await claimer.execute("SELECT pg_advisory_xact_lock(7)")
        choosing = asyncio.create_task(choose_now(database))
        await _until_somebody_waits(database)
        await engage(claimer, WANG.id, "call-1")
        await transaction.commit()

    assert await choosing == LI.id


async def _until_somebody_waits(pool: "Pool[Record]") -> None:
    async with asyncio.timeout(10):
        while not await pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await pool.execute("SELECT pg_sleep(0.01)")


@pytest.mark.rule("A02")
async def test_only_counselors_with_a_valid_credential_are_listed_and_chosen(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    never = replace(LI, id=CounselorId("never"), credential_verified_at=None)
    lapsed = replace(LI, id=CounselorId("lapsed"), credential_valid_until=NOON)
    await staff(database, seal, never, lapsed)
    async with database.acquire() as connection:
        assert await list_counselors(connection, TENANT, NEEDS_COUNSELOR, NOON, limit=10) == []
    assert await choose_now(database) is None

    await staff(database, seal, WANG)
    assert await choose_now(database) == WANG.id


@pytest.mark.rule("A02", "C07", "C12", "C14", "D22", "D28")
async def test_sql_and_rule_agree_on_who_may_be_chosen(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    chance = random.Random(7)
    crowd = [_somebody(chance, number) for number in range(150)]
    await staff(database, seal, *crowd)
    engaged = {one.id: CallId(f"call-{one.id}") for one in crowd if chance.random() < 0.1}
    for counselor, call in engaged.items():
        await engage(database, counselor, call)
    everybody = [(one, engaged.get(one.id)) for one in crowd]

    async with database.acquire() as connection:
        for requirement in [_asked(chance) for _ in range(60)]:
            prefer = chance.choice(crowd).id
            without = {one.id for one in crowd if chance.random() < 0.2}
            expected = choose(everybody, requirement, NOON, prefer=prefer, without=without)
            chosen = await choose_idle(
                connection, TENANT, requirement, NOON, prefer=prefer, without=without
            )
            listed = await list_counselors(connection, TENANT, requirement, NOON, limit=999)

            assert (chosen and chosen.id) == (expected and expected.id)
            assert {one.counselor.id for one in listed} == {
                one.id for one in crowd if not lacks(one, requirement, NOON)
            }


def _somebody(chance: random.Random, number: int) -> Counselor:
    def sometimes(likely: float) -> bool:
        return chance.random() < likely

    theory = replace(
        TRAINED,
        theory_class_hours=24 if sometimes(0.9) else 23,
        practice_days=7 if sometimes(0.9) else 6,
        assessment_passed_on=TRAINED.assessment_passed_on if sometimes(0.9) else None,
    )
    return replace(
        LI,
        id=CounselorId(f"n{number:03}"),
        programs=frozenset({LISTENING}) if sometimes(0.9) else frozenset(),
        roles=frozenset({"psychological_counselor"}) if sometimes(0.9) else frozenset({"doctor"}),
        skills=frozenset({"work"}) if sometimes(0.5) else frozenset({"work", "family"}),
        staff_type=chance.choice(list(StaffType)),
        grade=chance.choice(list(Grade)),
        hospital=chance.choice(list(Hospital)),
        credential_valid_until=NOON + (DAY if sometimes(0.8) else -DAY),
        training=theory,
        presence=Presence.AVAILABLE if sometimes(0.9) else Presence.BREAK,
        lease_until=NOON + (HOUR if sometimes(0.9) else -HOUR),
        wrap_up_until=NOON + (SECOND if sometimes(0.1) else -SECOND),
        cooldown_until=NOON + SECOND if sometimes(0.1) else None,
        idle_since=NOON - chance.randrange(60) * MINUTE,
    )


def _asked(chance: random.Random) -> Requirement:
    return Requirement(
        program=LISTENING,
        role="psychological_counselor",
        skills=chance.choice([frozenset(), frozenset({"work"}), frozenset({"family", "work"})]),
        staff_types=frozenset(chance.sample(list(StaffType), chance.randrange(3))),
        least_grade=chance.choice(list(Grade)),
        least_hospital=chance.choice(list(Hospital)),
        credential_required=chance.random() < 0.7,
        training_required=chance.random() < 0.5,
    )


async def test_choosing_among_a_thousand_of_eight_thousand_reads_few_rows(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    """Counted in pages read, not in time: a shared machine is no clock."""
    await staff(database, seal, LI)
    await database.execute(
        """INSERT INTO counselors (tenant, id, name, phone_index, phone_sealed, programs, roles,
             skills, staff_type, credential_verified_at, credential_valid_until, presence,
             lease_until, idle_since)
           SELECT tenant, 'n' || n, name, phone_index, phone_sealed, programs, roles, skills,
             staff_type, credential_verified_at, credential_valid_until,
             CASE WHEN n % 8 = 0 THEN 'available' ELSE 'offline' END, lease_until,
             idle_since + n * interval '1 ms'
           FROM counselors, generate_series(1, 8000) n"""
    )
    await database.execute("ANALYZE counselors; ANALYZE calls")
    async with database.acquire() as connection:
        await choose_idle(connection, TENANT, NEEDS_COUNSELOR, NOON)
        scanned = "SELECT seq_scan, idx_tup_read FROM pg_stat_user_tables t JOIN " + (
            "(SELECT relid, sum(idx_tup_read) AS idx_tup_read FROM pg_stat_user_indexes "
            "GROUP BY relid) i USING (relid) WHERE t.relname = 'counselors'"
        )
        await connection.execute("SELECT pg_stat_force_next_flush()")
        before = await connection.fetchrow(scanned)
        for _ in range(20):
            assert await choose_idle(connection, TENANT, NEEDS_COUNSELOR, NOON) is not None
        await connection.execute("SELECT pg_stat_force_next_flush()")
        await connection.execute("SELECT pg_stat_clear_snapshot()")
        after = await connection.fetchrow(scanned)

    assert before is not None
    assert after is not None
    assert after["seq_scan"] == before["seq_scan"]
    assert after["idx_tup_read"] - before["idx_tup_read"] < 20 * 10
