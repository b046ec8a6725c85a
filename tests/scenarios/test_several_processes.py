"""Several processes on one database: they share the work, and each other's news."""

import asyncio
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.people import CALLER, COUNSELOR
from tests.serving import Service, a_service
from warmline.live import own_state

needs_redis = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="needs Debian's redis-server"
)


@asynccontextmanager
async def services(
    count: int, database_url: str, data_dir: Path, **settings: object
) -> AsyncIterator[list[Service]]:
    """Processes that share the database and the handsets."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(a_service(database_url, data_dir, **settings))
            for _ in range(count)
        ]


async def caller_rings(service: Service) -> int:
    """How often the carrier rang the caller's phone, by the carrier's own log."""
    assert service.house.simulation is not None
    events = await service.house.simulation.hands.events()
    return sum(
        1
        for event in events
        if event.get("order") == "ring" and "/caller/" in str(event.get("leg"))
    )


@pytest.mark.rule("X27", "C25")
async def test_three_processes_together_make_exactly_three_attempts(
    database_url: str, tmp_path: Path
) -> None:
    async with services(3, database_url, tmp_path) as (first, second, third):
        counselor = await first.people.counselor()
        order = await first.people.order(await first.people.caller(), counselor)
        await first.script(CALLER, answers="no_answer")
        assert (await second.place_call(order, CALLER))[0] == 202

        for turn in range(12):
            await (first, second, third)[turn % 3].let_pass(60)

        call = await first.people.see_call(order)
        assert call.state == "ended"
        assert (call.counted, call.attempt) == (3, 3)
        assert sum(leg.role == "caller" for leg in call.legs) == 3
        assert (await first.people.timeline(order)).count("attempt_failed") == 3


@pytest.fixture
def redis_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Redis:
    """A real server that can be killed and brought back on its port."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port = port
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Bring it up; it listens when this returns."""
        self._process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--save", "", "--dir", str(self._folder)],
            stdout=subprocess.PIPE,
            stderr=sys.stderr,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if b"Ready to accept connections" in line:
                return
        raise AssertionError("redis-server did not come up")

    def kill(self) -> None:
        """As a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()


@pytest.fixture
def redis(redis_port: int, tmp_path: Path) -> Iterator[Redis]:
    server = Redis(redis_port, tmp_path)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@needs_redis
async def test_the_feed_of_one_process_tells_what_another_does_whatever_becomes_of_redis(
    database_url: str, tmp_path: Path, redis: Redis
) -> None:
    url = f"redis://127.0.0.1:{redis.port}/0"
    async with services(2, database_url, tmp_path, redis_url=url) as (one, other):
        counselor = await one.people.counselor()
        caller = await one.people.caller()
        await one.script(CALLER, answers="yes", talks_for_seconds=120)
        await one.script(COUNSELOR, answers="yes", presses="1")
        seen: list[tuple[int, str]] = []
        async with (
            other.client.ws_connect("/v1/live", headers=other.device(CALLER)) as feed,
            asyncio.timeout(60),
        ):
            assert (await feed.receive_json())["type"] == "snapshot"
            for turn, fault in enumerate((None, redis.kill, redis.start)):
                if fault is not None:
                    fault()
                order = await one.people.order(caller, counselor)
                assert (await one.place_call(order, CALLER))[0] == 202
                await one.let_pass(400)
                while not seen or seen[-1][1] != "order.completed":
                    event = await feed.receive_json()
                    seen.append((event["seq"], event["kind"]))
                assert [kind for _, kind in seen].count("connected") == turn + 1
                seen.append((seen[-1][0], "next"))

        numbers = [number for number, kind in seen if kind != "next"]
        assert numbers == sorted(set(numbers))
        told = {number for number, _ in seen}
        written = await one.house.pool.fetch(
            "SELECT seq FROM timeline WHERE $1 = ANY (visible)", f"caller:{caller}"
        )
        assert told >= {row["seq"] for row in written if row["seq"] <= max(told)}


@needs_redis
async def test_a_console_of_one_process_hears_at_once_what_its_counselor_did_at_another(
    database_url: str, tmp_path: Path, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_state, "SWEEP_SECONDS", 60.0)  # so that Redis alone can tell it
    url = f"redis://127.0.0.1:{redis.port}/0"
    async with services(2, database_url, tmp_path, redis_url=url) as (one, other):
        me = await one.sign_in("counselor", counselor=await one.people.counselor())
        async with other.client.ws_connect("/v1/live", headers=me) as console:
            assert (await console.receive_json(timeout=10))["type"] == "snapshot"
            body = {"state": "break"}
            async with one.client.put("/v1/me/presence", json=body, headers=me) as response:
                assert response.status == 200

            assert (await console.receive_json(timeout=10))["type"] == "me"


@needs_redis
async def test_limits_are_shared_while_redis_is_there(
    database_url: str, tmp_path: Path, redis: Redis
) -> None:
    url = f"redis://127.0.0.1:{redis.port}/0"
    async with services(2, database_url, tmp_path, redis_url=url) as (one, other):
        wrong = {"email": "nobody@example.test", "password": "not the password"}
        statuses = []
        for turn in range(14):
            service = (one, other)[turn % 2]
            async with service.client.post("/v1/sessions", json=wrong) as response:
                statuses.append(response.status)
    assert statuses[:10] == [401] * 10
    assert 429 in statuses[10:]
