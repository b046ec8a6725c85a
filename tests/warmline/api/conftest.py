"""A running service for every test of the API."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.serving import Service, a_service


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    """A service whose clock shows noon in Shanghai."""
    async with a_service(database_url, tmp_path) as one:
        yield one
