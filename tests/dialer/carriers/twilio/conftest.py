"""A carrier on a Twilio that stands in, with what it must not forget in memory or in PostgreSQL."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from dialer.carriers.twilio.book import MemoryBook
from terms.ids import TenantId
from tests.dialer.carriers.twilio.rig import TwilioRig, a_rig
from tests.twilio_standin.fixtures import operations, pytest_terminal_summary
from tests.twilio_standin.operations import Operations
from warmline.carriers.twilio_book import StoredBook
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record

__all__ = ["operations", "pytest_terminal_summary"]


@pytest.fixture
async def rig(operations: Operations) -> AsyncIterator[TwilioRig]:
    """A carrier that is open, with a book in memory."""
    async with a_rig(operations, MemoryBook()) as rig:
        yield rig


@pytest.fixture
async def kept(
    operations: Operations, database: "Pool[Record]", seal: AesSeal
) -> AsyncIterator[TwilioRig]:
    """The same with its book in PostgreSQL."""
    async with a_rig(operations, StoredBook(database, seal, TenantId("default"))) as rig:
        yield rig
