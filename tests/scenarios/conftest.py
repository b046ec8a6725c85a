"""A house for every story, and a running service for those told over HTTP."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.house import House, a_house
from tests.people import see_that_the_books_agree
from tests.scenarios.hotline import hotline
from tests.serving import Service, a_service
from warmline.programs import load_programs
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record


@pytest.fixture
async def house(database: "Pool[Record]", seal: AesSeal, noon: datetime) -> AsyncIterator[House]:
    """At noon, with the shipped programs."""
    async with a_house(database, seal, noon) as one:
        yield one
        await see_that_the_books_agree(database, seal)


@pytest.fixture
async def line(
    database: "Pool[Record]", seal: AesSeal, noon: datetime, tmp_path: Path
) -> AsyncIterator[House]:
    """A house with a hotline beside the shipped programs."""
    (tmp_path / "hotline.toml").write_text(hotline(), encoding="utf-8")
    async with a_house(database, seal, noon, programs=load_programs(tmp_path)) as one:
        yield one
        await see_that_the_books_agree(database, seal)


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    """Running, and showing noon in Shanghai."""
    async with a_service(database_url, tmp_path) as one:
        yield one
        await see_that_the_books_agree(one.house.pool, one.house.seal)
