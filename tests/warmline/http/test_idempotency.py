"""The same request sent twice is done once, also when both arrive at the same moment."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import asyncpg
import pytest

from tests.warmline.http.conftest import Client
from tests.warmline.http.example import TOLD
from tests.warmline.http.test_frame import ANA, BEN, NOTE, count, problem
from warmline.clock import VirtualClock
from warmline.http.asked import Frame
from warmline.http.idempotency import forget_old

if TYPE_CHECKING:
    from asyncpg import Pool, Record

KEYED = {**ANA, "Idempotency-Key": "one-intent"}


async def test_the_same_key_gives_the_same_answer_and_acts_once(
    client: Client, database: "Pool[Record]"
) -> None:
    first = await client.post("/v1/notes", json=NOTE, headers=KEYED)
    again = await client.post("/v1/notes", json=NOTE, headers=KEYED)

    assert (first.status, again.status) == (201, 201)
    assert await first.read() == await again.read()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await count(database) == 1
    assert client.server.app[TOLD] == ["a1"]  # type: ignore[attr-defined]


async def test_requests_at_the_same_moment_all_get_the_one_answer(
    client: Client, database: "Pool[Record]"
) -> None:
    answers = await asyncio.gather(
        *(client.post("/v1/notes", json=NOTE, headers=KEYED) for _ in range(8))
    )

    assert {answer.status for answer in answers} == {201}
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 7
    assert await count(database) == 1


async def test_a_second_request_waits_for_the_first_to_end(
    client: Client, database: "Pool[Record]"
) -> None:
    async with database.acquire() as busy:
        transaction = busy.transaction()
        await transaction.start()
        await busy.execute("INSERT INTO notes (id, owner, text) VALUES ('a1', '', '')")
        first = asyncio.create_task(client.post("/v1/notes", json=NOTE, headers=KEYED))
        await _until_waiting(database, 1)
        second = asyncio.create_task(client.post("/v1/notes", json=NOTE, headers=KEYED))
        await _until_waiting(database, 2)
        await transaction.rollback()

    answers = await asyncio.gather(first, second)
    assert [answer.status for answer in answers] == [201, 201]
    assert await count(database) == 1


async def test_a_refusal_is_judged_anew(client: Client, database: "Pool[Record]") -> None:
    refused = {**NOTE, "text": "in use"}
    for _ in range(2):
        response = await client.post("/v1/notes", json=refused, headers=KEYED)
        assert (await problem(response))["code"] == "voucher_in_use"

    assert (await client.post("/v1/notes", json=NOTE, headers=KEYED)).status == 201


@pytest.mark.parametrize("other", [{**NOTE, "text": "else"}, {**NOTE, "stars": 1}])
async def test_another_body_under_the_same_key_is_refused(
    client: Client, database: "Pool[Record]", other: dict[str, Any]
) -> None:
    await client.post("/v1/notes", json=NOTE, headers=KEYED)

    response = await client.post("/v1/notes", json=other, headers=KEYED)

    assert (response.status, (await problem(response))["code"]) == (422, "key_reused")
    assert await count(database) == 1


async def test_a_number_that_looks_alike_when_masked_is_another_body(
    client: Client, database: "Pool[Record]"
) -> None:
    await client.post("/v1/notes", json={**NOTE, "phone": "+8613800010001"}, headers=KEYED)

    other = {**NOTE, "phone": "+8613899990001"}
    response = await client.post("/v1/notes", json=other, headers=KEYED)

    assert (response.status, (await problem(response))["code"]) == (422, "key_reused")


async def test_the_same_key_on_another_thing_is_refused(client: Client) -> None:
    await client.post("/v1/notes/a1/secret", headers=KEYED)

    response = await client.post("/v1/notes/a2/secret", headers=KEYED)

    assert (await problem(response))["code"] == "key_reused"


async def test_spaces_and_order_do_not_make_another_body(client: Client) -> None:
    await client.post("/v1/notes", json=NOTE, headers=KEYED)
    headers = {**KEYED, "Content-Type": "application/json"}

    again = await client.post("/v1/notes", data=b'{"text":"hello", "id":"a1"}', headers=headers)

    assert again.status == 201


async def test_a_key_belongs_to_one_principal(client: Client, database: "Pool[Record]") -> None:
    await client.post("/v1/notes", json=NOTE, headers=KEYED)

    theirs = await client.post(
        "/v1/notes", json={**NOTE, "id": "b1"}, headers={**BEN, "Idempotency-Key": "one-intent"}
    )

    assert (theirs.status, (await theirs.json())["id"]) == (201, "b1")


async def test_an_answer_is_kept_for_24_hours(
    client: Client, frame: Frame, database: "Pool[Record]"
) -> None:
    clock = cast(VirtualClock, frame.clock)
    await client.post("/v1/notes/a1/secret", headers=KEYED)

    clock.advance(timedelta(hours=23, minutes=59).total_seconds())
    replayed = await client.post("/v1/notes/a1/secret", headers=KEYED)
    clock.advance(60)
    anew = await client.post("/v1/notes/a1/secret", headers=KEYED)

    assert "Idempotency-Replayed" in replayed.headers
    assert (anew.status, "Idempotency-Replayed" in anew.headers) == (201, False)
    async with database.acquire() as connection:
        raw = cast("asyncpg.Connection[Record]", connection)
        assert await forget_old(raw, clock.now()) == 0
        assert await forget_old(raw, clock.now() + timedelta(hours=24)) == 1


async def test_an_answer_with_a_token_is_kept_sealed(
    client: Client, database: "Pool[Record]"
) -> None:
    for _ in range(2):
        response = await client.post("/v1/notes/a1/secret", headers=KEYED)
        assert (await response.json())["text"] == "the token itself"

    assert b"token" not in await database.fetchval("SELECT body FROM idempotency_keys")


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "schlüssel"])
async def test_a_key_that_is_not_printable_ascii_is_refused(client: Client, key: str) -> None:
    response = await client.post("/v1/notes", json=NOTE, headers={**ANA, "Idempotency-Key": key})

    told = await problem(response)
    assert (response.status, told["errors"][0]["in"]) == (422, "header")


async def test_a_deadlock_is_tried_once_more(client: Client, database: "Pool[Record]") -> None:
    await database.execute(_FAILS_TIMES.format(times=1))

    response = await client.post(
        "/v1/notes", json={**NOTE, "text": "blocked until deadlock"}, headers=KEYED
    )

    assert response.status == 201
    assert await count(database) == 1


async def test_a_second_deadlock_asks_the_client_to_come_back(
    client: Client, database: "Pool[Record]"
) -> None:
    await database.execute(_FAILS_TIMES.format(times=2))

    response = await client.post(
        "/v1/notes", json={**NOTE, "text": "blocked until deadlock"}, headers=KEYED
    )

    assert (response.status, (await problem(response))["code"]) == (503, "unavailable")
    assert response.headers["Retry-After"] == "1"
    assert await count(database) == 0


async def test_a_lost_connection_asks_the_client_to_come_back(
    client: Client, database: "Pool[Record]"
) -> None:
    await database.execute(
        """CREATE FUNCTION meet_a_deadlock() RETURNS void LANGUAGE sql
           AS 'SELECT pg_terminate_backend(pg_backend_pid())'"""
    )

    response = await client.post(
        "/v1/notes", json={**NOTE, "text": "blocked until deadlock"}, headers=KEYED
    )

    assert (response.status, (await problem(response))["code"]) == (503, "unavailable")
    assert (await client.post("/v1/notes", json=NOTE, headers=KEYED)).status == 201


_FAILS_TIMES = """
CREATE SEQUENCE deadlocks;
CREATE FUNCTION meet_a_deadlock() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('deadlocks') <= {times} THEN
        RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01';
    END IF;
END $$
"""


async def _until_waiting(database: "Pool[Record]", count: int) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    async with asyncio.timeout(10):
        while await database.fetchval(waiting) < count:  # noqa: ASYNC110 - PostgreSQL sets no event
            await asyncio.sleep(0.01)
