"""A house, and an obeyer whose carrier does as it likes."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from tests.house import House, a_house
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record


@pytest.fixture
async def house(database: "Pool[Record]", seal: AesSeal, noon: datetime) -> AsyncIterator[House]:
    """At noon, with nobody in it."""
    async with a_house(database, seal, noon) as house:
        yield house
