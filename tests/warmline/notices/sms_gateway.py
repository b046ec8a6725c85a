"""An operator's SMS gateway on the loopback. It checks every signature with the library."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks import Webhook

from tests.warmline.notices.kit import SECRET
from warmline.notices.choosing import check_sms
from warmline.notices.gateway import GatewayAccess
from warmline.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """One answer of the gateway."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def says(status: int, told: object = None, **headers: str) -> Says:
    """An answer, its body as JSON; `retry_after="7"` is a header."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Says(
        status=status, body=b"" if told is None else json.dumps(told).encode(), headers=names
    )


@dataclass(frozen=True, slots=True)
class Posted:
    """One SMS that came in, with a signature that holds."""

    id: str
    body: dict[str, Any]
    headers: Mapping[str, str]


@dataclass
class SmsGateway:
    """What came in, and what it answers: 202 when nothing is left to say."""

    secret: str = SECRET
    answers: list[Says] = field(default_factory=list)
    posted: list[Posted] = field(default_factory=list)
    elsewhere: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        raw = await request.text()
        told = Webhook(self.secret).verify(raw, dict(request.headers))
        self.posted.append(Posted(request.headers["webhook-id"], told, dict(request.headers)))
        self.arrived.set()
        answer = self.answers.pop(0) if self.answers else says(202)
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)

    async def take_elsewhere(self, _request: web.Request) -> web.Response:
        self.elsewhere += 1
        return web.Response()


@asynccontextmanager
async def sms_gateway(secret: str = SECRET) -> AsyncIterator[SmsGateway]:
    """A gateway that listens."""
    gateway = SmsGateway(secret=secret)
    app = web.Application()
    app.router.add_post("/sms", gateway.take)
    app.router.add_route("*", "/elsewhere", gateway.take_elsewhere)
    async with TestServer(app) as server:
        gateway.url = str(server.make_url("/sms"))
        yield gateway


def access(url: str, folder: Path, secret: str = SECRET) -> GatewayAccess:
    """What the settings make of this address and secret."""
    settings = Settings.load(data_dir=folder, sms="http", sms_url=url, sms_secret=secret)
    found = check_sms(settings)
    assert found is not None
    return found
