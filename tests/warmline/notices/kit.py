"""What the tests of notices share: writing one, a receiver of pushes, senders that fail."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry
from standardwebhooks import Webhook

from routing.store.callers import get_or_create_caller
from terms.ids import CallerId, OrderId, ProgramId, TenantId
from terms.phone import PhoneNumber
from warmline.clock import Clock
from warmline.desk.slice import Notice, NoticeKind
from warmline.desk.store import adding_notices, carry_out
from warmline.notices.delivery import Delivery, NoticeMetrics
from warmline.notices.outbox import QueuedOutbox
from warmline.notices.senders import LogSender, Sender, Sms
from warmline.notices.sending import NotSent
from warmline.notices.status import RecordedPusher, StatusPusher
from warmline.notices.store import NoticeLine, list_notices
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record

TENANT = TenantId("default")
LISTENING = ProgramId("psych-listening")
ORDER = OrderId("order_1")
MINE = PhoneNumber("+8613812345678")
SHANGHAI = ZoneInfo("Asia/Shanghai")
ZONES = {LISTENING: SHANGHAI}
SECRET = "whsec_" + base64.b64encode(b"shared by both sides, 24").decode()

CANCELLED = Notice(
    kind=NoticeKind.STATUS,
    template="order.cancelled",
    data={"order": ORDER, "program": LISTENING, "state": "cancelled", "reason": "not_reached"},
)
CANCELLED_SMS = Notice(kind=NoticeKind.SMS, template="order_cancelled", data=CANCELLED.data)

_numbers = count(1)


async def write_notices(
    database: "Pool[Record]", seal: AesSeal, now: datetime, *notices: Notice, queued: bool = True
) -> list[str]:
    """Decide on notices for the caller with the number MINE; their ids."""
    async with database.acquire() as connection, connection.transaction():
        caller = await get_or_create_caller(
            connection, seal, TENANT, MINE, lambda: CallerId("caller_1"), now
        )
        named = [(f"notice_{next(_numbers):06}", notice) for notice in notices]
        added = adding_notices(TENANT, named, caller=caller.id, order=ORDER, call=None, now=now)
        await carry_out(connection, [added])
        ids = [id_ for id_, _ in named]
        if queued:
            await QueuedOutbox().enqueue(connection, TENANT, ids, now)
    return ids


async def line(database: "Pool[Record]", id_: str) -> NoticeLine:
    """How one notice stands, as operators see it."""
    async with database.acquire() as connection:
        lines = await list_notices(connection, TENANT, limit=1000)
    (found,) = [one for one in lines if one.id == id_]
    return found


async def outcome(database: "Pool[Record]", id_: str) -> NoticeLine:
    """How a notice stands once it has its outcome; fails after ten seconds."""
    async with asyncio.timeout(10):
        while (found := await line(database, id_)).outcome is None:  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # the database tells nobody
    return found


def delivery(
    database: "Pool[Record]",
    seal: AesSeal,
    clock: Clock,
    *,
    sender: Sender | None = None,
    pusher: StatusPusher | None = None,
    registry: CollectorRegistry | None = None,
) -> Delivery:
    """One that records, unless told otherwise."""
    return Delivery(
        pool=database,
        seal=seal,
        clock=clock,
        sender=sender or LogSender(database, seal, clock),
        pusher=pusher or RecordedPusher(database, seal, clock),
        zones=ZONES,
        metrics=NoticeMetrics(registry or CollectorRegistry()),
    )


@dataclass
class Airwaves:
    """A sender that fails as often as it is told to, and keeps what it sent."""

    failures: Iterator[Exception | None] = field(default_factory=lambda: iter(()))
    sent: list[Sms] = field(default_factory=list)

    async def send_sms(self, sms: Sms) -> None:
        failure = next(self.failures, None)
        if failure is not None:
            raise failure
        self.sent.append(sms)

    async def close(self) -> None:
        pass


def always(fault: str) -> Iterator[Exception | None]:
    """A way out that never opens."""
    return (NotSent(fault) for _ in count())


@dataclass
class Received:
    """One push that came in, with a signature that holds."""

    id: str
    body: Any


@dataclass
class Receiver:
    """A customer-service system on the loopback. It checks every signature with the library."""

    answers: list[int] = field(default_factory=list)  # 204 when there is none left
    received: asyncio.Queue[Received] = field(default_factory=asyncio.Queue)
    held: asyncio.Event | None = None  # while it is there, no push is answered before it is set
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        body = await request.text()
        told = Webhook(SECRET).verify(body, dict(request.headers))
        self.received.put_nowait(Received(request.headers["webhook-id"], told))
        if self.held is not None:
            await self.held.wait()
        return web.Response(status=self.answers.pop(0) if self.answers else 204)


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver that listens."""
    receiver_ = Receiver()
    app = web.Application()
    app.router.add_post("/status", receiver_.take)
    async with TestServer(app) as server:
        receiver_.url = str(server.make_url("/status"))
        yield receiver_
