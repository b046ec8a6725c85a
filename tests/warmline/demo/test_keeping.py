"""While the demo runs, its people stay at work and its vouchers do not run out."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from routing.counselor import Presence, set_presence
from routing.store.counselors import lapse_leases, lock_counselor, save_counselor
from terms.ids import CounselorId
from tests.people import TENANT
from tests.serving import Service, a_service
from warmline.demo import cast
from warmline.demo.keeper import Keeper
from warmline.demo.stage import Staged, set_stage

DAY_SECONDS = 86_400
CALLER = "+8613800138001"
FREE = {role.id for role in cast.COUNSELORS if role.presence is Presence.AVAILABLE}


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with a_service(database_url, tmp_path) as service:
        yield service


@pytest.fixture
async def staged(service: Service) -> Staged:
    return await set_stage(service.house)


@pytest.fixture
async def keeper(service: Service, staged: Staged) -> Keeper:
    keeper = Keeper(service.house, staged)
    await keeper.look()
    return keeper


async def test_a_day_that_passes_ends_nobodys_shift(service: Service, keeper: Keeper) -> None:
    service.house.clock.advance(DAY_SECONDS)
    async with service.house.pool.acquire() as connection:
        await lapse_leases(connection, TENANT, service.house.clock.now())
    assert await _available(service) == set()
    await keeper.look()
    assert await _available(service) == FREE


async def test_who_signed_off_stays_away(service: Service, keeper: Keeper) -> None:
    gone = cast.COUNSELORS[0].id
    await _says(service, gone, Presence.OFFLINE)
    await keeper.look()
    service.house.clock.advance(DAY_SECONDS)
    await keeper.look()
    assert await _available(service) == FREE - {gone}


async def test_who_came_back_from_a_break_is_kept_at_work(service: Service, keeper: Keeper) -> None:
    back = next(one.id for one in cast.COUNSELORS if one.presence is Presence.BREAK)
    await _says(service, back, Presence.AVAILABLE)
    await keeper.look()
    service.house.clock.advance(DAY_SECONDS)
    await keeper.look()
    assert await _available(service) == FREE | {back}


async def test_a_redeemed_voucher_is_replaced(
    service: Service, staged: Staged, keeper: Keeper
) -> None:
    before = list(staged.vouchers[cast.LISTENING])
    await service.people.caller(CALLER)
    order = {
        "program": cast.LISTENING,
        "counselor": cast.COUNSELORS[0].id,
        "voucher": before[0],
    }
    async with service.client.post(
        "/v1/orders", json=order, headers=service.device(CALLER)
    ) as answer:
        assert answer.status == 201, await answer.text()
    await keeper.look()
    after = staged.vouchers[cast.LISTENING]
    assert after[:4] == before[1:]
    assert len(after) == 5
    assert after[4] not in before


async def test_setting_the_stage_again_changes_nothing(service: Service, staged: Staged) -> None:
    again = await set_stage(service.house)
    assert (again.api_key, again.passwords, again.vouchers) == (
        staged.api_key,
        staged.passwords,
        staged.vouchers,
    )
    for table, count in {"counselors": 10, "staff": 3, "api_keys": 1, "vouchers": 5}.items():
        found = await service.house.pool.fetchval(f"SELECT count(*) FROM {table}")
        assert (table, found) == (table, count)


async def test_keeping_ends_when_the_house_stops(service: Service, keeper: Keeper) -> None:
    keeping = keeper.start()
    service.house.stopping.set()
    await asyncio.wait_for(keeping, 10)


async def _says(service: Service, counselor: CounselorId, presence: Presence) -> None:
    async with service.house.pool.acquire() as connection, connection.transaction():
        found = await lock_counselor(connection, TENANT, counselor)
        assert found is not None
        said = set_presence(found[0], presence, service.house.clock.now(), 3600)
        await save_counselor(connection, TENANT, said)


async def _available(service: Service) -> set[str]:
    found: set[str] = set()
    for program in (cast.LISTENING, cast.DOCTOR):
        async with service.client.get(f"/v1/programs/{program}/counselors") as answer:
            listed: dict[str, list[dict[str, Any]]] = await answer.json()
            found |= {one["id"] for one in listed["items"] if one["state"] == "available"}
    return found
