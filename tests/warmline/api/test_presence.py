"""Presence is an intention that lasts while its counselor is seen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest
from aiohttp import ClientWebSocketResponse

from tests.serving import Service
from warmline.live import socket

OTHER = "+8613900000002"


async def lease(service: Service, counselor: str) -> datetime | None:
    at: datetime | None = await service.house.pool.fetchval(
        "SELECT lease_until FROM counselors WHERE id = $1", counselor
    )
    return at


@pytest.mark.rule("A26")
async def test_looking_at_oneself_keeps_one_present_and_a_break_a_break(service: Service) -> None:
    counselor = await service.people.counselor()
    me = await service.sign_in("counselor", counselor=counselor)
    first = await lease(service, counselor)
    assert first is not None

    await service.let_pass(20)
    async with service.client.get("/v1/me", headers=me) as response:
        assert response.status == 200
    assert await lease(service, counselor) == first

    await service.let_pass(600)
    await service.house.pool.execute("UPDATE counselors SET presence = 'break'")
    async with service.client.get("/v1/me", headers=me) as response:
        seen = await response.json()
    assert seen["presence"] == "break"
    renewed = await lease(service, counselor)
    assert renewed is not None
    assert (renewed - first).total_seconds() > 600

    body = {"state": "available"}
    async with service.client.put("/v1/me/presence", json=body, headers=me) as response:
        assert (await response.json())["state"] == "available"


@pytest.mark.rule("A26")
async def test_an_open_console_keeps_its_counselor_present(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "HEARTBEAT_SECONDS", 0.5)
    counselor = await service.people.counselor()
    me = await service.sign_in("counselor", counselor=counselor)
    first = await lease(service, counselor)
    await service.let_pass(600)

    async with service.client.ws_connect("/v1/live", headers=me) as live, asyncio.timeout(10):
        while (await live.receive_json())["type"] != "beat":
            pass
    renewed = await lease(service, counselor)
    assert first is not None
    assert renewed is not None
    assert renewed > first


@asynccontextmanager
async def a_console(service: Service, me: dict[str, str]) -> AsyncIterator[ClientWebSocketResponse]:
    """An open console that has been told what is true."""
    async with service.client.ws_connect("/v1/live", headers=me) as live:
        assert (await live.receive_json(timeout=10))["type"] == "snapshot"
        yield live


async def is_told_of_itself(live: ClientWebSocketResponse) -> None:
    """Before any beat, and without a number to resume from."""
    async with asyncio.timeout(10):
        while (message := await live.receive_json())["type"] != "me":
            pass
    assert set(message) == {"type", "now"}


@pytest.mark.rule("A26")
async def test_a_console_hears_at_once_what_became_of_its_counselor_elsewhere(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "HEARTBEAT_SECONDS", 60.0)
    counselor = await service.people.counselor()
    me = await service.sign_in("counselor", counselor=counselor)
    other = await service.sign_in("counselor", counselor=await service.people.counselor(OTHER))
    async with a_console(service, me) as mine, a_console(service, other) as strangers:
        body = {"state": "break"}
        async with service.client.put("/v1/me/presence", json=body, headers=me) as response:
            assert response.status == 200
        await is_told_of_itself(mine)

        body = {"state": "available"}
        async with service.client.put("/v1/me/presence", json=body, headers=me) as response:
            assert response.status == 200
        await is_told_of_itself(mine)

        await service.house.pool.execute(
            "UPDATE counselors SET wrap_up_until = $2 WHERE id = $1",
            *(counselor, service.house.clock.now() + timedelta(seconds=60)),
        )
        await is_told_of_itself(mine)  # whoever wrote it, and without a message
        await service.let_pass(61)
        await is_told_of_itself(mine)  # the wrap-up ended by itself
        with pytest.raises(TimeoutError):
            await strangers.receive_json(timeout=0.05)

        await service.let_pass(13 * 3600)
        await is_told_of_itself(mine)  # the lease is lost
        async with service.client.get("/v1/me", headers=me) as response:
            assert (await response.json())["activity"] == "offline"
