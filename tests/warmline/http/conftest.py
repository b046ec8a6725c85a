"""The example application, served over real HTTP on a real database."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from prometheus_client import CollectorRegistry

from tests.warmline.http.example import CREATE, TOLD, frame_on, notes
from warmline.http.app import make_app
from warmline.http.asked import Frame
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record

Client = TestClient[Request, Application]


@pytest.fixture
async def frame(database: "Pool[Record]", seal: AesSeal, noon: datetime) -> Frame:
    """The frame under the example."""
    await database.execute(CREATE)
    return frame_on(database, seal, noon)


@pytest.fixture
async def client(frame: Frame) -> AsyncIterator[Client]:
    """Talks to the example."""
    app = make_app(frame, notes, version="1", registry=CollectorRegistry(), checks={})
    app[TOLD] = []
    async with TestClient(TestServer(app)) as client:
        yield client
