"""The whole process with PostgreSQL, over Twilio: a few calls from the button to the verdict.

How fast it is, `load.py` measures; here everything only has to be right.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from tests.dialer.carriers.twilio.load import (
    LISTENING,
    OURS,
    PUBLIC,
    Load,
    Run,
    a_town,
    open_all_day,
    twilio_settings,
)
from tests.twilio_standin.hooks import signature
from tests.twilio_standin.operations import Operations
from tests.twilio_standin.phones import Reply, Script
from warmline.bench.people import People
from warmline.clock import machine_now
from warmline.programs import load_programs
from warmline.serve import House, running
from warmline.settings import Settings
from warmline.workers.hold import SharedHold

# Twilio tells times in whole seconds: a talk of less than one would be none.
FEW = Load(calls=6, calls_per_second=20, answers_after_seconds=0.05, talk_seconds=1.5)
ONE = Load(calls=1, calls_per_second=20, answers_after_seconds=0.05, talk_seconds=1.5)


@dataclass(slots=True, kw_only=True)
class ServedRun(Run):
    """With the process at hand."""

    house: House


class Behind(SharedHold):
    """Of a process that is behind with the calls under way."""

    is_behind = True


@asynccontextmanager
async def a_run(
    operations: Operations, database_url: str, tmp_path: Path, load: Load
) -> AsyncIterator[ServedRun]:
    """A process that serves, with customers whose buttons can be pressed."""
    services: dict[str, str] = {}
    programs = open_all_day(tmp_path / "programs")
    async with a_town(operations, services, load) as twilio:
        given: dict[str, Any] = {**twilio_settings(twilio)}
        settings = Settings.load(
            database_url=database_url,
            data_dir=tmp_path / "data",
            port=_free_port(),
            programs=programs,
            **given,
        )
        services[PUBLIC] = f"http://127.0.0.1:{settings.port}"
        async with running(settings) as house:
            connection = await asyncpg.connect(database_url)
            people = People(
                connection,
                house.seal,
                settings.tenant,
                machine_now,
                programs=load_programs(programs),
            )
            counselors = await people.counselors(load.calls, LISTENING)
            customers = await people.customers(load.calls, LISTENING, counselors)
            async with aiohttp.ClientSession(base_url=services[PUBLIC]) as client:
                yield ServedRun(
                    house=house,
                    load=load,
                    twilio=twilio,
                    customers=customers,
                    tenant=settings.tenant,
                    connection=connection,
                    client=client,
                )
            await connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


async def test_calls_from_the_button_to_the_verdict(
    operations: Operations, database_url: str, tmp_path: Path
) -> None:
    async with a_run(operations, database_url, tmp_path, FEW) as run:
        figures = await run.go()

    assert figures.wrong == {}


async def test_no_call_is_begun_while_those_under_way_wait(
    operations: Operations, database_url: str, tmp_path: Path
) -> None:
    async with a_run(operations, database_url, tmp_path, ONE) as run:
        carrier, customer = run.house.carrier, run.customers[0]
        hold = carrier.hold
        carrier.hold = Behind()  # type: ignore[misc]
        button = f"/v1/orders/{customer.order}/calls"
        login = {"Authorization": f"Bearer {customer.token}"}
        async with run.client.post(button, json={}, headers=login) as refused:
            assert (refused.status, refused.headers["Retry-After"]) == (503, "3")
        assert await run.connection.fetchval("SELECT count(*) FROM calls") == 0

        carrier.hold = hold  # type: ignore[misc]
        assert (await run.go()).wrong == {}


async def test_callbacks_in_disorder_end_in_the_same_verdicts(
    operations: Operations, database_url: str, tmp_path: Path
) -> None:
    async with a_run(operations, database_url, tmp_path, FEW) as run:
        lost = run.twilio.misdelivery
        lost.duplicate = lost.reorder = lost.delay = 0.3
        lost.delay_seconds = 0.3
        figures = await run.go()

    assert figures.wrong == {}


async def test_a_caller_who_dials_in_is_known_by_number_and_put_through(
    operations: Operations, database_url: str, tmp_path: Path
) -> None:
    async with a_run(operations, database_url, tmp_path, ONE) as run:
        caller = run.customers[0].number
        talks = Script(reply=Reply.ANSWERS, talk_seconds=ONE.talk_seconds)
        run.twilio.phone(caller, talks)
        run.twilio.dial_in(caller, OURS, stir="TN-Validation-Passed-A")
        await run.until_over(1)

        assert await run.verdict(run.customers[0]) == "party_ended"
        assert run.twilio.phone(caller).rung == 0
        kept = await run.connection.fetchval(
            "SELECT fields->>'StirVerstat' FROM twilio_events WHERE kind = 'dialled_in'"
        )
        assert kept == "TN-Validation-Passed-A"


async def test_a_forged_webhook_comes_no_further_than_the_door(
    operations: Operations, database_url: str, tmp_path: Path
) -> None:
    async with a_run(operations, database_url, tmp_path, ONE) as run:
        assert (await run.go()).wrong == {}
        await _all_told(run)
        before = await _all_rows(run)
        for sent in run.twilio.mouth.sent:
            post = sent.post
            path = post.url.removeprefix(PUBLIC).partition("#")[0]
            wrong = signature("0" * 32, post.url, post.params)
            async with run.client.post(
                path, data=dict(post.params), headers={"X-Twilio-Signature": wrong}
            ) as response:
                assert response.status == 403, await response.text()
        assert await _all_rows(run) == before


async def _all_told(run: Run) -> None:
    """Until what Twilio told is marked as told on: it is written in batches."""
    async with asyncio.timeout(20):
        while await run.connection.fetchval(  # noqa: ASYNC110 - another connection writes it
            "SELECT count(*) FROM twilio_events WHERE told_at IS NULL"
        ):
            await asyncio.sleep(0.05)


_LATER = ("told_at", "caller_sealed")
"""Written once what was stored is told."""


async def _all_rows(run: Run) -> str:
    """Whatever the carrier and the dialer keep."""
    tables = await run.connection.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' "
        "AND (tablename LIKE 'twilio%' OR tablename IN ('calls', 'news', 'timeline')) ORDER BY 1"
    )
    kept = {}
    for row in tables:
        rows = await run.connection.fetch(f"SELECT * FROM {row['tablename']}")
        kept[row["tablename"]] = sorted(
            str({name: value for name, value in one.items() if name not in _LATER}) for one in rows
        )
    assert {"calls", "news"} <= kept.keys()
    return json.dumps(kept)
