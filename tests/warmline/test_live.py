"""The live feed: in order, without a hole, to whoever may see it, over a real WebSocket."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Hashable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from prometheus_client import CollectorRegistry

from terms.ids import CounselorId, TenantId
from tests.warmline.http.example import HOLDERS, TENANT, frame_on
from warmline.bus import Message
from warmline.bus.in_process import InProcessBus
from warmline.clock import VirtualClock
from warmline.http.app import make_app
from warmline.http.who import Caller, Principal, Staff
from warmline.live import TIMELINE, Entry, socket
from warmline.live.feed import Feed
from warmline.live.own_state import OwnStates
from warmline.live.sign_ins import OpenConsoles
from warmline.live.socket import CloseCode, add_live, live_operations
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

Headers = dict[str, str]
ANA: Headers = {"Authorization": "Bearer wd_ana"}
BEN: Headers = {"Authorization": "Bearer wd_ben"}
OLGA: Headers = {"Authorization": "Bearer ws_olga"}

INSERT = """INSERT INTO timeline (tenant, order_id, at, kind, data, visible)
            VALUES ($1, 'o1', now(), $2, $3::text::jsonb, $4) RETURNING seq"""


class Marks:
    """Callers see what carries their mark, staff everything of theirs."""

    def marks(self, who: Principal) -> frozenset[str]:
        return frozenset({f"caller:{who.id}"} if isinstance(who, Caller) else {"staff"})

    def event(self, who: Principal, entry: Entry) -> Mapping[str, object]:
        return {"kind": entry.kind, "data": entry.data, "at": entry.at}

    async def snapshot(
        self, connection: "Connection[Record]", who: Principal, now: datetime
    ) -> Mapping[str, object]:
        return {"you": who.label, "staff": isinstance(who, Staff)}

    async def own_states(
        self,
        connection: "Connection[Record]",
        whose: Collection[tuple[TenantId, CounselorId]],
        now: datetime,
    ) -> Mapping[tuple[TenantId, CounselorId], Hashable]:
        return {}

    async def still_there(
        self, connection: "Connection[Record]", who: Principal, now: datetime
    ) -> None:
        """Nobody's presence hangs on it here."""


@dataclass
class Live:
    """The feed under test, its database, and how to reach it."""

    database: "Pool[Record]"
    client: "TestClient[Request, Application]"
    bus: InProcessBus
    sockets: list[ClientWebSocketResponse] = field(default_factory=list)

    async def connect(self, headers: Headers | None = None, after: int | None = None) -> Any:
        query = {} if after is None else {"after": str(after)}
        joined = await self.client.ws_connect("/v1/live", headers=headers or {}, params=query)
        self.sockets.append(joined)
        return joined

    async def write(self, kind: str, *visible: str, tenant: str = TENANT, data: str = "{}") -> int:
        seq: int = await self.database.fetchval(INSERT, tenant, kind, data, list(visible))
        self.bus.publish(Message(topic=TIMELINE, seq=seq))
        return seq


@asynccontextmanager
async def served(
    database: "Pool[Record]", seal: AesSeal, now: datetime, *, backlog: int = 1000
) -> AsyncIterator[Live]:
    bus = InProcessBus()
    feed = Feed(database, bus, backlog=backlog, sweep_seconds=0.2)
    app = make_app(
        frame_on(database, seal, now),
        live_operations,
        version="1",
        registry=CollectorRegistry(),
        checks={},
    )
    clock = VirtualClock(now)
    own_states = OwnStates(database, bus, clock, Marks())
    add_live(app, feed, Marks(), own_states, OpenConsoles(bus))
    running = asyncio.create_task(feed.run())
    async with TestClient(TestServer(app)) as client:
        yield Live(database, client, bus)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def live(database: "Pool[Record]", seal: AesSeal, noon: datetime) -> AsyncIterator[Live]:
    async with served(database, seal, noon) as live:
        yield live


async def told(joined: ClientWebSocketResponse) -> dict[str, Any]:
    message: dict[str, Any] = await joined.receive_json(timeout=10)
    return message


async def close_code(joined: ClientWebSocketResponse) -> int | None:
    async with asyncio.timeout(10):
        while (await joined.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED):
            pass
    return joined.close_code


async def test_a_snapshot_comes_first_and_then_every_event(live: Live) -> None:
    before = await live.write("ringing", "caller:ana")
    joined = await live.connect(ANA)

    snapshot = await told(joined)
    after = await live.write("bridged", "caller:ana", data='{"x": 1}')
    event = await told(joined)

    assert (snapshot["type"], snapshot["seq"], snapshot["you"]) == (
        "snapshot",
        before,
        "caller:ana",
    )
    assert (event["type"], event["seq"], event["kind"]) == ("event", after, "bridged")
    assert event["data"] == {"x": 1}


async def test_each_sees_only_their_own(live: Live) -> None:
    ana, ben, olga = [await live.connect(who) for who in (ANA, BEN, OLGA)]
    for joined in (ana, ben, olga):
        await told(joined)

    await live.write("elsewhere", "caller:ana", "caller:ben", "staff", tenant="another")
    await live.write("first", "caller:ana", "staff")
    await live.write("second", "caller:ben", "staff")

    assert (await told(ana))["kind"] == "first"
    assert (await told(ben))["kind"] == "second"
    assert [(await told(olga))["kind"] for _ in range(2)] == ["first", "second"]


async def test_what_was_missed_is_told_after_the_snapshot(live: Live) -> None:
    seen = await live.write("seen", "caller:ana")
    missed = await live.write("missed", "caller:ana")
    await live.write("of another", "caller:ben")

    joined = await live.connect(ANA, after=seen)
    snapshot = await told(joined)
    first = await told(joined)
    new = await live.write("new", "caller:ana")

    assert snapshot["resumed"] is True
    assert (first["seq"], (await told(joined))["seq"]) == (missed, new)


async def test_who_missed_too_much_is_told_so(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "MISSED_MOST", 2)
    for _ in range(3):
        await live.write("missed", "caller:ana")

    joined = await live.connect(ANA, after=0)
    snapshot = await told(joined)
    new = await live.write("new", "caller:ana")

    assert snapshot["resumed"] is False
    assert (await told(joined))["seq"] == new


async def test_a_number_from_the_future_does_not_silence_the_feed(live: Live) -> None:
    joined = await live.connect(ANA, after=10**15)
    await told(joined)

    new = await live.write("new", "caller:ana")

    assert (await told(joined))["seq"] == new


async def test_what_commits_late_is_not_lost(live: Live) -> None:
    joined = await live.connect(ANA)
    await told(joined)

    async with live.database.acquire() as slow:
        transaction = slow.transaction()
        await transaction.start()
        early = await slow.fetchval(INSERT, TENANT, "early", "{}", ["caller:ana"])
        late = await live.write("late", "caller:ana")
        with pytest.raises(TimeoutError):  # what follows the hole is held back
            await joined.receive_json(timeout=0.3)
        await transaction.commit()

    assert [(await told(joined))["seq"] for _ in range(2)] == [early, late]
    assert early < late


async def test_a_number_that_was_rolled_back_holds_nothing_up(live: Live) -> None:
    joined = await live.connect(ANA)
    await told(joined)
    async with live.database.acquire() as failing:
        transaction = failing.transaction()
        await transaction.start()
        await failing.fetchval(INSERT, TENANT, "never", "{}", ["caller:ana"])
        after = await live.write("after", "caller:ana")
        await transaction.rollback()

    assert (await told(joined))["seq"] == after


async def test_a_long_transaction_elsewhere_holds_nothing_up(live: Live) -> None:
    joined = await live.connect(ANA)
    await told(joined)
    async with live.database.acquire() as importing, importing.transaction():
        await importing.execute("CREATE TABLE imported (id integer)")
        async with live.database.acquire() as failing:
            transaction = failing.transaction()
            await transaction.start()
            await failing.fetchval(INSERT, TENANT, "never", "{}", ["caller:ana"])
            await transaction.rollback()
        after = await live.write("after", "caller:ana")

        assert (await told(joined))["seq"] == after


async def test_a_listener_that_joins_before_a_commit_gets_what_it_brings(live: Live) -> None:
    async with live.database.acquire() as slow:
        transaction = slow.transaction()
        await transaction.start()
        early = await slow.fetchval(INSERT, TENANT, "early", "{}", ["caller:ana"])
        late = await live.write("late", "caller:ana")
        joined = await live.connect(ANA, after=0)
        with pytest.raises(TimeoutError):  # where the stream begins is not decided yet
            await joined.receive_json(timeout=0.3)
        await transaction.commit()

    await told(joined)
    assert [(await told(joined))["seq"] for _ in range(2)] == [early, late]


async def test_many_writers_at_once_lose_nothing_and_keep_the_order(live: Live) -> None:
    joined = await live.connect(ANA)
    await told(joined)
    written: list[int] = []

    async def write(number: int) -> None:
        async with live.database.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            seq = await connection.fetchval(INSERT, TENANT, "x", "{}", ["caller:ana"])
            await connection.execute("SELECT pg_sleep($1)", (number * 7 % 5) / 500)
            if number % 3:
                await transaction.commit()
                written.append(seq)
                live.bus.publish(Message(topic=TIMELINE, seq=seq))
            else:
                await transaction.rollback()

    writing = asyncio.gather(*(write(number) for number in range(150)))
    seen = [(await told(joined))["seq"] for _ in range(100)]
    await writing

    assert seen == sorted(written)


async def test_without_a_word_from_the_bus_events_come_a_little_later(live: Live) -> None:
    joined = await live.connect(ANA)
    await told(joined)

    seq = await live.database.fetchval(INSERT, TENANT, "quiet", "{}", ["caller:ana"])

    assert (await told(joined))["seq"] == seq


async def test_the_feed_catches_up_after_the_database_dropped_every_connection(
    live: Live,
) -> None:
    joined = await live.connect(ANA)
    await told(joined)
    await live.database.execute(
        """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND pid <> pg_backend_pid()"""
    )

    seq = await live.write("after", "caller:ana")

    assert (await told(joined))["seq"] == seq


async def test_a_browser_says_hello_first(live: Live) -> None:
    joined = await live.connect()
    await joined.send_json({"type": "hello", "token": "wd_ana"})

    assert (await told(joined))["you"] == "caller:ana"


@pytest.mark.parametrize(
    ("hello", "code"),
    [
        ('{"type":"hello","token":"wd_nobody"}', CloseCode.UNAUTHENTICATED),
        ('{"type":"hello"}', CloseCode.BAD_MESSAGE),
        ('{"type":"hullo","token":"wd_ana"}', CloseCode.BAD_MESSAGE),
        ("hello", CloseCode.BAD_MESSAGE),
    ],
)
async def test_a_wrong_hello_closes_the_socket(live: Live, hello: str, code: CloseCode) -> None:
    joined = await live.connect()
    await joined.send_str(hello)

    assert await close_code(joined) == code


async def test_silence_instead_of_a_hello_closes_the_socket(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "HELLO_SECONDS", 0.1)

    assert await close_code(await live.connect()) == CloseCode.UNAUTHENTICATED


async def test_a_wrong_token_in_the_header_is_refused_before_the_upgrade(live: Live) -> None:
    response = await live.client.get("/v1/live", headers={"Authorization": "Bearer wd_nobody"})

    assert response.status == 401


async def test_a_plain_request_is_told_to_upgrade(live: Live) -> None:
    response = await live.client.get("/v1/live", headers=ANA)

    assert (response.status, response.headers["Upgrade"]) == (426, "websocket")
    assert response.content_type == "application/problem+json"


async def test_the_cookie_counts_only_for_our_own_pages(live: Live) -> None:
    cookie = {"Cookie": "warmline=wd_ana", "Upgrade": "websocket", "Connection": "Upgrade"}

    assert (await live.client.get("/v1/live", headers=cookie)).status == 403
    ours = {"Cookie": "warmline=wd_ana", "Origin": "http://warmline.test"}
    assert (await told(await live.connect(ours)))["you"] == "caller:ana"


async def test_a_token_that_stops_counting_ends_the_connection(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "HEARTBEAT_SECONDS", 0.1)
    joined = await live.connect(ANA)
    await told(joined)
    monkeypatch.delitem(HOLDERS, "wd_ana")

    assert await close_code(joined) == CloseCode.UNAUTHENTICATED


async def test_who_does_not_keep_up_is_closed(
    database: "Pool[Record]", seal: AesSeal, noon: datetime
) -> None:
    async with served(database, seal, noon, backlog=10) as live:
        slow, quick = await live.connect(ANA), await live.connect(OLGA)
        await told(slow)
        await told(quick)
        large = json.dumps({"x": "x" * 100_000})
        for _ in range(200):
            await live.write("large", "caller:ana", "staff", data=large)
            await told(quick)

        assert await close_code(slow) in (CloseCode.TOO_SLOW, 1006)


async def test_at_shutdown_everybody_is_told_to_come_back(
    database: "Pool[Record]", seal: AesSeal, noon: datetime
) -> None:
    async with served(database, seal, noon) as live:
        joined = await live.connect(ANA)
        await told(joined)
        closing = asyncio.create_task(live.client.server.close())

        assert await close_code(joined) == CloseCode.GOING_AWAY
        await closing
