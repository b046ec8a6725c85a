"""What has run out is put away, at its own pace, for every tenant alike."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from routing.counselor import Counselor, Presence, set_presence
from routing.store.counselors import add_counselor
from terms.ids import CounselorId, TenantId
from terms.phone import PhoneNumber
from tests.house import House
from tests.people import COUNSELOR, TENANT
from warmline.enrolment import make_key
from warmline.notices.queue import JOB_LOG_KEPT_FOR, Job, note_job_fault
from warmline.people.store import TokenEnd
from warmline.tenants import known_tenants
from warmline.workers.housekeeping import Housekeeper

if TYPE_CHECKING:
    from asyncpg import Connection, Record

OTHER = TenantId("another")


async def nobody_leaves(
    connection: "Connection[Record]", ended: Sequence[TokenEnd], now: datetime
) -> None:
    """No counselor is bound to an account here."""


@pytest.fixture
def keeper(house: House) -> Housekeeper:
    return Housekeeper(house.pool, TENANT, nobody_leaves, house.clock)


async def at_work(house: House, tenant: TenantId, lease_seconds: int) -> CounselorId:
    """A counselor of that tenant whose lease ends by itself."""
    now = house.clock.now()
    counselor = Counselor(
        id=CounselorId(house.new_id("counselor")),
        name="Chen Xin",
        programs=frozenset(),
        roles=frozenset(),
        idle_since=now,
    )
    counselor = set_presence(counselor, Presence.AVAILABLE, now, lease_seconds)
    async with house.pool.acquire() as connection:
        await add_counselor(connection, house.seal, tenant, counselor, PhoneNumber(COUNSELOR))
    return counselor.id


async def presence(house: House, tenant: TenantId, counselor: CounselorId) -> str:
    """What their row says."""
    return str(
        await house.pool.fetchval(
            "SELECT presence FROM counselors WHERE tenant = $1 AND id = $2", tenant, counselor
        )
    )


async def test_a_lease_that_ran_out_is_put_away_for_every_tenant(
    house: House, keeper: Housekeeper
) -> None:
    gone = {tenant: await at_work(house, tenant, 60) for tenant in (TENANT, OTHER)}
    here = {tenant: await at_work(house, tenant, 600) for tenant in (TENANT, OTHER)}
    await keeper.look()

    house.clock.advance(60)
    await keeper.look()

    for tenant in (TENANT, OTHER):
        assert await presence(house, tenant, gone[tenant]) == "offline"
        assert await presence(house, tenant, here[tenant]) == "available"


async def test_a_chore_waits_for_its_turn(house: House, keeper: Housekeeper) -> None:
    counselor = await at_work(house, TENANT, 7)
    assert await keeper.look() == house.clock.now() + timedelta(seconds=5)

    house.clock.advance(5)
    await keeper.look()
    house.clock.advance(4)
    await keeper.look()
    assert await presence(house, TENANT, counselor) == "available"
    house.clock.advance(1)
    await keeper.look()
    assert await presence(house, TENANT, counselor) == "offline"


async def test_a_tenant_that_comes_while_we_run_gets_the_holidays(
    house: House, keeper: Housekeeper
) -> None:
    await keeper.look()
    async with house.pool.acquire() as connection:
        await make_key(connection, OTHER, "its app", house.clock.now())

    house.clock.advance(5)
    await keeper.look()

    days = await house.pool.fetch("SELECT tenant, count(*) FROM calendar_days GROUP BY tenant")
    assert {row["tenant"] for row in days} == {TENANT, OTHER}
    assert len({row["count"] for row in days}) == 1


async def test_a_tenant_whose_chores_fail_keeps_no_other_from_being_looked_after(
    house: House, keeper: Housekeeper
) -> None:
    await at_work(house, TENANT, 1)
    counselor = await at_work(house, OTHER, 1)
    await house.pool.execute(
        """CREATE FUNCTION poisoned() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN RAISE EXCEPTION 'poisoned'; END $$;
           CREATE TRIGGER poisoned BEFORE UPDATE ON counselors
           FOR EACH ROW WHEN (old.tenant = 'default') EXECUTE FUNCTION poisoned()"""
    )

    house.clock.advance(60)
    with capture_logs() as logged:
        await keeper.look()

    assert [(line["event"], line["tenant"]) for line in logged] == [("chores_not_done", TENANT)]
    assert await presence(house, OTHER, counselor) == "offline"


async def test_whoever_has_a_key_an_account_or_a_counselor_is_a_tenant(house: House) -> None:
    async with house.pool.acquire() as connection:
        assert await known_tenants(connection, TENANT) == [TENANT]
        await make_key(connection, TenantId("b"), "its app", house.clock.now())
        await at_work(house, TenantId("a"), 60)
        await at_work(house, TENANT, 60)
        assert await known_tenants(connection, TENANT) == [TENANT, "a", "b"]


async def test_an_answer_and_a_mark_that_ran_out_are_forgotten(
    house: House, keeper: Housekeeper
) -> None:
    now = house.clock.now()
    await house.pool.execute(
        """INSERT INTO idempotency_keys (tenant, principal, key, request_hash, created_at)
           VALUES ('default', 'app:a', 'old', sha256(''), $1::timestamptz - interval '2 days'),
                  ('default', 'app:a', 'new', sha256(''), $1)""",
        now,
    )
    await house.pool.execute(
        """INSERT INTO rate_marks (tenant, kind, subject, at)
           VALUES ('default', 'redial', '', $1::timestamptz - interval '2 days'),
                  ('default', 'redial', '', $1)""",
        now,
    )

    await keeper.look()

    assert await house.pool.fetchval("SELECT array_agg(key) FROM idempotency_keys") == ["new"]
    assert await house.pool.fetchval("SELECT count(*) FROM rate_marks") == 1


async def test_the_log_of_jobs_is_pruned_and_jobs_that_failed_stay_visible(
    house: House, keeper: Housekeeper
) -> None:
    async with house.pool.acquire() as connection:
        job = Job(kind="deliver", tenant=TENANT, subject="notice_1")
        await note_job_fault(connection, job, ValueError())
    for age in (JOB_LOG_KEPT_FOR + timedelta(hours=1), JOB_LOG_KEPT_FOR - timedelta(hours=1)):
        await house.pool.execute(
            """INSERT INTO pgqueuer_log (created, job_id, status, priority, entrypoint)
               VALUES (now() - $1::interval, 1, 'exception', 0, 'deliver')""",
            age,
        )

    await keeper.look()

    assert await house.pool.fetchval("SELECT count(*) FROM pgqueuer_log") == 1
    assert await house.pool.fetchval("SELECT count(*) FROM job_faults") == 1
