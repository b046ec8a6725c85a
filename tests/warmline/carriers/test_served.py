"""What a process over real phones answers, and what it must not: Asterisk itself is away here."""

from pathlib import Path

import aiohttp
import pytest

from warmline.serve import running
from warmline.settings import Settings


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Of an Asterisk that does not answer."""
    return Settings.load(
        database_url=database_url,
        data_dir=tmp_path,
        port=0,
        carrier="asterisk",
        asterisk_url="http://127.0.0.1:1",
        asterisk_password="of-the-tests",
    )


async def test_nothing_of_the_simulation_is_there_and_readiness_says_what_is_missing(
    settings: Settings,
) -> None:
    async with running(settings) as house, aiohttp.ClientSession(house.url) as client:
        for method, path in (
            ("GET", "/sim/handsets"),
            ("POST", "/sim/clock"),
            ("PUT", "/sim/faults"),
            ("POST", "/carrier/simulated/news"),
        ):
            async with client.request(method, path, json={}) as response:
                assert response.status == 404
        async with client.get("/") as response:
            assert "<code>asterisk</code>" in await response.text()
        async with client.get("/readyz") as response:
            missing = (await response.json())["missing"]

    assert house.simulation is None
    assert missing["carrier"] in ("no process holds Asterisk", "Asterisk does not answer")
