"""What the chaos tests share."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.chaos.server import Nursery
from tests.chaos.world import World, a_world


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where services are born."""
    one = Nursery()
    yield one
    one.close()


@pytest.fixture
async def world(nursery: Nursery, database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A world with one service, which is still to be started."""
    async with a_world(nursery, database_url, tmp_path) as one:
        yield one
