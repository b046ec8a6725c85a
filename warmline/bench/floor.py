"""The floor: the least that a durable service on aiohttp and asyncpg can do for one event.

One handler, one transaction of four statements: keep what came in, lock what it concerns, change
it, write a line about it. The server, the driver, the number of connections and the pool's size are
the service's own.
"""

import asyncio
import json
import sys
from typing import TYPE_CHECKING

import asyncpg
import uvloop
from aiohttp import web

from warmline.database.pool import CONNECTIONS

if TYPE_CHECKING:
    from asyncpg import Pool, Record

SUBJECTS = 1000
"""Rows that events are about, so that no two wait for each other more often than calls do."""

TABLES = """
    CREATE TABLE floor_events (id text PRIMARY KEY, body jsonb NOT NULL);
    CREATE TABLE floor_subjects (id integer PRIMARY KEY, record jsonb NOT NULL, version integer);
    CREATE TABLE floor_lines (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, subject integer, body jsonb NOT NULL
    );
    INSERT INTO floor_subjects SELECT id, '{}', 0 FROM generate_series(0, 999) AS id"""

POOL: web.AppKey["Pool[Record]"] = web.AppKey("pool", asyncpg.Pool)


async def take(request: web.Request) -> web.Response:
    """One event, durable once it is answered."""
    event = json.loads(await request.read())
    body, subject = json.dumps(event["body"]), event["subject"]
    async with request.app[POOL].acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO floor_events (id, body) VALUES ($1, $2)", event["id"], body
        )
        version = await connection.fetchval(
            "SELECT version FROM floor_subjects WHERE id = $1 FOR UPDATE", subject
        )
        await connection.execute(
            "UPDATE floor_subjects SET record = $2, version = $3 WHERE id = $1",
            *(subject, body, version + 1),
        )
        await connection.execute(
            "INSERT INTO floor_lines (subject, body) VALUES ($1, $2)", subject, body
        )
    return web.json_response({"acknowledged": [event["id"]]})


async def serve(url: str) -> None:
    """Answer until standard input is closed: until whoever started us is gone."""
    async with asyncpg.create_pool(url, min_size=1, max_size=CONNECTIONS) as pool:
        app = web.Application()
        app[POOL] = pool
        app.router.add_post("/events", take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        await runner.cleanup()


def main() -> None:
    """Serve on the database that the first argument names, and print our address."""
    uvloop.run(serve(sys.argv[1]))
