"""A running process for tests that go through real HTTP: port, handsets, workers, all of it.

Its clock shows noon in Shanghai, whatever the machine's shows, so that every service is open.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import asyncpg

from terms.ids import CounselorId, StaffId
from tests.people import TENANT, People, device_token
from warmline.clock import machine_now
from warmline.database.migrate import migrate, shipped
from warmline.http.sessions import TOTP_PURPOSE
from warmline.ids import new_id
from warmline.people import StaffRole
from warmline.people.passwords import Passwords
from warmline.people.store import StaffMember, add_staff
from warmline.people.totp import code_now, new_secret
from warmline.serve import House, running
from warmline.settings import Settings
from warmline.sim_clock import keep_offset

SHANGHAI = ZoneInfo("Asia/Shanghai")


def until_noon(now: datetime) -> timedelta:
    """How far a clock must be moved to show the next noon in Shanghai."""
    local = now.astimezone(SHANGHAI)
    noon = datetime.combine(local.date(), time(12), SHANGHAI)
    return (noon if noon >= local else noon + timedelta(days=1)) - local


@dataclass(frozen=True, slots=True)
class Service:
    """A running service, and a client for it."""

    house: House
    people: People
    client: aiohttp.ClientSession

    def device(self, number: str) -> dict[str, str]:
        """Headers of the caller's device."""
        return {"Authorization": f"Bearer {device_token(number)}"}

    async def sign_in(
        self, *roles: str, counselor: CounselorId | None = None, sponsor: str | None = None
    ) -> dict[str, str]:
        """Headers of a new member of staff with these roles."""
        passwords = Passwords()
        email, password = f"{new_id('staff')}@example.test", "a long enough password"
        secret = new_secret()
        member = StaffMember(
            tenant=TENANT,
            id=StaffId(new_id("staff")),
            email=email,
            password_hash=await passwords.hash(password),
            roles=frozenset(StaffRole(role) for role in roles),
            counselor=counselor,
            sponsor=sponsor,
            totp_secret=self.house.seal.seal_text(secret, TOTP_PURPOSE),
        )
        passwords.close()
        async with self.house.pool.acquire() as connection:
            await add_staff(connection, member, self.house.clock.now())
        body = {"email": email, "password": password, "totp": code_now(secret, machine_now())}
        async with self.client.post("/v1/sessions", json=body) as response:
            assert response.status == 201, await response.text()
            return {"Authorization": f"Bearer {(await response.json())['token']}"}

    async def place_call(self, order: str, number: str) -> tuple[int, dict[str, object]]:
        """Press the button: status and answer."""
        async with self.client.post(
            f"/v1/orders/{order}/calls", json={"phone": number}, headers=self.device(number)
        ) as response:
            return response.status, await response.json()

    async def script(self, number: str, **script: object) -> None:
        """Teach a handset."""
        async with self.client.put(f"/sim/handsets/{number}", json=script) as response:
            assert response.status == 204, await response.text()

    async def let_pass(self, seconds: float) -> None:
        """Let time pass for everybody."""
        async with self.client.post("/sim/clock", json={"advance_seconds": seconds}) as response:
            assert response.status == 200, await response.text()


async def move_to_noon(database_url: str) -> None:
    """Have whatever starts on this database show noon."""
    connection = await asyncpg.connect(database_url)
    try:
        await migrate(connection, shipped())
        await keep_offset(connection, TENANT, until_noon(datetime.now(UTC)))
    finally:
        await connection.close()


@asynccontextmanager
async def a_service(database_url: str, data_dir: Path, **settings: Any) -> AsyncIterator[Service]:
    """A service on this database; it and its handsets end with the block."""
    await move_to_noon(database_url)
    chosen = Settings.load(database_url=database_url, data_dir=data_dir, port=0, **settings)
    async with running(chosen) as house:
        people = People(house.pool, house.seal, house.clock, house.programs, new_id)
        async with aiohttp.ClientSession(base_url=house.url) as client:
            yield Service(house, people, client)
