"""A keeper of policies in the first days of 2025."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.warmline.notices.kit import Airwaves
from tests.warmline.policies.keeper import Kept
from warmline.clock import VirtualClock
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(datetime(2025, 1, 5, 4, tzinfo=UTC))


@pytest.fixture
def kept(database: "Pool[Record]", seal: AesSeal, clock: VirtualClock) -> Kept:
    return Kept(database, seal, clock, Airwaves())
