"""Presence is an intention that lasts while its counselor is seen."""

import asyncio
from datetime import datetime

import pytest

from tests.serving import Service
from warmline.live import socket


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
    await service.house.pool.execute("UPDATE counselors SET presence = 'break', misses = 3")
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
    monkeypatch.setattr(socket, "HEARTBEAT_SECONDS", 0.05)
    counselor = await service.people.counselor()
    me = await service.sign_in("counselor", counselor=counselor)
    first = await lease(service, counselor)
    await service.let_pass(600)

    async with service.client.ws_connect("/v1/live", headers=me) as live, asyncio.timeout(10):
        await live.receive_json()
        while await lease(service, counselor) == first:  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(0.02)
